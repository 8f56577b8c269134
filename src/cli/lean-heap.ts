// How much memory V8 may hold that nothing uses, in a process through which very many files go.

import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/** What is young has this much room: V8 looks through it when half is full, and would take 32 MiB. */
const youngBytes = 8 * 1024 * 1024
/** What it is filled with to make it grow: each of these takes 8 KiB. */
const fillerElements = 1024
/** Four times the room. Should V8 not let it grow, it stays as it is. */
const fillersMax = 4096

/**
 * Ten thousand files leave much that is soon forgotten: it is not to become memory for good (0028).
 * Call it before anything large is loaded: what is young does not shrink again.
 */
export function keepHeapLean(): void {
  growYoung()
  setFlagsFromString('--semi-space-growth-factor=1')
  // For threads that start after this; V8 asked for this one's own as the process started.
  setFlagsFromString('--max-semi-space-size=8')
  // All of it is collected when there is as much again as is used, not four times as much.
  setFlagsFromString('--heap-growing-percent=100')
}

function growYoung(): void {
  const living: number[][] = []
  while (youngSize() < youngBytes && living.length < fillersMax) {
    for (let count = 0; count < 16; count++) living.push(filler())
  }
}

function filler(): number[] {
  return Array.from({ length: fillerElements }, () => 0)
}

function youngSize(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')!.space_size
}
