// What servers hold does not grow with how many people were there and have left (C12): no Map, Set or
// list in their minds, wherever it is.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { sizesOf, type Sizes } from './memory.ts'
import type { Act, PersonPlan, Plan } from './plan.ts'
import type { Plant } from './plants.ts'
import { live } from './schedule.ts'

const names = ['bob', 'cid', 'dan']
/** By then every server was written at. */
const few = 4
const many = 14
/** Fewer than the visits that the one has more than the other; as many as servers tell of each other. */
const slack = 20

const visit = (at: number, number: number): Act[] => {
  const document = number % 2
  const typing = { type: 'type', document, words: 2, gapMs: 5 } as const
  return [
    { at: at + 100, ...typing, where: 0.5 },
    { at: at + 130, type: 'delete', document, which: 0.3, isOwn: false },
    { at: at + 150, ...typing, where: 0.9 },
    { at: at + 300, type: 'leave', forMs: 50 },
  ]
}

const visitor = (name: string, index: number, count: number): PersonPlan => ({
  name,
  servers: ['a', 'b', 'c', 'd'].map((_, place, all) => all[(place + index) % all.length]!),
  // Those whose device keeps nothing come back as somebody else each time.
  hasStorage: index === 0,
  hasCarets: true,
  ...(index === 2 && { showsPart: true }),
  acts: Array.from({ length: count }, (_, number) =>
    visit(100 + 400 * number + index, number),
  ).flat(),
})

const plan = (count: number): Plan => ({
  seed: 1,
  runMs: 400 * count + 500,
  latencyMs: 1,
  flushMs: 2,
  takes: true,
  isEncoded: false,
  people: [
    {
      name: 'ada',
      servers: ['a', 'b', 'c', 'd'],
      hasStorage: true,
      acts: [0, 1].map((document) => ({ at: 1 + document, type: 'create', document, words: 2 })),
    },
    ...names.map((name, index) => visitor(name, index, count)),
  ],
  faults: [],
})

/** Where more lies after many visits than after few. */
function grown(plant?: () => Plant): string[] {
  const after = (count: number): Sizes => {
    let sizes: Sizes = new Map()
    const { violations } = live(plan(count), {
      ...(plant && { plant }),
      left: (minds) => (sizes = sizesOf(minds)),
    })
    if (!plant) assert.deepEqual(violations, [])
    assert.ok(sizes.size > 50, `${sizes.size} places were looked at`)
    return sizes
  }
  const before = after(few)
  return [...after(many)]
    .filter(([place, size]) => size - (before.get(place) ?? 0) >= slack)
    .map(([place]) => place)
}

test('C12 nothing is left of who was there and has left', () => {
  assert.deepEqual(grown(), [])
})

test('C15 it is found where servers do not hear that somebody left', () => {
  const deaf = (): Plant => ({
    hearing: () => (message) => {
      const { case: kind, value } = message.message
      const isFarewell =
        kind === 'ephemeral' && value.topic.case === 'presence' && !value.topic.value.isHere
      return isFarewell ? [] : [message]
    },
  })
  assert.ok(grown(deaf).includes('Replica.#people.#bySession'))
})
