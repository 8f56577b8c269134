// The page is drawn again: not all the time, and soon whatever happened during the last drawing.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { Redraws } from './redraws.ts'

/** A client, what draws its changes, and a clock. A drawing takes `drawMs`. */
function drawing(t: TestContext) {
  let nowMs = 0
  t.mock.method(performance, 'now', () => nowMs)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let change = () => {}
  const redraws = new Redraws({
    onChange: (listener) => {
      change = listener
      return () => undefined
    },
  })
  const page = { drawMs: 0, isBroken: false }
  redraws.subscribe(() => {
    if (page.isBroken) throw new Error('it cannot be drawn')
    // As React does.
    queueMicrotask(() => (nowMs += page.drawMs))
  })
  return {
    page,
    count: redraws.count,
    async change(): Promise<void> {
      change()
      // When what a drawing put off is over, too.
      await setImmediate()
    },
    async wait(ms: number): Promise<void> {
      nowMs += ms
      t.mock.timers.tick(ms)
      await setImmediate()
    },
  }
}

test('changes in a row are drawn at once, and then together', async (t) => {
  const { change, wait, count } = drawing(t)
  await change()
  assert.equal(count(), 1)
  for (let times = 0; times < 5; times++) await change()
  assert.equal(count(), 1)
  await wait(29)
  assert.equal(count(), 1)
  await wait(1)
  assert.equal(count(), 2)
  await wait(1000)
  assert.equal(count(), 2)
})

test('after a long drawing the page rests three times as long', async (t) => {
  const { page, change, wait, count } = drawing(t)
  page.drawMs = 200
  await change()
  await change()
  await wait(599)
  assert.equal(count(), 1)
  await wait(1)
  assert.equal(count(), 2)
})

test('a computer that slept while it drew draws again within 3 s', async (t) => {
  const { page, change, wait, count } = drawing(t)
  page.drawMs = 60 * 60_000
  await change()
  page.drawMs = 0
  await change()
  await wait(3000)
  assert.equal(count(), 2)
})

test('what cannot be drawn does not end drawing', async (t) => {
  const { page, change, wait, count } = drawing(t)
  page.isBroken = true
  await assert.rejects(change)
  page.isBroken = false
  await wait(30)
  await change()
  assert.equal(count(), 2)
})
