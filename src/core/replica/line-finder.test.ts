// Finding lines: what is found, what is shown of it, and that no pattern runs away.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FourfoldError } from '../model/errors.ts'
import { foundLineMax, regexProgramMax, regexStepsPerLineMax } from '../model/limits.ts'
import { LineFinder, type FoundLine, type Pattern } from './line-finder.ts'

function find(text: string, pattern: Partial<Pattern> & { text: string }): FoundLine[] {
  const finder = new LineFinder({ ignoresCase: false, isRegex: false, ...pattern })
  return [...finder.find(text)].flatMap(({ found }) => found ?? [])
}

const places = (lines: FoundLine[]) => lines.map(({ number, text }) => `${number}: ${text}`)

const text = 'One apple\r\ntwo pears\n\nan apple, an Apple\nlast'

test('a line that holds the text twice is found once, under its number', () => {
  assert.deepEqual(places(find(text, { text: 'apple' })), ['1: One apple', '4: an apple, an Apple'])
  assert.deepEqual(places(find(text, { text: 'last' })), ['5: last'])
  assert.deepEqual(places(find('x\n', { text: 'x' })), ['1: x'])
  assert.deepEqual(find(text, { text: 'cherry' }), [])
  assert.deepEqual(find('', { text: 'x' }), [])
  // It means itself, and nothing else.
  assert.deepEqual(find(text, { text: 'a.ple' }), [])
})

test('case counts unless it is to be ignored, also for letters that change their length', () => {
  assert.deepEqual(places(find(text, { text: 'APPLE', ignoresCase: true })), [
    '1: One apple',
    '4: an apple, an Apple',
  ])
  const german = 'Straße ß ß\nSTRASSE\nWeg\nStraße'
  assert.deepEqual(places(find(german, { text: 'straße', ignoresCase: true })), [
    '1: Straße ß ß',
    '2: STRASSE',
    '4: Straße',
  ])
  assert.deepEqual(places(find('ὀδυσσεύς', { text: 'ὈΔΥΣΣΕΎΣ', ignoresCase: true })), [
    '1: ὀδυσσεύς',
  ])
})

test('a regular expression is matched line by line', () => {
  assert.deepEqual(places(find(text, { text: '^an? ?[ap]', isRegex: true })), [
    '4: an apple, an Apple',
  ])
  assert.deepEqual(places(find(text, { text: 'apple$', isRegex: true })), ['1: One apple'])
  assert.deepEqual(places(find(text, { text: '^$', isRegex: true })), ['3: '])
  assert.deepEqual(places(find('x\n', { text: '^', isRegex: true })), ['1: x'])
  assert.equal(find(text, { text: 'APPLE', isRegex: true, ignoresCase: true }).length, 2)
})

test('of a long line the part is shown that holds what was found', () => {
  const long = `${'a'.repeat(50_000)}needle${'b'.repeat(50_000)}`
  const [line] = find(long, { text: 'needle' })
  assert.equal(line?.text.length, foundLineMax)
  assert.match(line.text, /^a{200}needleb+$/)
  const [pairs] = find(`x${'👍'.repeat(2000)}`, { text: 'x' })
  assert.ok(pairs?.text.isWellFormed())
})

test('what cannot be looked for is refused with the reason', () => {
  const wrong: [pattern: Partial<Pattern> & { text: string }, rule: RegExp][] = [
    [{ text: '' }, /^Say what to look for\.$/],
    [{ text: 'x'.repeat(1001) }, /at most 1000 characters/],
    [{ text: 'a\nb' }, /within lines/],
    [{ text: '(a', isRegex: true }, /no regular expression here: missing closing \)/],
    [{ text: '(?=x)y', isRegex: true }, /no regular expression here/],
    [{ text: '(a{30}){30}', isRegex: true }, /too large/],
  ]
  for (const [pattern, rule] of wrong) {
    assert.throws(
      () => find('', pattern),
      (error) =>
        error instanceof FourfoldError && error.code === 'invalid' && rule.test(error.message),
      pattern.text,
    )
  }
})

test('no pattern runs away, and no piece of work is long', () => {
  // Both take for ever, or for minutes, in an engine that goes back.
  const line = Array.from({ length: 60_000 }, (_, at) => 'ab'[((at * at) % 7) & 1]).join('')
  const patterns = ['(a+)+$c?d', `(?i)é*[ab]*a[ab]{${regexProgramMax - 20}}[c-ü]`]
  for (const pattern of patterns) {
    const finder = new LineFinder({ text: pattern, isRegex: true, ignoresCase: false })
    const began = process.cpuUsage()
    for (const { steps } of finder.find(`${line}\n${line}`)) {
      assert.ok(steps <= regexStepsPerLineMax + regexProgramMax)
    }
    const { user, system } = process.cpuUsage(began)
    assert.ok(user + system < 10_000_000, `${pattern}: ${user + system} µs`)
  }
})
