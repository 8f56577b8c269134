// A person who writes for the tests of the store, and short forms of what they give it.

import { create, toBinary } from '@bufbuild/protobuf'
import * as Y from 'yjs'
import type { Origin, SubjectId } from '../../../core/model/ids.ts'
import { mergeStored, sealUpdate, storedText } from '../../../core/model/snapshot.ts'
import { EntrySchema, UpdateSchema, type Snapshot, type Update } from '../../../core/model/wire.ts'
import type { Batch, Storage } from '../../../core/ports.ts'
import { reachOf } from '../batch.ts'

export const a = 'a.0000000000000' as Origin
export const b = 'b.0000000000000' as Origin
export const note = 'AAAAAAAAAAAAAAAAAAAAAA' as SubjectId
export const plan = 'BBBBBBBBBBBBBBBBBBBBBA' as SubjectId
export const unknown = 'CCCCCCCCCCCCCCCCCCCCCA' as SubjectId

/** A person who types at the end of documents; every edit takes the next place in a log. */
export class Author {
  readonly origin: Origin
  readonly #wording: (seq: number) => string
  readonly #docs = new Map<SubjectId, Y.Doc>()
  #seq = 0

  /** `wording` is what the update with a seq adds to its document. */
  constructor(origin: Origin, wording = letter) {
    this.origin = origin
    this.#wording = wording
  }

  /** `count` edits, of one letter each unless worded otherwise; those of one author's document need each other. */
  type(subject: SubjectId, count = 1): Update[] {
    return Array.from({ length: count }, () => {
      let made: Uint8Array = new Uint8Array()
      const doc = this.#docs.get(subject) ?? new Y.Doc()
      this.#docs.set(subject, doc)
      doc.once('update', (bytes: Uint8Array) => (made = bytes))
      doc.getText('text').insert(doc.getText('text').length, this.#wording(this.#seq + 1))
      return this.#update(subject, { case: 'text', value: made })
    })
  }

  name(subject: SubjectId, operation = '', digest = ''): Update {
    const entry = create(EntrySchema, { id: subject, createdBy: 'ada' })
    const body: Update['body'] = { case: 'entry', value: toBinary(EntrySchema, entry) }
    return this.#update(subject, body, operation, digest)
  }

  /** Deletes a subject for good. */
  purge(subject: SubjectId): Update {
    const entry = create(EntrySchema, { id: subject, purged: { root: subject } })
    return this.#update(subject, { case: 'entry', value: toBinary(EntrySchema, entry) })
  }

  skip(count: number): void {
    this.#seq += count
  }

  #update(subject: SubjectId, body: Update['body'], operation = '', digest = ''): Update {
    const { origin } = this
    const seq = ++this.#seq
    const named = { author: 'Ada Ł', at: seq, operation, operationDigest: digest }
    return sealUpdate(create(UpdateSchema, { origin, seq, subject, ...named, body }))
  }
}

const letter = (seq: number) => String.fromCharCode(97 + ((seq - 1) % 26))

/** These updates as another server would send them: one piece that covers them. */
export function pieceOf(updates: Update[], subject: SubjectId = note): Snapshot {
  return mergeStored({ snapshots: [], updates }, reachOf(updates), subject)
}

export function batchOf(parts: Partial<Batch>): Batch {
  return { updates: [], snapshots: [], ...parts }
}

export function textOf(storage: Storage, subject: SubjectId): string {
  return storedText(storage.reader.load(subject)).getText('text').toString()
}

/** No limit on the size of what is read. */
export const everything = Number.MAX_SAFE_INTEGER

/** "a1 a2 b7": the first letter of each origin, and the seq. */
export function seqs(updates: Update[]): string {
  return updates.map(({ origin, seq }) => `${origin[0]}${seq}`).join(' ')
}
