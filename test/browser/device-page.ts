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

const storage = indexedDbStorage('closed')

/** Asks for an update to be kept, and does not wait for the answer. */
async function append(document: string): Promise<void> {
  // It is open.
  await storage.load(document)
  void storage.append(document, new Uint8Array(1))
  for (let turn = 0; turn < 50; turn++) await Promise.resolve()
}

/** How many updates are kept. */
async function count(document: string): Promise<number> {
  return (await storage.load(document)).updates.length
}

Object.assign(globalThis, { runContract, append, count })
