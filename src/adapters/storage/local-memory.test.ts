// A device in memory keeps what a device must.

import { test } from 'node:test'
import { MemoryDevice } from './local-memory.ts'
import { localContract } from './testing/local-contract.ts'

for (const { sentence, run } of localContract) {
  test(sentence, async () => {
    const device = new MemoryDevice()
    await run(() => device.open())
  })
}
