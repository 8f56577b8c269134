// The SQLite store refuses what is not its own, stops at a failure, and gives room back.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import disk, * as fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { create, toBinary } from '@bufbuild/protobuf'
import { subjectId, type Origin, type ReplicaId } from '../../core/model/ids.ts'
import { operationLifeMs } from '../../core/model/limits.ts'
import { sealUpdate } from '../../core/model/snapshot.ts'
import { DoneOperationSchema, UpdateSchema, type Update } from '../../core/model/wire.ts'
import { CorruptError } from '../../core/ports.ts'
import { until } from '../../../test/until.ts'
import { a, Author, batchOf, note, pieceOf, plan } from './testing/author.ts'
import { Journal, journalFiles } from './journal.ts'
import { readUpdate, recordUpdate } from './record.ts'
import { openSqliteStorage } from './sqlite.ts'
import {
  checkSqlite,
  markSuspect,
  openWriting,
  prepareStore,
  storeFile,
} from './sqlite-directory.ts'
import { endOfUpdates, packUpdates } from './sqlite-messages.ts'
import { queries } from './sqlite-queries.ts'
import { writes } from './sqlite-statements.ts'
import { subjectQueries } from './sqlite-subject.ts'
import { StoreWriter } from './sqlite-writer.ts'
import {
  changed,
  folder,
  newDirectory,
  refused,
  victim,
  withStore,
  world,
} from './testing/store-folder.ts'

/** A closed store with some text in it. */
async function madeStore(text = 'abc'): Promise<string> {
  const directory = newDirectory()
  const author = new Author(a, () => text)
  await withStore(directory, (storage) => storage.write(batchOf({ updates: author.type(note, 3) })))
  return directory
}

test('a directory of another set, of another server, or of a later format is refused', async () => {
  const directory = await madeStore()
  await refused(directory, 'other-set', /"world", not "moon"/, { ...world, set: 'moon' })
  const other = { ...world, replica: 'b' as ReplicaId }
  await refused(directory, 'other-replica', /server "a", not "b"/, other)
  using db = new DatabaseSync(storeFile(directory), { timeout: 5000 })
  db.exec("UPDATE meta SET value = 5 WHERE key = 'format'")
  await refused(directory, 'newer-format', /later Fourfold \(format 5, this one knows 4\)/)
  db.exec("UPDATE meta SET value = 4 WHERE key = 'format'")
  await withStore(directory, (storage) => assert.equal(storage.reader.loose(note), 3))
})

/** Makes of a closed store what the first format was. */
function firstFormat(directory: string): void {
  using db = new DatabaseSync(storeFile(directory))
  db.exec(`
    DROP INDEX operations_by_subject;
    ALTER TABLE operations DROP COLUMN digest;
    UPDATE meta SET value = 1 WHERE key = 'format';
  `)
}

test('a store of the first format is opened, and is one of this format from then on', async () => {
  const directory = newDirectory()
  const ada = new Author(a)
  const at = Date.now()
  const before = [...ada.type(note, 3), { ...ada.name(note, 'before'), at }]
  await withStore(directory, (storage) => storage.write(batchOf({ updates: before })))
  firstFormat(directory)
  await withStore(directory, async (storage) => {
    assert.deepEqual(storage.reader.load(note).updates, before)
    // Nobody knows what was asked under it then: anything is taken for the same.
    assert.deepEqual(storage.reader.operation('before'), { subject: note, digest: '' })
    const after = { ...ada.name(note, 'after', 'digest'), at }
    await storage.write(batchOf({ updates: [after] }))
  })
  await withStore(directory, ({ reader }) => {
    assert.deepEqual(reader.operation('after'), { subject: note, digest: 'digest' })
    assert.equal(reader.operationsOf(note, 9).length, 2)
  })
  const tables = (path: string) => {
    using db = new DatabaseSync(storeFile(path))
    const of = (name: unknown) => db.prepare(`PRAGMA table_info(${String(name)})`).all()
    const all = db.prepare('SELECT type, name FROM sqlite_schema ORDER BY name').all()
    return all.map((each) => ({ ...each, columns: of(each['name']) }))
  }
  assert.deepEqual(tables(directory), tables(await madeStore()), 'as if it had been made so')
})

test('a store of the third format forgets no operation for what its clock said', async () => {
  const directory = newDirectory()
  const ada = new Author(a)
  const names = ['early', 'lately', 'ahead']
  await withStore(directory, (storage) =>
    storage.write(batchOf({ updates: names.map((name) => ada.name(note, name)) })),
  )
  const today = Date.now()
  {
    using db = new DatabaseSync(storeFile(directory))
    const date = db.prepare('UPDATE operations SET at = ? WHERE id = ?')
    date.run(today - operationLifeMs + 1000, 'early')
    date.run(today, 'lately')
    // The clock was set forward by a year, and back.
    date.run(today + 12 * operationLifeMs, 'ahead')
    db.exec("UPDATE meta SET value = 3 WHERE key = 'format'")
  }
  const journal = new Journal(directory)
  await journal.append(packUpdates([ada.name(note, 'journalled')], today), [])
  await journal.close()
  const clock = { now: 0 }
  const storage = await openSqliteStorage({ ...world, directory }, () => clock.now)
  const known = () => {
    return [...names, 'journalled'].filter((name) => storage.reader.operation(name))
  }
  clock.now = operationLifeMs
  assert.deepEqual(known(), [...names, 'journalled'])
  clock.now = operationLifeMs + 1
  assert.deepEqual(known(), [])
  await storage.close()
})

test('a store of the first format that is another server’s is left as it is', async () => {
  const directory = await madeStore()
  firstFormat(directory)
  await refused(directory, 'other-set', /"world", not "moon"/, { ...world, set: 'moon' })
  using db = new DatabaseSync(storeFile(directory))
  assert.equal(db.prepare("SELECT value FROM meta WHERE key = 'format'").get()?.['value'], 1)
})

const removals: [what: string, remove: (directory: string) => void][] = [
  ['its directory was removed', (directory) => fs.rmSync(directory, { recursive: true })],
  [
    'all in it was removed',
    (directory) => fs.readdirSync(directory).forEach((name) => fs.rmSync(join(directory, name))),
  ],
  [
    'its file was replaced by a copy',
    (directory) => {
      fs.copyFileSync(storeFile(directory), join(directory, 'copy'))
      fs.renameSync(join(directory, 'copy'), storeFile(directory))
    },
  ],
  ['its log was removed', (directory) => fs.rmSync(`${storeFile(directory)}-wal`)],
]

for (const [what, remove] of removals) {
  test(`a store in use notices that ${what}, and stores nothing more`, async () => {
    const directory = await madeStore()
    const author = new Author('b' as Origin, () => 'x')
    const storage = await openSqliteStorage({ ...world, directory })
    await storage.write(batchOf({ updates: author.type(note, 1) }))
    await storage.checkPlace()
    remove(directory)
    await assert.rejects(storage.checkPlace(), (error: Error) => {
      assert.ok(error.message.startsWith(storeFile(directory)), error.message)
      assert.match(error.message, / was removed or replaced while it was in use; start again: /)
      return true
    })
    await assert.rejects(storage.write(batchOf({ updates: author.type(note, 1) })), /was removed/)
    await storage.close()
  })
}

test('a store whose log was written back into its file many times is in its place', async () => {
  const directory = await madeStore()
  const author = new Author('b' as Origin, () => 'x'.repeat(200_000))
  await withStore(directory, async (storage) => {
    for (let round = 0; round < 5; round++) {
      await storage.write(batchOf({ updates: author.type(note, 10) }))
      await storage.checkPlace()
    }
  })
})

test('a directory that cannot be made or written is refused', async () => {
  const file = join(folder, 'file')
  fs.writeFileSync(file, '')
  await refused(join(file, 'store'), 'unwritable', /cannot be written/)
  const locked = join(folder, 'locked')
  fs.mkdirSync(locked)
  fs.chmodSync(locked, 0o500)
  const run = [victim, 'nobody', join(locked, 'store')]
  const [code, message] = JSON.parse(execFileSync(process.execPath, run, { encoding: 'utf8' }))
  assert.equal(code, 'unwritable')
  assert.ok(message.includes(join(locked, 'store')), message)
})

test('a file that is not ours, or not whole, is refused', async () => {
  const rubbish = newDirectory()
  fs.mkdirSync(rubbish)
  fs.writeFileSync(storeFile(rubbish), 'rubbish '.repeat(1000))
  await refused(rubbish, 'corrupt', /move the directory away/)

  const foreign = newDirectory()
  fs.mkdirSync(foreign)
  using db = new DatabaseSync(storeFile(foreign))
  db.exec('CREATE TABLE songs (name TEXT)')
  await refused(foreign, 'corrupt', /not one of ours/)

  const short = await madeStore('x'.repeat(20_000))
  fs.truncateSync(storeFile(short), fs.statSync(storeFile(short)).size - 4096)
  await refused(short, 'corrupt', /move the directory away/)
})

test('what lies in the place of a file of the store is damage, and no lack of a right', async () => {
  for (const fileOf of [storeFile, (directory: string) => journalFiles(directory)[0]!]) {
    const directory = await madeStore()
    fs.rmSync(fileOf(directory))
    fs.mkdirSync(fileOf(directory))
    await refused(directory, 'corrupt', /move the directory away/)
  }
})

test('a flipped byte in the file is found: in a page at the start, in a record at a load', async () => {
  const words = 'the quick brown fox '.repeat(500)
  const flipAt = async (place: (bytes: Buffer) => number) => {
    const directory = await madeStore(words)
    const bytes = fs.readFileSync(storeFile(directory))
    bytes[place(bytes)]! ^= 4
    fs.writeFileSync(storeFile(directory), bytes)
    return directory
  }
  const inPage = await flipAt((bytes) => bytes.length - 4096 * 3)
  await refused(inPage, 'corrupt', /move the directory away/)
  // The file format version for writing: SQLite takes the file for one that it may only read.
  await refused(await flipAt(() => 18), 'corrupt', /move the directory away/)
  const inRecord = await flipAt((bytes) => bytes.indexOf('quick brown') + 3)
  await withStore(inRecord, ({ reader }) => {
    assert.throws(() => reader.load(note), CorruptError)
  })
})

test('a disk that became read-only is not taken for a damaged file', async (t) => {
  const directory = await madeStore()
  const bytes = fs.readFileSync(storeFile(directory))
  // As SQLite speaks of a file that it could open for reading only.
  bytes[18]! ^= 1
  fs.writeFileSync(storeFile(directory), bytes)
  t.mock.method(disk, 'writeFileSync', () => {
    throw new Error('EROFS: read-only file system')
  })
  syncBuiltinESMExports()
  try {
    await refused(directory, 'unwritable', /cannot be written .* give this user the right to/)
  } finally {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  }
})

test('a flipped byte in an index is found at the start', async () => {
  const directory = await madeStore()
  const bytes = fs.readFileSync(storeFile(directory))
  // Its id lies in the table, and a second time in the index that leads there.
  const [first, second] = [bytes.indexOf(note), bytes.lastIndexOf(note)]
  assert.ok(first < second)
  for (const place of [first, second]) {
    bytes[place + 5]! ^= 1
    fs.writeFileSync(storeFile(directory), bytes)
    await refused(directory, 'corrupt', /move the directory away/)
    bytes[place + 5]! ^= 1
  }
  fs.writeFileSync(storeFile(directory), bytes)
  await withStore(directory, ({ reader }) => assert.equal(reader.loose(note), 3))
})

test('a flipped byte of what is known of an operation is found at the start', async () => {
  const directory = newDirectory()
  const operation = 'OOOOOOOOOOOOOOOOOOOOOA'
  // Of what comes whole no record holds it.
  const piece = pieceOf([new Author(a).name(note)])
  piece.operations = [create(DoneOperationSchema, { id: operation })]
  await withStore(directory, (storage) => storage.write(batchOf({ snapshots: [piece] })))
  const bytes = fs.readFileSync(storeFile(directory))
  let count = 0
  for (let at = 0; (at = bytes.indexOf(operation, at)) >= 0; at++) {
    bytes[at + 5]! ^= 1
    fs.writeFileSync(storeFile(directory), bytes)
    await refused(directory, 'corrupt', /move the directory away/)
    bytes[at + 5]! ^= 1
    count++
  }
  assert.equal(count, 3)
})

test('2 a store whose logs are not as it says they are is not opened', async () => {
  const damagedBy = async (sql: string) => {
    const directory = await madeStore()
    changed(directory, sql)
    return directory
  }
  const words = /the log \S+ (does not go as far as is noted|has a hole)\); move the directory away/
  for (const change of [
    'seq = seq + 4',
    'seq = seq - 1',
    'floor = floor + 9',
    'filed = filed + 9',
  ]) {
    await refused(await damagedBy(`UPDATE origins SET ${change}`), 'corrupt', words)
  }
  for (const seq of [2, 3]) {
    await refused(await damagedBy(`DELETE FROM updates WHERE seq = ${seq}`), 'corrupt', words)
  }
  // Filed a moment after they were stored, or at the next start.
  const misfiled = [
    'UPDATE filed SET seq = 9 WHERE seq = 2',
    'DELETE FROM filed WHERE seq = 3',
    // Of the update that is there a removal had done nothing yet.
    'DELETE FROM filed WHERE seq = 3; INSERT INTO removals VALUES (1, 1, 2)',
    'DELETE FROM subjects',
  ]
  for (const sql of misfiled) {
    const directory = await madeStore()
    await withStore(directory, () => {})
    changed(directory, sql)
    await refused(directory, 'corrupt', /filed where they do not belong\); move the directory away/)
  }
  const unknown = await madeStore()
  await withStore(unknown, (storage) => storage.compact(note, new Map([[a, 3]])))
  changed(unknown, 'DELETE FROM subjects')
  await refused(unknown, 'corrupt', /pieces of a document that is not known\); move the directory/)
  const renamed = await madeStore()
  const bytes = fs.readFileSync(storeFile(renamed))
  bytes[bytes.indexOf(a) + 4]! ^= 1
  fs.writeFileSync(storeFile(renamed), bytes)
  await refused(renamed, 'corrupt', /move the directory away/)
})

test('a store that SQLite found damaged is checked whole at the next start', async () => {
  const directory = await madeStore()
  markSuspect(directory)
  assert.ok(fs.existsSync(join(directory, 'suspect')))
  await withStore(directory, (storage) => assert.equal(storage.reader.loose(note), 3))
  assert.ok(!fs.existsSync(join(directory, 'suspect')))
})

test('after a failed write nothing more is written, and what was stored is read', async () => {
  const directory = await madeStore()
  const author = new Author('b.0000000000000' as Origin)
  const storage = await openSqliteStorage({ ...world, directory })
  {
    using db = new DatabaseSync(storeFile(directory), { timeout: 5000 })
    db.exec(`
      CREATE TRIGGER fault BEFORE INSERT ON updates WHEN new.seq = 2
      BEGIN SELECT RAISE(FAIL, 'the disk is on fire'); END
    `)
  }
  const failed = { code: 'failed', message: /on fire/ }
  await storage.write(batchOf({ updates: author.type(note) }))
  await assert.rejects(storage.write(batchOf({ updates: author.type(plan, 3) })), failed)
  await assert.rejects(storage.write(batchOf({ updates: author.type(plan) })), /broken|on fire/)
  await assert.rejects(storage.write(batchOf({ isComplete: true })), failed)
  await assert.rejects(storage.compact(note, storage.reader.vector()), failed)
  assert.equal(storage.reader.load(note).updates.length, 4)
  await storage.close()
  await withStore(directory, ({ reader }) => {
    assert.equal(reader.load(note).updates.length, 4)
    assert.equal(reader.load(plan).updates.length, 0)
  })
})

test('compaction gives the room back, also when a crash cut it short', async () => {
  const directory = newDirectory()
  const author = new Author(a)
  const size = () => fs.statSync(storeFile(directory)).size
  await withStore(directory, async (storage) => {
    for (let batch = 0; batch < 60; batch++) {
      const updates = author.type(note, 100)
      // Much to store and little to merge.
      for (const update of updates) update.author = 'a'.repeat(2000)
      await storage.write(batchOf({ updates }))
    }
  })
  const full = size()
  await withStore(directory, async (storage) => {
    await storage.compact(note, new Map([[a, 3000]]))
    assert.equal(storage.reader.loose(note), 3000)
  })
  assert.ok(size() < 0.8 * full, `${size()} of ${full} bytes`)
  changed(
    directory,
    `
    CREATE TABLE copied AS SELECT * FROM updates WHERE false;
    INSERT INTO copied SELECT * FROM updates WHERE seq <= 5500;
  `,
  )
  const merged = () => {
    return withStore(directory, (storage) => storage.compact(note, new Map([[a, 5500]])))
  }
  await merged()
  // As if the process had died between putting a piece in and deleting the rows it covers.
  changed(
    directory,
    `
    INSERT INTO updates SELECT * FROM copied;
    INSERT INTO filed SELECT subject, origin, seq FROM copied;
    INSERT INTO removals SELECT DISTINCT subject, origin, 5500 FROM copied;
    DROP TABLE copied;
  `,
  )
  // Nothing is left to merge; it ends when the rows of before are gone.
  await merged()
  await withStore(directory, (storage) => {
    assert.equal(storage.reader.loose(note), 500)
    assert.equal(storage.reader.after(a, 5500, 1)[0]!.seq, 5501)
  })
  using db = new DatabaseSync(storeFile(directory), { timeout: 5000 })
  const count = (table: string) => db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n
  assert.deepEqual(['updates', 'filed', 'removals'].map(count), [500, 500, 0])
  assert.ok(size() < 0.5 * full, `${size()} of ${full} bytes`)
})

test('rows go that wait for it, of many subjects at once and many of one', async () => {
  const directory = newDirectory()
  const author = new Author(a)
  const subjects = Array.from({ length: 64 }, (_, index) => {
    return subjectId(new Uint8Array(16).fill(index))
  })
  const upTo = new Map([[a, 10 * subjects.length]])
  const rows = () => {
    using db = new DatabaseSync(storeFile(directory), { timeout: 5000 })
    const count = (table: string) => db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']
    return ['updates', 'filed', 'removals'].map(count).join()
  }
  const areGone = () => rows() === '0,0,0'
  await withStore(directory, async (storage) => {
    const updates = Array.from({ length: 10 }, () => subjects.flatMap((id) => author.type(id)))
    await storage.write(batchOf({ updates: updates.flat() }))
    for (const subject of subjects) await storage.compact(subject, upTo)
    await until(areGone, rows)
    for (const subject of subjects) {
      const { snapshots, updates } = storage.reader.load(subject)
      assert.deepEqual([snapshots.length, updates.length], [1, 0])
    }
  })
  {
    // As if the process had died before it deleted them: more than go together.
    using db = new DatabaseSync(storeFile(directory), { timeout: 5000 })
    db.exec(`
      WITH RECURSIVE n(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < 70000)
      INSERT INTO updates SELECT 1, seq, 1, 0, x'' FROM n;
      INSERT INTO filed SELECT subject, origin, seq FROM updates;
      INSERT INTO removals VALUES (1, 1, 70000);
      UPDATE covers SET seq = 70000;
      UPDATE origins SET seq = 70000, floor = 70000, filed = 70000;
    `)
  }
  await withStore(directory, () => until(areGone, rows))
})

test('the directory is private, and room is kept for a full disk', async () => {
  const directory = newDirectory()
  fs.mkdirSync(directory, { mode: 0o755 })
  const reserve = join(directory, 'reserve')
  const isKept = () => assert.equal(fs.statSync(reserve).size, 8 * 1024 * 1024)
  await withStore(directory, (storage) => {
    assert.equal(fs.statSync(directory).mode & 0o777, 0o700)
    isKept()
    const { bavail, bsize } = fs.statfsSync(directory)
    assert.ok(Math.abs(storage.freeBytes() - bavail * bsize) < 1024 * 1024 * 1024)
  })
  fs.truncateSync(reserve, 100)
  await withStore(directory, isKept)
})

test('every commit is flushed', () => {
  const directory = newDirectory()
  fs.mkdirSync(directory)
  prepareStore({ ...world, directory })
  using db = openWriting(directory)
  const pragma = (name: string) => Object.values(db.prepare(`PRAGMA ${name}`).get()!)[0]
  assert.equal(pragma('journal_mode'), 'wal')
  assert.equal(pragma('synchronous'), 2)
  assert.equal(pragma('auto_vacuum'), 2)
  assert.equal(pragma('wal_autocheckpoint'), 1000)
})

test('with nothing to file no transaction is begun', () => {
  const directory = newDirectory()
  fs.mkdirSync(directory)
  prepareStore({ ...world, directory })
  using db = openWriting(directory)
  const writer = new StoreWriter(db, Date.now)
  using other = openWriting(directory)
  other.exec('BEGIN IMMEDIATE')
  db.exec('PRAGMA busy_timeout = 0')
  writer.file()
  const rows = packUpdates(new Author(a).type(note), 1)
  other.exec('COMMIT')
  writer.insert(rows)
  writer.commit(endOfUpdates)
  other.exec('BEGIN IMMEDIATE')
  assert.throws(() => writer.file(), /locked/)
})

test('no statement looks through a whole table but when the store is opened', () => {
  const directory = newDirectory()
  fs.mkdirSync(directory)
  prepareStore({ ...world, directory })
  using db = openWriting(directory)
  const atOpening = new Set(['vector', 'floor', 'covered', 'loose'])
  const all = Object.entries({ ...queries, ...writes, ...subjectQueries })
  for (const [name, sql] of all.filter(([name]) => !atOpening.has(name))) {
    if (!/^\s*(SELECT|INSERT|UPDATE|DELETE)/.test(sql)) continue
    const values = Array.from({ length: sql.split('?').length - 1 }, () => 1)
    const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values)
    for (const { detail } of steps) {
      assert.doesNotMatch(
        String(detail),
        /SCAN (updates|filed|pieces|covers|subjects|operations)/,
        name,
      )
    }
  }
  assert.ok(all.length > 40)
})

test('an old SQLite is refused', () => {
  const refusal = { code: 'old-sqlite', message: /here.*SQLite 3\.51\.2.*3\.51\.3 or later/ }
  assert.throws(() => checkSqlite('3.51.2', 'here'), refusal)
  assert.throws(() => checkSqlite('3.9.9', 'here'), { code: 'old-sqlite' })
  for (const version of ['3.51.3', '3.52.0', '4.0.0']) checkSqlite(version, 'here')
})

test('a record is what protobuf would write, without the place', () => {
  const full: Update = sealUpdate(
    create(UpdateSchema, {
      origin: a,
      seq: 4_000_000_000,
      subject: note,
      author: 'ada',
      at: 1.7e12 + 0.5,
      operation: 'BBBBBBBBBBBBBBBBBBBBBA',
      body: { case: 'text', value: new Uint8Array(300).fill(7) },
    }),
  )
  const unknown = [{ no: 99, wireType: 0, data: new Uint8Array([5]) }]
  const variants: Partial<Update>[] = [
    {},
    { author: '' },
    { author: 'Łukasz ☃' },
    { at: 0 },
    { at: -0 },
    { at: -1 },
    { operation: '' },
    { body: { case: 'entry', value: new Uint8Array() } },
    { body: { case: 'version', value: new Uint8Array(100_000) } },
    { seq: 1 },
    { $unknown: unknown },
  ]
  for (const variant of variants) {
    const update = sealUpdate({ ...full, ...variant })
    const record = recordUpdate(update)
    const expected = toBinary(UpdateSchema, { ...update, origin: '', seq: 0, subject: '' })
    assert.deepEqual(record.bytes, new Uint8Array(expected))
    const place = { origin: a, seq: update.seq, subject: note }
    assert.deepEqual(
      toBinary(UpdateSchema, readUpdate(record, place)),
      toBinary(UpdateSchema, update),
    )
    const elsewhere = [{ seq: update.seq + 1 }, { subject: plan }, { origin: 'b' as Origin }]
    for (const wrong of elsewhere) {
      assert.throws(() => readUpdate(record, { ...place, ...wrong }), CorruptError)
    }
  }
})
