// What goes wrong in a schedule: a few kinds of weather, each several times.

import { settledMs } from './drawn-moment.ts'
import { serverNames, sharedDocuments, type Fault, type PersonPlan } from './plan.ts'
import type { Random } from './random.ts'

const dayMs = 24 * 3_600_000

/** What may go wrong. A schedule has a few of these, several times, rather than a bit of all. */
const weathers = [
  'kills',
  'kills',
  'fire',
  'sequence',
  'freezes',
  'parts',
  'cuts',
  'slow disks',
  'losses',
  'rollback',
  'flips',
  'clocks',
  'compactions',
] as const

export function drawFaults(random: Random, runMs: number, people: PersonPlan[]): Fault[] {
  const faults: Fault[] = []
  // One disk is never destroyed, so that there is always something to come back to.
  const losable = random.shuffled(serverNames).slice(1)
  const from = random.chance(0.15) ? 0 : settledMs
  for (const weather of random.shuffled(weathers).slice(0, random.below(4))) {
    const moment = () => random.between(from, runMs - 1)
    faults.push(...drawWeather({ random, weather, moment, losable, people }))
  }
  return faults.sort((one, other) => one.at - other.at)
}

interface Weather {
  random: Random
  weather: (typeof weathers)[number]
  moment: () => number
  losable: string[]
  people: PersonPlan[]
}

function drawWeather({ random, weather, moment, losable, people }: Weather): Fault[] {
  const some = (names: readonly string[]) =>
    random.shuffled(names).slice(0, random.between(1, names.length))
  const repeated = <Each extends Fault>(most: number, make: () => Each) =>
    Array.from({ length: random.between(1, most) }, make)
  const downMs = () => random.pick([50, 300, 1000, 3000, 60_000])
  const downs = (servers: string[]) => servers.map(downMs)
  switch (weather) {
    case 'kills':
      return repeated(4, () => {
        const servers = some(serverNames)
        const isPowerCut = random.chance(0.4)
        return { at: moment(), type: 'kill', servers, isPowerCut, downMs: downs(servers) }
      })
    case 'fire':
      return burn(random, moment(), people)
    case 'sequence': {
      const gapMs = random.pick([0, 30, 300, 1000])
      const start = moment()
      return random.shuffled(serverNames).map((server, index) => {
        const at = start + index * gapMs
        return { at, type: 'kill', servers: [server], isPowerCut: false, downMs: [downMs()] }
      })
    }
    case 'freezes':
      return repeated(3, () => ({
        at: moment(),
        type: 'freeze',
        server: random.pick(serverNames),
        forMs: random.pick([100, 600, 2000, 5000]),
      }))
    case 'parts':
      return repeated(3, () => ({
        at: moment(),
        type: 'part',
        groups: drawGroups(random, [...serverNames, ...people.map(({ name }) => name)]),
        isOneWay: random.chance(0.3),
        forMs: random.pick([100, 800, 2500, 60_000]),
      }))
    case 'cuts':
      return repeated(8, () => {
        const [one, other] = random.shuffled([...serverNames, random.pick(people).name])
        return { at: moment(), type: 'cut', one: one!, other: other!, isHalf: random.chance(0.4) }
      })
    case 'slow disks':
      return repeated(3, () => {
        const flushMs = random.pick([30, 150, 600])
        const forMs = random.between(300, 4000)
        return { at: moment(), type: 'slow', server: random.pick(serverNames), flushMs, forMs }
      })
    case 'losses':
      return repeated(2, () => {
        const servers = some(losable)
        return { at: moment(), type: 'wipe', servers, downMs: downs(servers) }
      })
    case 'rollback': {
      const at = moment()
      const toMs = random.between(0, at)
      return [{ at, type: 'rollback', server: random.pick(losable), toMs, downMs: downMs() }]
    }
    case 'flips': {
      // One disk is bad. Were two, the same record might be damaged on both.
      const server = random.pick(losable)
      return repeated(3, () => ({
        at: moment(),
        type: 'flip',
        server,
        document: random.pick(sharedDocuments),
        bit: random.below(1_000_000),
      }))
    }
    case 'compactions':
      return repeated(8, () => ({
        at: moment(),
        type: 'compact',
        server: random.pick(serverNames),
        document: random.pick(sharedDocuments),
      }))
    case 'clocks':
      return repeated(3, () => {
        const byMs = random.pick([-3_600_000, -30_000, 30_000, 3_600_000, -31 * dayMs, 31 * dayMs])
        return { at: moment(), type: 'clock', server: random.pick(serverNames), byMs }
      }).flatMap((set) => [set, restart(random, set)])
  }
}

/** What is wrong shows in the next life: it begins soon. */
function restart(random: Random, { at, server }: Extract<Fault, { type: 'clock' }>): Fault {
  const downMs = [random.pick([50, 300])]
  return { at: at + random.below(300), type: 'kill', servers: [server], isPowerCut: false, downMs }
}

/** A building burns: its servers lose power at once, and whoever works there is gone for good. */
function burn(random: Random, at: number, people: PersonPlan[]): Fault[] {
  const servers = random.shuffled(serverNames).slice(0, random.between(2, 4))
  const victims = random.shuffled(people).slice(0, random.between(1, people.length - 1))
  for (const { acts } of victims) {
    acts.push({ at: at + random.between(-2, 2), type: 'leave' })
    acts.sort((one, other) => one.at - other.at)
  }
  const downMs = servers.map(() => random.pick([300, 1000, 3000]))
  return [{ at, type: 'kill', servers, isPowerCut: random.chance(0.5), downMs }]
}

function drawGroups(random: Random, hosts: string[]): string[][] {
  const groups: string[][] = Array.from({ length: random.between(2, 3) }, () => [])
  for (const host of hosts) random.pick(groups).push(host)
  return groups.filter((group) => group.length > 0)
}
