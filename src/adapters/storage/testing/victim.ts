// A process of its own that uses a store, for tests that kill it or take its disk away.

import * as fs from 'node:fs'
import { join } from 'node:path'
import type { Origin, ReplicaId, SubjectId } from '../../../core/model/ids.ts'
import { Author, batchOf, note, plan, textOf } from './author.ts'
import { openSqliteStorage, StorageError, type SqliteStorage } from '../sqlite.ts'

const [role, directory = '', life = ''] = process.argv.slice(2)
/** Characters of one edit that is to fill a disk; those of a life that takes go to the journal. */
const largeLength = life === 'takes' ? 30_000 : 100_000

const owner = { directory, set: 'world', replica: 'a' as ReplicaId }

/** At once, also when the process is killed right after. */
function say(words: unknown): void {
  fs.writeSync(1, `${JSON.stringify(words)}\n`)
}

/** What it can be started as. */
const roles: Record<string, () => Promise<void>> = {
  hold,
  nobody,
  write,
  take,
  fill,
  brim,
  outgrow,
}
/** Opens the store and stays. */
async function hold(): Promise<void> {
  await openSqliteStorage(owner)
  say('open')
}

/** Tries to open the store without any rights. */
async function nobody(): Promise<void> {
  if (process.getuid?.() === 0) {
    process.setgid?.(65534)
    process.setuid?.(65534)
  }
  await openSqliteStorage(owner).catch((error: unknown) => {
    say(error instanceof StorageError ? [error.code, error.message] : String(error))
  })
}

/** Writes until it is killed; says the last seq of each batch once it is stored. */
async function write(): Promise<void> {
  const storage = await openSqliteStorage(owner)
  const origin = `a.${life.padStart(13, '0')}` as Origin
  const author = new Author(origin, (seq) => `<${life}.${seq}>`)
  for (let batch = 1; ; batch++) {
    const updates = [...author.type(note, (batch * 7) % 40), ...author.type(plan)]
    await storage.write(batchOf({ updates }))
    say(updates.at(-1)!.seq)
    // Goes on beside the next writes, and is killed at any moment too.
    if (batch % 10 === 0) void storage.compact(note, storage.reader.vector())
  }
}

/** Takes in until it is killed, several at a time; says the last seq of each batch once it is stored. */
async function take(): Promise<void> {
  const storage = await openSqliteStorage(owner)
  const origin = `a.${life.padStart(13, '0')}` as Origin
  const author = new Author(origin, (seq) => `<${life}.${seq}>`)
  const stored = new Set<Promise<void>>()
  for (let batch = 1; ; batch++) {
    // Now and then one that is too long for the journal.
    const updates = [...author.type(note, batch % 50 === 7 ? 600 : 2), ...author.type(plan)]
    const wait = storage.take(batchOf({ updates }))!.then(() => {
      say(updates.at(-1)!.seq)
      stored.delete(wait)
    })
    stored.add(wait)
    if (stored.size > 5) await Promise.race(stored)
    if (batch % 40 === 0) void storage.compact(note, storage.reader.vector())
  }
}

/** Fills a small disk with something else, writes until that fails, and goes on with room again. */
async function fill(): Promise<void> {
  const ballast = join(directory, 'ballast')
  let storage = await openSqliteStorage(owner)
  await storage.write(batchOf({ updates: large('a.0000000000000', plan) }))
  const hadReserve = fs.existsSync(join(directory, 'reserve'))
  fs.writeFileSync(ballast, new Uint8Array(storage.freeBytes() - 1024 * 1024))
  const failure = await writeUntilFailure(storage)
  const keptReserve = fs.existsSync(join(directory, 'reserve'))
  const reopened = []
  for (const step of ['still full', 'with room']) {
    await storage.close()
    if (step === 'with room') fs.rmSync(ballast)
    storage = await openSqliteStorage(owner)
    reopened.push(countLarge(storage))
  }
  await storage.write(batchOf({ updates: large('a.2222222222222', note) }))
  reopened.push(countLarge(storage))
  await storage.close()
  say({ ...failure, reopened, hadReserve, keptReserve })
}

/** Opens a store on a disk on which nothing is free but what the store itself keeps free. */
async function brim(): Promise<void> {
  const before = await openSqliteStorage(owner)
  await before.write(batchOf({ updates: large('a.0000000000000', note) }))
  await before.close()
  const ballast = fs.openSync(join(directory, 'ballast'), 'w')
  const page = new Uint8Array(4096)
  try {
    for (let count = 0; ; count++) {
      // A disk has room for so many bytes, and for so many files.
      if (life === 'files') fs.writeFileSync(join(directory, `ballast-${count}`), '')
      else fs.writeSync(ballast, page)
    }
  } catch {
    // That was the last byte, or the last file.
  }
  try {
    const after = await openSqliteStorage(owner)
    say({ readable: countLarge(after), keptReserve: fs.existsSync(join(directory, 'reserve')) })
    await after.close()
  } catch (error) {
    say((error as StorageError).message)
  }
}

/** Writes until its files may not grow any more. */
async function outgrow(): Promise<void> {
  const storage = await openSqliteStorage(owner)
  say(await writeUntilFailure(storage))
  await storage.close()
}

interface Failure {
  /** Batches stored before. */
  acknowledged: number
  /** Batches read afterwards. */
  readable: number
  codes: string[]
  message: string
}

async function writeUntilFailure(storage: SqliteStorage): Promise<Failure> {
  const author = new Author('a.1111111111111' as Origin, () => 'x'.repeat(largeLength))
  for (let acknowledged = 0; ; acknowledged++) {
    const batch = batchOf({ updates: author.type(note) })
    const taken = life === 'takes' ? storage.take(batch) : undefined
    const error = await failureOf(taken ?? storage.write(batch))
    if (!error) continue
    const later = await failureOf(storage.write(batchOf({ isComplete: true })))
    const codes = [error.code, later?.code ?? 'none']
    return { acknowledged, readable: countLarge(storage), codes, message: error.message }
  }
}

function failureOf(written: Promise<void>): Promise<StorageError | undefined> {
  return written.then(
    () => undefined,
    (error: StorageError) => error,
  )
}

const large = (origin: string, subject: SubjectId) =>
  new Author(origin as Origin, () => 'x'.repeat(largeLength)).type(subject)

const countLarge = (storage: SqliteStorage) => textOf(storage, note).length / largeLength

await roles[role!]!()
