// A browser's storage that behaves badly; how it behaves well is shown in browsers.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { indexedDbStorage } from './indexeddb.ts'

/** A browser whose requests to open a database are answered when it is told to. */
function badBrowser() {
  const requests: EventTarget[] = []
  const open = () => {
    const request = new EventTarget()
    requests.push(request)
    return request
  }
  return { indexedDB: { open }, requests }
}

test('a storage that does not open is waited for once, and opened anew when it failed', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { indexedDB, requests } = badBrowser()
  Object.assign(globalThis, { indexedDB })
  t.after(() => Reflect.deleteProperty(globalThis, 'indexedDB'))
  const storage = indexedDbStorage('test')
  const late = /does not answer/
  const first = assert.rejects(storage.get('keys'), late)
  t.mock.timers.tick(5000)
  await first
  const second = assert.rejects(storage.load('D'), late)
  t.mock.timers.tick(1)
  await second
  assert.equal(requests.length, 1)
  requests[0]!.dispatchEvent(new Event('error'))
  await assert.rejects(storage.get('keys'), /not stored/)
  const third = assert.rejects(storage.get('keys'), late)
  assert.equal(requests.length, 2)
  t.mock.timers.tick(5000)
  await third
})
