// Stores as servers of older commits left them when they were killed, each in one file that make.ts made.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'

/** The name of each is the commit whose servers made it. */
export const oldStores = [
  { commit: 'a091f9d', of: 'format 1, before there were directories, lives of a set and bytes' },
  { commit: '47585bc', of: 'format 1, with bytes in files' },
  { commit: '17fe5ab', of: 'format 2' },
  { commit: '46a8836', of: 'format 3' },
  { commit: '96f3ae7', of: 'format 4' },
]

/** An entry, as that server told it. */
export interface OldFile {
  id: string
  path: string
  kind: string
  isInTrash: boolean
  /** Of live texts. */
  text?: string
  /** Their named versions. */
  versions?: { name: string; author: string; text: string }[]
  /** Of live files with bytes, the newest first. */
  contents?: { hash: string; size: string }[]
}

export interface OldStore {
  files: OldFile[]
  bytes: Bytes
}

/** The files of a server's directory, in base64. */
export interface Bytes {
  [path: string]: string
}

export function pack(file: URL, what: object): void {
  const params = { [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS }
  writeFileSync(file, brotliCompressSync(JSON.stringify(what), { params }))
}

export function unpacked(packed: Uint8Array): unknown {
  return JSON.parse(brotliDecompressSync(packed).toString())
}

/** Puts the store into a directory. */
export function unpack(commit: string, directory: string): OldFile[] {
  const packed = readFileSync(new URL(`${commit}.br`, import.meta.url))
  const { files, bytes } = unpacked(packed) as OldStore
  put(bytes, directory)
  return files
}

export function put(bytes: Bytes, directory: string): void {
  for (const [path, base64] of Object.entries(bytes)) {
    const file = join(directory, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, base64, 'base64')
  }
}

/** What is in the directory of a server that was killed, but for what is of no use to the next. */
export function bytesIn(directory: string): Bytes {
  const bytes: Bytes = {}
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = relative(directory, join(entry.parentPath, entry.name))
    const isOfUse = entry.isFile() && !/^(lock|reserve|store\.sqlite-shm)$/.test(path)
    if (isOfUse) bytes[path] = readFileSync(join(directory, path), 'base64')
  }
  return bytes
}
