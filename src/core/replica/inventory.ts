// What this server holds, as one digest: told to the others when it is quiet, and to an operator.

import { FourfoldError } from '../model/errors.ts'
import type { Folder } from '../model/folder.ts'
import type { SubjectId } from '../model/ids.ts'
import { Digests } from './digests.ts'
import type { Documents } from './documents.ts'
import type { Voice } from './voice.ts'

/** Servers compare their digests after nothing has changed for so long. */
const quietMs = 2000
/** What is hashed at once. A text that is begun is hashed as a whole. */
interface Share {
  texts: number
  characters: number
}

/** For that: some milliseconds. */
const perTick: Share = { texts: 10, characters: 256 * 1024 }
/** For an operator: more would keep peers and clients waiting for a second. */
const perDigest: Share = { texts: 300, characters: 4 * 1024 * 1024 }

export interface InventoryOptions {
  folder: Folder
  documents: Documents
  voice: Voice
  /** SHA-256 of UTF-8 text, in hex. */
  hash: (text: string) => string
}

export class Inventory {
  readonly #options: InventoryOptions
  readonly #digests = new Digests()
  #changedAt = 0
  #isTold = true
  #heardCount = 0
  /** In this turn. */
  #hashedCharacters = 0

  constructor(options: InventoryOptions) {
    this.#options = options
  }

  /** The engine told of an update or a subject: it counts what its digests account for. */
  heard(): void {
    this.#heardCount++
  }

  /** Something of this subject changed on disk. */
  changed(now: number, subject: SubjectId): void {
    this.#digests.changed(subject)
    this.#changedAt = now
    this.#isTold = false
  }

  /** When nothing changes for a while, the servers compare what they hold. */
  tick(now: number): void {
    if (this.#isTold || now - this.#changedAt < quietMs) return
    this.#refresh(perTick)
    if (!this.#digests.isCurrent) return
    this.#isTold = true
    const digest = this.#digests.value
    this.#options.voice.ask({ type: 'compare', digest, heard: this.#heardCount })
  }

  /** Over every entry and every text on disk; empty while more has changed than is looked at. */
  digest(): string {
    this.#refresh(perDigest)
    return this.#digests.isCurrent ? this.#digests.value : ''
  }

  #refresh({ texts, characters }: Share): void {
    this.#hashedCharacters = 0
    const hasTime = () => this.#hashedCharacters < characters
    this.#digests.refresh(texts, (subject) => this.#hashOf(subject), hasTime)
  }

  #hashOf(subject: SubjectId): string | undefined {
    const { folder, documents, hash } = this.#options
    const entry = folder.get(subject)
    if (!entry) return undefined
    const stored = documents.asStored(subject)
    const text = documents.attempt(subject, () => stored.text().toString())
    const { id, kind, created, name, parent, deleted, contents } = entry
    const content = text instanceof FourfoldError ? undefined : text
    this.#hashedCharacters += content?.length ?? 0
    const bytes = contents.length > 0 ? [contents] : []
    return hash(JSON.stringify([id, kind, created, name, parent, deleted, content, ...bytes]))
  }
}
