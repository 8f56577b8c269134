// Differences are exact, small and bounded; merging loses nobody's work.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as Y from 'yjs'
import { Random } from '../../../sim/random.ts'
import { applyEdits, mergeText, smallestDiff, stepsMax, type Edit } from './text-merge.ts'

/** The text after the edits, which are checked to be in order and outside of surrogate pairs. */
function applied(from: string, edits: Edit[]): string {
  let result = ''
  let end = 0
  for (const { at, remove, insert } of edits) {
    assert.ok(at >= end && at + remove <= from.length)
    if (from.isWellFormed()) {
      for (const text of [insert, from.slice(end, at), from.slice(at, at + remove)]) {
        assert.ok(text.isWellFormed())
      }
    }
    result += from.slice(end, at) + insert
    end = at + remove
  }
  return result + from.slice(end)
}

const sizeOf = (edits: Edit[]) =>
  edits.reduce((sum, { remove, insert }) => sum + remove + insert.length, 0)

const letters = ['a', 'b', ' ', '\n', 'é', '漢', '👋', '👍', '👩🏽\u200d🚀']

function textOf(random: Random, length: number): string {
  return Array.from({ length }, () => random.pick(letters)).join('')
}

/** The text with some characters taken out and others put in. */
function changed(random: Random, text: string, places: number): string {
  const characters = [...text]
  for (; places > 0; places--) {
    const at = random.below(characters.length + 1)
    characters.splice(at, random.below(4), ...textOf(random, random.below(4)))
  }
  return characters.join('')
}

test('the smallest edits are found', () => {
  const edit = (at: number, remove: number, insert: string): Edit => ({ at, remove, insert })
  const cases: [string, string, Edit[]][] = [
    ['', '', []],
    ['same', 'same', []],
    ['', 'new', [edit(0, 0, 'new')]],
    ['old', '', [edit(0, 3, '')]],
    ['the cat sat', 'the black cat sat', [edit(4, 0, 'black ')]],
    ['one two three', 'one three', [edit(4, 4, '')]],
    ['The cat. The dog.', 'A cat. The cow.', [edit(0, 3, 'A'), edit(13, 4, 'cow.')]],
    // These two share their first half.
    ['👋', '👍', [edit(0, 2, '👍')]],
    ['x👋👋y', 'x👋y', [edit(3, 2, '')]],
    ['\u{1f44b}', '\u{1f84b}', [edit(0, 2, '\u{1f84b}')]],
  ]
  for (const [from, to, edits] of cases.slice(0, 6)) {
    assert.deepEqual(smallestDiff(from, to), edits, JSON.stringify([from, to]))
  }
  for (const [from, to, edits] of cases) {
    assert.equal(applied(from, smallestDiff(from, to)), to)
    assert.ok(sizeOf(smallestDiff(from, to)) <= sizeOf(edits) + 1, JSON.stringify([from, to]))
  }
})

test('edits make any text into any other, and are no larger than the change', () => {
  for (let seed = 1; seed <= 1500; seed++) {
    const random = new Random(seed)
    const from = textOf(random, random.below(200))
    const near = changed(random, from, random.below(5))
    const far = textOf(random, random.below(200))
    assert.equal(applied(from, smallestDiff(from, far)), far, `seed ${seed}`)
    assert.equal(applied(from, smallestDiff(from, near)), near, `seed ${seed}`)
  }
})

test('lone surrogates do not break it', () => {
  for (let seed = 1; seed <= 500; seed++) {
    const random = new Random(seed)
    const units = () =>
      Array.from({ length: 12 }, () => random.pick(['\ud83d', '\udc4b', '\udc4d', 'a'])).join('')
    const [from, to] = [units(), units()]
    assert.equal(applied(from, smallestDiff(from, to)), to, `seed ${seed}`)
  }
})

/** Prose of this many units, in lines of very different lengths. */
function prose(random: Random, length: number, lineMax: number): string {
  const parts: string[] = []
  for (let size = 0; size < length;) {
    let line = ''
    const words = random.between(1, lineMax)
    for (let word = 0; word < words; word++) line += `${random.below(100_000).toString(36)} `
    parts.push(line, '\n')
    size += line.length + 1
  }
  return parts.join('')
}

/** The text with a word put in every so many units. */
function scattered(text: string, every: number): string {
  let result = ''
  for (let at = 0; at < text.length; at += every) result += `${text.slice(at, at + every)}NEW`
  return result
}

function cpuMs(run: () => void): number {
  const started = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(started)
  return (user + system) / 1000
}

test('a change all over a file of 10 MB is found in bounded time, and stays small', () => {
  const random = new Random(1)
  for (const lineMax of [20, 4_000_000]) {
    const from = prose(random, 10_000_000, lineMax)
    const to = scattered(from, 2000)
    let edits: Edit[] = []
    const tookMs = cpuMs(() => (edits = smallestDiff(from, to)))
    assert.ok(tookMs < 12_000, `${tookMs} ms`)
    assert.equal(applied(from, edits), to)
    assert.ok(sizeOf(edits) < 3 * (to.length - from.length), `${sizeOf(edits)}`)
  }
})

test('texts with nothing in common do not hang it', () => {
  const random = new Random(2)
  const noise = (length: number, kinds: number) =>
    Array.from({ length }, () => String.fromCharCode(97 + random.below(kinds))).join('')
  const pairs = [
    [prose(random, 1_000_000, 20), prose(random, 1_000_000, 20)],
    [noise(1_000_000, 26), noise(1_000_000, 26)],
    [noise(1_000_000, 2), noise(1_000_000, 2)],
    ['a\n'.repeat(500_000), 'b\n'.repeat(500_000)],
    ['a\n'.repeat(500_000), 'a\nb\n'.repeat(250_000)],
    ['ab'.repeat(500_000), 'ba'.repeat(400_000)],
  ]
  for (const [from, to] of pairs) {
    let edits: Edit[] = []
    const tookMs = cpuMs(() => (edits = smallestDiff(from!, to!)))
    assert.ok(tookMs < 12_000, `${tookMs} ms`)
    assert.equal(applied(from!, edits), to)
  }
})

test('a change merges into what it was made from, and nothing merges into anything', () => {
  for (let seed = 1; seed <= 500; seed++) {
    const random = new Random(seed)
    const base = textOf(random, random.below(100))
    const other = changed(random, base, random.below(6))
    assert.equal(applied(base, mergeText(base, base, other)), other)
    assert.deepEqual(mergeText(base, other, base), [])
    assert.deepEqual(mergeText(base, other, other), [])
  }
})

const merged = (base: string, current: string, next: string) =>
  applied(current, mergeText(base, current, next))

test('a merge takes no more steps than one difference may, and leaves half to the second', () => {
  assert.ok(stepsMax <= 20_000_000, 'others take a server for dead after a second')
  const random = new Random(3)
  const [base, current, next] = [1, 2, 3].map(() => prose(random, 200_000, 20))
  for (const stepsLeft of [0, 1000, 3_000_000]) {
    const work = { stepsLeft }
    mergeText(base!, current!, next!, work)
    assert.ok(work.stepsLeft >= 0, `${work.stepsLeft} of ${stepsLeft} are left`)
  }
  const work = { stepsLeft: 5_000_000 }
  const small = scattered(base!, 20_000)
  assert.deepEqual(mergeText(base!, base!, small, work), smallestDiff(base!, small))
  const others = { stepsLeft: 5_000_000 }
  mergeText(base!, current!, base!, others)
  assert.ok(others.stepsLeft >= 2_500_000, `${others.stepsLeft} are left`)
})

test('with few steps left differences are less fine, and exact all the same', () => {
  for (let seed = 1; seed <= 500; seed++) {
    const random = new Random(seed)
    const steps = () => ({ stepsLeft: random.below(random.pick([1, 500, 5000])) })
    const from = textOf(random, random.below(200))
    const near = changed(random, from, random.below(8))
    const far = textOf(random, random.below(200))
    assert.equal(applied(from, smallestDiff(from, near, steps())), near, `seed ${seed}`)
    assert.equal(applied(from, smallestDiff(from, far, steps())), far, `seed ${seed}`)
    assert.equal(applied(from, mergeText(from, from, far, steps())), far, `seed ${seed}`)
    assert.deepEqual(mergeText(from, near, from, steps()), [], `seed ${seed}`)
    // Both are in it: what theirs put in, and what ours did.
    const [ours, theirs] = [`${near}OURS`, `THEIRS${from}`]
    const both = applied(theirs, mergeText(from, theirs, ours, steps()))
    assert.ok(both.includes('OURS') && both.includes('THEIRS'), `seed ${seed}: ${both}`)
  }
})

test('two people keep their work', () => {
  // At different places, at one place, around each other.
  assert.equal(merged('one two three', 'ONE two three', 'one two THREE'), 'ONE two THREE')
  assert.equal(merged('list\n', 'list\na\n', 'list\nb\n'), 'list\na\nb\n')
  assert.equal(merged('the cat', 'the dog', 'the black cat'), 'the black dog')
  assert.equal(merged('start middle end', 'start mi*ddle end', 'start  end'), 'start * end')
  assert.equal(merged('', 'theirs', 'ours'), 'theirsours')
  assert.equal(merged('0 1 2 3 4 5 6 7', '0 1 # 7', '0 1 2 3 @ 4 5 6 7'), '0 1 #@  7')
})

test('what both did is done once', () => {
  assert.equal(merged('a b c', 'a c', 'a c'), 'a c')
  assert.equal(merged('0123456789', '01789', '012346789'), '01789')
  assert.equal(merged('0123456789', '0123489', '01239'), '01239')
  assert.equal(merged('teh cat', 'the cat!', 'the cat'), 'the cat!')
  assert.equal(merged('x', 'x\nsaved', 'x\nsaved\nmore'), 'x\nsaved\nsaved\nmore')
  // Sent twice, after somebody else went on.
  assert.equal(merged('a', 'ab, and c', 'ab'), 'ab, and cb')
  assert.equal(merged('a\n', 'c\na\nb\n', 'a\nb\n'), 'c\na\nb\n')
})

const letterOf = (byte: number) => String.fromCharCode(97 + (byte % 26))

test('the inserted words of both sides are there once and whole; deleted words are gone', () => {
  for (let seed = 1; seed <= 2000; seed++) {
    const random = new Random(seed)
    const word = () => Array.from(random.bytes(12), (byte) => letterOf(byte)).join('')
    const words = Array.from({ length: random.between(0, 30) }, word)
    const side = () => {
      const kept = words.filter(() => random.chance(0.8))
      const added = Array.from({ length: random.below(6) }, word)
      const all = [...kept]
      for (const each of added) all.splice(random.below(all.length + 1), 0, each)
      return { text: all.join('\n'), added, kept: new Set(kept) }
    }
    const [current, next] = [side(), side()]
    const result = merged(words.join('\n'), current.text, next.text)
    const times = (each: string) => result.split(each).length - 1
    for (const each of [...current.added, ...next.added]) {
      assert.equal(times(each), 1, `seed ${seed}: ${each} in ${result}`)
    }
    for (const each of words) {
      const isKept = current.kept.has(each) && next.kept.has(each)
      assert.equal(times(each), isKept ? 1 : 0, `seed ${seed}: ${each} in ${result}`)
    }
  }
})

test('edits are one transaction on a live text', () => {
  const doc = new Y.Doc()
  const text = doc.getText('text')
  text.insert(0, 'one two 👋 three')
  let updates = 0
  doc.on('update', () => updates++)
  applyEdits(text, smallestDiff(text.toString(), 'One two 👍 and three'))
  assert.equal(text.toString(), 'One two 👍 and three')
  assert.equal(updates, 1)
  applyEdits(text, [])
  assert.equal(updates, 1)
})
