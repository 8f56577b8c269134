// Stores as servers of older commits left them when they were killed, each in one file that make.ts made.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
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
  /** The files of its directory, in base64. */
  bytes: { [path: string]: string }
}

export function pack(file: string, store: OldStore): void {
  const params = { [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS }
  writeFileSync(file, brotliCompressSync(JSON.stringify(store), { params }))
}

/** Puts the store into a directory. */
export function unpack(commit: string, directory: string): OldFile[] {
  const packed = readFileSync(new URL(`${commit}.br`, import.meta.url))
  const { files, bytes } = JSON.parse(brotliDecompressSync(packed).toString()) as OldStore
  for (const [path, base64] of Object.entries(bytes)) {
    const file = join(directory, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, base64, 'base64')
  }
  return files
}
