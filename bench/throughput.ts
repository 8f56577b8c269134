// Durable updates a second on one server: 256 people type, each waits for the disk.

import { create, toBinary } from '@bufbuild/protobuf'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { originOf, subjectId, type ReplicaId } from '../src/core/model/ids.ts'
import { sealUpdate } from '../src/core/model/snapshot.ts'
import { UpdateSchema } from '../src/core/model/wire.ts'
import { Companion } from '../test/companion.ts'
import { Fleet } from '../test/fleet.ts'
import type { BareServerQuestions } from './bare-server.ts'
import type { BareWritersQuestions } from './bare-writers.ts'
import type { InnerQuestions } from './inner-writers.ts'
import type { Row, Section } from './report.ts'
import { median, perSecond } from './statistics.ts'
import { typing } from './typing.ts'
import type { WritersQuestions } from './writers.ts'

const writers = 256
const rounds = 3
const warmUpMs = 1000
const forMs = 5000
/** More than anybody types in the time. */
const updatesEach = 1200
/** Within one process, of each writer: at first, not counted; and in all. */
const warmUpEach = 400
const innerEach = 1200

/** A load generator is not a hand: the usual bounds of one client are lifted. */
const rates = { pushesPerSecond: 1e6, pushBurst: 1e6, caretsPerSecond: 20 }
const part = 0.4

type Kind = 'bare' | 'inner' | 'socket' | 'many' | 'one'

export async function throughput(): Promise<Section> {
  const directory = mkdtempSync(join(tmpdir(), 'fourfold-bench-'))
  const found: Record<Kind, number[]> = { bare: [], inner: [], socket: [], many: [], one: [] }
  try {
    const records = storedRecords()
    for (let round = 0; round < rounds; round++) {
      const place = (name: string) => join(directory, `${name}${round}`)
      const measures: Record<Kind, () => Promise<number>> = {
        bare: () => bareInnerRate(place('bare'), records),
        inner: () => innerRate(place('inner')),
        socket: () => socketRate(place('socket')),
        many: () => serverRate(writers),
        one: () => serverRate(1),
      }
      for (const [kind, measure] of Object.entries(measures) as [Kind, () => Promise<number>][]) {
        found[kind].push(await measure())
        console.log(`  ${kind} ${Math.round(found[kind].at(-1)!)}/s`)
      }
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  return section(found)
}

function section({ bare, inner, socket, many, one }: Record<Kind, number[]>): Section {
  const row = (figure: string, rate: number[], base: number[], isBar: boolean): Row => {
    // Round by round: what disturbed one disturbed the other.
    const ratio = median(rate.map((each, round) => each / base[round]!))
    return {
      figure,
      measured: perSecond(rate),
      baseline: perSecond(base),
      ratio: ratio.toFixed(2),
      bar: isBar ? `≥ ${part.toFixed(2)}` : '',
      ...(isBar && { isMet: ratio >= part }),
    }
  }
  return {
    name: 'throughput',
    title: 'Durable updates a second on one server',
    method:
      `${writers} writers, each of whom waits until the server has stored its last update before the ` +
      'next. Baselines: bare SQLite with group commit of the same records and as many waiting ' +
      'writers, once within one process, once behind a bare WebSocket server with the writers in ' +
      'another process. Beside them the server: its loop (gate, documents, log, receipts, store) ' +
      'with the writers in the same process; and as it is started by `fourfold serve`, with the ' +
      'writers’ WebSocket sessions in another process that shares the processors with it. What ' +
      'sockets cost both pay in the third and fourth line; in the last two only the server does. All ' +
      'are measured after a warm-up of the same.',
    rows: [
      row('without sockets, 256 documents', inner, bare, true),
      row('bare SQLite behind WebSockets, against without', socket, bare, false),
      row('over WebSockets, 256 documents, against bare SQLite behind them', many, socket, true),
      row('over WebSockets, one document, against bare SQLite behind them', one, socket, true),
      row('over WebSockets, 256 documents, against bare SQLite without', many, bare, true),
      row('over WebSockets, one document, against bare SQLite without', one, bare, true),
    ],
  }
}

/** What the server's log would hold of what the writers type. */
function storedRecords(): Uint8Array[][] {
  const origin = originOf('a' as ReplicaId, crypto.getRandomValues(new Uint8Array(10)))
  let seq = 0
  return Array.from({ length: writers }, (_, index) => {
    const subject = subjectId(crypto.getRandomValues(new Uint8Array(16)))
    const author = `w${index}`
    return typing(crypto.getRandomValues(new Uint8Array(16)), innerEach).map((value) => {
      const fields = { origin, seq: ++seq, subject, author, at: Date.now() }
      const update = create(UpdateSchema, { ...fields, body: { case: 'text', value } })
      return toBinary(UpdateSchema, sealUpdate(update))
    })
  })
}

/** Asks a process that never did anything like it. */
async function within(
  ask: (inner: Companion<InnerQuestions>) => Promise<{ rate: number }>,
): Promise<number> {
  const inner = new Companion<InnerQuestions>(new URL('./inner-writers.ts', import.meta.url))
  try {
    return (await ask(inner)).rate
  } finally {
    await inner.end()
  }
}

function bareInnerRate(file: string, records: Uint8Array[][]): Promise<number> {
  return within((inner) => inner.ask('bare', { file, records, warmUpEach }))
}

function innerRate(directory: string): Promise<number> {
  const updatesEach = innerEach - warmUpEach
  return within((inner) => inner.ask('server', { directory, writers, warmUpEach, updatesEach }))
}

async function serverRate(documents: number): Promise<number> {
  const fleet = await Fleet.start({ ids: ['a'], configuration: { rates } })
  const companion = new Companion<WritersQuestions>(new URL('./writers.ts', import.meta.url))
  try {
    const address = fleet.address('a')
    await companion.ask('prepare', { address, writers, documents, updatesEach })
    await companion.ask('write', { forMs: warmUpMs })
    const { updates, tookMs } = await companion.ask('write', { forMs })
    return (updates / tookMs) * 1000
  } finally {
    await companion.end()
    await fleet.end()
  }
}

async function socketRate(file: string): Promise<number> {
  const server = new Companion<BareServerQuestions>(new URL('./bare-server.ts', import.meta.url))
  const clients = new Companion<BareWritersQuestions>(new URL('./bare-writers.ts', import.meta.url))
  try {
    const { address } = await server.ask('listen', { file })
    const asked = { address, writers, recordBytes: 130 }
    await clients.ask('write', { ...asked, forMs: warmUpMs })
    const { updates, tookMs } = await clients.ask('write', { ...asked, forMs })
    return (updates / tookMs) * 1000
  } finally {
    await clients.end()
    await server.end()
  }
}
