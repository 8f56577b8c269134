// What a server that was started with `memory-probe.ts` has in use, by its own word.

import { setTimeout as sleep } from 'node:timers/promises'

import type { Fleet } from '../test/fleet.ts'

/** In bytes, after garbage collection; `handles`: what keeps its event loop going, timers among it. */
export interface Memory {
  rss: number
  heapUsed: number
  external: number
  handles: number
}

export async function memoryOf(fleet: Fleet, id: string): Promise<Memory> {
  const lines = () => fleet.said(id).match(/^memory .*$/gm) ?? []
  const before = lines().length
  process.kill(fleet.pid(id), 'SIGUSR2')
  while (lines().length === before) await sleep(50)
  return JSON.parse(lines().at(-1)!.slice('memory '.length)) as Memory
}
