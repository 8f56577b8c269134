// A keystroke at one client until it is seen at another, beside a bare relay that flushes.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { Companion } from '../test/companion.ts'
import { Fleet } from '../test/fleet.ts'
import type { RelayQuestions } from './relay.ts'
import type { Row, Section } from './report.ts'
import { median, quantile } from './statistics.ts'
import type { TypistQuestions } from './typist.ts'

const warmUpRounds = 6
const rounds = 40
const keystrokesPerRound = 25
/** A pause after each keystroke is seen: what it set off elsewhere has come to rest. */
const pauseMs = 15

const sameBar = 1.5
const otherBar = 2.5

/** Milliseconds from keystroke to sight. */
interface Found {
  same: number[]
  other: number[]
  relay: number[]
}

export async function latency(): Promise<Section> {
  const fleet = await Fleet.start()
  const file = (name: string) => new URL(name, import.meta.url)
  const relay = new Companion<RelayQuestions>(file('./relay.ts'))
  const writer = new Companion<TypistQuestions>(file('./typist.ts'))
  const reader = new Companion<TypistQuestions>(file('./typist.ts'))
  try {
    await joinAll(fleet, writer, reader)
    const { address } = await relay.ask('listen', { file: join(fleet.directory, 'relay.log') })
    for (const person of [writer, reader]) await person.ask('dialRelay', { line: 'relay', address })
    const found = await measure(writer, reader)
    return section(found)
  } finally {
    await Promise.all([writer.end(), reader.end(), relay.end()])
    await fleet.end()
  }
}

/** The writer and one reader at server a, another reader at server b. */
async function joinAll(
  fleet: Fleet,
  writer: Companion<TypistQuestions>,
  reader: Companion<TypistQuestions>,
): Promise<void> {
  const at = (id: string) => ({ servers: [fleet.address(id)], hasStandby: true })
  const seats = [
    [writer, 'same', 'a'],
    [reader, 'same', 'a'],
    [reader, 'other', 'b'],
  ] as const
  for (const [person, line, id] of seats) {
    const { server } = await person.ask('join', { line, ...at(id) })
    if (server !== id) throw new Error(`${line} came to server ${server} instead of ${id}`)
  }
  const { id: document } = await writer.ask('create', { line: 'same', name: 'letter' })
  for (const [person, line] of seats) await person.ask('open', { line, document })
}

async function measure(
  writer: Companion<TypistQuestions>,
  reader: Companion<TypistQuestions>,
): Promise<Found> {
  const found: Found = { same: [], other: [], relay: [] }
  const times = async (line: 'same' | 'relay', readers: (keyof Found)[]) => {
    const sights = readers.map((reading) => reader.ask('see', { line: reading }))
    const { at } = await writer.ask('keystroke', { line })
    const seen = await Promise.all(sights)
    await sleep(pauseMs)
    return seen.map((sight) => sight.at - at)
  }
  for (let round = -warmUpRounds; round < rounds; round++) {
    for (let keystroke = 0; keystroke < 2 * keystrokesPerRound; keystroke++) {
      const isRelay = keystroke < keystrokesPerRound
      const lines: (keyof Found)[] = isRelay ? ['relay'] : ['same', 'other']
      const seen = await times(isRelay ? 'relay' : 'same', lines)
      if (round >= 0) lines.forEach((line, index) => found[line].push(seen[index]!))
    }
  }
  return found
}

function section({ same, other, relay }: Found): Section {
  const ms = (value: number) => `${value.toFixed(2)} ms`
  const rows = (where: string, times: number[], bar: number): Row[] => {
    const ratio = median(times) / median(relay)
    return [
      {
        figure: `${where}, median`,
        measured: ms(median(times)),
        baseline: `${ms(median(relay))} relay`,
        ratio: ratio.toFixed(2),
        bar: `≤ ${bar.toFixed(2)}`,
        isMet: ratio <= bar,
      },
      {
        figure: `${where}, p99`,
        measured: ms(quantile(times, 0.99)),
        baseline: `${ms(quantile(relay, 0.99))} relay`,
        ratio: (quantile(times, 0.99) / quantile(relay, 0.99)).toFixed(2),
        bar: '',
      },
    ]
  }
  return {
    name: 'latency',
    title: 'A keystroke at one client, seen at another',
    method:
      `Four servers, a writer and a reader with clients of the SDK in two processes, ` +
      `${rounds * keystrokesPerRound} keystrokes after a warm-up. In turn with them, in rounds of ` +
      `${keystrokesPerRound}, from and to the same processes, messages of the same length go ` +
      'through a bare WebSocket relay that appends each to a file and flushes it (fdatasync) before ' +
      'it relays it. Every keystroke is seen by one client at the same server and one at another.',
    rows: [...rows('same server', same, sameBar), ...rows('another server', other, otherBar)],
  }
}
