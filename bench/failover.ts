// A client's server dies or freezes: how long until its next edit is on a disk.

import { setTimeout as sleep } from 'node:timers/promises'

import { Companion, sharedNow } from '../test/companion.ts'
import { Fleet } from '../test/fleet.ts'
import type { Row, Section } from './report.ts'
import { median, quantile } from './statistics.ts'
import type { TypistQuestions } from './typist.ts'

const killCount = 100
const freezeCount = 40
const line = 'client'
/** Beyond this an edit counts as never acknowledged. */
const boundMs = 10_000
/** Between two blows everything is well again, and a standby is found, for at least this long. */
const calmMs = 1500

/** Milliseconds. */
const bars = { killMedian: 60, killP99: 500, freezeMedian: 500, freezeMost: 2500 }

export async function failover(): Promise<Section> {
  const fleet = await Fleet.start()
  const client = new Companion<TypistQuestions>(new URL('./typist.ts', import.meta.url))
  try {
    await client.ask('join', { line, servers: fleet.addresses, hasStandby: true })
    const { id: document } = await client.ask('create', { line, name: 'letter' })
    await client.ask('open', { line, document })
    const killed = await strike(killCount, client, fleet, {
      hit: (id) => void fleet.kill(id),
      heal: async (id) => {
        await fleet.gone(id)
        await fleet.start(id)
      },
    })
    const frozen = await strike(freezeCount, client, fleet, {
      hit: (id) => fleet.freeze(id),
      heal: async (id) => fleet.thaw(id),
    })
    return section(killed, frozen)
  } finally {
    await client.end()
    await fleet.end()
  }
}

interface Blow {
  hit: (server: string) => void
  heal: (server: string) => Promise<void>
}

/** From each blow at the client's server until its next edit is known to be on some disk. */
async function strike(
  count: number,
  client: Companion<TypistQuestions>,
  fleet: Fleet,
  { hit, heal }: Blow,
): Promise<number[]> {
  const times: number[] = []
  for (let round = 0; round < count; round++) {
    await calm(client, fleet)
    const { id } = await client.ask('server', { line })
    const struckAt = sharedNow()
    hit(id)
    const { heldAt } = await client.ask('keystrokeHeld', { line, boundMs })
    times.push(heldAt - struckAt)
    await heal(id)
    if (round % 20 === 19)
      console.log(`  ${round + 1} of ${count}, median ${median(times).toFixed(0)} ms`)
  }
  return times
}

/** All servers are well, the client is with one of them, and its edits arrive. */
async function calm(client: Companion<TypistQuestions>, fleet: Fleet): Promise<void> {
  await fleet.well()
  await client.ask('keystrokeHeld', { line, boundMs })
  await sleep(calmMs)
  await client.ask('keystrokeHeld', { line, boundMs })
}

function section(killed: number[], frozen: number[]): Section {
  const row = (figure: string, value: number, bar: number): Row => ({
    figure,
    measured: `${value.toFixed(0)} ms`,
    baseline: '',
    ratio: '',
    bar: `≤ ${bar} ms`,
    isMet: value <= bar,
  })
  return {
    name: 'failover',
    title: 'A client’s server dies',
    method:
      'Four servers, one client of the SDK with its warm standby in another process. Its server is ' +
      'killed (SIGKILL) or frozen (SIGSTOP), and in the same instant the client makes an edit: time ' +
      'from the signal until some server is known to hold the edit on its disk. Then the server is ' +
      'started again (or thawed), and everything is well before the next round. ' +
      `${killed.length} kills, ${frozen.length} freezes.`,
    rows: [
      row('killed, median', median(killed), bars.killMedian),
      row('killed, p99', quantile(killed, 0.99), bars.killP99),
      row('frozen, median', median(frozen), bars.freezeMedian),
      row('frozen, slowest', Math.max(...frozen), bars.freezeMost),
    ],
  }
}
