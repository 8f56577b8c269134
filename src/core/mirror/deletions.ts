// How many deletions at once are a person's wish, and how many rather an accident; and which wait for
// a word.
//
// Once a person was asked about a deletion it waits for the word, however little is deleted by then:
// until it is agreed to, or there is nothing to delete any more. While it waits, others wait with it.

import type { Act, Held, Late, Plan, Views } from './messages.ts'

/** More wait until a person agrees: an unmounted disk, a wrong directory, a slip of the hand. */
const deletionsMax = 100
/** For that all count that came within this: what deletes one after the other takes its time. */
const latelyMs = 10_000
/** Of fewer entries than these a person may well delete most. */
const fewMax = 4
/** Most of a small folder in this time is an accident, one after the other it is tidied up. */
const atOnceMs = 1000

/** Whether so many deletions, of so many entries that are there, need a person's word. */
export function isMassDeletion(deletions: number, entries: number, late: Late): boolean {
  if (deletions === 0) return false
  if (deletions + late.lately > deletionsMax) return true
  const [atOnce, all] = [deletions + late.atOnce, entries + late.atOnce]
  if (atOnce >= all && all >= 2) return true
  return atOnce >= fewMax && atOnce * 2 > all
}

/** Keeps when deletions were begun. */
export class LateDeletions {
  #begun: { at: number; count: number }[] = []

  add(now: number, count: number): void {
    if (count > 0) this.#begun.push({ at: now, count })
  }

  before(now: number): Late {
    this.#begun = this.#begun.filter(({ at }) => now - at < latelyMs)
    const within = (ms: number) =>
      this.#begun.reduce((sum, { at, count }) => (now - at < ms ? sum + count : sum), 0)
    return { atOnce: within(atOnceMs), lately: within(latelyMs) }
  }
}

type DeletionAct = Extract<Act, { type: 'remove' | 'delete-entry' }>

/** One of a plan: of these entries, on the disk or in the folder. */
export interface Deletion {
  side: keyof Held
  ids: readonly string[]
  path: string
  /** Without it, it is one that follows when others are done. */
  act?: DeletionAct
}

/**
 * Deletes, unless it is too much; then everything else goes on, and a person is asked. `isBack`: whether
 * an entry that a person was asked about is on the disk and in the folder again.
 */
export function release(
  deletions: readonly Deletion[],
  { acceptsDeletes, isFollowed, late, common, ...before }: Views,
  isBack: (id: string) => boolean,
): Pick<Plan, 'held' | 'asked' | 'agreed' | 'deletes'> & { acts: DeletionAct[] } {
  // Of entries that were to be deleted, those that did not come back, and were not forgotten.
  const stillAway = (ids: ReadonlySet<string>) =>
    new Set([...ids].filter((id) => common.has(id) && !isBack(id)))
  const [asked, agreed] = [stillAway(before.asked), stillAway(before.agreed)]
  const isFree = ({ side, ids }: Deletion) =>
    ids.every((id) => agreed.has(id) || (side === 'onDisk' && isFollowed(id)))
  const open = acceptsDeletes ? [] : deletions.filter((each) => !isFree(each))
  const held = counted(open)
  const isHeld =
    open.some(({ ids }) => ids.some((id) => asked.has(id))) ||
    [held.onDisk, held.inFolder].some((count) => isMassDeletion(count, common.size, late))
  const waiting = new Set(isHeld ? open : [])
  for (const { ids } of waiting) for (const id of ids) asked.add(id)
  // What is inside goes before what it is in.
  const acts = deletions
    .flatMap((each) => (each.act && !waiting.has(each) ? [each.act] : []))
    .sort((a, b) => (a.path < b.path ? 1 : -1))
  const done = isHeld ? [] : open.filter(({ act }) => act)
  const { onDisk, inFolder } = counted(done)
  return {
    acts,
    held: isHeld ? held : undefined,
    asked: acceptsDeletes ? new Set() : asked,
    agreed,
    deletes: onDisk + inFolder,
  }
}

/** Those that nobody agreed to: how many on each side. */
function counted(deletions: readonly Deletion[]): Held {
  const held: Held = { onDisk: 0, inFolder: 0 }
  for (const { side, ids } of deletions) held[side] += ids.length
  return held
}
