// Bare SQLite: what durable appends cost when nothing else is done. The baseline of every store.

import { DatabaseSync, type StatementSync } from 'node:sqlite'

/** An own log in one table: one commit in flight, what comes meanwhile goes into the next. */
export class BareLog {
  readonly #db: DatabaseSync
  readonly #begin: StatementSync
  readonly #insert: StatementSync
  readonly #commit: StatementSync
  #gathered: { record: Uint8Array; stored: () => void }[] = []
  #isScheduled = false

  constructor(file: string) {
    this.#db = new DatabaseSync(file)
    this.#db.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE log (record BLOB)',
    )
    this.#begin = this.#db.prepare('BEGIN IMMEDIATE')
    this.#insert = this.#db.prepare('INSERT INTO log VALUES (?)')
    this.#commit = this.#db.prepare('COMMIT')
  }

  /** `stored` is called after the record is on stable storage. */
  append(record: Uint8Array, stored: () => void): void {
    this.#gathered.push({ record, stored })
    if (this.#isScheduled) return
    this.#isScheduled = true
    // Everything that is ready to be written in this turn of the loop goes into one commit.
    setImmediate(() => this.#write())
  }

  close(): void {
    this.#db.close()
  }

  #write(): void {
    this.#isScheduled = false
    const batch = this.#gathered
    this.#gathered = []
    this.#begin.run()
    for (const { record } of batch) this.#insert.run(record)
    this.#commit.run()
    for (const { stored } of batch) stored()
  }
}

/**
 * Durable appends a second of so many writers, each of which waits for its last. The first of each are
 * not counted: the runtime compiles while they come.
 */
export async function bareRate(
  file: string,
  records: Uint8Array[][],
  warmUpEach = 0,
): Promise<number> {
  const log = new BareLog(file)
  const write = async (from: number, to?: number) => {
    const writers = records.map((own) => own.slice(from, to))
    const count = writers.reduce((sum, own) => sum + own.length, 0)
    const startedAt = performance.now()
    await Promise.all(
      writers.map(async (own) => {
        for (const record of own) await new Promise<void>((stored) => log.append(record, stored))
      }),
    )
    return (count / (performance.now() - startedAt)) * 1000
  }
  await write(0, warmUpEach)
  const rate = await write(warmUpEach)
  log.close()
  return rate
}
