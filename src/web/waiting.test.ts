// Waiting ends when it should, and listens no longer than that.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waitFor } from './waiting.ts'

/** What tells of changes: to so many that listen. */
function changing() {
  const listeners = new Set<() => void>()
  const onChange = (listener: () => void) => {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }
  return { listeners, onChange, change: () => listeners.forEach((each) => each()) }
}

test('what is true already, or becomes so by a change, is waited for no longer', async () => {
  const { listeners, change, ...client } = changing()
  await waitFor(client, () => true).promise
  let isTrue = false
  let isOver = false
  const { promise } = waitFor(client, () => isTrue)
  const over = promise.then(() => (isOver = true))
  change()
  await Promise.resolve()
  assert.equal(isOver, false)
  isTrue = true
  change()
  await over
  assert.equal(listeners.size, 0)
})

test('who stops waiting hears nothing more, by the signal or the end', async () => {
  const { listeners, ...client } = changing()
  const stop = new AbortController()
  const stopped = waitFor(client, () => false, stop.signal)
  stop.abort()
  await stopped.promise
  await waitFor(client, () => false, stop.signal).promise
  assert.equal(listeners.size, 0)
  waitFor(client, () => false).end()
  assert.equal(listeners.size, 0)
})
