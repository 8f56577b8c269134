// The header If, as clients write it and as nobody should.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { etagsIn, isAmong, parseIf, tokensIn } from './conditions.ts'
import { Refusal } from './refusal.ts'

test('lists, tags, tokens and etags are told apart', () => {
  const lists = parseIf(
    '(<urn:uuid:1> ["a b)"]) (Not <DAV:no-lock>)</dav/x>(<urn:uuid:2>)(["y"])<http://a/dav/z> ([W/"z"])',
  )
  assert.deepEqual(
    lists.map(({ resource, conditions }) => [
      resource,
      ...conditions.map(({ isNot, of }) => [isNot, 'token' in of ? of.token : of.etag]),
    ]),
    [
      [undefined, [false, 'urn:uuid:1'], [false, '"a b)"']],
      [undefined, [true, 'DAV:no-lock']],
      ['/dav/x', [false, 'urn:uuid:2']],
      ['/dav/x', [false, '"y"']],
      ['http://a/dav/z', [false, 'W/"z"']],
    ],
  )
  assert.deepEqual(tokensIn(lists), ['urn:uuid:1', 'DAV:no-lock', 'urn:uuid:2'])
})

test('what is malformed is refused, however long it is', () => {
  const bad = ['', '(', ')', '()', '(())', '<a>', '(<a>', '(Not)', '(Not Not <a>)', '(<a>) x', 'x']
  const long = ['('.repeat(16_000), `(${'<a>'.repeat(5000)}`, `(["${'a'.repeat(16_000)}`]
  for (const header of [...bad, ...long]) assert.throws(() => parseIf(header), Refusal, header)
})

test('etags are read from a list of them', () => {
  assert.deepEqual(etagsIn('"a", W/"b" , "c,d"'), ['"a"', 'W/"b"', '"c,d"'])
  assert.equal(etagsIn(' * '), '*')
  assert.deepEqual(etagsIn('a'), [])
})

test('an etag that a proxy made weak is still the one that is not to be there', () => {
  assert.ok(isAmong('"b", W/"a"', '"a"'))
  assert.ok(isAmong('"a"', '"a"'))
  assert.ok(isAmong('*', '"a"'))
  assert.ok(!isAmong('*', undefined))
  assert.ok(!isAmong('W/"b"', '"a"'))
  assert.ok(!isAmong('', '"a"'))
})
