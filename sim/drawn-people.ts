// What the people of a schedule do: they type, delete, undo, save, file, and are away for a while.

import {
  drawAlone,
  drawBulk,
  drawErasing,
  drawFiling,
  drawRing,
  drawShows,
  drawTree,
} from './drawn-filing.ts'
import { drawnMoment } from './drawn-moment.ts'
import {
  personNames,
  serverNames,
  sharedDocuments,
  type Act,
  type PersonPlan,
  type Untimed,
} from './plan.ts'
import type { Random } from './random.ts'

/** Files of bytes are these. */
const firstOfBytes = 80

export function drawPeople(random: Random, runMs: number): PersonPlan[] {
  const names = personNames.slice(0, random.between(2, 5))
  const documents = random.between(1, sharedDocuments.length)
  // Forks take nothing from what is drawn besides.
  const hasTree = random.fork('tree').chance(0.6)
  const hasCarets = random.fork('carets').chance(0.2)
  return names.map((name, index) => {
    const acts: Act[] = []
    if (index === 0) {
      for (let document = 0; document < documents; document++) {
        acts.push({ at: 1 + document, type: 'create', document, words: random.below(3) })
      }
    }
    const count = random.between(6, 18)
    for (let act = 0; act < count; act++) {
      const at = drawnMoment(random, runMs)
      acts.push({ at, ...drawEdit(random, random.below(documents)) })
    }
    if (random.chance(0.5)) {
      const at = drawnMoment(random, runMs)
      acts.push({ at, ...drawAbsence(random, documents) })
    }
    if (random.chance(0.4)) acts.push(...drawFiling(random, runMs, sharedDocuments.length + index))
    acts.push(...drawSaves(random.fork(`saves ${name}`), runMs, documents))
    if (hasTree) {
      acts.push(...drawTree(random.fork(`tree ${name}`), runMs, index))
      acts.push(...drawRing(random.fork('ring'), runMs, index, names.length))
    }
    const filing = [
      ...drawErasing(random.fork('erasing'), runMs, index),
      ...drawAlone(random.fork(`alone ${name}`), runMs, index),
      ...drawBulk(random.fork('bulk'), runMs, index),
    ]
    acts.push(...filing.filter(({ at }) => at <= runMs))
    acts.push(...drawWatch(random.fork(`watch ${name}`), runMs))
    acts.push(...drawNaming(random.fork(`naming ${name}`), runMs, documents))
    acts.push(...drawBytes(random.fork('bytes'), runMs, index))
    const shows = drawShows(random.fork(`shows ${name}`), runMs, documents)
    acts.push(...shows)
    acts.sort((one, other) => one.at - other.at)
    return {
      name,
      servers: random.shuffled(serverNames),
      hasStorage: random.chance(0.5),
      ...(shows.length > 0 && { showsPart: true }),
      ...(hasCarets && { hasCarets }),
      acts,
    }
  })
}

function drawEdit(random: Random, document: number): Untimed<Act> {
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

function drawAbsence(random: Random, documents: number): Untimed<Act> {
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

/** Somebody gives the present text a name now and then, often right after typing. */
function drawNaming(random: Random, runMs: number, documents: number): Act[] {
  if (random.chance(0.6)) return []
  return Array.from({ length: random.between(1, 3) }, (): Act[] => {
    const at = drawnMoment(random, runMs)
    const document = random.below(documents)
    const gapMs = random.pick([0, 0, 3, 100])
    const typed = { at, type: 'type' as const, document, words: 1, gapMs: 0, where: random.next() }
    return [
      ...(random.chance(0.6) ? [typed] : []),
      { at: at + gapMs, type: 'nameVersion', document },
    ]
  }).flat()
}

/** Some put bytes into a file or two, now and then at the same time. */
function drawBytes(random: Random, runMs: number, person: number): Act[] {
  if (!random.chance(0.3)) return []
  const moments = Array.from({ length: 3 }, () => drawnMoment(random, runMs))
  const own = random.fork(`of ${person}`)
  return moments.flatMap((moment, index): Act[] => {
    const at = moment + own.pick([0, 0, 1, 30, 300])
    const document = firstOfBytes + (index % 2)
    const size = own.pick([40, 100, 250])
    const isFirst = person === 0 && index < 2
    return isFirst || own.chance(0.4) ? [{ at, type: 'putBytes', document, size }] : []
  })
}

/** A program watches the folder, and goes to another server now and then. */
function drawWatch(random: Random, runMs: number): Act[] {
  if (random.chance(0.85)) return []
  return Array.from({ length: random.between(1, 4) }, (): Act => {
    return { at: random.between(1, runMs - 1), type: 'watch', server: random.pick(serverNames) }
  })
}

/** Somebody saves whole files, at a server that may fall silent meanwhile. */
function drawSaves(random: Random, runMs: number, documents: number): Act[] {
  if (random.chance(0.5)) return []
  return Array.from({ length: random.between(1, 4) }, (): Act => {
    const [first, second] = random.shuffled(serverNames)
    return {
      at: drawnMoment(random, runMs),
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
