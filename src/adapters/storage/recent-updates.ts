// Updates that are taken in and may not be in the SQLite file yet, in the order in which they came.

import type { Origin, SubjectId } from '../../core/model/ids.ts'
import type { Update } from '../../core/model/wire.ts'
import { subjectOf } from './batch.ts'

/** A batch of updates alone; no two have one moment. */
export interface TakenBatch {
  updates: readonly Update[]
  storedAt: number
}

/** An operation in one of them. */
export interface RecentOperation {
  id: string
  subject: SubjectId
  digest: string
  at: number
}

export class RecentUpdates {
  #batches: TakenBatch[] = []
  readonly #operations = new Map<string, RecentOperation>()

  get isEmpty(): boolean {
    return this.#batches.length === 0
  }

  /** `isFiled`: whether an operation took effect before; the first is the one that counts. */
  add(batch: TakenBatch, isFiled: (operation: string) => boolean): void {
    this.#batches.push(batch)
    for (const { operation: id, operationDigest: digest, subject } of batch.updates) {
      if (id === '' || this.#operations.has(id) || isFiled(id)) continue
      this.#operations.set(id, { id, subject: subject as SubjectId, digest, at: batch.storedAt })
    }
  }

  /** These, the oldest, are in the file. */
  drop(batches: readonly TakenBatch[]): void {
    this.#batches.splice(0, batches.length)
    for (const { updates, storedAt } of batches) {
      for (const { operation } of updates) {
        if (this.#operations.get(operation)?.at === storedAt) this.#operations.delete(operation)
      }
    }
  }

  /** Whether a batch of that moment is among them. */
  isRecent(storedAt: number): boolean {
    return this.#batches.some((batch) => batch.storedAt === storedAt)
  }

  operation(id: string): RecentOperation | undefined {
    return this.#operations.get(id)
  }

  /** The newest first. */
  operationsOf(subject: SubjectId): RecentOperation[] {
    return [...this.#operations.values()].filter((each) => each.subject === subject).reverse()
  }

  of(subject: SubjectId): Update[] {
    return this.#those((update) => update.subject === subject)
  }

  /** Of one log, in its order. */
  after(origin: Origin, seq: number): Update[] {
    return this.#those((update) => update.origin === origin && update.seq > seq)
  }

  /** What updates that are meant are about. */
  subjects(isMeant: (update: Update) => boolean): Set<SubjectId> {
    return new Set(this.#those(isMeant).map(subjectOf))
  }

  #those(isMeant: (update: Update) => boolean): Update[] {
    return this.#batches.flatMap(({ updates }) => updates.filter(isMeant))
  }
}
