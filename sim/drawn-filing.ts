// How people file in a schedule: directories in each other, names that clash, the trash, no server.

import { drawnMoment } from './drawn-moment.ts'
import { sharedDocuments, type Act, type Untimed } from './plan.ts'
import type { Random } from './random.ts'

/** Directories have these numbers; what is made in them has those from there on. */
const directories = [20, 21, 22, 23]
const firstInDirectory = 30
/** What is made without a server has numbers from there on. */
const firstAlone = 60
/** Few, so that they clash. */
const treeNames = ['plan', 'Plan', 'plan (2)', 'map']

/** Somebody makes a file and does something to it; or to the first one. */
export function drawFiling(random: Random, runMs: number, file: number): Act[] {
  const at = drawnMoment(random, runMs)
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
export function drawTree(random: Random, runMs: number, person: number): Act[] {
  const acts: Act[] = []
  const moment = () => drawnMoment(random, runMs)
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
export function drawRing(random: Random, runMs: number, person: number, people: number): Act[] {
  const ring = random.shuffled(directories).slice(0, people)
  const rounds = Array.from({ length: random.between(0, 3) }, () => random.between(200, runMs - 1))
  const document = ring[person]
  if (document === undefined) return []
  const parent = ring[(person + 1) % ring.length]!
  return rounds.map((at) => ({ at, type: 'move', document, parent }))
}

/** Something is put in the trash, and soon everybody deletes it for good, restores it, or moves it. */
export function drawErasing(random: Random, runMs: number, person: number): Act[] {
  if (!random.chance(0.5)) return []
  const rounds = Array.from({ length: random.between(1, 4) }, () => ({
    at: drawnMoment(random, runMs),
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

/** Somebody does the same to several at once, and soon others do, the same or else, to most of them. */
export function drawBulk(random: Random, runMs: number, person: number): Act[] {
  if (!random.chance(0.4)) return []
  const all = [...sharedDocuments, ...directories, firstInDirectory, firstInDirectory + 1]
  const rounds = Array.from({ length: random.between(1, 3) }, () => ({
    at: drawnMoment(random, runMs),
    documents: random.shuffled(all).slice(0, random.between(2, 6)),
    gapMs: random.pick([2, 40, 300]),
  }))
  const own = random.fork(`of ${person}`)
  return rounds.flatMap(({ at, documents, gapMs }): Act[] => {
    const times = person === 0 ? 2 : own.below(2)
    return Array.from({ length: times }, (_, time): Act => {
      const isFirst = person === 0 && time === 0
      const change = isFirst
        ? own.pick(['trash', 'trash', 'move'] as const)
        : own.pick(['trash', 'restore', 'erase', 'move'] as const)
      return {
        at: isFirst ? at : at + gapMs * (1 + own.next()),
        type: 'several',
        documents: isFirst ? documents : own.shuffled(documents).slice(own.below(2)),
        change,
        ...(change === 'move' && own.chance(0.8) && { parent: own.pick(directories) }),
      }
    })
  })
}

/** Somebody files things and writes in them while no server can be reached, and may close the page. */
export function drawAlone(random: Random, runMs: number, person: number): Act[] {
  if (!random.chance(0.3)) return []
  const forMs = random.between(200, 2500)
  const at = drawnMoment(random, runMs)
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

/** Somebody opens and closes directories, and holds nothing of what is in the others. */
export function drawShows(random: Random, runMs: number, documents: number): Act[] {
  if (random.chance(0.5)) return []
  const shown = [...directories, ...directories, random.below(documents)]
  return Array.from({ length: random.between(1, 12) }, (): Act => {
    const extent = random.pick(['open', 'open', 'alone', 'not'] as const)
    return { at: random.between(1, runMs - 1), type: 'show', document: random.pick(shown), extent }
  })
}
