// Blobs and the files that have their bytes, asked for over HTTP at real servers.

import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

import { Fleet, type FleetOptions } from './fleet.ts'
import { answered, ask, call, type Answer } from './requests.ts'

export const MiB = 1024 * 1024

/** Bytes and their name. */
export interface Blob {
  bytes: Buffer
  hash: string
  size: number
}

export function blobOf(bytes: Buffer): Blob {
  return { bytes, hash: createHash('sha256').update(bytes).digest('hex'), size: bytes.length }
}

/** Where a server has a blob, or takes it. */
export const url = (address: string, { hash, size }: Pick<Blob, 'hash' | 'size'>) =>
  `${address}/blobs/${hash}?size=${size}`

/** Uploads a blob, or the part of it from `offset` to `end`. */
export function patch(address: string, blob: Blob, offset = 0, end = blob.size): Promise<Answer> {
  const body = blob.bytes.subarray(offset, end)
  return ask(url(address, blob), 'PATCH', { 'upload-offset': offset }, body)
}

/** Names of the files in which a server has blobs, be they whole or not. */
export function filesOf(directory: string): string[] {
  return readdirSync(join(directory, 'blobs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
}

/** A set of real servers that ends with the test, and takes bytes on a disk that is nearly full. */
export async function fleet(t: TestContext, options: FleetOptions = {}): Promise<Fleet> {
  const configuration = { diskFreeBytesMin: 0, ...options.configuration }
  const set = await Fleet.start({ ...options, configuration })
  t.after(() => set.end())
  return set
}

/** What a blob is called in a call. */
export const named = ({ hash, size }: Blob) => ({ hash, size })

/** A file, as FolderService tells it in JSON. */
export interface Told {
  id: string
  path: string
  kind: string
  hash?: string
  size?: number
  hasConflict?: boolean
}

/** Gives a file the bytes of a blob that is uploaded. */
export async function saved(address: string, file: string, blob: Blob, more: object = {}) {
  const { hash, size } = blob
  const body = await answered(address, 'SaveBinary', { file, hash, size, ...more })
  return body as { file: Told; servers: string[]; serverCount: number }
}

export async function fileAt(address: string, file: string): Promise<Told> {
  return (await call(address, 'GetFile', { file })).body.file as Told
}
