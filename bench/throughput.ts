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
import { bareRate } from './bare.ts'
import type { BareServerQuestions } from './bare-server.ts'
import type { BareWritersQuestions } from './bare-writers.ts'
import type { Row, Section } from './report.ts'
import { median } from './statistics.ts'
import { typing, type WritersQuestions } from './writers.ts'

const writers = 256
const rounds = 3
const warmUpMs = 1000
const forMs = 5000
/** More than anybody types in the time. */
const updatesEach = 1200
const bareUpdatesEach = 400

/** A load generator is not a hand: the usual bounds of one client are lifted. */
const rates = { pushesPerSecond: 1e6, pushBurst: 1e6, caretsPerSecond: 20 }
const part = 0.4

export async function throughput(): Promise<Section> {
  const directory = mkdtempSync(join(tmpdir(), 'fourfold-bench-'))
  const found = { bare: [], socket: [], many: [], one: [] } as Record<string, number[]>
  try {
    const records = storedRecords()
    for (let round = 0; round < rounds; round++) {
      found.bare!.push(await bareRate(join(directory, `bare${round}`), records))
      found.many!.push(await serverRate(writers))
      found.socket!.push(await socketRate(join(directory, `socket${round}`)))
      found.one!.push(await serverRate(1))
      console.log(
        Object.entries(found)
          .map(([name, all]) => `  ${name} ${Math.round(all.at(-1)!)}/s`)
          .join(''),
      )
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  return section(found)
}

function section({ bare, socket, many, one }: Record<string, number[]>): Section {
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
      `${writers} writers, each a WebSocket session that waits until its server has stored its last ` +
      'update before it sends the next; the writers run in one process beside the server’s and ' +
      'share the processors with it. Baselines: bare SQLite with group commit of the same records ' +
      'and as many waiting writers within one process; and the same behind a bare WebSocket server, ' +
      'with the writers in another process.',
    rows: [
      row('256 documents, against bare SQLite', many!, bare!, true),
      row('one document, against bare SQLite', one!, bare!, true),
      row('256 documents, against bare SQLite behind WebSockets', many!, socket!, false),
      row('bare SQLite behind WebSockets, against bare SQLite', socket!, bare!, false),
    ],
  }
}

const perSecond = (rates: number[]) => `${Math.round(median(rates))}/s`

/** What the server's log would hold of what the writers type. */
function storedRecords(): Uint8Array[][] {
  const origin = originOf('a' as ReplicaId, crypto.getRandomValues(new Uint8Array(10)))
  let seq = 0
  return Array.from({ length: writers }, (_, index) => {
    const subject = subjectId(crypto.getRandomValues(new Uint8Array(16)))
    const author = `w${index}`
    return typing(crypto.getRandomValues(new Uint8Array(16)), bareUpdatesEach).map((value) => {
      const fields = { origin, seq: ++seq, subject, author, at: Date.now() }
      const update = create(UpdateSchema, { ...fields, body: { case: 'text', value } })
      return toBinary(UpdateSchema, sealUpdate(update))
    })
  })
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
