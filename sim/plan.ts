// A plan: everything that people do and that goes wrong in one schedule, as plain values. It is made
// from a seed, can be kept as a file, and can be made smaller while it still shows a bug.

import { idleDocumentMs } from '../src/core/model/limits.ts'
import type { Random } from './random.ts'

export const serverNames = ['a', 'b', 'c', 'd'] as const
/** The first letter of a name is the label of that person's tokens. */
export const personNames = ['ada', 'bob', 'cid', 'dan', 'eve', 'fay'] as const

/** All times are milliseconds from the beginning; documents and files are numbers from 0. */
export interface Plan {
  seed: number
  /** After this nobody types and nothing fails any more: everything heals. */
  runMs: number
  /** Mean time of one way over the network, and of one flush of a disk. */
  latencyMs: number
  flushMs: number
  /** Whether every message passes through its encoding on the simulated wire. */
  isEncoded: boolean
  people: PersonPlan[]
  faults: Fault[]
  /** When what is in the trash goes by itself; absent: never. */
  trash?: { stepMs: number; steps: number; lookMs: number }
}

export interface PersonPlan {
  name: string
  /** The servers in the order in which this person's program knows them. */
  servers: string[]
  /** Whether the device keeps what was typed when the page is closed. */
  hasStorage: boolean
  /** Hears only of what of the folder is shown; absent: of all of it. */
  showsPart?: boolean
  acts: Act[]
}

/** `where`, `which`: a part of all there is at that moment, so that a plan without it stays valid. */
export type Act = { at: number } &
  /** `parent`: a directory by its number; absent: the top. */
  (
    | { type: 'create'; document: number; words: number; parent?: number; name?: string }
    | { type: 'makeDirectory'; document: number; parent?: number; name: string }
    | { type: 'move'; document: number; parent?: number }
    | { type: 'type'; document: number; words: number; gapMs: number; where: number }
    /** Goes on where this person's last word in the document stands, if it is still there. */
    | { type: 'continue'; document: number; words: number; gapMs: number }
    | { type: 'delete'; document: number; which: number; isOwn: boolean }
    | { type: 'undo'; document: number }
    | { type: 'unfollow'; document: number; forMs: number }
    | { type: 'rename'; document: number; name?: string }
    /**
     * Reads the whole text at one server and saves it there with a word more; `which`: with one less.
     * Unless an answer came, the same goes to another after `retryMs`. `isLost`: none comes.
     */
    | {
        type: 'save'
        document: number
        first: string
        second: string
        thinkMs: number
        retryMs: number
        isLost: boolean
        where: number
        which?: number
      }
    | { type: 'trash' | 'restore' | 'erase'; document: number }
    /** So much of a document or directory is shown from here on. */
    | { type: 'show'; document: number; extent: 'not' | 'alone' | 'open' }
    /** The network of the device is gone. */
    | { type: 'offline'; forMs: number }
    /** The lid is closed. */
    | { type: 'sleep'; forMs: number }
    /** The page is closed, and opened again; absent: never. */
    | { type: 'leave'; forMs?: number }
  )

export type Fault = { at: number } &
  /** All at once; each comes back by itself, or stays away until everything heals. */
  (
    | { type: 'kill'; servers: string[]; isPowerCut: boolean; downMs: number[] }
    | { type: 'wipe'; servers: string[]; downMs: number[] }
    /** Comes back with what its disk held at `toMs`. */
    | { type: 'rollback'; server: string; toMs: number; downMs: number }
    | { type: 'freeze'; server: string; forMs: number }
    /** Hosts in different groups do not hear each other; `isOneWay`: only the first is not heard. */
    | { type: 'part'; groups: string[][]; isOneWay: boolean; forMs: number }
    | { type: 'cut'; one: string; other: string; isHalf: boolean }
    | { type: 'slow'; server: string; flushMs: number; forMs: number }
    /** A stored record of this document does not match its checksum any more. */
    | { type: 'flip'; server: string; document: number; bit: number }
    /** The server merges what it has of this document, as if there were a lot. */
    | { type: 'compact'; server: string; document: number }
    /** The wall clock is wrong from the next start of this server on. */
    | { type: 'clock'; server: string; byMs: number }
  )

/** Every so many seeds one passes its messages through their encoding. */
const encodedEvery = 10
/** Every so many seeds one has a long pause in the middle, in which servers forget idle documents. */
const pausedEvery = 12
const pauseMs = idleDocumentMs + 2000
/** Between the first and this, files are made, before most schedules begin to fail. */
const settledMs = 500

/** The plan of a seed. */
export function planOf(seed: number, random: Random): Plan {
  const runMs = random.between(2000, 6000)
  const people = makePeople(random.fork('people'), runMs)
  const plan: Plan = {
    seed,
    runMs,
    latencyMs: random.pick([0.3, 1, 1, 3, 20]),
    flushMs: random.pick([0.5, 2, 2, 10, 40]),
    isEncoded: seed % encodedEvery === 0,
    people,
    faults: makeFaults(random.fork('faults'), runMs, people),
    // A month in the trash, in a second or so.
    ...(random.fork('trash').chance(0.25) && { trash: { stepMs: 400, steps: 3, lookMs: 50 } }),
  }
  return seed % pausedEvery === 0 ? paused(plan, random.fork('pause')) : plan
}

/** The same with a pause in the middle, for which most people close their pages. */
function paused(plan: Plan, random: Random): Plan {
  const middleMs = plan.runMs / 2
  const later = <T extends { at: number }>(one: T): T =>
    one.at > middleMs ? { ...one, at: one.at + pauseMs } : one
  const people = plan.people.map((person): PersonPlan => {
    const acts = person.acts.map(later)
    const rest: Act = { at: middleMs, type: 'leave', forMs: pauseMs - 1000 }
    if (random.chance(0.8)) acts.push(rest)
    return { ...person, acts: acts.sort((one, other) => one.at - other.at) }
  })
  const faults = plan.faults
    .map(later)
    .map((fault) =>
      fault.type === 'rollback' && fault.toMs > middleMs
        ? { ...fault, toMs: fault.toMs + pauseMs }
        : fault,
    )
  return { ...plan, runMs: plan.runMs + pauseMs, people, faults }
}

// --------------------------------------------------------------------------------- people

/** Everybody follows these. */
export const sharedDocuments = [0, 1, 2]

/** Directories have these numbers; what is made in them has those from there on. */
const directories = [20, 21, 22, 23]
const firstInDirectory = 30
/** What is made without a server has numbers from there on. */
const firstAlone = 60
/** Few, so that they clash. */
const treeNames = ['plan', 'Plan', 'plan (2)', 'map']

function makePeople(random: Random, runMs: number): PersonPlan[] {
  const names = personNames.slice(0, random.between(2, 5))
  const documents = random.between(1, sharedDocuments.length)
  // Forks take nothing from what is drawn besides.
  const hasTree = random.fork('tree').chance(0.6)
  return names.map((name, index) => {
    const acts: Act[] = []
    if (index === 0) {
      for (let document = 0; document < documents; document++) {
        acts.push({ at: 1 + document, type: 'create', document, words: random.below(3) })
      }
    }
    const count = random.between(6, 18)
    for (let act = 0; act < count; act++) {
      const at = random.between(settledMs, runMs - 1)
      acts.push({ at, ...makeEdit(random, random.below(documents)) })
    }
    if (random.chance(0.5)) {
      const at = random.between(settledMs, runMs - 1)
      acts.push({ at, ...makeAbsence(random, documents) })
    }
    if (random.chance(0.4)) acts.push(...makeFiling(random, runMs, sharedDocuments.length + index))
    acts.push(...makeSaves(random.fork(`saves ${name}`), runMs, documents))
    if (hasTree) {
      acts.push(...makeTree(random.fork(`tree ${name}`), runMs, index))
      acts.push(...makeRing(random.fork('ring'), runMs, index, names.length))
    }
    const filing = [
      ...makeErasing(random.fork('erasing'), runMs, index),
      ...makeAlone(random.fork(`alone ${name}`), runMs, index),
    ]
    acts.push(...filing.filter(({ at }) => at <= runMs))
    const shows = makeShows(random.fork(`shows ${name}`), runMs, documents)
    acts.push(...shows)
    acts.sort((one, other) => one.at - other.at)
    return {
      name,
      servers: random.shuffled(serverNames),
      hasStorage: random.chance(0.5),
      ...(shows.length > 0 && { showsPart: true }),
      acts,
    }
  })
}

type Untimed<T> = T extends { at: number } ? Omit<T, 'at'> : never

function makeEdit(random: Random, document: number): Untimed<Act> {
  const words = random.pick([1, 1, 1, 2, 3, 6])
  const gapMs = random.pick([0, 5, 40, 120])
  // A third of what is typed goes to the same place.
  const where = random.chance(0.33) ? 0 : random.next()
  switch (
    random.pick(['type', 'type', 'type', 'continue', 'continue', 'delete', 'delete', 'undo'])
  ) {
    case 'type':
      return { type: 'type', document, words, gapMs, where }
    case 'continue':
      return { type: 'continue', document, words, gapMs }
    case 'delete':
      return { type: 'delete', document, which: random.next(), isOwn: random.chance(0.5) }
    default:
      return { type: 'undo', document }
  }
}

function makeAbsence(random: Random, documents: number): Untimed<Act> {
  const forMs = random.between(50, 3000)
  switch (random.below(5)) {
    case 0:
      return { type: 'offline', forMs }
    case 1:
      return { type: 'sleep', forMs }
    case 2:
      return { type: 'leave', forMs }
    case 3:
      return { type: 'leave' }
    default:
      return { type: 'unfollow', document: random.below(documents), forMs }
  }
}

/** Somebody saves whole files, at a server that may fall silent meanwhile. */
function makeSaves(random: Random, runMs: number, documents: number): Act[] {
  if (random.chance(0.5)) return []
  return Array.from({ length: random.between(1, 4) }, (): Act => {
    const [first, second] = random.shuffled(serverNames)
    return {
      at: random.between(settledMs, runMs - 1),
      type: 'save',
      document: random.below(documents),
      first: first!,
      second: second!,
      thinkMs: random.pick([0, 10, 200, 1000]),
      retryMs: random.pick([0, 3, 30, 300]),
      isLost: random.chance(0.6),
      where: random.chance(0.33) ? 0 : random.next(),
      ...(random.chance(0.4) && { which: random.next() }),
    }
  })
}

/** Somebody opens and closes directories, and holds nothing of what is in the others. */
function makeShows(random: Random, runMs: number, documents: number): Act[] {
  if (random.chance(0.5)) return []
  const shown = [...directories, ...directories, random.below(documents)]
  return Array.from({ length: random.between(1, 12) }, (): Act => {
    const extent = random.pick(['open', 'open', 'alone', 'not'] as const)
    return { at: random.between(1, runMs - 1), type: 'show', document: random.pick(shown), extent }
  })
}

/** Somebody makes a file and does something to it; or to the first one. */
function makeFiling(random: Random, runMs: number, file: number): Act[] {
  const at = random.between(settledMs, runMs - 1)
  const later = random.between(at, runMs - 1)
  const document = random.chance(0.7) ? file : 0
  const first: Act = { at, type: 'create', document: file, words: random.below(2) }
  const second: Act[] = random.chance(0.5)
    ? [
        { at: later, type: 'trash', document },
        { at: random.between(later, runMs - 1), type: 'restore', document },
      ]
    : [{ at: later, type: random.pick(['trash', 'rename']), document }]
  return [first, ...second.slice(0, random.between(1, 2))]
}

/** The first makes directories; all put things in each other, rename, delete and restore them. */
function makeTree(random: Random, runMs: number, person: number): Act[] {
  const acts: Act[] = []
  const moment = () => random.between(settledMs, runMs - 1)
  const parent = () => (random.chance(0.8) ? { parent: random.pick(directories) } : {})
  if (person === 0) {
    for (const [index, document] of directories.entries()) {
      const at = random.chance(0.7) ? 10 + index * 40 : moment()
      acts.push({ at, type: 'makeDirectory', document, ...parent(), name: random.pick(treeNames) })
    }
  }
  for (let count = random.below(3); count > 0; count--) {
    const document = firstInDirectory + person * 3 + count
    const name = random.pick(treeNames)
    acts.push({ at: moment(), type: 'create', document, words: 1, ...parent(), name })
  }
  for (let count = random.between(2, 10); count > 0; count--) {
    const at = moment()
    const document = random.chance(0.75) ? random.pick(directories) : random.pick(sharedDocuments)
    const type = random.pick([
      'move',
      'move',
      'move',
      'move',
      'rename',
      'trash',
      'restore',
    ] as const)
    if (type === 'move') acts.push({ at, type, document, ...parent() })
    else if (type === 'rename') acts.push({ at, type, document, name: random.pick(treeNames) })
    else acts.push({ at, type, document })
  }
  return acts
}

/** At one moment everybody moves one directory into the next, the last into the first. */
function makeRing(random: Random, runMs: number, person: number, people: number): Act[] {
  const ring = random.shuffled(directories).slice(0, people)
  const rounds = Array.from({ length: random.between(0, 3) }, () => random.between(200, runMs - 1))
  const document = ring[person]
  if (document === undefined) return []
  const parent = ring[(person + 1) % ring.length]!
  return rounds.map((at) => ({ at, type: 'move', document, parent }))
}

/** Something is put in the trash, and soon everybody deletes it for good, restores it, or moves it. */
function makeErasing(random: Random, runMs: number, person: number): Act[] {
  if (!random.chance(0.5)) return []
  const rounds = Array.from({ length: random.between(1, 4) }, () => ({
    at: random.between(settledMs, runMs - 1),
    document: random.pick([
      ...sharedDocuments,
      ...directories,
      firstInDirectory,
      firstInDirectory + 1,
    ]),
    gapMs: random.pick([5, 40, 300]),
  }))
  const own = random.fork(`of ${person}`)
  return rounds.flatMap(({ at, document, gapMs }): Act[] => {
    const later = at + gapMs * (1 + own.next())
    const type = own.pick(['erase', 'erase', 'restore', 'move', 'nothing'] as const)
    const acts: Act[] = person === 0 ? [{ at, type: 'trash', document }] : []
    if (type === 'move') acts.push({ at: later, type, document })
    else if (type !== 'nothing') acts.push({ at: later, type, document })
    return acts
  })
}

/** Somebody files things and writes in them while no server can be reached, and may close the page. */
function makeAlone(random: Random, runMs: number, person: number): Act[] {
  if (!random.chance(0.3)) return []
  const forMs = random.between(200, 2500)
  const at = random.between(settledMs, runMs - 1)
  const [outer, inner, file] = [0, 1, 2].map((each) => firstAlone + person * 3 + each) as [
    number,
    number,
    number,
  ]
  const names = () => ({ name: random.pick(treeNames) })
  const acts: Untimed<Act>[] = [
    { type: 'makeDirectory', document: outer, ...names() },
    { type: 'makeDirectory', document: inner, parent: outer, ...names() },
    { type: 'create', document: file, words: 1, parent: inner, ...names() },
    { type: 'type', document: file, words: 2, gapMs: 0, where: 1 },
    { type: 'rename', document: outer, ...names() },
    { type: 'move', document: inner },
    { type: 'move', document: file, parent: outer },
    { type: random.pick(['trash', 'rename']), document: random.pick([outer, inner, file]) },
    { type: 'rename', document: file, ...names() },
  ]
  if (random.chance(0.3)) acts.splice(random.below(acts.length), 0, { type: 'leave', forMs: 100 })
  const gapMs = random.pick([0, 1, forMs / acts.length])
  const isOffline = random.chance(0.8)
  return [
    ...(isOffline ? [{ at, type: 'offline' as const, forMs }] : []),
    ...acts.map((act, index): Act => ({ at: at + 1 + index * gapMs, ...act })),
  ]
}

// --------------------------------------------------------------------------------- faults

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

function makeFaults(random: Random, runMs: number, people: PersonPlan[]): Fault[] {
  const faults: Fault[] = []
  // One disk is never destroyed, so that there is always something to come back to.
  const losable = random.shuffled(serverNames).slice(1)
  const from = random.chance(0.15) ? 0 : settledMs
  for (const weather of random.shuffled(weathers).slice(0, random.below(4))) {
    const moment = () => random.between(from, runMs - 1)
    faults.push(...makeWeather({ random, weather, moment, losable, people }))
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

function makeWeather({ random, weather, moment, losable, people }: Weather): Fault[] {
  const some = (names: readonly string[]) =>
    random.shuffled(names).slice(0, random.between(1, names.length))
  const repeated = (most: number, make: () => Fault) =>
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
        groups: makeGroups(random, [...serverNames, ...people.map(({ name }) => name)]),
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
      return repeated(3, () => ({
        at: moment(),
        type: 'clock',
        server: random.pick(serverNames),
        byMs: random.pick([-3_600_000, -30_000, 30_000, 3_600_000]),
      }))
  }
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

function makeGroups(random: Random, hosts: string[]): string[][] {
  const groups: string[][] = Array.from({ length: random.between(2, 3) }, () => [])
  for (const host of hosts) random.pick(groups).push(host)
  return groups.filter((group) => group.length > 0)
}
