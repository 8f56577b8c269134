// Deleting for good: whether an entry is purged, and whether its text and bytes may go.
//
//   in the trash ── Purge on it and all in it ──> hidden ── every server has it ──> known
//        ^── restored or moved by one that did not know ──┘      every server has that ──> removed
//
// What a server took before it knew of a Purge is on its disk before it knows that all know it. So
// after the second round nothing can come any more that would take the purge back.

import { create } from '@bufbuild/protobuf'
import { counterMax, isSameStamp, newer } from './stamps.ts'
import { EntrySchema, PurgeSchema, type Entry, type Purge, type TrashAge } from './wire.ts'

/** Finds what is known of an id, hidden or not. */
export type Known = (id: string) => Entry | undefined

/** Commutative and idempotent; `known` itself when the other adds nothing. */
export function mergePurge(known: Purge | undefined, other: Purge | undefined): Purge | undefined {
  if (!known || !other) return known ?? other
  const winner = outranks(other, known) ? other : known
  const isOne = winner === known && !outranks(known, other)
  const isKnown = isOne ? known.isKnown || other.isKnown : winner.isKnown
  const isDone = known.isDone || other.isDone
  if (winner === known && isKnown === known.isKnown && isDone === known.isDone) return known
  return { ...winner, isKnown, isDone }
}

function outranks(one: Purge, other: Purge): boolean {
  if (one.generation !== other.generation) return one.generation > other.generation
  if (!isSameStamp(one.deletion, other.deletion)) return newer(one.deletion, other.deletion)
  return newer(one.place, other.place)
}

/** Commutative and idempotent; `known` itself when the other adds nothing. */
export function mergeAge(
  known: TrashAge | undefined,
  other: TrashAge | undefined,
): TrashAge | undefined {
  if (!known || !other) return known ?? other
  if (isSameStamp(known.deletion, other.deletion)) return other.steps > known.steps ? other : known
  return newer(other.deletion, known.deletion) ? other : known
}

/** Whether it is deleted for good, as far as is known here. */
export function isPurged(entry: Entry, known: Known): boolean {
  return holds(entry, known, () => true)
}

/** Whether every server is seen to have what makes it purged: nothing can take it back. */
export function isPurgedEverywhere(entry: Entry, known: Known): boolean {
  return holds(entry, known, ({ isKnown }) => isKnown)
}

/** Looks from the entry up to the root of its purge. */
function holds(entry: Entry, known: Known, isEnough: (purge: Purge) => boolean): boolean {
  const passed = new Set<string>()
  const { purged } = entry
  let at: Entry | undefined = entry
  while (at?.purged && purged && !passed.has(at.id)) {
    const { root, deletion, place, isDone }: Purge = at.purged
    if (isDone) return true
    if (root !== purged.root || !isSameStamp(deletion, purged.deletion)) return false
    if (!isEnough(at.purged)) return false
    if (root === at.id) return at.deleted?.value === true && isSameStamp(at.deleted.stamp, deletion)
    if (!isSameStamp(at.parent?.stamp, place)) return false
    passed.add(at.id)
    at = known(at.parent?.value ?? '')
  }
  return false
}

/** What makes an entry final that is in the trash with `root`, or is that. */
export function purgeOf({ id, parent, purged }: Entry, root: Entry): Entry {
  const [deletion, place] = [root.deleted!.stamp!, parent!.stamp!]
  const generation = purged?.generation ?? 0
  const purge = create(PurgeSchema, { root: root.id, deletion, place, generation })
  // One with a directory that came back may be of a newer deletion: it must not win.
  if (purged && outranks(purged, purge)) purge.generation = Math.min(generation + 1, counterMax)
  return create(EntrySchema, { id, purged: purge })
}

/** Says that every server is seen to have the purge of an entry. */
export function confirmationOf(entry: Entry): Entry {
  return marked(entry, false)
}

/** What is left of an entry after its text and bytes are gone. */
export function tombstoneOf(entry: Entry): Entry {
  return marked(entry, true)
}

/** Whether it says nothing but that nothing is left. */
export function isStripped({ purged, contents, ...fields }: Entry): boolean {
  const { created, name, parent, deleted, age } = fields
  const isBare = !(created ?? name ?? parent ?? deleted ?? age) && contents.length === 0
  return isBare && purged?.isDone === true
}

function marked({ id, purged }: Entry, isDone: boolean): Entry {
  const { root, deletion, place, generation } = purged!
  const left = { root, generation, isKnown: true, isDone, ...(deletion && { deletion }) }
  return create(EntrySchema, { id, purged: { ...left, ...(place && { place }) } })
}
