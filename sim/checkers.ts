// The checkers: what must hold of every look at a document, wherever it is taken. The numbers are
// those of the promise's list of checkers.
//
// A look at a disk is a look at what would survive a crash of that server right now.

import type { FileView } from '../src/core/replica/messages.ts'
import { Bits } from './bits.ts'
import { checkBytes, checkContents, type HeldBytes, type NamedBytes } from './bytes-checker.ts'
import type { DocumentId, Edit, Journal, PersonName, ServerName, Token } from './journal.ts'
import { wordsOf } from './token.ts'
import { checkVersions, type ListedVersion } from './version-checker.ts'

export const checkerNames = {
  C0: 'a mind broke its own invariant',
  C1: 'lost',
  C2: 'divergence',
  C3: 'zombie',
  C4: 'duplicate',
  C5: 'phantom',
  C6: 'order',
  C7: 'causality',
  C8: 'session',
  C9: 'tree',
  C11: 'liveness',
  C13: 'who is here',
  C16: 'watches',
  C17: 'named versions',
  C18: 'bytes of files',
} as const

export type CheckerId = keyof typeof checkerNames

/** Something that must not be. */
export interface Violation {
  checker: CheckerId
  at: number
  /** One sentence. */
  text: string
}

/** What a violation says, without what differs from one schedule to another. */
export function kindOf({ checker, text }: Violation): string {
  const [first] = text.split('\n')
  const names = /"[^"]*"|\b(ada|bob|cid|dan|eve|fay|[a-f])\d*\b|[\w-]{22}|\d+/g
  return `${checker} ${first!.replace(names, '')}`
}

/** Where a text was read: what lies on a server's disk, or what a person has on the screen. */
export interface Place {
  kind: 'disk' | 'screen'
  name: ServerName | PersonName
}

/** What a place has shown of a document so far. */
interface Memory {
  shown: Bits
  /** Shown once, then deleted: must not come back. */
  gone: Bits
}

/** What is remembered of a place that nobody has looked at. */
const nothing: Memory = { shown: new Bits(), gone: new Bits() }

export interface CheckersOptions {
  journal: Journal
  now: () => number
  report: (violation: Violation) => void
  /** Whether one server can get at what another has on its disk. */
  canReach: (from: ServerName, to: ServerName) => boolean
}

export class Checkers {
  readonly #journal: Journal
  readonly #now: () => number
  readonly #report: (violation: Violation) => void
  readonly #canReach: (from: ServerName, to: ServerName) => boolean
  /** By place and document. */
  readonly #memories = new Map<string, Memory>()

  constructor({ journal, now, report, canReach }: CheckersOptions) {
    this.#journal = journal
    this.#now = now
    this.#report = report
    this.#canReach = canReach
  }

  /** A look at a document. Returns which tokens it shows. */
  read(place: Place, document: DocumentId, text: string): Bits {
    const where = `${place.kind} of ${place.name}`
    const { found, rest } = wordsOf(text)
    if (rest !== '')
      this.#bad('C4', `${where} shows a torn token in ${document}: ${JSON.stringify(rest)}`)
    const { byName } = this.#journal.document(document)
    const shown = new Bits()
    const tokens: Token[] = []
    for (const { name } of found) {
      const token = byName.get(name)
      if (!token) {
        this.#bad('C5', `${where} shows ${name} in ${document}, which nobody typed there`)
        continue
      }
      if (shown.has(token.index) && !this.#mayBeTwice(token)) {
        this.#bad('C4', `${where} shows ${name} twice in ${document}`)
      }
      shown.add(token.index)
      tokens.push(token)
    }
    this.#checkOrder(where, tokens)
    this.#checkCauses(place, where, tokens, shown)
    this.#checkMemory(place, where, document, shown)
    return shown
  }

  /**
   * A look at a disk from which a document goes for good, or to which it comes back: the disk may lack
   * any of it. What its server could not wait for is excused where its text is passed on.
   */
  readGoing(server: ServerName, document: DocumentId, text: string): void {
    const { tokens: all, byName, deleted, revived } = this.#journal.document(document)
    const tokens = wordsOf(text).found.flatMap(({ name }) => byName.get(name) ?? [])
    const shown = new Bits()
    for (const { index } of tokens) shown.add(index)
    for (const { seen, excused } of tokens) {
      for (const index of seen.beyond(shown, deleted, revived)) {
        if (!this.#isWithinReach(server, all[index]!)) excused.add(index)
      }
    }
    const key = keyOf({ kind: 'disk', name: server }, document)
    const gone = this.#memories.get(key)?.gone ?? new Bits()
    this.#memories.set(key, { shown, gone })
  }

  /** What a place showed when it was looked at last. */
  shownAt(place: Place, document: DocumentId): Bits {
    return this.#memories.get(keyOf(place, document))?.shown ?? new Bits()
  }

  /** What a place has shown, deleted since or not. */
  everShownAt(place: Place, document: DocumentId): Bits {
    const { shown, gone } = this.#memories.get(keyOf(place, document)) ?? nothing
    const ever = gone.copy()
    for (const index of shown.beyond()) ever.add(index)
    return ever
  }

  /** Whether a server would let a stranger in under the name of somebody who is here, or has left. */
  checkName(server: ServerName, name: string, isFree: boolean, isHere: boolean): void {
    if (isFree !== isHere) return
    const text = isHere ? 'lets a stranger in' : 'lets nobody in'
    this.#bad('C13', `${server} ${text} as "${name}", who ${isHere ? 'is here' : 'has left'}`)
  }

  /** Somebody is not seen in a text, or seen who is not there. */
  checkCaret(text: string): void {
    this.#bad('C13', text)
  }

  /** Somebody who watches was not told of something, or told of it twice. */
  checkWatch(text: string): void {
    this.#bad('C16', text)
  }

  /** At the very end: the named versions of a document, as every server lists them. */
  checkVersions(
    document: DocumentId,
    listed: readonly ListedVersion[],
    areClocksRight: boolean,
  ): void {
    const bad = (checker: CheckerId, text: string) => this.#bad(checker, text)
    checkVersions({ journal: this.#journal, document, listed, areClocksRight, bad })
  }

  /** At the very end: what a file of bytes holds and held, as every server lists it. */
  checkContents(document: DocumentId, contents: readonly NamedBytes[]): void {
    const bad = (checker: CheckerId, text: string) => this.#bad(checker, text)
    checkContents({ journal: this.#journal, bad }, document, contents)
  }

  /** What a server has of bytes that an entry names. */
  checkBytes(held: HeldBytes): void {
    const bad = (checker: CheckerId, text: string) => this.#bad(checker, text)
    checkBytes({ bad }, held)
  }

  /** A disk was wiped, or a person comes back without what the device had: it starts from nothing. */
  forget(place: Place, document?: DocumentId): void {
    const start = `${place.kind}/${place.name}/${document ?? ''}`
    for (const key of this.#memories.keys()) if (key.startsWith(start)) this.#memories.delete(key)
  }

  /**
   * What a disk was last seen to hold, against every receipt that names it. `isReadable`: what is
   * damaged and was not read since is nobody's fault.
   */
  checkReceipts(server: ServerName, isReadable: (document: DocumentId) => boolean): void {
    for (const [document, { tokens }] of this.#journal.documents) {
      if (!isReadable(document)) continue
      const shown = this.shownAt({ kind: 'disk', name: server }, document)
      for (const token of tokens) this.#checkReceipt(server, token, shown.has(token.index) ?? false)
    }
  }

  /**
   * A server that serves has at least what was once on all servers.
   */
  checkServing(
    server: ServerName,
    all: readonly ServerName[],
    isReadable: (document: DocumentId) => boolean,
  ): void {
    for (const [document, { tokens }] of this.#journal.documents) {
      if (!isReadable(document)) continue
      const shown = this.shownAt({ kind: 'disk', name: server }, document)
      for (const token of tokens) {
        if (token.deletions.length > 0 || shown.has(token.index)) continue
        if (this.#journal.wasEverywhere(token, all)) {
          this.#bad('C1', `${server} serves without ${token.name}, which all servers acknowledged`)
        }
      }
    }
  }

  /**
   * A server says of another one, from whose present life it has heard, that it has a word on its disk.
   * Exact where a receipt is not: that may have been on its way when the disk was lost. `text`: what is
   * on that disk.
   */
  checkTold(by: ServerName, holder: ServerName, token: Token, text: string): void {
    if (token.isRevived || token.deletions.length > 0) return
    if (wordsOf(text).found.some(({ name }) => name === token.name)) return
    this.#bad('C1', `${by} says that ${holder} has ${token.name}, which is not on that disk`)
  }

  /** At the very end: what must be in a text that every place agrees on. */
  checkEnd(document: DocumentId, text: string): void {
    const found = wordsOf(text).found.map(({ name }) => name)
    const present = new Set(found)
    const { byName } = this.#journal.document(document)
    const twice = found.filter((name, index) => found.indexOf(name) < index)
    const mayBe = (token: Token | undefined) => token !== undefined && this.#mayBeTwice(token)
    if (!twice.every((name) => mayBe(byName.get(name)))) {
      this.#bad('C4', `a word is there twice in the end: ${JSON.stringify(text)}`)
    }
    for (const token of this.#journal.document(document).tokens) {
      const { name, isRevived, deletions } = token
      if (isRevived) continue
      const isKept = this.#journal.mustSurvive(token)
      if (deletions.length === 0 && isKept && !present.has(name)) {
        this.#bad('C1', `${name} was acknowledged by ${serversOf(token)} and is nowhere in the end`)
      }
      const deletion = deletions.find((edit) => this.#journal.mustSurvive(edit))
      if (deletion && present.has(name)) {
        const by = serversOf(deletion)
        this.#bad('C3', `the deletion of ${name} was acknowledged by ${by}; it is there in the end`)
      }
    }
  }

  /**
   * At the very end: the files that are listed, those in trashed directories among them, and those
   * that are in the trash by themselves. `erased`: those that are to be gone for good.
   */
  checkFiles(
    listed: FileView[],
    trashed: FileView[],
    erased: ReadonlySet<string> = new Set(),
  ): void {
    const { files } = this.#journal
    for (const { entry } of [...listed, ...trashed]) {
      const file = files.get(entry.id)
      const name = entry.name?.value ?? ''
      const parent = entry.parent?.value ?? ''
      if (!file?.names.has(name)) {
        this.#bad('C5', `a file ${entry.id} is called "${name}"; nobody asked`)
      }
      if (file && !file.parents.has(parent)) {
        this.#bad('C5', `a file ${entry.id} lies in "${parent}"; nobody asked`)
      }
      const [move, ...others] = file?.moves ?? []
      if (move && others.length === 0 && parent !== move.parent) {
        const isKept = this.#journal.mustSurvive(move.edit)
        if (isKept) this.#bad('C1', `the move of ${entry.id} was acknowledged and is undone`)
      }
    }
    for (const { id, creation, deletions, restorations } of files.values()) {
      const isListed = listed.some(({ entry }) => entry.id === id)
      const isTrashed = trashed.some(({ entry }) => entry.id === id)
      if (isListed && isTrashed) this.#bad('C4', `${id} is a file and in the trash`)
      const isErased = erased.has(id)
      if (!isListed && !isTrashed && !isErased && this.#journal.mustSurvive(creation)) {
        this.#bad('C1', `the file ${id} was acknowledged by ${serversOf(creation)} and is nowhere`)
      }
      if (isErased && (isListed || isTrashed)) {
        this.#bad('C3', `the file ${id} was deleted for good, and it is there`)
      }
      const isDeleted = deletions.some((deletion) => this.#journal.mustSurvive(deletion))
      if (isListed && isDeleted && restorations.length === 0) {
        this.#bad('C3', `the file ${id} was deleted, nobody restored it, and it is there`)
      }
      if (isTrashed && deletions.length === 0) {
        this.#bad('C1', `the file ${id} is in the trash, and nobody deleted it`)
      }
    }
  }

  /** At the very end: what is shown where, against the tree that follows from all changes. */
  checkTree(where: string, shown: Map<string, string>, expected: Map<string, string>): void {
    for (const id of new Set([...shown.keys(), ...expected.keys()])) {
      const [here, there] = [shown.get(id) ?? 'nowhere', expected.get(id) ?? 'nowhere']
      if (here === there) continue
      this.#bad('C9', `${where} shows ${id} as ${here}; by the rules of G9 it is ${there}`)
      return
    }
  }

  /** Places that must show the same. */
  checkSame(what: string, readings: { where: string; value: string }[]): void {
    const [first] = readings
    const other = readings.find(({ value }) => value !== first!.value)
    if (!first || !other) return
    const shorten = (value: string) => (value.length > 400 ? `${value.slice(0, 400)}…` : value)
    this.#bad(
      'C2',
      `${what} differs: ${first.where} has "${shorten(first.value)}", ` +
        `${other.where} has "${shorten(other.value)}"`,
    )
  }

  // Until its deletion is offered again to a disk that lost it, what was undone is beside it there.
  #mayBeTwice(token: Token): boolean {
    return (
      token.isRevived && token.deletions.some((edit) => this.#journal.wasDestroyedAnywhere(edit))
    )
  }

  // ------------------------------------------------------------------------ one look

  #checkOrder(where: string, tokens: Token[]): void {
    const places = new Map(tokens.map((token, index) => [token, index]))
    for (const [index, token] of tokens.entries()) {
      // An undone deletion puts a copy beside the place, which keeps no order.
      if (!token.follows || token.isRevived || token.follows.isRevived) continue
      if ((places.get(token.follows) ?? -1) > index) {
        this.#bad('C6', `${where} shows ${token.name} before ${token.follows.name}`)
      }
    }
  }

  #checkCauses(place: Place, where: string, tokens: Token[], shown: Bits): void {
    for (const token of tokens) {
      const { tokens: all, deleted, revived } = this.#journal.document(token.document)
      if (token.isRevived || token.seen.firstBeyond(shown, deleted, revived) < 0) continue
      for (const index of token.seen.beyond(shown, deleted, revived)) {
        const cause = all[index]!
        if (token.excused.has(index)) continue
        if (place.kind === 'disk' && !this.#isWithinReach(place.name, cause)) {
          // No server can wait for what lies on a machine that it cannot reach, or is lost: should it
          // come again, it comes after this.
          token.excused.add(index)
          continue
        }
        if (this.#journal.mayBeLost(cause)) continue
        this.#bad('C7', `${where} shows ${token.name} without ${cause.name}, which its writer saw`)
      }
    }
  }

  #isWithinReach(from: ServerName, { document, index }: Token): boolean {
    for (const [key, { shown }] of this.#memories) {
      const [kind, name, subject] = key.split('/') as [string, string, string]
      if (kind !== 'disk' || subject !== document || name === from) continue
      if (shown.has(index) && this.#canReach(from, name)) return true
    }
    return false
  }

  #checkMemory(place: Place, where: string, document: DocumentId, shown: Bits): void {
    const { tokens, deleted, revived } = this.#journal.document(document)
    const key = keyOf(place, document)
    const before = this.#memories.get(key) ?? { shown: new Bits(), gone: new Bits() }
    for (const index of before.shown.beyond(shown, deleted, revived)) {
      const checker = place.kind === 'disk' ? 'C1' : 'C8'
      this.#bad(
        checker,
        `${where} showed ${tokens[index]!.name}, which nobody deleted, and lost it`,
      )
    }
    for (const index of before.gone.beyond(revived)) {
      if (shown.has(index)) {
        this.#bad('C3', `${where} shows ${tokens[index]!.name} again after it was deleted there`)
      }
    }
    const gone = before.gone
    for (const index of before.shown.beyond(shown)) gone.add(index)
    this.#memories.set(key, { shown, gone })
  }

  #checkReceipt(server: ServerName, token: Token, isShown: boolean): void {
    if (token.isRevived) return
    const { deletions, name } = token
    if (!isShown && deletions.length === 0 && this.#journal.mustHold(server, token)) {
      this.#bad('C1', `${name} was acknowledged by ${server} and is not on its disk`)
    }
    if (isShown && deletions.some((deletion) => this.#journal.mustHold(server, deletion))) {
      this.#bad('C3', `the deletion of ${name} was acknowledged by ${server}, whose disk shows it`)
    }
  }

  #bad(checker: CheckerId, text: string): void {
    this.#report({ checker, at: this.#now(), text })
  }
}

function keyOf({ kind, name }: Place, document: DocumentId): string {
  return `${kind}/${name}/${document}`
}

function serversOf(edit: Edit): string {
  return [...edit.receipt.keys()].sort().join(' ')
}
