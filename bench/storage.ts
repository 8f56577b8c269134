// Durable appends a second through the store alone, beside bare SQLite with the same bytes.

import { create, toBinary } from '@bufbuild/protobuf'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { openSqliteStorage } from '../src/adapters/storage/sqlite.ts'
import { originOf, subjectId, type ReplicaId } from '../src/core/model/ids.ts'
import { sealUpdate } from '../src/core/model/snapshot.ts'
import { UpdateSchema, type Update } from '../src/core/model/wire.ts'
import type { Storage } from '../src/core/ports.ts'
import { bareRate } from './bare.ts'
import type { Row, Section } from './report.ts'
import { median, perSecond } from './statistics.ts'

const writers = 256
const updatesEach = 300
const rounds = 9
const bodyBytes = 60
const part = 0.8
const replica = 'a' as ReplicaId

const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes))

export async function storage(): Promise<Section> {
  const directory = mkdtempSync(join(tmpdir(), 'fourfold-bench-'))
  const found = { many: [], one: [], bare: [] } as Record<string, number[]>
  try {
    for (let round = 0; round < rounds; round++) {
      const place = (name: string) => join(directory, `${name}${round}`)
      found.many!.push(await storeRate(place('many'), writers))
      found.bare!.push(await bareRate(place('bare'), updates(writers).map(encoded)))
      found.one!.push(await storeRate(place('one'), 1))
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  const row = (figure: string, rate: number[]): Row => {
    // Round by round: what disturbed one disturbed the other.
    const ratio = median(rate.map((each, round) => each / found.bare![round]!))
    const baseline = perSecond(found.bare!)
    const verdict = { bar: `≥ ${part.toFixed(2)}`, isMet: ratio >= part }
    return { figure, measured: perSecond(rate), baseline, ratio: ratio.toFixed(2), ...verdict }
  }
  return {
    name: 'storage',
    title: 'Durable appends a second through the store',
    method:
      `${writers} writers within one process, each of which appends ${bodyBytes} bytes when its ` +
      'last append is on the disk; all that gathered meanwhile is one write. Baseline: bare ' +
      'SQLite with group commit of the same records.',
    rows: [row('256 documents', found.many!), row('one document', found.one!)],
  }
}

async function storeRate(directory: string, documents: number): Promise<number> {
  const store = await openSqliteStorage({ directory, set: 'bench', replica })
  const appends = new Appends(store)
  const all = updates(documents)
  const startedAt = performance.now()
  // Seqs ascend in the order of the appends, as in a server.
  let seq = 0
  await Promise.all(
    all.map(async (own) => {
      for (const update of own) {
        update.seq = ++seq
        await new Promise<void>((stored) => appends.add(update, stored))
      }
    }),
  )
  const tookMs = performance.now() - startedAt
  await store.close()
  return (seq / tookMs) * 1000
}

/** One write at the disk; what comes meanwhile goes into the next. */
class Appends {
  readonly #store: Storage
  #gathered: { update: Update; stored: () => void }[] = []
  #isWriting = false

  constructor(store: Storage) {
    this.#store = store
  }

  add(update: Update, stored: () => void): void {
    this.#gathered.push({ update, stored })
    if (this.#isWriting) return
    this.#isWriting = true
    setImmediate(() => void this.#write())
  }

  async #write(): Promise<void> {
    const batch = this.#gathered
    this.#gathered = []
    await this.#store.write({ updates: batch.map(({ update }) => update), snapshots: [] })
    for (const { stored } of batch) stored()
    this.#isWriting = false
  }
}

/** Per writer its updates; the writers share so many documents. */
function updates(documents: number): Update[][] {
  const origin = originOf(replica, random(10))
  const subjects = Array.from({ length: documents }, () => subjectId(random(16)))
  return Array.from({ length: writers }, (_, writer) =>
    Array.from({ length: updatesEach }, (__, index) => {
      const subject = subjects[writer % documents]!
      const seq = index * writers + writer + 1
      const fields = { origin, seq, subject, author: `w${writer}`, at: Date.now() }
      const body: Update['body'] = { case: 'text', value: random(bodyBytes) }
      return sealUpdate(create(UpdateSchema, { ...fields, body }))
    }),
  )
}

const encoded = (own: Update[]) => own.map((update) => toBinary(UpdateSchema, update))
