// What a batch does to the version vector and the floor, and what it may not do.

import { assert } from '../../core/model/errors.ts'
import type { Origin, SubjectId } from '../../core/model/ids.ts'
import type { Snapshot, Update } from '../../core/model/wire.ts'
import { fromSeen, type VersionVector } from '../../core/model/version-vector.ts'
import type { Batch } from '../../core/ports.ts'

/** The entries that change; each is higher than before. */
export interface Progress {
  vector: VersionVector
  floor: VersionVector
}

/** What holds after the batch on a store at `held`. Throws when the batch leaves a hole in a log. */
export function progressOf(batch: Batch, held: ReadonlyMap<Origin, number>): Progress {
  const vector: VersionVector = new Map()
  const floor: VersionVector = new Map()
  const headOf = (origin: Origin) => vector.get(origin) ?? held.get(origin) ?? 0
  for (const update of batch.updates) {
    const origin = update.origin as Origin
    const head = headOf(origin)
    assert(
      update.seq === head + 1,
      `2: a log has no holes, but ${origin}/${update.seq} would follow ${head}`,
    )
    vector.set(origin, update.seq)
  }
  for (const [origin, seq] of batch.advance ?? []) {
    if (seq <= headOf(origin)) continue
    vector.set(origin, seq)
    // What came as snapshots is in no log here.
    floor.set(origin, seq)
  }
  return { vector, floor }
}

/** The highest seq of each log among these updates. */
export function reachOf(updates: Iterable<Update>): VersionVector {
  const reach: VersionVector = new Map()
  for (const { origin, seq } of updates) {
    if (seq > (reach.get(origin as Origin) ?? 0)) reach.set(origin as Origin, seq)
  }
  return reach
}

export const coversOf = (snapshot: Snapshot): VersionVector => fromSeen(snapshot.covers?.seen)

export const subjectOf = (part: Update | Snapshot) => part.subject as SubjectId

/** Whether nothing but updates is in it: what the writer finds out about it is known before. */
export function isOfUpdates({ snapshots, advance, isComplete, life }: Batch): boolean {
  return snapshots.length === 0 && !advance && !isComplete && life === undefined
}
