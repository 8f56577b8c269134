// The sketches of all texts: which are read, when, and how much room they take.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '../../../sim/random.ts'
import {
  searchStepsPerFile,
  sketchAfterQuietMs,
  sketchedCharactersMax,
  sketchStepsPerBusyTick,
  sketchStepsPerTick,
} from '../model/limits.ts'
import { Sketches } from './sketches.ts'
import { wantedPieces } from './wanted-pieces.ts'

const wanted = (text: string) => wantedPieces({ text, isRegex: false, ignoresCase: false })

/** Sketches of the texts in a map. */
function sketchesOf(texts: Map<string, string>, bytesMax?: number) {
  const read: string[] = []
  const sketches = new Sketches<string>((id) => {
    read.push(id)
    return texts.get(id)
  }, bytesMax)
  for (const id of texts.keys()) sketches.add(-Infinity, id)
  const few = (text: string, max = 1000) => sketches.few(wanted(text), max)?.toSorted()
  return { sketches, read, few }
}

test('a text without a sketch may hold anything; a tick reads some, the others wait', () => {
  const perTick = sketchStepsPerTick / searchStepsPerFile
  const names = Array.from({ length: 2 * perTick }, (_, at) => `file ${at}`)
  const texts = new Map(names.map((name) => [name, name === 'file 3' ? 'needle' : 'hay']))
  const { sketches, read, few } = sketchesOf(texts)
  assert.deepEqual(few('needle'), names.toSorted())
  sketches.tick(0)
  assert.ok(read.length > perTick / 2 && read.length <= perTick, `${read.length} read`)
  assert.deepEqual(few('needle'), [...names.slice(read.length), 'file 3'].toSorted())
  sketches.tick(0)
  sketches.tick(0)
  assert.equal(read.length, names.length)
  assert.deepEqual(few('needle'), ['file 3'])
  // Too many, or nothing known of the pattern: all are passed by.
  assert.equal(few('hay', names.length - 2), undefined)
  assert.equal(few('hay', names.length - 1)?.length, names.length - 1)
  assert.equal(sketches.few([], 1000), undefined)
  assert.ok(sketches.mayHold('file 1', []))
  assert.ok(!sketches.mayHold('file 1', wanted('needle')))
})

test('while texts change few others are read', () => {
  const names = Array.from({ length: 100 }, (_, at) => `file ${at}`)
  const { sketches, read } = sketchesOf(new Map(names.map((name) => [name, 'hay'])))
  sketches.changed(0, 'file 0')
  sketches.tick(1)
  assert.equal(read.length, sketchStepsPerBusyTick / searchStepsPerFile)
  sketches.tick(sketchAfterQuietMs)
  assert.equal(read.length, names.length)
})

test('a text that somebody writes is not read anew until it is quiet, and may hold anything', () => {
  const texts = new Map([['a', 'hay']])
  const { sketches, read, few } = sketchesOf(texts)
  sketches.tick(0)
  for (let now = 1; now < 60_000; now += 1000) {
    sketches.changed(now, 'a')
    sketches.tick(now)
    assert.deepEqual(few('needle'), ['a'])
  }
  assert.equal(read.length, 1)
  texts.set('a', 'a needle')
  sketches.tick(60_000 + sketchAfterQuietMs)
  assert.equal(read.length, 2)
  assert.deepEqual(few('needle'), ['a'])
  assert.deepEqual(few('thread'), [])
  // A search reads it as well, and what it saw counts until the next change.
  sketches.changed(70_000, 'a')
  sketches.read('a', 'thread')
  assert.deepEqual(few('thread'), ['a'])
  assert.deepEqual(few('needle'), [])
})

test('what is gone leaves nothing, and room is used again', () => {
  const texts = new Map(Array.from({ length: 50 }, (_, at) => [`${at}`, `text number ${at}`]))
  const { sketches, few } = sketchesOf(texts)
  sketches.tick(0)
  const { bytes } = sketches
  for (const id of texts.keys()) sketches.forget(id)
  assert.equal(sketches.bytes, 0)
  assert.deepEqual(few('number'), [])
  for (const [id, text] of texts) sketches.read(id, text)
  assert.equal(sketches.bytes, bytes)
  assert.equal(few('number')?.length, 50)
  assert.deepEqual(few('number 17'), ['17'])
})

test('what cannot be read, is too long or finds no room is read by every search', () => {
  const long = 'long '.repeat(sketchedCharactersMax / 5 + 1)
  const texts = new Map([
    ['long', long],
    ['short', 'short'],
  ])
  const { sketches, read, few } = sketchesOf(texts)
  sketches.add(-Infinity, 'damaged')
  for (let tick = 0; tick < 3; tick++) sketches.tick(0)
  assert.deepEqual(few('needle'), ['damaged', 'long'])
  // It is not read again and again because it is written.
  sketches.changed(1, 'long')
  sketches.tick(1 + sketchAfterQuietMs)
  assert.equal(read.length, 3)
  assert.deepEqual(few('needle'), ['damaged', 'long'])
  sketches.read('damaged', 'replaced')
  assert.deepEqual(few('needle'), ['long'])

  const random = new Random('room')
  const word = () => random.between(36 ** 5, 36 ** 6).toString(36)
  const many = new Map(
    Array.from({ length: 100 }, (_, at) => {
      return [`${at}`, Array.from({ length: 100 }, word).join(' ')]
    }),
  )
  const narrow = sketchesOf(many, 40_000)
  for (let tick = 0; tick < 10; tick++) narrow.sketches.tick(0)
  assert.ok(narrow.sketches.bytes <= 40_000 && narrow.sketches.bytes > 20_000)
  const found = narrow.few('needle')!
  assert.ok(found.length > 20 && found.length < 80, `${found.length} without a sketch`)
  for (const [id, text] of many) assert.ok(narrow.few(text.slice(0, 20))!.includes(id))
})
