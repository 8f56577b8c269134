// A server's data directory: whose it is, that one process uses it, and how its file is opened.

import { randomFillSync } from 'node:crypto'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { whyOf } from '../../core/model/errors.ts'
import type { ReplicaId } from '../../core/model/ids.ts'
import { makeDirectory } from '../disk.ts'
import { journalFiles } from './journal.ts'
import { schema, storeFormat, upgrades } from './schema.ts'
import {
  isBusy,
  isDamage,
  isFull,
  isReadOnly,
  mayBeOfRoom,
  saysReadOnly,
  StorageError,
} from './storage-error.ts'

export interface StoreOwner {
  directory: string
  /** Name of the replica set. */
  set: string
  replica: ReplicaId
}

export const storeFile = (directory: string) => join(directory, 'store.sqlite')
const reserveFile = (directory: string) => join(directory, 'reserve')
/** Its presence says that SQLite met damage in the file: check all of it before the next use. */
const suspectFile = (directory: string) => join(directory, 'suspect')

/** The first SQLite without the WAL reset race, which could corrupt a file with two connections. */
const sqliteMin = '3.51.3'

/** Room for a clean end when a disk is full: a checkpoint of the longest usual WAL, twice. */
const reserveBytes = 8 * 1024 * 1024

/** What SQLite writes when it opens a file, at most: memory that its processes share. */
const openingBytes = 1024 * 1024

/** A file up to this size is checked whole at every start: it takes about two seconds. */
const checkedBytesMax = 256 * 1024 * 1024

/**
 * Each gives a row that says what is damaged, or "ok", or none. A server tells others how far its logs
 * go, and they rely on that; no checksum is over it. What belongs to no subject is nowhere to be seen.
 */
const checks = [
  "PRAGMA integrity_check('origins')",
  `
    SELECT 'the log ' || id || ' does not go as far as is noted' FROM origins
    WHERE filed > seq OR seq <> max(floor, coalesce(
      (SELECT max(seq) FROM updates WHERE updates.origin = origins.origin), 0
    ))
  `,
  `
    SELECT 'pieces of a document that is not known' FROM pieces INDEXED BY pieces_by_subject
    WHERE subject NOT IN (SELECT subject FROM subjects) LIMIT 1
  `,
]

/** A sum over places that tells them from others; it stays below 2^63 for 100 million. */
const placeSum = 'sum((rows.subject + rows.origin * 31) * (rows.seq & 1023 | 1) + rows.seq)'

/** A removal under way has done a part of it. */
const isToStay = `(
  NOT EXISTS (SELECT 1 FROM removals) OR NOT EXISTS (
    SELECT 1 FROM removals
    WHERE removals.subject = rows.subject AND removals.origin = rows.origin
      AND removals.seq >= rows.seq
  )
)`

/** These go through the whole file. */
const wholeChecks = [
  'PRAGMA quick_check(1)',
  // Whether the indexes say what the table says: by them subjects are looked up, and sent to others.
  "PRAGMA integrity_check('subjects')",
  "PRAGMA integrity_check('covers')",
  // An operation that is not found is done twice; two indexes hold the same of each.
  "PRAGMA integrity_check('operations')",
  ...checks,
  // Updates filed elsewhere, or of a subject that is not known: a document lacks what is in its log.
  `
    WITH logs AS MATERIALIZED (
      SELECT
        id,
        origins.seq - floor AS due,
        count(*) FILTER (WHERE rows.seq > floor) AS held,
        count(*) FILTER (WHERE rows.seq <= filed AND ${isToStay}) AS places,
        ${placeSum} FILTER (WHERE rows.seq <= filed AND ${isToStay}) AS placed
      FROM origins LEFT JOIN updates AS rows USING (origin)
      GROUP BY origins.origin
    )
    SELECT 'the log ' || id || ' has a hole' FROM logs WHERE due <> held
    UNION ALL
    SELECT 'updates are filed where they do not belong'
    WHERE (SELECT coalesce(sum(places), 0), sum(placed) FROM logs) IS NOT (
      SELECT count(*), ${placeSum}
      FROM subjects NOT INDEXED CROSS JOIN filed AS rows ON rows.subject = subjects.subject
      WHERE ${isToStay}
    )
  `,
]

/** How long a start waits for a process that is just ending. */
const lockWaitMs = 500

/** How long a statement waits for another connection; the only other writer is a checkpoint. */
const busyMs = 5000

/** Throws when this SQLite is older than what we trust. */
export function checkSqlite(version: string, directory: string): void {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  const [majorMin = 0, minorMin = 0, patchMin = 0] = sqliteMin.split('.').map(Number)
  if ((major - majorMin || minor - minorMin || patch - patchMin) >= 0) return
  throw new StorageError(
    'old-sqlite',
    `${directory} is not opened with SQLite ${version}, which can damage it; use a Node with SQLite ${sqliteMin} or later`,
  )
}

/**
 * Makes the directory when it is not there, keeps others out of it, and takes it for this process.
 * Call the returned function to give it up; the kernel does when the process ends, however it ends.
 */
export function claimDirectory(directory: string): () => void {
  return telling(directory, () => {
    makeDirectory(directory, 0o700)
    if (fs.statSync(directory).mode & 0o077) fs.chmodSync(directory, 0o700)
    return lock(directory)
  })
}

/**
 * Keeps other processes that ask for the same out of a directory that is there. Call the returned
 * function to give it up, as with \`claimDirectory\`. Throws StorageError; \`in-use\` when one has it.
 */
export function lockDirectory(directory: string): () => void {
  return telling(directory, () => lock(directory))
}

/** Makes the store or checks that it is this server's and sound. */
export function prepareStore({ directory, set, replica }: StoreOwner): void {
  telling(directory, () => {
    const db = openWriting(directory)
    try {
      // Has an effect only before the first table.
      db.exec('PRAGMA auto_vacuum = INCREMENTAL')
      db.exec('PRAGMA journal_mode = WAL')
      db.exec('BEGIN IMMEDIATE')
      const tables = db.prepare('SELECT name FROM sqlite_schema').all()
      if (tables.length === 0) {
        // What lies beside a file that is made anew belongs to another.
        for (const file of journalFiles(directory)) fs.rmSync(file, { force: true })
        db.exec(schema)
        const put = db.prepare('INSERT INTO meta (key, value) VALUES (?, ?)')
        for (const [key, value] of Object.entries({ format: storeFormat, set, replica })) {
          put.run(key, value)
        }
      } else {
        const isStore = tables.some(({ name }) => name === 'meta')
        if (!isStore) throw damaged(directory, 'its file is not one of ours')
        checkOwner(db, { directory, set, replica })
        upgrade(db)
      }
      db.exec('COMMIT')
      checkFile(db, directory)
    } finally {
      db.close()
    }
  })
}

/** The one connection that writes; every commit is on stable storage when it returns. */
export function openWriting(directory: string): DatabaseSync {
  const db = new DatabaseSync(storeFile(directory), { timeout: busyMs })
  db.exec(`
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 1000;
    PRAGMA journal_size_limit = ${reserveBytes};
    PRAGMA cell_size_check = ON;
    PRAGMA cache_size = -8000;
    PRAGMA temp_store = MEMORY;
  `)
  return db
}

/** A connection that only reads. Throws as SQLite does. */
export function openReading(directory: string): DatabaseSync {
  const db = new DatabaseSync(storeFile(directory), { timeout: busyMs, readOnly: true })
  // Sorting in memory: a read must not need a place on a full disk.
  db.exec('PRAGMA cell_size_check = ON; PRAGMA cache_size = -4000; PRAGMA temp_store = MEMORY')
  return db
}

/** Runs it; what the world does wrong becomes a StorageError that names the directory. */
export function telling<Result>(directory: string, action: () => Result): Result {
  try {
    return action()
  } catch (error) {
    throw told(directory, error)
  }
}

/** A StorageError that names the directory, for what the world does wrong in it. */
export function told(directory: string, error: unknown): Error {
  if (error instanceof StorageError) return error
  const why = whyOf(error)
  if (isFull(error) || (mayBeOfRoom(error) && isBrimful(directory))) {
    return new StorageError(
      'full',
      `The disk of ${directory} is full (${why}); make room and start again`,
    )
  }
  // What this user may write is read-only by a flipped bit in its header.
  if (isDamage(error) || (saysReadOnly(error) && mayWrite(directory)) || hasMisplaced(directory))
    return damaged(directory, why)
  if (isReadOnly(error) || (isOfFileSystem(error) && error.code !== 'EIO')) {
    return new StorageError(
      'unwritable',
      `${directory} cannot be written (${why}); give this user the right to, or name another directory`,
    )
  }
  return new StorageError('failed', `${directory} failed (${why}); check its disk and start again`)
}

const isOfFileSystem = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'syscall' in error

/** Whether this user may write the directory and the file in it; false also when one is not there. */
function mayWrite(directory: string): boolean {
  const probe = join(directory, 'probe')
  try {
    for (const path of [directory, storeFile(directory)]) fs.accessSync(path, fs.constants.W_OK)
    // A file system that met an error takes nothing more, and only who writes is told so.
    fs.writeFileSync(probe, '')
    fs.rmSync(probe)
    return true
  } catch {
    // That is the question, whatever the reason.
    return false
  }
}

/** Whether something else lies where a file of the store should. */
function hasMisplaced(directory: string): boolean {
  return [storeFile(directory), ...journalFiles(directory)].some((file) => {
    try {
      return !fs.statSync(file).isFile()
    } catch {
      // It is not there, or nobody may look: which another error tells.
      return false
    }
  })
}

/** Have the whole file checked before it is used again. */
export function markSuspect(directory: string): void {
  fs.writeFileSync(suspectFile(directory), '')
}

/**
 * Fills the reserve, when there is room: bytes that a full disk can be given back. Random ones, so
 * that no file system stores them in less.
 */
export function keepReserve(directory: string): void {
  const file = reserveFile(directory)
  // One that was cut short gives nothing back.
  if (fs.statSync(file, { throwIfNoEntry: false })?.size === reserveBytes) return
  const unfinished = `${file}.new`
  try {
    fs.writeFileSync(unfinished, randomFillSync(new Uint8Array(reserveBytes)), { flush: true })
    fs.renameSync(unfinished, file)
  } catch (error) {
    fs.rmSync(unfinished, { force: true })
    // Without room there is no reserve, and what is stored can still be read.
    if (!isFull(error)) throw told(directory, error)
  }
}

/**
 * Gives the reserve back to the disk; false: there is none. The next start fills it again when there is
 * room.
 */
export function releaseReserve(directory: string): boolean {
  const file = reserveFile(directory)
  if (!fs.existsSync(file)) return false
  fs.rmSync(file, { force: true })
  return true
}

/** Bytes that this process may still write to the disk of the directory. */
export function freeBytes(directory: string): number {
  const { bavail, bsize } = fs.statfsSync(directory)
  return bavail * bsize
}

function isBrimful(directory: string): boolean {
  try {
    const { files, ffree } = fs.statfsSync(directory)
    // Some file systems count no files: they say that there are none.
    return freeBytes(directory) < openingBytes || (files > 0 && ffree === 0)
  } catch {
    // It is not there, which is another trouble.
    return false
  }
}

// Node has no flock. An exclusive SQLite transaction is a lock of the kernel, gone with the process.
function lock(directory: string): () => void {
  const db = new DatabaseSync(join(directory, 'lock'), { timeout: lockWaitMs })
  try {
    db.exec('PRAGMA journal_mode = MEMORY')
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if (!isBusy(error)) throw error
    throw new StorageError(
      'in-use',
      `${directory} is already in use by another server; stop that one, or name another directory`,
    )
  }
  return () => db.close()
}

function checkOwner(db: DatabaseSync, { directory, set, replica }: StoreOwner): void {
  const meta = new Map(
    db
      .prepare('SELECT key, value FROM meta')
      .all()
      .map(({ key, value }) => [key, value]),
  )
  const format = Number(meta.get('format'))
  if (format > storeFormat) {
    throw new StorageError(
      'newer-format',
      `${directory} was written by a later Fourfold (format ${format}, this one knows ${storeFormat}); start that version again`,
    )
  }
  if (meta.get('set') !== set) {
    throw new StorageError(
      'other-set',
      `${directory} holds the set "${String(meta.get('set'))}", not "${set}"; name the directory of this set, or an empty one`,
    )
  }
  if (meta.get('replica') !== replica) {
    throw new StorageError(
      'other-replica',
      `${directory} belongs to the server "${String(meta.get('replica'))}", not "${replica}"; give each server its own directory`,
    )
  }
}

function upgrade(db: DatabaseSync): void {
  const format = Number(db.prepare("SELECT value FROM meta WHERE key = 'format'").get()?.['value'])
  if (format === storeFormat) return
  for (const step of upgrades.slice(format - 1)) db.exec(step)
  db.prepare("UPDATE meta SET value = ? WHERE key = 'format'").run(storeFormat)
}

function checkFile(db: DatabaseSync, directory: string): void {
  const isSuspect = fs.existsSync(suspectFile(directory))
  const isWhole = isSuspect || fs.statSync(storeFile(directory)).size <= checkedBytesMax
  for (const check of isWhole ? wholeChecks : checks) {
    const [found] = db.prepare(check).all()
    const verdict = String(Object.values(found ?? { none: 'ok' })[0])
    if (verdict !== 'ok') throw damaged(directory, verdict.replaceAll('\n', ' '))
  }
  if (isSuspect) fs.rmSync(suspectFile(directory))
}

/** What the operator is to do about a file that is not as it was written. */
export function damaged(directory: string, why: string): StorageError {
  return new StorageError(
    'corrupt',
    `The store in ${directory} is damaged (${why}); move the directory away and start again: the server fills itself from the others`,
  )
}
