// What pages of older commits left in their browser when their tab was closed without a server, and the
// store of the server they had before: each in one file that make.ts made.

import { readFileSync } from 'node:fs'
import { pack, put, unpacked, type Bytes } from '../old-stores/stores.ts'

/** The name of each is the commit whose page and server made it. */
export const oldPages = [
  { commit: '5c26e4af', of: 'a list of keys' },
  { commit: '28c0a87f', of: 'records of sessions' },
  { commit: 'cb3a1333', of: 'operations that wait, and a life of the set' },
  { commit: '81dc8cb9', of: 'a secret of the device' },
]

/** What each of them shows in its tab, by the path of the file. */
export interface OldPage {
  texts: { [path: string]: string }
  kept: KeptThen
  /** The files of the server's directory, in base64. */
  bytes: Bytes
}

/** All that lies in its IndexedDB, with bytes as `{ base64 }`. */
export interface KeptThen {
  updates: unknown[]
  values: [key: string, value: unknown][]
}

const fileOf = (commit: string) => new URL(`${commit}.br`, import.meta.url)

export function packPage(commit: string, page: OldPage): void {
  pack(fileOf(commit), page)
}

/** Puts the server's store into a directory. */
export function unpackPage(commit: string, directory: string): Omit<OldPage, 'bytes'> {
  const { bytes, texts, kept } = unpacked(readFileSync(fileOf(commit))) as OldPage
  put(bytes, directory)
  // Anybody may listen there by now.
  const values = kept.values.filter(([key]) => !key.endsWith('addresses'))
  return { texts, kept: { ...kept, values } }
}

/** In a page: all that is kept there. */
export async function keptHere(): Promise<KeptThen> {
  const settled = <T>(request: IDBRequest<T>) =>
    new Promise<T>((resolve, reject) => {
      request.addEventListener('success', () => resolve(request.result))
      request.addEventListener('error', () => reject(request.error!))
    })
  const written = (value: unknown): unknown => {
    if (value instanceof Uint8Array) return { base64: btoa(String.fromCharCode(...value)) }
    if (Array.isArray(value)) return value.map(written)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, written(each)]))
  }
  const database = await settled(indexedDB.open('fourfold'))
  const transaction = database.transaction(['updates', 'values'])
  const values = transaction.objectStore('values')
  const [updates, keys, all] = await Promise.all([
    settled(transaction.objectStore('updates').getAll()),
    settled(values.getAllKeys()),
    settled(values.getAll()),
  ])
  database.close()
  return {
    updates: updates.map(written),
    values: keys.map((key, index) => [key as string, written(all[index])]),
  }
}

/** In a page of the origin, before anything else is kept there: keeps this. */
export async function keepHere({ updates, values }: KeptThen): Promise<void> {
  const read = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(read)
    if (typeof value !== 'object' || value === null) return value
    if ('base64' in value)
      return Uint8Array.from(atob(String(value.base64)), (c) => c.charCodeAt(0))
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, read(each)]))
  }
  const request = indexedDB.open('fourfold', 1)
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    request.addEventListener('upgradeneeded', () => {
      const made = request.result.createObjectStore('updates', { autoIncrement: true })
      made.createIndex('document', 'document')
      request.result.createObjectStore('values')
    })
    request.addEventListener('success', () => resolve(request.result))
    request.addEventListener('error', () => reject(request.error!))
  })
  const transaction = database.transaction(['updates', 'values'], 'readwrite')
  for (const update of updates) transaction.objectStore('updates').add(read(update))
  for (const [key, value] of values) transaction.objectStore('values').put(read(value), key)
  await new Promise((resolve, reject) => {
    transaction.addEventListener('complete', resolve)
    transaction.addEventListener('abort', () => reject(transaction.error!))
  })
  database.close()
}
