// The plan of a seed: its people and faults, the pace of its network and disks, sometimes a long pause.

import { idleDocumentMs } from '../src/core/model/limits.ts'
import { drawFaults } from './drawn-faults.ts'
import { drawPeople } from './drawn-people.ts'
import { drawReturn } from './drawn-return.ts'
import { serverNames, type Act, type Fault, type PersonPlan, type Plan } from './plan.ts'
import type { Random } from './random.ts'

/** Every so many seeds one passes its messages through their encoding. */
const encodedEvery = 10
/** Every so many seeds one has a long pause in the middle, in which servers forget idle documents. */
const pausedEvery = 12
const pauseMs = idleDocumentMs + 2000
/** Every so many seeds, beginning at one that is not paused, one loses all disks. */
const rebornEvery = 24
const rebornAt = 7
/** So long after that people are at work again. */
const refilledMs = 2000

/** To look at what every server holds alone takes as long as half a schedule. */
const restartedShare = 0.15
/** In so many somebody brings a version back in the end. */
const restoredShare = 0.2

/** The plan of a seed. */
export function planOf(seed: number, random: Random): Plan {
  const runMs = random.between(2000, 6000)
  const people = drawPeople(random.fork('people'), runMs)
  const latencyMs = random.pick([0.3, 1, 1, 3, 20])
  const flushMs = random.pick([0.5, 2, 2, 10, 40])
  const faults = drawFaults(random.fork('faults'), runMs, people)
  const back = drawReturn(random.fork('return'), runMs)
  const [first] = people as [PersonPlan]
  first.acts = inOrder([...first.acts, ...back.acts])
  const plan: Plan = {
    seed,
    runMs,
    latencyMs,
    flushMs,
    isEncoded: seed % encodedEvery === 0,
    people,
    faults: inOrder([...faults, ...back.faults]),
    ...(random.fork('version').chance(restoredShare) && { restoresVersion: true as const }),
    ...(random.fork('restarts').chance(restartedShare) && { restarts: true as const }),
    // A month in the trash, in a second or so.
    // As real servers do. Those of whom each waits for its disk are a little slower, and allowed.
    ...(random.fork('takes').chance(0.7) && { takes: true }),
    ...(random.fork('trash').chance(0.25) && { trash: { stepMs: 400, steps: 3, lookMs: 50 } }),
  }
  if (seed % pausedEvery === 0) return paused(plan, random.fork('pause'))
  return seed % rebornEvery === rebornAt ? reborn(plan, random.fork('rebirth')) : plan
}

/** The same, and then all disks are lost: under the same ids people make other files. */
function reborn(plan: Plan, random: Random): Plan {
  const at = plan.runMs
  const later = (act: Act): Act[] => [act, { ...act, at: act.at + at + refilledMs }]
  const people = plan.people.map((person): PersonPlan => {
    // A program that reads, saves or watches whole files knows of no life; a mirror does.
    const isOfLife = ({ type }: Act) => type !== 'save' && type !== 'watch'
    const acts = person.acts.filter(isOfLife).flatMap(later)
    return { ...person, acts: inOrder(acts) }
  })
  const old = { server: random.pick(serverNames), afterMs: random.between(refilledMs, at) }
  const rebirth: Fault = { at, type: 'rebirth', ...(random.chance(0.6) && { old }) }
  return { ...plan, runMs: 2 * at + refilledMs, people, faults: [...plan.faults, rebirth] }
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

function inOrder<T extends { at: number }>(some: T[]): T[] {
  return some.sort((one, other) => one.at - other.at)
}
