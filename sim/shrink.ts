// Makes a bad plan smaller: whatever can be left out while the same checker still fires is left out.

import type { Act, Fault, Plan } from './plan.ts'

/** Whether a plan is still bad in the same way. */
export type IsBad = (plan: Plan) => boolean

/** So many schedules are lived through for one shrinking; a shrunk plan is small long before. */
const triesMax = 600

/** A smaller plan that is still bad; the same when nothing can be left out. */
export function shrunk(plan: Plan, isBad: IsBad): Plan {
  let tries = 0
  let best = plan
  const attempt = (candidate: Plan): boolean => {
    if (tries >= triesMax) return false
    tries++
    if (!isBad(candidate)) return false
    best = candidate
    return true
  }
  for (let size = -1; size !== sizeOf(best) && tries < triesMax;) {
    size = sizeOf(best)
    // Large things first: without a person, all that the person does is gone.
    reduce(best.people, (people) => attempt({ ...best, people }))
    reduce(best.faults, (faults) => attempt({ ...best, faults }))
    for (const { name } of best.people) {
      const person = () => best.people.find((each) => each.name === name)
      reduce(person()?.acts ?? [], (acts) => attempt(withActs(best, name, acts)))
    }
    simplify(best, attempt)
  }
  return best
}

/** How much is in a plan. */
export function sizeOf({ people, faults }: Plan): number {
  return people.reduce((sum, { acts }) => sum + 1 + acts.length, faults.length)
}

/** Leaves out halves, then quarters, … then single items, as long as `attempt` says it may. */
function reduce<T>(items: readonly T[], attempt: (rest: T[]) => boolean): void {
  let left = [...items]
  for (let length = left.length; length >= 1; length = Math.floor(length / 2)) {
    for (let start = 0; start < left.length;) {
      const rest = [...left.slice(0, start), ...left.slice(start + length)]
      if (attempt(rest)) left = rest
      else start += length
    }
  }
}

function withActs(plan: Plan, name: string, acts: Act[]): Plan {
  const people = plan.people.map((person) => (person.name === name ? { ...person, acts } : person))
  return { ...plan, people }
}

/** Fewer servers in a fault, fewer words in an act, an earlier end. */
function simplify(plan: Plan, attempt: (plan: Plan) => boolean): void {
  plan.faults.forEach((fault, index) => {
    if ((fault.type !== 'kill' && fault.type !== 'wipe') || fault.servers.length < 2) return
    for (const server of fault.servers) {
      const at = fault.servers.indexOf(server)
      const smaller: Fault = {
        ...fault,
        servers: fault.servers.toSpliced(at, 1),
        downMs: fault.downMs.toSpliced(at, 1),
      }
      if (attempt({ ...plan, faults: plan.faults.with(index, smaller) })) return
    }
  })
  for (const { name, acts } of plan.people) {
    acts.forEach((act, index) => {
      if ((act.type !== 'type' && act.type !== 'continue') || act.words === 1) return
      attempt(withActs(plan, name, acts.with(index, { ...act, words: 1 })))
    })
  }
}
