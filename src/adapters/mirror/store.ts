// What a mirror remembers, in an SQLite file inside of the directory that it mirrors.
//
// Everything that is about to be done is written down first, so that a life that ends at any moment
// is understood by the next one: an intent before it is sent to a server, a work before it touches a
// file. The file is locked as long as it is open: a directory has one mirror.

import { chmodSync, lstatSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Earlier } from '../../core/mirror/base-choice.ts'
import { earlierBytesMax, earlierMax, earlierMin } from '../../core/mirror/base-choice.ts'
import type { Common, FileKind } from '../../core/mirror/messages.ts'
import type { Reach } from '../../core/mirror/reach.ts'
import { prepareStore } from './store-schema.ts'

/** Where a mirror keeps its own things, below the directory. */
export const ownDirectory = '.fourfold'

/** What is written beside the file before it goes in, in pages of 4 KiB: a small disk has other things. */
const walPagesMax = 64
/** What a long text took there beside is given back. */
const walBytesMax = walPagesMax * 4096

/** How a file was when it was read: while all of it is the same, so is what is in it. */
export interface Stamp {
  size: number
  modifiedNs: bigint
  changedNs: bigint
}

export interface CommonRow extends Common {
  stamp: Stamp | undefined
}

/** What is saved, the text that it is made from, and the state of that in base64. */
export interface Grounds {
  text: string
  base: string
  state: string
}

/** Something for a server: sent until it was answered, always the same. */
export interface Intent {
  operation: string
  /** The id of the file; of one that is to be made, its path in the folder. */
  file: string
  isNew: boolean
  /** On the disk. */
  path: string
  identity: string
  /** Empty, when it is none. */
  text: string
  version: string
  baseText: string
  /** What is sent for the text, where that is another one. */
  meant?: string | undefined
  /**
   * The change brought into what a server held then, noted before it was sent: so it has one effect,
   * should it reach two servers.
   */
  grounds?: Grounds | undefined
  /** The text was made from bytes that have this hash. */
  baseHash?: string | undefined
  /**
   * It is no text but so many bytes, made from those of the hash `base`; empty: from nothing, or from
   * a text of the version `text`.
   */
  bytes?: { size: number; base: string; text?: string } | undefined
  stamp: Stamp | undefined
  /** The text was found in a file that had left its place already: it is not what is on the disk. */
  isRescue: boolean
}

/** A file on its way to the disk. While the temporary file is there, it has not arrived. */
export interface Work {
  id: string
  /** Absent: a text. */
  kind?: FileKind
  path: string
  temporary: string
  displaced: string
  identity: string
  version: string
  /** Empty, when it is none. */
  text: string
  /** How far that text has come. */
  reach?: Reach | undefined
  /** Of the temporary file. */
  stamp?: Stamp | undefined
}

/** A text, or what is under way with it: what that has of it is handed on. */
export type TextSource = string | { intent: string } | { work: string }

/** A file taken out of its place: it goes when nobody has written to it any more. */
export interface Displaced {
  /** Its path now. */
  file: string
  id: string
  /** Where it was. */
  path: string
  /** What is in it, as far as is known. */
  version: string
  stamp?: Stamp | undefined
  /** It was deleted in the folder; otherwise it was replaced. */
  isRemoval: boolean
}

/** Another mirror works in this directory. */
export class MirrorLockedError extends Error {}

export { MirrorVersionError } from './store-schema.ts'

export class MirrorStore {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  #gathered: { change: () => void; resolve: () => void; reject: (error: Error) => void }[] = []

  /** Opens or makes the store of a directory. Throws MirrorLockedError, MirrorVersionError. */
  constructor(directory: string) {
    const own = join(directory, ownDirectory)
    mkdirSync(own, { recursive: true, mode: 0o700 })
    if (!lstatSync(own).isDirectory()) throw new Error(`${own} is no directory.`)
    chmodSync(own, 0o700)
    // A mirrored directory may be somebody's repository.
    writeFileSync(join(own, '.gitignore'), '*\n')
    this.#database = new DatabaseSync(join(own, 'mirror.sqlite'))
    try {
      this.#database.exec('PRAGMA locking_mode = EXCLUSIVE')
      this.#database.exec('PRAGMA journal_mode = WAL')
      this.#database.exec('PRAGMA synchronous = FULL')
      this.#database.exec(`PRAGMA wal_autocheckpoint = ${walPagesMax}`)
      this.#database.exec(`PRAGMA journal_size_limit = ${walBytesMax}`)
      prepareStore(this.#database)
    } catch (error) {
      this.#database.close()
      if (/locked|busy/i.test((error as Error).message)) throw new MirrorLockedError()
      throw error
    }
  }

  close(): void {
    this.#database.close()
  }

  /** All or nothing, in one flush. */
  together(change: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      change()
      this.#database.exec('COMMIT')
    } catch (error) {
      // What SQLite cannot put on the disk it has taken back itself.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  /** What many ask for in one moment, in one flush. Resolves when it is on the disk. */
  soon(change: () => void): Promise<void> {
    if (this.#gathered.length === 0) setImmediate(() => this.#flush())
    return new Promise((resolve, reject) => {
      this.#gathered.push({ change, resolve, reject })
    })
  }

  #flush(): void {
    const gathered = this.#gathered
    this.#gathered = []
    try {
      this.together(() => gathered.forEach(({ change }) => change()))
      for (const { resolve } of gathered) resolve()
    } catch (error) {
      for (const { reject } of gathered) reject(error as Error)
    }
  }

  // ------------------------------------------------------------------------------ what is common

  commons(): CommonRow[] {
    const statement = this.#database.prepare(
      'SELECT id, path, kind, version, identity, size, modified, changed FROM common',
    )
    statement.setReadBigInts(true)
    return statement.all().map((row) => {
      const { id, path, kind, version, identity, size, modified, changed } = row
      const stamp =
        size === null
          ? undefined
          : {
              size: Number(size),
              modifiedNs: modified as bigint,
              changedNs: changed as bigint,
            }
      return { id, path, kind, version, identity, stamp } as CommonRow
    })
  }

  /** The common text of an entry. */
  text(id: string): string | undefined {
    const sql = 'SELECT texts.text FROM common JOIN texts ON number = common.text WHERE id = ?'
    return this.#get(sql, id)?.['text'] as string | undefined
  }

  /** `reach`: how far the folder's text has come; absent: as far as was known. */
  keep(row: CommonRow, source: TextSource, reach?: Reach): void {
    const { id, path, kind, version, identity, stamp } = row
    const text = this.#take(source)
    this.#forgetText('common WHERE id = ?', id)
    this.#run(
      `INSERT INTO common VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
         path = excluded.path, kind = excluded.kind, version = excluded.version,
         identity = excluded.identity, size = excluded.size, modified = excluded.modified,
         changed = excluded.changed, text = excluded.text, reach = coalesce(excluded.reach, reach)`,
      id,
      path,
      kind,
      version,
      identity,
      stamp?.size ?? null,
      stamp?.modifiedNs ?? null,
      stamp?.changedNs ?? null,
      text,
      reach ? JSON.stringify(reach) : null,
    )
  }

  /** How far the folder's text had come at least; undefined: not known. */
  reach(id: string): Reach | undefined {
    const reach = this.#get('SELECT reach FROM common WHERE id = ?', id)?.['reach']
    return typeof reach === 'string' ? (JSON.parse(reach) as Reach) : undefined
  }

  /** Undefined: it is not known any more. */
  keepReach(id: string, reach: Reach | undefined): void {
    this.#run('UPDATE common SET reach = ? WHERE id = ?', reach ? JSON.stringify(reach) : null, id)
  }

  /** Changes everything but the text. */
  keepPlace({ id, path, identity, stamp }: CommonRow): void {
    this.#run(
      'UPDATE common SET path = ?, identity = ?, size = ?, modified = ?, changed = ? WHERE id = ?',
      path,
      identity,
      stamp?.size ?? null,
      stamp?.modifiedNs ?? null,
      stamp?.changedNs ?? null,
      id,
    )
  }

  forgetEarlierOf(id: string): void {
    this.#run('DELETE FROM earlier WHERE id = ?', id)
  }

  forget(id: string): void {
    this.#forgetText('common WHERE id = ?', id)
    this.#run('DELETE FROM common WHERE id = ?', id)
    this.#run('DELETE FROM earlier WHERE id = ?', id)
  }

  // ----------------------------------------------------------------------------- what was before

  /** Newest first. */
  earlier(id: string): (Earlier & { version: string })[] {
    const order = 'ORDER BY rowid DESC'
    return this.#all(
      `SELECT version, text, replaced_at FROM earlier WHERE id = ? ${order}`,
      id,
    ).map((row) => ({
      version: row['version'] as string,
      text: row['text'] as string,
      replacedAt: row['replaced_at'] as number,
    }))
  }

  /** The common text, if it is one, is about to be replaced on the disk. */
  keepEarlier(id: string, replacedAt: number): void {
    this.#run(
      `INSERT INTO earlier SELECT id, version, coalesce(texts.text, ''), ?
         FROM common LEFT JOIN texts ON number = common.text WHERE id = ? AND kind = 'text'`,
      replacedAt,
      id,
    )
    this.#boundEarlier(id)
  }

  /** A text that was on the disk, and was not what is common. */
  addEarlier(id: string, { version, text, replacedAt }: Earlier & { version: string }): void {
    this.#run('INSERT INTO earlier VALUES (?, ?, ?, ?)', id, version, text, replacedAt)
    this.#boundEarlier(id)
  }

  #boundEarlier(id: string): void {
    this.#run(
      `DELETE FROM earlier WHERE rowid IN
         (SELECT rowid FROM
            (SELECT rowid, row_number() OVER newest AS place, sum(octet_length(text)) OVER newest AS bytes
               FROM earlier WHERE id = ? WINDOW newest AS (ORDER BY rowid DESC))
           WHERE place > ${earlierMax} OR (place > ${earlierMin} AND bytes > ${earlierBytesMax}))`,
      id,
    )
  }

  /** Forgets what no late writer can have read. */
  forgetEarlier(before: number): void {
    this.#run('DELETE FROM earlier WHERE replaced_at < ?', before)
  }

  // ------------------------------------------------------------------------ what is on its way

  /** In the order in which they were added. */
  intents(): Intent[] {
    return this.#underWay<Intent>('intents', 'ORDER BY intents.rowid')
  }

  addIntent(intent: Intent): void {
    const { operation, text } = intent
    this.#run('INSERT INTO intents VALUES (?, ?, ?)', operation, bare(intent), this.#take(text))
  }

  /** But for its text. */
  changeIntent(intent: Intent): void {
    this.#run('UPDATE intents SET value = ?2 WHERE operation = ?1', intent.operation, bare(intent))
  }

  removeIntent(operation: string): void {
    this.#forgetText('intents WHERE operation = ?', operation)
    this.#run('DELETE FROM intents WHERE operation = ?', operation)
  }

  works(): Work[] {
    return this.#underWay<Work>('works', 'ORDER BY id')
  }

  addWork(work: Work): void {
    const { id, text } = work
    this.removeWork(id)
    this.#run('INSERT INTO works VALUES (?, ?, ?)', id, bare(work), this.#take(text))
  }

  removeWork(id: string): void {
    this.#forgetText('works WHERE id = ?', id)
    this.#run('DELETE FROM works WHERE id = ?', id)
  }

  #underWay<T>(table: 'intents' | 'works', order: string): T[] {
    const joined = `${table} LEFT JOIN texts ON number = ${table}.text`
    const sql = `SELECT value, coalesce(texts.text, '') AS text FROM ${joined} ${order}`
    return this.#all(sql).map(({ value, text }) => ({ ...read<T>(value as string), text }))
  }

  // ------------------------------------------------------------------------------------- texts

  /** The number of a text that is not written yet, or that is handed on; null: it is empty. */
  #take(source: TextSource): number | null {
    if (typeof source === 'string') {
      if (source === '') return null
      this.#run('INSERT INTO texts (text) VALUES (?)', source)
      return Number(this.#get('SELECT last_insert_rowid() AS number')!['number'])
    }
    const isIntent = 'intent' in source
    const place = isIntent ? 'intents WHERE operation = ?' : 'works WHERE id = ?'
    const key = isIntent ? source.intent : source.work
    const number = this.#get(`SELECT text FROM ${place}`, key)?.['text'] ?? null
    this.#run(`UPDATE ${place.replace('WHERE', 'SET text = NULL WHERE')}`, key)
    return number as number | null
  }

  #forgetText(place: string, key: string): void {
    this.#run(`DELETE FROM texts WHERE number = (SELECT text FROM ${place})`, key)
  }

  displaced(): Displaced[] {
    return this.#values<Displaced>('SELECT value FROM displaced')
  }

  addDisplaced(displaced: Displaced): void {
    this.#run('INSERT OR REPLACE INTO displaced VALUES (?, ?)', displaced.file, written(displaced))
  }

  removeDisplaced(file: string): void {
    this.#run('DELETE FROM displaced WHERE file = ?', file)
  }

  // ---------------------------------------------------------------------------------- the rest

  meta(key: string): string | undefined {
    return this.#get('SELECT value FROM meta WHERE key = ?', key)?.['value'] as string | undefined
  }

  setMeta(key: string, value: string): void {
    this.#run('INSERT OR REPLACE INTO meta VALUES (?, ?)', key, value)
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  #run(sql: string, ...values: (string | number | bigint | null)[]): void {
    this.#statement(sql).run(...values)
  }

  #get(sql: string, ...values: string[]): Record<string, unknown> | undefined {
    return this.#statement(sql).get(...values)
  }

  #all(sql: string, ...values: string[]): Record<string, unknown>[] {
    return this.#statement(sql).all(...values)
  }

  #values<T>(sql: string): T[] {
    return this.#all(sql).map(({ value }) => read<T>(value as string))
  }
}

/** Without its text, which is written once. */
function bare(value: Intent | Work): string {
  return written({ ...value, text: undefined })
}

// JSON knows no bigints: nanoseconds are written as text with an "n" at the end.
function written(value: object): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'bigint' ? { nanoseconds: `${each}` } : each,
  )
}

function read<T>(text: string): T {
  return JSON.parse(text, (_, each: unknown) => {
    const isBig = typeof each === 'object' && each !== null && 'nanoseconds' in each
    return isBig ? BigInt(each.nanoseconds as string) : each
  }) as T
}
