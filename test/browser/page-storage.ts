// What a page keeps in its browser's storage, as tests look into it.

import { fromBinary } from '@bufbuild/protobuf'
import type { Page } from 'playwright-core'
import * as Y from 'yjs'
import { EntrySchema } from '../../src/core/model/wire.ts'

/** The names of the files and directories that it keeps. */
export async function keptNames(page: Page): Promise<string[]> {
  const entries = (await read(page, 'values', 'entries')) as Uint8Array[] | undefined
  return (entries ?? []).map((entry) => fromBinary(EntrySchema, entry).name?.value ?? '')
}

/** The texts of the files that it keeps. */
export async function keptTexts(page: Page): Promise<string[]> {
  const updates = (await read(page, 'updates')) as {
    document: string
    update: Uint8Array
  }[]
  const kept = new Map<string, Y.Doc>()
  for (const { document, update } of updates) {
    const doc = kept.get(document) ?? new Y.Doc()
    kept.set(document, doc)
    Y.applyUpdate(doc, update)
  }
  return [...kept.values()].map((doc) => doc.getText('text').toString())
}

/** How many sessions have their keys kept, for texts in which they write or are about to. */
export async function keptKeys(page: Page): Promise<number> {
  return Object.keys(((await read(page, 'values', 'keys')) as object | undefined) ?? {}).length
}

/** How many changes of the folder it keeps for the servers. */
export async function keptOperations(page: Page): Promise<number> {
  const operations = await read(page, 'values', 'operations')
  return Array.isArray(operations) ? operations.length : 0
}

/** What lies in a store under a key, or all that lies there. */
function read(page: Page, store: string, key?: string): Promise<unknown> {
  return page.evaluate(inPage, { store, key })
}

async function inPage({ store, key }: { store: string; key: string | undefined }) {
  const settled = (request: IDBRequest) =>
    new Promise<unknown>((resolve, reject) => {
      request.addEventListener('success', () => resolve(request.result))
      request.addEventListener('error', () => reject(request.error!))
    })
  const database = (await settled(indexedDB.open('fourfold'))) as IDBDatabase
  const objects = database.transaction(store).objectStore(store)
  const found = await settled(key === undefined ? objects.getAll() : objects.get(key))
  database.close()
  return found
}
