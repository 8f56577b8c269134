// What SQLite does not say of its write-ahead log: that it reads it up to the first damaged frame, and
// drops all commits behind that without a word.
//
//   header │ frame: page number · pages in the file, 0 unless it ends a commit · salts · checksum │ page
//          │ frame …
//
// Big-endian. A frame is of this use of the file when it has the salts of the header; its checksum goes
// on from that of the frame before (sqlite.org/fileformat2.html#walformat).

import * as fs from 'node:fs'
import { storeFile } from './sqlite-directory.ts'

const headerBytes = 32
const frameHeadBytes = 24
/** The last bit says in which order the bytes of numbers are summed up. */
const magic = 0x377f0682
/** Of a file whose header cannot be read: what SQLite makes. */
const usualPageBytes = 4096
const pageBytesMax = 65536

/**
 * A sentence for the operator when commits that were flushed once lie behind damage in the log of a
 * store that nobody has open. Damage in the last commit looks like what a power cut leaves of it. What
 * is left of the log is copied beside it: to open the store writes over it.
 */
export function damageOfWal(directory: string): string | undefined {
  const file = `${storeFile(directory)}-wal`
  if (!fs.existsSync(file)) return undefined
  const count = commitsCutOff(fs.readFileSync(file))
  if (count < 2) return undefined
  keepCopy(file)
  return (
    `${file} is damaged: the last ${count} commits in it are lost here, and are asked of the other ` +
    `servers; ${file}.damaged is for whoever wants to look for what they do not have; check the disk`
  )
}

/** How many whole commits lie behind the first damaged frame, or the one that it is in. */
export function commitsCutOff(bytes: Uint8Array): number {
  if (bytes.length < headerBytes + frameHeadBytes) return 0
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const isLittle = view.getUint32(0) === magic
  let sums = summed(view, 0, headerBytes - 8, isLittle, [0, 0])
  let isWhole = areAt(view, headerBytes - 8, sums)
  const salts = pairAt(view, isWhole ? 16 : headerBytes + 8)
  const said = isWhole ? view.getUint32(8) : usualPageBytes
  const pageBytes = said >= 512 && said <= pageBytesMax ? said : usualPageBytes
  let count = 0
  for (let at = headerBytes; at + frameHeadBytes + pageBytes <= bytes.length;) {
    const isOurs = areAt(view, at + 8, salts)
    if (isWhole) {
      sums = summed(view, at, 8, isLittle, sums)
      sums = summed(view, at + frameHeadBytes, pageBytes, isLittle, sums)
      isWhole = isOurs && areAt(view, at + 16, sums)
    }
    if (!isWhole && isOurs && view.getUint32(at + 4) !== 0) count++
    at += frameHeadBytes + pageBytes
  }
  return count
}

type Pair = readonly [number, number]

function summed(view: DataView, at: number, bytes: number, isLittle: boolean, from: Pair): Pair {
  let [one, other] = from
  for (let next = at; next < at + bytes; next += 8) {
    one = (one + view.getUint32(next, isLittle) + other) >>> 0
    other = (other + view.getUint32(next + 4, isLittle) + one) >>> 0
  }
  return [one, other]
}

function pairAt(view: DataView, at: number): Pair {
  return [view.getUint32(at), view.getUint32(at + 4)]
}

function areAt(view: DataView, at: number, [one, other]: Pair): boolean {
  return view.getUint32(at) === one && view.getUint32(at + 4) === other
}

function keepCopy(file: string): void {
  try {
    fs.copyFileSync(file, `${file}.damaged`)
  } catch {
    // On a full disk there is none: the store opens all the same.
  }
}
