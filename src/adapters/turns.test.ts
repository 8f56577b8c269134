// Turns of a loop, and what else the event loop has to do.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as untilOthersRan } from 'node:timers/promises'
import { Turns } from './turns.ts'

/** Longer than a loop waits until it is idle. */
const longMs = 5

test('an idle loop takes at once what has come', async () => {
  let count = 0
  const turns = new Turns(() => void count++)
  turns.soon()
  await Promise.resolve()
  assert.equal(count, 1)
})

test('after a long turn, what waits for the event loop comes before the next', async () => {
  const order: string[] = []
  const turns = new Turns(() => {
    order.push('turn')
    if (order.length > 1) return
    const until = performance.now() + longMs
    while (performance.now() < until);
    turns.soon()
  })
  setImmediate(() => order.push('another'))
  turns.soon()
  await untilOthersRan()
  await untilOthersRan()
  assert.deepEqual(order, ['turn', 'another', 'turn'])
})
