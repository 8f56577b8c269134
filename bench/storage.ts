// Durable appends a second through the store, beside bare SQLite with the same bytes, in one run.

import { create, toBinary } from '@bufbuild/protobuf'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openSqliteStorage } from '../src/adapters/storage/sqlite.ts'
import { originOf, subjectId, type ReplicaId } from '../src/core/model/ids.ts'
import { sealUpdate } from '../src/core/model/snapshot.ts'
import { UpdateSchema, type Update } from '../src/core/model/wire.ts'

const writers = 256
const updatesEach = 400
const rounds = 5
const directory = mkdtempSync(join(process.cwd(), 'bench-'))
const replica = 'a' as ReplicaId
const origin = originOf(replica, crypto.getRandomValues(new Uint8Array(10)))

/** What a store does with all that came while it wrote the last batch. */
type Commit = (updates: Update[]) => Promise<void>

function updateOf(seq: number, subject: string): Update {
  const value = crypto.getRandomValues(new Uint8Array(60))
  const fields = { origin, seq, subject, author: 'ada', at: Date.now() }
  return sealUpdate(create(UpdateSchema, { ...fields, body: { case: 'text', value } }))
}

/** Each writer appends its next update when the last one is durable; returns updates a second. */
async function measure(updates: Update[], commit: Commit): Promise<number> {
  let gathered: { update: Update; done: () => void }[] = []
  let isWriting = false
  const write = async () => {
    isWriting = true
    while (gathered.length > 0) {
      const batch = gathered
      gathered = []
      await commit(batch.map(({ update }) => update))
      for (const { done } of batch) done()
      // The writers take their turn.
      await Promise.resolve()
    }
    isWriting = false
  }
  let next = 0
  const writer = async () => {
    while (next < updates.length) {
      const update = updates[next++]!
      await new Promise<void>((done) => {
        gathered.push({ update, done })
        if (!isWriting && gathered.length === Math.min(writers, updates.length)) void write()
      })
    }
  }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: writers }, writer))
  return (updates.length / (performance.now() - startedAt)) * 1000
}

async function measureBare(updates: Update[], name: string): Promise<number> {
  const db = new DatabaseSync(join(directory, name))
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE log (record BLOB)')
  const [begin, insert, end] = [
    db.prepare('BEGIN IMMEDIATE'),
    db.prepare('INSERT INTO log VALUES (?)'),
    db.prepare('COMMIT'),
  ]
  const records = new Map(updates.map((update) => [update, toBinary(UpdateSchema, update)]))
  const rate = await measure(updates, (batch) => {
    begin.run()
    for (const update of batch) insert.run(records.get(update)!)
    end.run()
    return Promise.resolve()
  })
  db.close()
  return rate
}

async function measureStore(updates: Update[], name: string): Promise<number> {
  const storage = await openSqliteStorage({
    directory: join(directory, name),
    set: 'bench',
    replica,
  })
  const rate = await measure(updates, (batch) => storage.write({ updates: batch, snapshots: [] }))
  await storage.close()
  return rate
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1]!

try {
  for (const documents of [1, writers]) {
    const subjects = Array.from({ length: documents }, () =>
      subjectId(crypto.getRandomValues(new Uint8Array(16))),
    )
    const updates = Array.from({ length: writers * updatesEach }, (_, index) =>
      updateOf(index + 1, subjects[index % documents]!),
    )
    const bare: number[] = []
    const store: number[] = []
    const ratios: number[] = []
    for (let round = 0; round < rounds; round++) {
      const name = `${documents}-${round}`
      bare.push(await measureBare(updates, `${name}.sqlite`))
      store.push(await measureStore(updates, name))
      ratios.push(store[round]! / bare[round]!)
    }
    console.log(
      `${writers} writers, ${documents} documents: ` +
        `bare ${Math.round(median(bare))}/s, store ${Math.round(median(store))}/s, ` +
        `ratio ${median(ratios).toFixed(2)}`,
    )
  }
} finally {
  rmSync(directory, { recursive: true })
}
