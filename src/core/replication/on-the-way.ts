// Operations that came from peers and are on their way to this disk: asked again here, they are not to
// have a second effect.
//
//   came ──> waits for its causes ──> gathers for the disk ── stored ──> known by the disk
//   came with a subject ──> not all of its logs are here ── advanced ──> known by the disk
//
// Safety: a receipt is bound to what a log holds (marks). While an effect is not in the logs here, nobody
// can be told where it is.

import type { SubjectId } from '../model/ids.ts'
import { covers, fromSeen, type VersionVector } from '../model/version-vector.ts'
import type { Snapshot, Update } from '../model/wire.ts'
import type { EngineReader, OperationFound, StorageReader } from '../ports.ts'
import type { Item } from './gathering.ts'

interface Coming extends OperationFound {
  coming: 'soon' | 'later'
  /** What the logs have to reach before its effect counts as here; absent: an update has it. */
  need?: VersionVector
}

export class OnTheWay {
  readonly #reader: StorageReader
  readonly #vector: VersionVector
  readonly #operations = new Map<string, Coming>()

  /** `vector`: what is on this disk; is raised by what is stored. */
  constructor(reader: StorageReader, vector: VersionVector) {
    this.#reader = reader
    this.#vector = vector
  }

  /** What is durable, and operations that will be. */
  get reader(): EngineReader {
    const reader = this.#reader
    return {
      life: () => reader.life(),
      load: (subject) => reader.load(subject),
      entries: (after, limit) => reader.entries(after, limit),
      eachEntry: () => reader.eachEntry(),
      operation: (id) => this.#operations.get(id) ?? reader.operation(id),
      loose: (subject) => reader.loose(subject),
      mergedBytes: (subject) => reader.mergedBytes(subject),
      vector: () => reader.vector(),
      beyond: (vector, after, limit) => reader.beyond(vector, after, limit),
    }
  }

  /** An update of a peer, the next of its log. */
  came({ operation, operationDigest: digest, subject }: Update): void {
    if (operation === '') return
    this.#operations.set(operation, { subject: subject as SubjectId, digest, coming: 'later' })
  }

  /** All that it may build on stands before it in the queue for the disk. */
  gathers({ operation }: Update): void {
    const found = this.#operations.get(operation)
    if (found && !found.need) found.coming = 'soon'
  }

  /** A subject of a peer, while others go on asking here. */
  cameWhole({ subject, operations, covers: upTo }: Snapshot): void {
    const need = fromSeen(upTo?.seen)
    const coming = covers(this.#vector, need) ? 'soon' : 'later'
    for (const { id, digest } of operations) {
      if (this.#operations.has(id) || this.#reader.operation(id)) continue
      this.#operations.set(id, { subject: subject as SubjectId, digest, coming, need })
    }
  }

  /** These are on the disk. */
  stored(items: readonly Item[]): void {
    for (const { update, snapshot } of items) {
      if (update) this.#operations.delete(update.operation)
      if (snapshot) this.#settle(snapshot.operations.map(({ id }) => id))
    }
    if (items.some(({ advance }) => advance)) this.#settle(this.#operations.keys())
  }

  #settle(ids: Iterable<string>): void {
    for (const id of ids) {
      const need = this.#operations.get(id)?.need
      if (need && covers(this.#vector, need)) this.#operations.delete(id)
    }
  }
}
