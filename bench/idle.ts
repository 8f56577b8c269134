// What servers cost while nobody types: memory of 1,000 sessions, processor time of four servers.

import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { Companion } from '../test/companion.ts'
import { Fleet } from '../test/fleet.ts'
import type { IdlersQuestions } from './idlers.ts'
import { RawSession } from './raw-session.ts'
import type { Row, Section } from './report.ts'
import { memoryOf, type Memory } from './server-memory.ts'
import type { TypistQuestions } from './typist.ts'

const sessions = 1000
const documents = 10
/** From the last join until what was set off by it has come to rest. */
const restMs = 3000
const clients = 10
/**
 * Until what was opened has come to rest, and then until the runtime has compiled what runs at every
 * tick: it does so after some 400 calls, which at two and a half ticks a second is three minutes.
 */
const restedMs = 60_000
const compiledMs = 240_000
const idleMs = 120_000
/** The kernel counts processor time in hundredths of a second. */
const tickMs = 10

const kibibytesBar = 24
const cpuBar = 2

export async function idle(): Promise<Section> {
  const { empty, full } = await memoryOfSessions()
  const each = (key: keyof Memory) => (full[key] - empty[key]) / sessions / 1024
  const { young, settled } = await idleCpu()
  const percent = (value: number) => `${value.toFixed(2)}% of a core`
  const title = `four servers, ${clients} clients`
  const row = (figure: string, value: string, bar: string, isMet: boolean): Row => {
    return { figure, measured: value, baseline: '', ratio: '', bar, isMet }
  }
  const kibibytes = (value: number) => `${value.toFixed(1)} KiB`
  const memoryRow = (figure: string, value: number) =>
    row(figure, kibibytes(value), `≤ ${kibibytesBar} KB`, value * 1.024 <= kibibytesBar)
  return {
    name: 'idle',
    title: 'Nobody types',
    method:
      `One server, ${sessions} sessions over WebSockets that each follow one of ${documents} ` +
      'documents and do nothing. Memory is read after garbage collection, beyond that of the server ' +
      `with one session in it. Then four servers with ${clients} clients of the SDK, each with a ` +
      `standby, that have one document open: processor time of all four over ${idleMs / 1000} s, from ` +
      `${restedMs / 1000} s on, while the runtime compiles what it runs over and over, and from ` +
      `${compiledMs / 1000} s on.`,
    rows: [
      memoryRow('resident memory of a session', each('rss')),
      memoryRow('heap of a session', each('heapUsed')),
      { figure: `${title}, at first`, measured: percent(young), baseline: '', ratio: '', bar: '' },
      row(title, percent(settled), `≤ ${cpuBar}%`, settled <= cpuBar),
    ],
  }
}

// --------------------------------------------------------------------------------- memory

async function memoryOfSessions(): Promise<{ empty: Memory; full: Memory }> {
  const probe = fileURLToPath(new URL('./memory-probe.ts', import.meta.url))
  const nodeFlags = ['--expose-gc', '--import', probe]
  const fleet = await Fleet.start({ ids: ['a'], nodeFlags })
  const idlers = new Companion<IdlersQuestions>(new URL('./idlers.ts', import.meta.url))
  try {
    const address = fleet.address('a')
    const maker = await RawSession.join(address, 'maker')
    const ids: string[] = []
    while (ids.length < documents) ids.push(await maker.create(`idle ${ids.length}`, 'A text.\n'))
    await sleep(restMs)
    const empty = await memoryOf(fleet, 'a')
    await idlers.ask('join', { address, count: sessions, documents: ids })
    await sleep(restMs)
    const full = await memoryOf(fleet, 'a')
    return { empty, full }
  } finally {
    await idlers.end()
    await fleet.end()
  }
}

// ------------------------------------------------------------------------------ processor

/** Of all four servers, in percent of one core: soon after their start, and later. */
async function idleCpu(): Promise<{ young: number; settled: number }> {
  const fleet = await Fleet.start()
  const people = Array.from(
    { length: clients },
    () => new Companion<TypistQuestions>(new URL('./typist.ts', import.meta.url)),
  )
  try {
    const line = 'client'
    const servers = fleet.addresses
    for (const person of people) await person.ask('join', { line, servers, hasStandby: true })
    const { id: document } = await people[0]!.ask('create', { line, name: 'letter' })
    for (const person of people) await person.ask('open', { line, document })
    await sleep(restedMs)
    const young = await percentOver(fleet, idleMs)
    await sleep(compiledMs - restedMs - idleMs)
    return { young, settled: await percentOver(fleet, idleMs) }
  } finally {
    await Promise.all(people.map((person) => person.end()))
    await fleet.end()
  }
}

async function percentOver(fleet: Fleet, ms: number): Promise<number> {
  const before = processorMs(fleet)
  const startedAt = performance.now()
  await sleep(ms)
  return ((processorMs(fleet) - before) / (performance.now() - startedAt)) * 100
}

/** User and system time of all servers. */
function processorMs(fleet: Fleet): number {
  return fleet.ids.reduce((sum, id) => {
    const stat = readFileSync(`/proc/${fleet.pid(id)}/stat`, 'utf8')
    // The name of the program, in brackets, may hold blanks.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return sum + (Number(fields[11]) + Number(fields[12])) * tickMs
  }, 0)
}
