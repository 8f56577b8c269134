// A server's journal: what was taken in is flushed here at once, and reaches the SQLite file later,
// many batches in one commit. A flush costs a third of a commit, and no work of another thread.
//
//   append ──> gathers ──> one write at the disk (O_DSYNC) ──> stored
//
// Two files in turns: while the batches of one are committed elsewhere the other takes what comes, and
// then the first is written over from its beginning. So they stay short, and a file that has its length
// already is flushed without a change of the file system's own records.

import { randomInt } from 'node:crypto'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { raise, type VersionVector } from '../../core/model/version-vector.ts'
import { encodeRecord, recordsIn, storedIn, type JournalRecord } from './journal-record.ts'
import { columnsPerUpdate, type Seqs, type UpdateRows } from './sqlite-messages.ts'

export const journalFiles = (directory: string) =>
  ['journal-0', 'journal-1'].map((name) => join(directory, name))

/**
 * Records are counted from a number below this, another in each life. Whoever could foresee it could
 * type a text that is a record; written over in part, the file would be read on in the midst of it.
 */
const firstNumberMax = 2 ** 47

/** What waits for the next flush. */
interface Group {
  records: Uint8Array<ArrayBuffer>[]
  stored: PromiseWithResolvers<void>
}

const newGroup = (): Group => ({ records: [], stored: Promise.withResolvers<void>() })

export interface JournalsRead {
  /** What the journals hold, in the order in which it was taken in. */
  records: JournalRecord[]
  /** Up to which number all was stored, as far as is told by what lies in them. */
  stored: number
}

/** Reads the journals of a directory. */
export function readJournals(directory: string): JournalsRead {
  const files = journalFiles(directory)
    .filter((file) => fs.existsSync(file))
    .map((file) => fs.readFileSync(file))
  const records = files
    .map((bytes) => [...recordsIn(bytes)])
    .filter((own) => own.length > 0)
    .sort(([one], [other]) => one!.number - other!.number)
    .flat()
  return { records, stored: Math.max(0, ...files.map(storedIn)) }
}

/** One for a directory. Nothing is written any more after the first failure. */
export class Journal {
  readonly #files: number[]
  #current = 0
  /** Where the next record goes in the current file. */
  #position = 0
  /** How far the logs reach that are in the current file. */
  #reach: VersionVector = new Map()
  /** The same of the other file, until the current one says it. */
  #before: Seqs = []
  /** The other file holds nothing that is not committed elsewhere. */
  #isOtherFree = true
  readonly #first = randomInt(firstNumberMax)
  #number = this.#first
  #gathered = newGroup()
  #underWay: Group | undefined
  #failure: Error | undefined

  /** Makes the files, empty: what was in them must lie elsewhere. */
  constructor(directory: string) {
    const { O_RDWR, O_CREAT, O_TRUNC, O_DSYNC } = fs.constants
    const flags = O_RDWR | O_CREAT | O_TRUNC | O_DSYNC
    this.#files = journalFiles(directory).map((file) => fs.openSync(file, flags, 0o600))
    const parent = fs.openSync(directory, 'r')
    fs.fsyncSync(parent)
    fs.closeSync(parent)
  }

  /**
   * Resolves when these rows, and all before them, are on stable storage. They are worth nothing
   * without what `after` names, which is on its way there elsewhere.
   */
  append(rows: UpdateRows, after: Seqs): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure)
    const { records, stored } = this.#gathered
    // Those that it gathers with are written with it, and all before them sooner.
    const before = this.#number - records.length
    const known = before > this.#first ? before : 0
    const told = { after, before: this.#before, stored: known }
    records.push(encodeRecord({ number: ++this.#number, rows, ...told }))
    this.#before = []
    raise(this.#reach, headsIn(rows))
    this.#flush()
    return stored.promise
  }

  /**
   * From now on the other file is written, if it is free: what was appended so far is about to be
   * committed elsewhere. False: it is not, `retire` comes first.
   */
  turn(): boolean {
    if (!this.#isOtherFree) return false
    this.#isOtherFree = false
    this.#current = 1 - this.#current
    this.#position = 0
    this.#before = [...this.#reach]
    this.#reach.clear()
    return true
  }

  /** What was appended before the last turn is committed elsewhere. */
  retire(): void {
    this.#isOtherFree = true
  }

  /**
   * Resolves when nothing is under way; then nothing may be appended any more. `isDone`: all of it is
   * committed elsewhere, and the files are left empty where the disk lets them.
   */
  async close(isDone = false): Promise<void> {
    this.#failure ??= new Error('the journal is closed')
    while (this.#underWay) await this.#underWay.stored.promise.catch(() => undefined)
    for (const file of this.#files) {
      if (isDone) empty(file)
      fs.closeSync(file)
    }
  }

  #flush(): void {
    if (this.#underWay || this.#gathered.records.length === 0) return
    const group = this.#gathered
    this.#gathered = newGroup()
    this.#underWay = group
    const [only, ...more] = group.records as [Uint8Array<ArrayBuffer>]
    const bytes = more.length === 0 ? only : Buffer.concat(group.records)
    const position = this.#position
    this.#position += bytes.length
    this.#write(this.#files[this.#current]!, bytes, position)
  }

  #write(file: number, bytes: Uint8Array, position: number): void {
    fs.write(file, bytes, 0, bytes.length, position, (error, written) => {
      if (error) this.#fail(error)
      else if (written < bytes.length) {
        this.#write(file, bytes.subarray(written), position + written)
      } else this.#stored()
    })
  }

  #stored(): void {
    this.#underWay!.stored.resolve()
    this.#underWay = undefined
    this.#flush()
  }

  #fail(error: Error): void {
    this.#failure = error
    this.#underWay!.stored.reject(error)
    this.#gathered.stored.reject(error)
    // Who waits for neither is not to end the process.
    this.#gathered.stored.promise.catch(() => undefined)
    this.#underWay = undefined
  }
}

/** The highest seq of each log: they come in order. */
function headsIn({ columns, origins }: UpdateRows): VersionVector {
  const heads: VersionVector = new Map()
  for (let at = 0; at < columns.length; at += columnsPerUpdate) {
    heads.set(origins[columns[at]!]!, columns[at + 1]!)
  }
  return heads
}

function empty(file: number): void {
  try {
    fs.ftruncateSync(file)
  } catch {
    // A broken disk: what is in it lies elsewhere, too, and is read once more at the next start.
  }
}
