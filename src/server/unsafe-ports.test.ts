// Ports that browsers refuse: the list against a fetch that keeps to the same standard.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isUnsafePort } from './unsafe-ports.ts'

/** Node's fetch asks by this what it does not refuse; then nothing is sent. */
const dispatcher = {
  dispatch() {
    throw new Error('not refused')
  },
}

async function whyNot(port: number): Promise<string> {
  const request: RequestInit & { dispatcher: object } = { dispatcher }
  const failure = (await fetch(`http://127.0.0.1:${port}/`, request).then(
    () => assert.fail('answered'),
    (error: Error) => error,
  )) as Error
  return (failure.cause as Error).message
}

/** The highest that is refused lies below. */
const portMax = 12_000

test('the ports that are refused are those that fetch refuses', async () => {
  for (let port = 1; port <= portMax; port++) {
    const why = isUnsafePort(port) ? 'bad port' : 'not refused'
    assert.equal(await whyNot(port), why, String(port))
  }
})
