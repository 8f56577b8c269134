// Sketches: what a pattern is found in is never ruled out, and most else is.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RE2JS } from 're2js'
import { Random } from '../../../sim/random.ts'
import { LineFinder, type Pattern } from './line-finder.ts'
import { hasPieces, piecesOf, sketchOf } from './sketch.ts'
import { wantedPieces } from './wanted-pieces.ts'

function literal(text: string): Pattern {
  return { text, ignoresCase: false, isRegex: false }
}

const regex = (text: string) => ({ ...literal(text), isRegex: true })

function mayHold(sketch: Uint8Array, pattern: Pattern): boolean {
  const wanted = wantedPieces(pattern)
  return wanted.length === 0 || wanted.some((pieces) => hasPieces(sketch, 0, sketch.length, pieces))
}

function isFound(text: string, pattern: Pattern): boolean {
  return [...new LineFinder(pattern).find(text)].some(({ found }) => found)
}

test('whatever two letters a pattern takes for the same have the same pieces', () => {
  const cased: string[] = []
  for (let point = 0; point < 0x1f000; point++) {
    const character = String.fromCodePoint(point)
    if (/\p{CWCM}|\p{CWCF}|\p{Cased}/u.test(character)) cased.push(character)
  }
  const all = cased.join('')
  let pairs = 0
  for (const one of cased) {
    const pieces = piecesOf(`ab${one}cd`)
    const matcher = RE2JS.compile(one, RE2JS.CASE_INSENSITIVE).matcher(all)
    while (matcher.find()) {
      const other = matcher.group()!
      if (other !== one) pairs++
      assert.deepEqual(piecesOf(`ab${other}cd`), pieces, `${one} and ${other}`)
    }
    assert.deepEqual(piecesOf(`ab${one.toUpperCase()}cd`), pieces, one)
  }
  assert.ok(pairs > 2500, `${pairs} pairs`)
})

test('what a pattern is found in is never ruled out', () => {
  const random = new Random('superset')
  const words = [
    ...['the', 'Straße', 'STRASSE', 'ὀδυσσεύς', 'ὈΔΥΣΣΕΎΣ', 'Kelvin', 'Kelvin', 'naïve', 'ﬁn'],
    ...[
      '日本語',
      '漢字',
      '👍🏽',
      '𐐨𐐀',
      'İstanbul',
      'a',
      'ſs',
      'x.y',
      '(z)',
      'tab\tbed',
      '\r\n',
      '\n',
      '  ',
    ],
  ]
  const parts = [
    ...[
      '.',
      '.*',
      'a?',
      'e+',
      's{0,2}',
      's{2}',
      't{1,}',
      '[a-z]',
      '[^]x]',
      '[[:alpha:]]',
      '(the|a)',
    ],
    ...[
      '\\b',
      '\\.',
      '\\(',
      '\\x{e9}',
      '\\pL',
      '\\Q(\\E',
      '(?i:K)',
      '|',
      '^',
      '$',
      '[)|]',
      '(\\)|x)',
      '{',
      '}',
    ],
  ]
  const some = (from: string[], count: number) => {
    return Array.from({ length: count }, () => random.pick(from)).join(random.pick(['', ' ']))
  }
  const counts = { found: 0, ruledOut: 0, known: 0 }
  for (let round = 0; round < 3000; round++) {
    const text = some(words, random.between(0, 12))
    const isRegex = random.chance(0.5)
    const whole = isRegex ? some([...words, ...parts, ...parts], random.between(1, 5)) : text
    const from = random.below(whole.length)
    const cut = whole.slice(from, from + random.between(1, 12))
    const changed = random.chance(0.3)
      ? cut.toLowerCase()
      : random.chance(0.3)
        ? cut.toUpperCase()
        : cut
    const ignoresCase = random.chance(0.5)
    const pattern = { text: (isRegex ? whole : changed).replaceAll('\n', ''), ignoresCase, isRegex }
    try {
      new LineFinder(pattern)
    } catch {
      // Not one that a search begins with.
      continue
    }
    for (const each of [text, some(words, 8)]) {
      const may = mayHold(sketchOf(each, random.pick([2, 4])), pattern)
      if (wantedPieces(pattern).length > 0) counts.known++
      if (!may) counts.ruledOut++
      if (!isFound(each, pattern)) continue
      counts.found++
      assert.ok(may, `${JSON.stringify(pattern)} in ${JSON.stringify(each)}`)
    }
  }
  const { found, ruledOut, known } = counts
  assert.ok(found > 700 && known > 700 && ruledOut > 500, JSON.stringify(counts))
})

test('of patterns is known what surely has to be there, and of others nothing', () => {
  const pieces = (...runs: string[]) => runs.flatMap(piecesOf)
  assert.deepEqual(wantedPieces(literal('needle')), [pieces('needle')])
  assert.deepEqual(wantedPieces(regex('TODO|FIXME')), [pieces('TODO'), pieces('FIXME')])
  assert.deepEqual(wantedPieces(regex('^#+ title')), [pieces('#', ' title')])
  assert.deepEqual(wantedPieces(regex('colou?r of (a|b)[)|]all\\.')), [
    pieces('colo', 'r of ', 'all.'),
  ])
  assert.deepEqual(wantedPieces(regex('abc{2}defg')), [pieces('ab', 'defg')])
  assert.deepEqual(wantedPieces(regex('abc[]|[:alpha:]]def')), [pieces('abc', 'def')])
  for (const short of ['漢字', 'é', 'C#', '👍']) {
    assert.deepEqual(wantedPieces(literal(short)), [piecesOf(short)], short)
  }
  assert.deepEqual(wantedPieces(literal('x\ud83d')), [])
  for (const unknown of [
    'abc|d?',
    '\\Qabc\\E',
    '\\x{61}bcd',
    '(abcd)',
    'abc(\\Q(\\E)|d',
    '[abc]{3}',
    'a?',
    '.*',
  ]) {
    assert.deepEqual(wantedPieces(regex(unknown)), [], unknown)
  }
})

test('a sketch is about as large as its text has different pieces, and rules most else out', () => {
  const random = new Random('words')
  const word = () => random.between(36 ** 5, 36 ** 6).toString(36)
  const words = Array.from({ length: 600 }, word)
  const text = words.join(' ')
  const once = sketchOf(text, 4).length
  assert.equal(sketchOf(`${text}\n`.repeat(50), 4).length, once)
  assert.ok(once <= 2 * text.length, `${once} bytes for ${text.length}`)
  assert.equal(sketchOf(text, 2).length, once / 2)
  assert.equal(sketchOf('', 4).length, 8)
  const others = Array.from({ length: 1000 }, word).filter((each) => !text.includes(each))
  for (const [sparseness, most] of [
    [4, 10],
    [2, 60],
  ] as const) {
    const sketch = sketchOf(text, sparseness)
    assert.ok(words.every((each) => mayHold(sketch, literal(each))))
    const taken = others.filter((each) => mayHold(sketch, literal(each))).length
    assert.ok(taken <= most, `${taken} of ${others.length}`)
  }
})
