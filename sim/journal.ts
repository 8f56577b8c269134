// The journal: what people asked for, what they saw, and what they were told; kept outside the
// servers. With it stands what the nemesis destroyed, because that alone excuses a loss.

import type { Kind } from '../src/core/model/wire.ts'
import { Bits } from './bits.ts'
import { tokenName } from './token.ts'

export type ServerName = string
export type PersonName = string
export type DocumentId = string

/** Something a person asked for. It is acknowledged when its receipt names a server. */
export interface Edit {
  readonly document: DocumentId
  readonly person: PersonName
  readonly invokedAt: number
  /** The servers said to hold it on disk, and when the person was first told so. */
  readonly receipt: Map<ServerName, number>
}

/** A word that was typed. */
export interface Token extends Edit {
  /** Its number among the tokens of its document. */
  readonly index: number
  readonly name: string
  /** The tokens its writer saw when it was typed. */
  readonly seen: Bits
  /** The token of the same run after which it was typed. */
  readonly follows: Token | undefined
  /** A program saved it with a whole file: no page of its writer offers it again. */
  readonly isOfFile: boolean
  readonly deletions: Edit[]
  /** Its deletion was undone: it may be there or not, and come back. */
  isRevived: boolean
  /** Tokens seen by its writer that were on no disk within reach when this one was stored. */
  readonly excused: Bits
}

/** All tokens of one document. */
export interface DocumentJournal {
  readonly tokens: Token[]
  readonly byName: Map<string, Token>
  /** Those whose deletion was asked for, by anybody. */
  readonly deleted: Bits
  /** Those whose deletion was undone. */
  readonly revived: Bits
}

/** A file, by the id its creator gave it. */
export interface FileRecord {
  readonly id: DocumentId
  readonly creation: Edit
  /** Every name that anybody asked for. */
  readonly names: Set<string>
  readonly deletions: Edit[]
  readonly restorations: Edit[]
  /** It was to be deleted for good. */
  readonly erasures: Edit[]
  readonly renames: Edit[]
  readonly kind: Kind
  /** Every directory that anybody asked to have it in, the top for one that is gone; the moves. */
  readonly parents: Set<string>
  readonly moves: { edit: Edit; parent: string }[]
}

/** A name that somebody gave to the present text of a document. */
export interface NamedVersion extends Edit {
  /** Of the operation. */
  readonly id: string
  readonly name: string
  /** The screen name of who named it. */
  readonly author: string
  /** The tokens in sight then. */
  readonly seen: Bits
  /** What its person typed since then the page can offer to every server. */
  readonly keepsSince: number
  /** Those that were deleted on that page before. */
  readonly gone: Bits
}

/** Bytes that somebody put into a file. */
export interface PutBytes extends Edit {
  readonly hash: string
  readonly size: number
  /** The screen name of who put them there. */
  readonly author: string
}

interface Destruction {
  server: ServerName
  /** Absent: all of them. */
  document?: DocumentId
  at: number
}

export class Journal {
  readonly documents = new Map<DocumentId, DocumentJournal>()
  readonly files = new Map<DocumentId, FileRecord>()
  /** By operation. */
  readonly versions = new Map<string, NamedVersion>()
  /** By hash: no two are the same. */
  readonly bytes = new Map<string, PutBytes>()
  readonly #destroyed: Destruction[] = []
  /** Words by label, of all lives: no two are the same. */
  readonly #counts: Map<string, number>

  /** `before`: that of the life before. */
  constructor(before?: Journal) {
    this.#counts = before ? before.#counts : new Map<string, number>()
  }

  document(id: DocumentId): DocumentJournal {
    let known = this.documents.get(id)
    if (!known) {
      known = { tokens: [], byName: new Map(), deleted: new Bits(), revived: new Bits() }
      this.documents.set(id, known)
    }
    return known
  }

  /** A person types a word. `label` names the writer in the text. */
  typed(options: {
    at: number
    person: PersonName
    label: string
    document: DocumentId
    seen: Bits
    follows: Token | undefined
    isOfFile?: boolean
  }): Token {
    const { tokens, byName } = this.document(options.document)
    const number = (this.#counts.get(options.label) ?? 0) + 1
    this.#counts.set(options.label, number)
    const token: Token = {
      ...edit(options.document, options.person, options.at),
      index: tokens.length,
      name: tokenName(options.label, number),
      seen: options.seen,
      follows: options.follows,
      isOfFile: options.isOfFile ?? false,
      deletions: [],
      isRevived: false,
      excused: new Bits(),
    }
    tokens.push(token)
    byName.set(token.name, token)
    return token
  }

  /** A person deletes a word, or undoes its insertion. */
  deleted(at: number, person: PersonName, token: Token): Edit {
    const deletion = edit(token.document, person, at)
    token.deletions.push(deletion)
    this.document(token.document).deleted.add(token.index)
    return deletion
  }

  /** A person undoes the deletion of a word. */
  revived(token: Token): void {
    token.isRevived = true
    this.document(token.document).revived.add(token.index)
  }

  created(options: {
    at: number
    person: PersonName
    id: DocumentId
    name: string
    parent: string
    kind: Kind
  }): Edit {
    const { at, person, id, name, parent, kind } = options
    const creation = edit(id, person, at)
    const record = {
      id,
      kind,
      creation,
      deletions: [],
      restorations: [],
      erasures: [],
      renames: [],
    }
    this.files.set(id, {
      ...record,
      moves: [],
      names: new Set([name]),
      parents: new Set([parent, '']),
    })
    return creation
  }

  moved(at: number, person: PersonName, file: FileRecord, parent: string): Edit {
    const made = edit(file.id, person, at)
    file.parents.add(parent)
    file.moves.push({ edit: made, parent })
    return made
  }

  trashed(at: number, person: PersonName, file: FileRecord): Edit {
    return added(file.deletions, edit(file.id, person, at))
  }

  erased(at: number, person: PersonName, file: FileRecord): Edit {
    return added(file.erasures, edit(file.id, person, at))
  }

  restored(at: number, person: PersonName, file: FileRecord): Edit {
    return added(file.restorations, edit(file.id, person, at))
  }

  renamed(at: number, person: PersonName, file: FileRecord, name: string): Edit {
    file.names.add(name)
    return added(file.renames, edit(file.id, person, at))
  }

  /** A person gives the present text a name, which is no other's, on a page that was opened at `since`. */
  named(options: {
    at: number
    person: PersonName
    author: string
    document: DocumentId
    id: string
    seen: Bits
    since: number
    keepsSince: number
  }): NamedVersion {
    const { at, person, author, document, id, seen, since, keepsSince } = options
    const gone = new Bits()
    for (const { index, deletions } of this.document(document).tokens) {
      const isOwn = (deletion: Edit) => deletion.person === person && deletion.invokedAt >= since
      if (!seen.has(index) && deletions.some(isOwn)) gone.add(index)
    }
    const name = `version ${this.versions.size + 1}`
    const version = { ...edit(document, person, at), id, name, author, seen, keepsSince, gone }
    this.versions.set(id, version)
    return version
  }

  put(options: {
    at: number
    person: PersonName
    author: string
    document: DocumentId
    hash: string
    size: number
  }): PutBytes {
    const { at, person, author, document, hash, size } = options
    const made = { ...edit(document, person, at), hash, size, author }
    this.bytes.set(hash, made)
    return made
  }

  /** A person is told that a server holds an edit. False: that was known. */
  told(at: number, edit: Edit, server: ServerName): boolean {
    if (edit.receipt.has(server)) return false
    edit.receipt.set(server, at)
    return true
  }

  /** The nemesis destroyed a disk, or what it held of one document. */
  destroyed(at: number, server: ServerName, document?: DocumentId): void {
    this.#destroyed.push(document === undefined ? { server, at } : { server, document, at })
  }

  /** Whether a server that was said to hold an edit still has to. */
  mustHold(server: ServerName, edit: Edit): boolean {
    return edit.receipt.has(server) && !this.wasDestroyed(server, edit)
  }

  /** Whether what a server may have held of an edit was destroyed. */
  wasDestroyed(server: ServerName, edit: Edit): boolean {
    return this.#destroyed.some(
      (destruction) =>
        destruction.server === server &&
        destruction.at >= edit.invokedAt &&
        (destruction.document ?? edit.document) === edit.document,
    )
  }

  /** Whether anything was destroyed since that may have held the edit. */
  wasDestroyedAnywhere(edit: Edit): boolean {
    return this.#destroyed.some(({ server }) => this.wasDestroyed(server, edit))
  }

  /** Nobody who was said to hold it still has to, and somebody may have lost it. */
  mayBeLost(edit: Edit): boolean {
    return !this.mustSurvive(edit) && this.wasDestroyedAnywhere(edit)
  }

  /** Whether at some moment all of these servers held it. */
  wasEverywhere(edit: Edit, all: readonly ServerName[]): boolean {
    const toldAt = all.map((server) => edit.receipt.get(server) ?? Infinity)
    const lastAt = Math.max(...toldAt)
    const isBetween = ({ at }: Destruction) => at >= edit.invokedAt && at <= lastAt
    return lastAt < Infinity && !this.#destroyed.some(isBetween)
  }

  /** Acknowledged by a server whose disk nobody destroyed. */
  mustSurvive(edit: Edit): boolean {
    for (const server of edit.receipt.keys()) if (!this.wasDestroyed(server, edit)) return true
    return false
  }

  get tokenCount(): number {
    let count = 0
    for (const { tokens } of this.documents.values()) count += tokens.length
    return count
  }
}

function edit(document: DocumentId, person: PersonName, invokedAt: number): Edit {
  return { document, person, invokedAt, receipt: new Map() }
}

function added(list: Edit[], edit: Edit): Edit {
  list.push(edit)
  return edit
}
