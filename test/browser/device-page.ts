// The page of the device test: runs the contract of a device's storage on this browser's IndexedDB.

import { indexedDbStorage } from '../../src/adapters/storage/indexeddb.ts'
import { localContract } from '../../src/adapters/storage/testing/local-contract.ts'

/** One sentence for each rule that was kept, in order; throws at the first that was not. */
async function runContract(): Promise<string[]> {
  const kept: string[] = []
  for (const { sentence, run } of localContract) {
    const name = `device ${kept.length}`
    await run(() => indexedDbStorage(name))
    kept.push(sentence)
  }
  return kept
}

Object.assign(globalThis, { runContract })
