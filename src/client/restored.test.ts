// What is said of a restore: that it fits beside a caret, and what of others' is believed.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { byteLength } from '../core/model/byte-length.ts'
import { caretBytesMax, restoredTookMax, screenNameMax } from '../core/model/limits.ts'
import { countOf } from '../core/model/taken-text.ts'
import { restoredJson, restoredOf, type Restored } from './restored.ts'

const id = 'x'.repeat(22)
const writer = 7
const restored: Restored = {
  ...{ id, writer, name: 'Sent to client', at: 1_800_000_000_000, units: 43 },
  put: [12, 3],
  took: new Map([
    [
      writer,
      [
        [0, 2],
        [5, 1],
      ],
    ],
    [9_007_199_254_740_991, [[100, 40]]],
  ]),
}

/** As it comes to others. */
const heard = (json: unknown) => restoredOf(JSON.parse(JSON.stringify(json)), writer)

test('what is said of a restore is what others hear, once and again', () => {
  assert.deepEqual(heard(restoredJson(restored)), restored)
  assert.deepEqual(heard(restoredJson(heard(restoredJson(restored))!)), restored)
})

test('12 a restore in very many places is said in part, beside the longest name and caret', () => {
  const most = 2 ** 53 - 1
  const long = '\u{1f600}'.repeat(500)
  const took = new Map<number, [number, number][]>()
  for (let each = 0; each < 100; each++) {
    took.set(
      most - each,
      Array.from({ length: 100 }, (_, index) => [1000 * index, 7]),
    )
  }
  const json = restoredJson({ ...restored, name: long, put: [2 ** 52, 2 ** 51], took, units: most })
  assert.equal(json['units'], most)
  assert.ok(JSON.stringify(json['took']).length <= restoredTookMax + 2)
  const place = { type: null, tname: 'text', item: { client: most, clock: most }, assoc: -1 }
  const user = { name: '\u4e00'.repeat(screenNameMax), color: '#8f4e00', colorLight: '#8f4e0033' }
  const state = { user, cursor: { anchor: place, head: place }, restored: json, undone: id }
  assert.ok(byteLength(JSON.stringify(state)) <= caretBytesMax)

  const part = heard({ ...json, at: 5 })!
  assert.ok(countOf(part.took) > 0)
  assert.equal(part.units, most)
  assert.deepEqual(heard(restoredJson(part)), part)
})

test('what can be no restore is none', () => {
  const good = restoredJson(restored)
  assert.ok(heard(good))
  const bad: unknown[] = [
    ...[null, 5, 'x', [], {}],
    ...['', 'x'.repeat(23), `${id.slice(1)}<`, 5].map((other) => ({ ...good, id: other })),
    { ...good, name: 5 },
    ...[null, '1', 9e15].map((at) => ({ ...good, at })),
    ...[null, [], [1], [1, 2, 3], [-1, 2], [1, -2], [1.5, 2], [2 ** 53 - 1, 1], ['1', 2]].map(
      (put) => ({ ...good, put }),
    ),
    ...[
      ...[null, 5, {}, [5], [[]], [[7, 1]], [[7, 1, -1]], [[7, -1, 1]], [[7, 0.5, 1]]],
      ...[[['7', 1, 1]], [[7, 2 ** 53 - 1, 1]], [[7, 0, 2 ** 53 - 1, 0, 2 ** 53 - 1]]],
      [
        [7, 0, 1],
        [7, 3, 1],
      ],
    ].map((took) => ({ ...good, took })),
    ...[42, -1, 1.5, '43'].map((units) => ({ ...good, units })),
  ]
  for (const json of bad) assert.equal(heard(json), undefined, JSON.stringify(json))
  assert.equal(heard({ ...good, name: 'n'.repeat(2000) })!.name.length, 64)
  // Of a version it is said when it was named, which no clock has to be right for.
  assert.equal(heard({ ...good, at: -5 })!.at, -5)
})
