// A keystroke at one client until it is seen at another, beside a bare relay that flushes.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { Companion } from '../test/companion.ts'
import { Fleet } from '../test/fleet.ts'
import type { RelayQuestions } from './relay.ts'
import type { Row, Section } from './report.ts'
import { quantile } from './statistics.ts'
import type { TypistQuestions } from './typist.ts'

const warmUpRounds = 6
const rounds = 40
const keystrokesPerRound = 25
/** A pause after each keystroke is seen: what it set off elsewhere has come to rest. */
const pauseMs = 15

const sameBar = 1.5
const otherBar = 2.5

/** Milliseconds from keystroke to sight: by the set, a bare relay, one between texts, and four relays. */
interface Found {
  same: number[]
  other: number[]
  relay: number[]
  plain: number[]
  relaySame: number[]
  relayOther: number[]
}

/** Who writes, and who sees it. */
const lines = {
  relay: ['relay'],
  plain: ['plain'],
  same: ['same', 'other'],
  relaySame: ['relaySame', 'relayOther'],
} as const

export async function latency(): Promise<Section> {
  const fleet = await Fleet.start()
  const file = (name: string) => new URL(name, import.meta.url)
  const relays = Array.from({ length: 6 }, () => new Companion<RelayQuestions>(file('./relay.ts')))
  const writer = new Companion<TypistQuestions>(file('./typist.ts'))
  const reader = new Companion<TypistQuestions>(file('./typist.ts'))
  try {
    await joinAll(fleet, writer, reader)
    await dialRelays(fleet.directory, relays, writer, reader)
    const found = await measure(writer, reader)
    return section(found)
  } finally {
    await Promise.all([writer, reader, ...relays].map((process) => process.end()))
    await fleet.end()
  }
}

/** One relay alone, one between texts of Yjs, and four of which the first passes on what it gets. */
async function dialRelays(
  directory: string,
  relays: Companion<RelayQuestions>[],
  writer: Companion<TypistQuestions>,
  reader: Companion<TypistQuestions>,
): Promise<void> {
  const listening = relays.map((relay, index) => {
    return relay.ask('listen', { file: join(directory, `relay${index}.log`) })
  })
  const addresses = (await Promise.all(listening)).map(({ address }) => address)
  const [alone, plain, first, second, ...others] = addresses as [string, string, string, string]
  await relays[2]!.ask('dialPeers', { addresses: [second, ...others] })
  await writer.ask('dialRelay', { line: 'relay', address: alone })
  await writer.ask('dialPlain', { line: 'plain', address: plain })
  await writer.ask('dialRelay', { line: 'relaySame', address: first })
  await reader.ask('dialRelay', { line: 'relay', address: alone })
  await reader.ask('dialPlain', { line: 'plain', address: plain })
  await reader.ask('dialRelay', { line: 'relaySame', address: first })
  await reader.ask('dialRelay', { line: 'relayOther', address: second })
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
  const found: Found = {
    same: [],
    other: [],
    relay: [],
    plain: [],
    relaySame: [],
    relayOther: [],
  }
  const times = async (line: keyof typeof lines) => {
    const sights = lines[line].map((reading) => reader.ask('see', { line: reading }))
    const { at } = await writer.ask('keystroke', { line })
    const seen = await Promise.all(sights)
    await sleep(pauseMs)
    return seen.map((sight) => sight.at - at)
  }
  const writing = Object.keys(lines) as (keyof typeof lines)[]
  for (let round = -warmUpRounds; round < rounds; round++) {
    for (const line of writing) {
      for (let keystroke = 0; keystroke < keystrokesPerRound; keystroke++) {
        const seen = await times(line)
        if (round >= 0) lines[line].forEach((each, index) => found[each].push(seen[index]!))
      }
    }
  }
  return found
}

function section({ same, other, relay, plain, relaySame, relayOther }: Found): Section {
  const ms = (value: number) => `${value.toFixed(2)} ms`
  const row = (
    figure: string,
    times: number[],
    base: number[],
    part: number,
    bar?: number,
  ): Row => {
    const [measured, baseline] = [quantile(times, part), quantile(base, part)]
    const ratio = measured / baseline
    return {
      figure,
      measured: ms(measured),
      baseline: ms(baseline),
      ratio: ratio.toFixed(2),
      bar: bar === undefined ? '' : `≤ ${bar.toFixed(2)}`,
      ...(bar !== undefined && { isMet: ratio <= bar }),
    }
  }
  return {
    name: 'latency',
    title: 'A keystroke at one client, seen at another',
    method:
      `Four servers, a writer and a reader with clients of the SDK in two processes, ` +
      `${rounds * keystrokesPerRound} keystrokes after a warm-up. In turn with them, in rounds of ` +
      `${keystrokesPerRound}, from and to the same processes, messages of the same length go ` +
      'through a bare WebSocket relay that appends each to a file and flushes it (fdatasync) before ' +
      'it relays it. Every keystroke is seen by one client at the same server and one at another. ' +
      'Below, to know what the machine lets do: such a relay between two texts of Yjs and nothing ' +
      'else, which no server decodes or looks into; four such relays in the place of the servers, the ' +
      'first of which passes on what it has flushed to the three others, which flush it and relay it.',
    rows: [
      row('same server, median', same, relay, 0.5, sameBar),
      row('same server, p99', same, relay, 0.99),
      row('another server, median', other, relay, 0.5, otherBar),
      row('another server, p99', other, relay, 0.99),
      row('a relay between texts of Yjs against one relay, median', plain, relay, 0.5),
      row('same server against a relay between texts of Yjs, median', same, plain, 0.5),
      row('same server against four relays, median', same, relaySame, 0.5),
      row('another server against four relays, median', other, relayOther, 0.5),
      row('another of four relays against one relay, median', relayOther, relay, 0.5),
    ],
  }
}
