// A long editing session in one file: how fast it opens, and how much of the disk it takes.

import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import * as Y from 'yjs'

import type { SubjectId } from '../src/core/model/ids.ts'
import { writerOf } from '../src/core/model/ids.ts'
import { textRoot } from '../src/core/model/snapshot.ts'
import { Companion } from '../test/companion.ts'
import { Fleet } from '../test/fleet.ts'
import { editingTrace, type EditingTrace } from './editing-trace.ts'
import type { OpenerQuestions } from './opener.ts'
import { frameOf, RawSession } from './raw-session.ts'
import type { Row, Section } from './report.ts'
import { median } from './statistics.ts'

const rounds = 9
/** Pushes on their way at once: a fast typist on a slow line. */
const windowMax = 256
const rates = { pushesPerSecond: 1e6, pushBurst: 1e6, caretsPerSecond: 20 }
/** A document nobody follows is merged after half a minute; then its old rows go in slices. */
const settleMs = 120_000
const lookMs = 1000

const openBar = 2
const storeBar = 3

export async function trace(): Promise<Section> {
  const session = editingTrace()
  const fleet = await Fleet.start({ ids: ['a'], configuration: { rates } })
  try {
    const { document, merged, pushMs } = await pushAll(fleet, session)
    await settled(fleet)
    await fleet.stop('a')
    const store = storeOf(fleet)
    const times = await openTimes(fleet, document, merged, session.endText)
    return section(session, { merged, pushMs, store, times })
  } finally {
    await fleet.end()
  }
}

/** Types the session, one push a keystroke; resolves when the server holds all of it. */
async function pushAll(fleet: Fleet, { edits, endText, name }: EditingTrace) {
  const session = await RawSession.join(fleet.address('a'), 'author')
  const document = await session.create('paper')
  const doc = new Y.Doc()
  doc.clientID = writerOf(session.key)
  const text = doc.getText(textRoot)
  let made: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => made.push(update))
  const flow = new Flow(session)
  const startedAt = performance.now()
  for (const [index, [position, deleted, inserted]] of edits.entries()) {
    doc.transact(() => {
      if (deleted > 0) text.delete(position, deleted)
      if (inserted !== '') text.insert(position, inserted)
    })
    for (const update of made) await flow.push(document, update)
    made = []
    if (index % 50_000 === 0) console.log(`  ${name}: ${index} of ${edits.length} edits`)
  }
  await flow.settled()
  const pushMs = performance.now() - startedAt
  session.close()
  if (text.toString() !== endText) throw new Error('the session was not replayed as recorded')
  return { document, merged: Y.encodeStateAsUpdate(doc), pushMs }
}

/** Pushes with a bounded number on their way. */
class Flow {
  readonly #session: RawSession
  #sent = 0
  #stored = 0
  #trouble: Error | undefined
  #wake = () => {}

  constructor(session: RawSession) {
    this.#session = session
    session.listen(({ case: kind, value }) => {
      if (kind === 'stored') {
        for (const { ticket } of value.holdings) this.#stored = Math.max(this.#stored, ticket)
      } else if (kind === 'refused' || kind === 'rejected' || kind === 'resync') {
        this.#trouble = new Error(`${kind}: ${'text' in value ? value.text : value.document}`)
      }
      this.#wake()
    })
  }

  async push(document: SubjectId, update: Uint8Array): Promise<void> {
    await this.#below(windowMax)
    const ticket = this.#session.nextTicket()
    this.#sent = ticket
    this.#session.sendFrame(frameOf({ case: 'push', value: { ticket, document, update } }))
  }

  settled(): Promise<void> {
    return this.#below(1)
  }

  async #below(count: number): Promise<void> {
    while (this.#sent - this.#stored >= count) {
      if (this.#trouble) throw this.#trouble
      await new Promise<void>((wake) => (this.#wake = wake))
    }
  }
}

/** Resolves when the store has merged what it merges by itself. */
async function settled(fleet: Fleet): Promise<void> {
  const until = performance.now() + settleMs
  const db = new DatabaseSync(join(fleet.data('a'), storeName(fleet)), { readOnly: true })
  const count = db.prepare('SELECT count(*) AS rows FROM updates')
  while (performance.now() < until) {
    await sleep(lookMs)
    const { rows } = count.get() as { rows: number }
    if (rows < 50) break
  }
  db.close()
}

function storeName(fleet: Fleet): string {
  const name = readdirSync(fleet.data('a')).find((file) => /\.(sqlite|db)$/.test(file))
  if (name === undefined) throw new Error(`no store in ${fleet.data('a')}`)
  return name
}

/** Bytes of the store, of a server that has ended: the whole file, and what it holds in it. */
function storeOf(fleet: Fleet): { fileBytes: number; recordBytes: number } {
  const file = join(fleet.data('a'), storeName(fleet))
  const files = [file, `${file}-wal`].filter((name) => existsSync(name))
  const fileBytes = files.reduce((sum, name) => sum + statSync(name).size, 0)
  const db = new DatabaseSync(file, { readOnly: true })
  const records = 'SELECT sum(length(record)) AS bytes FROM '
  const recordBytes = ['pieces', 'updates'].reduce((sum, table) => {
    const { bytes } = db.prepare(records + table).get() as { bytes: number | null }
    return sum + (bytes ?? 0)
  }, 0)
  db.close()
  return { fileBytes, recordBytes }
}

/** Each open in a process that never did anything like it, at a server that was just started. */
async function openTimes(
  fleet: Fleet,
  document: SubjectId,
  merged: Uint8Array,
  endText: string,
): Promise<{ plain: number[]; client: number[] }> {
  const file = join(fleet.directory, 'merged.bin')
  writeFileSync(file, merged)
  const times = { plain: [] as number[], client: [] as number[] }
  for (let round = 0; round < rounds; round++) {
    times.plain.push(await inFreshProcess((opener) => opener.ask('plain', { file, endText })))
    await fleet.start('a')
    await fleet.well()
    const addresses = fleet.addresses
    times.client.push(
      await inFreshProcess((opener) => opener.ask('client', { addresses, document, endText })),
    )
    await fleet.stop('a')
  }
  return times
}

async function inFreshProcess(
  measure: (opener: Companion<OpenerQuestions>) => Promise<{ tookMs: number }>,
): Promise<number> {
  const opener = new Companion<OpenerQuestions>(new URL('./opener.ts', import.meta.url))
  try {
    return (await measure(opener)).tookMs
  } finally {
    await opener.end()
  }
}

interface Found {
  merged: Uint8Array
  pushMs: number
  store: { fileBytes: number; recordBytes: number }
  times: { plain: number[]; client: number[] }
}

function section({ name, edits }: EditingTrace, { merged, pushMs, store, times }: Found): Section {
  const kibibytes = (bytes: number) => `${Math.round(bytes / 1024)} KiB`
  const ms = (values: number[]) => `${median(values).toFixed(0)} ms`
  const openRatio = median(times.client) / median(times.plain)
  const storeRow = (figure: string, bytes: number): Row => ({
    figure,
    measured: kibibytes(bytes),
    baseline: kibibytes(merged.length),
    ratio: (bytes / merged.length).toFixed(2),
    bar: `≤ ${storeBar.toFixed(2)}`,
    isMet: bytes <= storeBar * merged.length,
  })
  return {
    name: 'trace',
    title: 'One long editing session',
    method:
      `${name}: ${edits.length} edits, each a push of its own to one server, which compacts by ` +
      `itself. Opening: from the call of \`open\` to the whole text, in a fresh process that has ` +
      `joined, at a server that was just started; beside it plain Yjs decoding the merged update ` +
      `in a fresh process; ${rounds} times each, in turn. The store is looked at after the server ` +
      'has ended.',
    rows: [
      {
        figure: 'cold open, median',
        measured: ms(times.client),
        baseline: `${ms(times.plain)} plain Yjs`,
        ratio: openRatio.toFixed(2),
        bar: `≤ ${openBar.toFixed(2)}`,
        isMet: openRatio <= openBar,
      },
      storeRow(
        'the store’s whole file after compaction, against the merged update',
        store.fileBytes,
      ),
      storeRow('of that, records', store.recordBytes),
      {
        figure: 'pushes taken, one at a time',
        measured: `${Math.round((edits.length / pushMs) * 1000)}/s`,
        baseline: '',
        ratio: '',
        bar: '',
      },
    ],
  }
}
