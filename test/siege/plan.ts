// What is done to the servers, round by round: seeded, so that a run can be had again.

import type { Random } from '../../sim/random.ts'

/** One blow. */
export type Blow =
  | { at: number; type: 'kill' | 'freeze' | 'wipe'; server: string }
  /** Back before the round's end. */
  | { at: number; type: 'revive'; server: string }

export interface Round {
  /** For people: "order c a d, 1 s apart". */
  title: string
  /** Everybody types undisturbed for this long. */
  calmMs: number
  /** In order of time, from the end of the calm. */
  blows: Blow[]
  /** How long what is left serves alone after the last blow. */
  siegeMs: number
}

const gapsMs = [0, 1000, 5000]
const frozenPart = 1 / 4
/** So many rounds are random walks, all four dead, and a lost disk. */
const walksPart = 0.1
const allDeadPart = 0.03
const wipedPart = 0.03

/**
 * `count` rounds. With 200 each of the 24 orders comes at each of 3 paces, and each of the 14 proper
 * subsets at least 6 times; with fewer, as many as there is room for.
 */
export function planRounds(servers: readonly string[], count: number, random: Random): Round[] {
  const walks = Math.floor(count * walksPart)
  const allDead = Math.floor(count * allDeadPart)
  const wiped = Math.floor(count * wipedPart)
  const rest = count - walks - allDead - wiped
  const orders = random.shuffled(
    gapsMs.flatMap((gapMs) => ordersOf(servers).map((order) => ({ servers: order, gapMs }))),
  )
  const subsets = random.shuffled(subsetsOf(servers))
  const blows = Array.from({ length: rest }, (_, index) => {
    return orders[index] ?? { servers: subsets[index % subsets.length]!, gapMs: undefined }
  })
  const rounds = [
    ...blows.map(({ servers: victims, gapMs }, index) => {
      const isFrozen = index % Math.round(1 / frozenPart) === 0
      return gapMs === undefined
        ? subsetRound(victims, isFrozen, random)
        : orderRound(victims, gapMs, isFrozen, random)
    }),
    ...Array.from({ length: walks }, () => walkRound(servers, random)),
    ...Array.from({ length: allDead }, () => allDeadRound(servers, random)),
    ...Array.from({ length: wiped }, () => wipedRound(servers, random)),
  ]
  return random.shuffled(rounds)
}

/** Servers at once, the survivors serve. */
export function subsetRound(victims: readonly string[], isFrozen: boolean, random: Random): Round {
  const type = isFrozen ? 'freeze' : 'kill'
  const blows = random.shuffled(victims).map((server) => ({ at: 0, type, server }) as const)
  return { ...moments(random), title: `${doing(type)} ${[...victims].sort().join(' ')}`, blows }
}

/** Three one after another, the fourth serves. */
export function orderRound(
  order: readonly string[],
  gapMs: number,
  isFrozen: boolean,
  random: Random,
): Round {
  const type = isFrozen ? 'freeze' : 'kill'
  const blows = order.map((server, index) => ({ at: index * gapMs, type, server }) as const)
  const title = `${doing(type)} ${order.join(', ')}, ${gapMs / 1000} s apart`
  return { ...moments(random), title, blows }
}

/** All four: nobody serves until they are started again. */
export function allDeadRound(servers: readonly string[], random: Random): Round {
  const blows = random.shuffled(servers).map((server) => {
    return { at: random.chance(0.5) ? 0 : random.below(1500), type: 'kill', server } as const
  })
  return { ...moments(random), title: 'killing all four', blows: blows.toSorted(byTime) }
}

/** One loses its disk. */
export function wipedRound(servers: readonly string[], random: Random): Round {
  const server = random.pick(servers)
  const blows: Blow[] = [{ at: 0, type: 'wipe', server }]
  return { ...moments(random), title: `deleting all data of ${server}`, blows }
}

/** Deaths and returns as they come; one is always left. */
export function walkRound(servers: readonly string[], random: Random): Round {
  const down = new Set<string>()
  const blows: Blow[] = []
  const count = random.between(6, 14)
  for (let at = 0; blows.length < count; at += random.below(900)) {
    const up = servers.filter((server) => !down.has(server))
    const isDeath = up.length > 1 && (down.size === 0 || random.chance(0.6))
    const server = random.pick(isDeath ? up : [...down])
    if (isDeath) down.add(server)
    else down.delete(server)
    const type = isDeath ? (random.chance(frozenPart) ? 'freeze' : 'kill') : 'revive'
    blows.push({ at, type, server })
  }
  return { ...moments(random), title: `${count} random blows`, blows }
}

function moments(random: Random): { calmMs: number; siegeMs: number } {
  return { calmMs: 200 + random.below(1300), siegeMs: 500 + random.below(1500) }
}

const doing = (type: 'kill' | 'freeze') => (type === 'kill' ? 'killing' : 'freezing')
const byTime = (left: Blow, right: Blow) => left.at - right.at

/** All but none and all. */
export function subsetsOf(servers: readonly string[]): string[][] {
  const masks = Array.from({ length: 2 ** servers.length - 2 }, (_, index) => index + 1)
  return masks.map((mask) => servers.filter((_, index) => (mask >> index) & 1))
}

/** All orders in which all but one can fall. */
export function ordersOf(servers: readonly string[]): string[][] {
  if (servers.length === 1) return [[]]
  return servers.flatMap((first) =>
    ordersOf(servers.filter((server) => server !== first)).map((rest) => [first, ...rest]),
  )
}
