// A server that was down while the others merged what it missed: it is caught up by whole subjects. A
// save that it so got the effect of is asked of it again.

import { settledMs } from './drawn-moment.ts'
import { serverNames, sharedDocuments, type Act, type Fault } from './plan.ts'
import type { Random } from './random.ts'

/** Part of the schedules in which it happens. */
const chance = 0.05
const downMs = 1000
/** After all of it began: it is asked again, and that is answered. */
const againMs = 1800
const wholeMs = 2400

export function drawReturn(random: Random, runMs: number): { acts: Act[]; faults: Fault[] } {
  if (!random.chance(chance) || runMs < settledMs + wholeMs) return { acts: [], faults: [] }
  const at = random.between(settledMs, runMs - wholeMs)
  const [server, first, ...others] = random.shuffled(serverNames) as [string, string, ...string[]]
  const [document] = sharedDocuments as [number]
  const compactAt = at + random.between(200, 600)
  const save: Act = {
    at: at + random.between(10, 100),
    type: 'save',
    document,
    first,
    second: server,
    thinkMs: 10,
    retryMs: againMs,
    isLost: true,
    where: random.next(),
  }
  return {
    acts: [save],
    faults: [
      { at, type: 'kill', servers: [server], isPowerCut: false, downMs: [downMs] },
      ...[first, ...others].map((each): Fault => {
        return { at: compactAt, type: 'compact', server: each, document }
      }),
    ],
  }
}
