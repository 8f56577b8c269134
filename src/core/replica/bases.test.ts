// Texts to save against: which are remembered, and for how long.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Bases } from './bases.ts'

const ringBytes = 100
const longest = 33
const texts = Array.from({ length: 60 }, (_, number) => '€'.repeat(1 + ((number * 7) % 11)))

function filled(upTo: number): Bases {
  const bases = new Bases(ringBytes)
  for (let number = 0; number <= upTo; number++) bases.remember(`v${number}`, texts[number]!)
  return bases
}

test('the last texts are recalled as they were, as many as have room, and no others', () => {
  for (let last = 0; last < texts.length; last++) {
    let bytes = 0
    for (let number = last; number >= 0; number--) {
      const text = texts[number]!
      bytes += Buffer.byteLength(text)
      const found = filled(last).recall(`v${number}`)
      // At the end of the ring less than one text is passed over.
      if (bytes + longest <= ringBytes) assert.equal(found, text, `v${number} after v${last}`)
      else if (bytes > ringBytes) assert.equal(found, undefined, `v${number} after v${last}`)
      else if (found !== undefined) assert.equal(found, text, `v${number} after v${last}`)
    }
  }
})

test('a text that is in use stays, and one that does not fit is not kept', () => {
  const bases = new Bases(ringBytes)
  bases.remember('used', 'in use')
  for (const [number, text] of texts.entries()) {
    bases.remember(`v${number}`, text)
    assert.equal(bases.recall('used'), 'in use')
  }
  bases.remember('long', 'x'.repeat(ringBytes + 1))
  assert.equal(bases.recall('long'), undefined)
  assert.equal(bases.recall('used'), 'in use')
})

test('of very many short texts the first are forgotten', () => {
  const bases = new Bases()
  for (let number = 0; number < 1500; number++) bases.remember(`v${number}`, `${number}`)
  assert.equal(bases.recall('v0'), undefined)
  assert.equal(bases.recall('v1499'), '1499')
})

test('all that have room are recalled, however the ring grew meanwhile', () => {
  const bases = new Bases(1_000_000)
  const longer = texts.map((text, number) => `${number} ${text.repeat(100 * (number % 5))}`)
  for (const [last, text] of longer.entries()) {
    bases.remember(`v${last}`, text)
    for (let number = 0; number <= last; number++) {
      assert.equal(bases.recall(`v${number}`), longer[number])
    }
  }
})
