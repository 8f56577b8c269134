// Where people are: what is told, and what of others' is believed.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import * as Y from 'yjs'
import { caretBytesMax } from '../core/model/limits.ts'
import { CaretSchema } from '../core/model/wire.ts'
import { Presence } from './presence.ts'

function presence(): { here: Presence; told: string[]; end: () => void } {
  const told: string[] = []
  const doc = new Y.Doc()
  const here = new Presence(doc, 'ada', (state) => told.push(state))
  return { here, told, end: () => here.destroy() }
}

const caret = (clock: number, state: string) => create(CaretSchema, { writer: 7, clock, state })
const position = { type: null, tname: 'text', item: { client: 7, clock: 3 }, assoc: 0 }

test('a person is told of from entering to leaving', () => {
  const { here, told, end } = presence()
  assert.deepEqual(told, [])
  here.enter()
  here.leave()
  assert.equal(JSON.parse(told[0]!).user.name, 'ada')
  assert.deepEqual(told.slice(1), [''])
  end()
})

test('a new name is told, and kept for the next entering', () => {
  const { here, told, end } = presence()
  here.enter()
  here.rename('ada~2')
  assert.equal(JSON.parse(told.at(-1)!).user.name, 'ada~2')
  here.leave()
  here.enter()
  assert.equal(JSON.parse(told.at(-1)!).user.name, 'ada~2')
  end()
})

test('somebody else’s caret is seen, moves with a later clock, and goes', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { here, end } = presence()
  const cursor = { anchor: position, head: position }
  here.heard(caret(1, JSON.stringify({ user: { name: 'ben' }, cursor })))
  assert.deepEqual(here.awareness.getStates().get(7)!['cursor'], cursor)
  here.heard(caret(1, JSON.stringify({ user: { name: 'nobody' } })))
  const { user } = here.awareness.getStates().get(7) as { user: { name: string; color: string } }
  assert.equal(user.name, 'ben')
  assert.match(user.color, /^#[0-9a-f]{6}$/)
  here.heard(caret(2, ''))
  t.mock.timers.tick(1000)
  assert.ok(!here.awareness.getStates().has(7))
  end()
})

test('who is told to have left and to be here is here all the time; who only left is not', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { here, end } = presence()
  const ben = JSON.stringify({ user: { name: 'ben' } })
  const isHere = () => here.awareness.getStates().has(7)
  here.heard(caret(1, ben))
  here.heard(caret(2, ''))
  t.mock.timers.tick(500)
  here.heard(caret(3, ben))
  t.mock.timers.tick(5000)
  assert.ok(isHere())
  here.heard(caret(4, ''))
  // From before they left, on a longer way.
  here.heard(caret(3, ben))
  assert.ok(isHere())
  t.mock.timers.tick(1000)
  assert.ok(!isHere())
  end()
})

test('what no editor can draw is left out of somebody else’s state', () => {
  const bad = [
    '[]',
    '"x"',
    'null',
    'not json',
    JSON.stringify({ user: 'ben', cursor: 5 }),
    JSON.stringify({ user: { name: 5 }, cursor: { anchor: { item: { client: 'x' } }, head: {} } }),
    JSON.stringify({ cursor: { anchor: position, head: { ...position, tname: {} } } }),
    JSON.stringify({ user: { color: 'red;position:fixed' }, __proto__: { x: 1 } }),
    JSON.stringify({ restored: { id: 'x' }, undone: 5 }),
    JSON.stringify({ restored: [], undone: '<b>' }),
  ]
  for (const state of bad) {
    const { here, end } = presence()
    here.heard(caret(1, state))
    const shown = here.awareness.getStates().get(7)
    assert.ok(shown === undefined || Object.keys(shown).length === 0, `${state} shows something`)
    end()
  }
})

test('a restore is seen as it was said, without what does not belong to it', () => {
  const { here, end } = presence()
  const [id, other] = ['a'.repeat(22), 'b'.repeat(22)]
  const restored = { id, name: 'One', at: 5, put: [3, 2], took: [[7, 0, 1]] }
  here.heard(caret(1, JSON.stringify({ restored: { ...restored, more: 5 }, undone: other })))
  assert.deepEqual(here.awareness.getStates().get(7), { restored, undone: other })
  end()
})

test('a state that is too large is not told', () => {
  const { here, told, end } = presence()
  here.enter()
  here.awareness.setLocalStateField('cursor', 'x'.repeat(caretBytesMax))
  assert.equal(told.at(-1), '')
  end()
})

test('people who are forgotten without a server are seen again when one tells of them', () => {
  const { here, end } = presence()
  here.heard(caret(5, JSON.stringify({ user: { name: 'ben' } })))
  here.forgetOthers()
  assert.ok(!here.awareness.getStates().has(7))
  here.heard(caret(5, JSON.stringify({ user: { name: 'ben' } })))
  assert.ok(here.awareness.getStates().has(7))
  end()
})
