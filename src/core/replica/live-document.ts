// One document that somebody follows or writes: its text in memory, its followers, their carets.

import * as Y from 'yjs'
import { byteLength } from '../model/byte-length.ts'
import type { TextSizes } from '../model/gate.ts'
import { integrate } from '../model/integration.ts'
import { storedText, textRoot } from '../model/snapshot.ts'
import { typedIn, type TypedRun } from '../model/typed-run.ts'
import { TextBytes } from '../model/text-bytes.ts'
import { momentOf } from '../model/text-moment.ts'
import { caretLifeMs, textBytesMax } from '../model/limits.ts'
import type { SessionId, SubjectId } from '../model/ids.ts'
import type { Caret } from '../model/wire.ts'
import type { StoredSubject } from '../ports.ts'
import type { ClientChannel } from './messages.ts'

/** Updates, and bytes of them, that may wait until a text is looked at: to take them in takes some 5 ms. */
const waitingMax = 256
const waitingBytesMax = 64 * 1024
/** So many may type in one text at a time past the gate; one more, and it looks at each once again. */
const runsMax = 256
/** What a run of characters takes in memory beside them. */
const structBytes = 100

/** What a new follower is sent. */
export interface Difference {
  update: Uint8Array
  stateVector: Uint8Array
}

interface KnownCaret {
  caret: Caret
  at: number
  /** By which it was told; undefined: by a peer. */
  from: ClientChannel | undefined
}

export class LiveDocument {
  readonly id: SubjectId
  readonly followers = new Set<ClientChannel>()
  /** Counts the changes told to followers. */
  number = 0
  usedAt: number

  readonly #load: () => StoredSubject
  readonly #writer: () => number
  /** For a while also of sessions that left, with no state: an older word is not to bring them back. */
  readonly #carets = new Map<SessionId, KnownCaret>()
  #doc: Y.Doc | undefined
  /** Of the text in memory, once it was long enough to be counted. */
  #textBytes: TextBytes | undefined
  /** Checked updates that the text in memory lacks until it is looked at. */
  #waiting: (Uint8Array | TypedRun)[] = []
  #waitingBytes = 0
  /** The typing of each writer that may go on. */
  readonly #runs = new Map<number, TypedRun>()
  /** How many bytes may come to the text by them. */
  #room = 0

  constructor(options: {
    id: SubjectId
    now: number
    /** Reads what is stored. Throws CorruptError. */
    load: () => StoredSubject
    /** A fresh Yjs client id for what this server itself writes. */
    writer: () => number
  }) {
    this.id = options.id
    this.usedAt = options.now
    this.#load = options.load
    this.#writer = options.writer
  }

  /** All followers but this one. */
  followersBut(channel: ClientChannel | undefined): ClientChannel[] {
    const isAlone =
      this.followers.size === 1 && channel !== undefined && this.followers.has(channel)
    return isAlone ? [] : [...this.followers].filter((each) => each !== channel)
  }

  get isInMemory(): boolean {
    return this.#doc !== undefined
  }

  /** About how much memory its text takes. */
  get bytes(): number {
    if (!this.#doc) return 0
    return this.#doc.getText(textRoot).length + structBytes * countStructs(this.#doc)
  }

  /** The text in memory, loaded when it is not there yet. Throws CorruptError. */
  doc(): Y.Doc {
    if (!this.#doc) {
      this.#doc = storedText(this.#load())
      this.#doc.clientID = this.#writer()
    }
    this.settle()
    return this.#doc
  }

  /** Takes in what waits. */
  settle(): void {
    const doc = this.#doc
    const waiting = this.#waiting
    if (!doc || waiting.length === 0) return
    this.#waiting = []
    this.#waitingBytes = 0
    const updates = waiting.map((each) => (each instanceof Uint8Array ? each : each.take()))
    this.#change(doc, () => updates.forEach((update) => integrate(doc, update)))
  }

  /** Whatever changes the text in memory does it in here. */
  #change(doc: Y.Doc, act: () => void): void {
    doc.transact((transaction) => {
      act()
      this.#textBytes?.takeIn(transaction)
    })
  }

  /** Whether more waits than should. */
  get isLate(): boolean {
    return this.#waiting.length > waitingMax || this.#waitingBytes > waitingBytesMax
  }

  text(): Y.Text {
    return this.doc().getText(textRoot)
  }

  /** `room`: for how many bytes of text an update has to find room. */
  sizes(room: number): TextSizes {
    return { bytes: this.#bytesAtMost(room), structs: countStructs(this.doc()) }
  }

  /** The bytes of its text; more than these where that leaves so much room, and they need no counting. */
  #bytesAtMost(room: number): number {
    const atMost = 3 * this.text().length
    if (atMost + room <= textBytesMax) return atMost
    this.#textBytes ??= new TextBytes(this.doc())
    return this.#textBytes.bytes
  }

  /**
   * Integrates a checked update, if the text is in memory; else the disk has it when it is read. Not
   * at once: nobody who waits for the disk, or for the change itself, has to wait for that as well.
   * `run`: begun with this update, which came through the gate just now; what goes on with it may come
   * by `goesOn`.
   */
  integrate(update: Uint8Array, run?: TypedRun): void {
    if (!this.#doc) return
    if (run) this.#begin(run)
    // It may be by one of these writers, who went on elsewhere.
    else this.#runs.clear()
    this.#waiting.push(run ?? update)
    this.#waitingBytes += update.length
  }

  #begin(run: TypedRun): void {
    if (this.#runs.size === runsMax) this.#runs.clear()
    this.#runs.set(run.writer, run)
    this.#room = textBytesMax - this.#bytesAtMost(waitingBytesMax) - run.bytes
  }

  /** Takes in an unchecked update that goes on with typing that was let in; false: gate it. */
  goesOn(update: Uint8Array, writers: ReadonlySet<number> | 'any'): boolean {
    if (this.#runs.size === 0 || writers === 'any') return false
    const struct = typedIn(update)
    const run = struct && writers.has(struct.writer) ? this.#runs.get(struct.writer) : undefined
    if (!struct || !run) return false
    const bytes = byteLength(struct.text)
    const isNew = run.length === 0
    if (bytes > this.#room || !run.takes(struct)) return false
    this.#room -= bytes
    if (isNew) this.#waiting.push(run)
    this.#waitingBytes += update.length
    return true
  }

  /** Runs `act` in one transaction: what Yjs does at the end of each is done once. */
  together(act: () => void): void {
    if (this.#doc) this.#doc.transact(act)
    else act()
  }

  /** All that was ever written and deleted here; equal bytes are equal texts, and equally made. */
  state(): Uint8Array {
    return momentOf(this.doc())
  }

  /**
   * Edits the text, as a writer that has written nothing yet or as this server; the update, or
   * undefined when nothing changed.
   */
  edit(writer: number | undefined, change: (text: Y.Text) => void): Uint8Array | undefined {
    const doc = this.doc()
    this.#runs.clear()
    const usual = doc.clientID
    let update: Uint8Array | undefined
    const keep = (made: Uint8Array) => {
      update = made
    }
    doc.on('update', keep)
    doc.clientID = writer ?? usual
    this.#change(doc, () => change(this.text()))
    doc.clientID = usual
    doc.off('update', keep)
    return update
  }

  /** What somebody with this state vector lacks. Throws CorruptError. */
  difference(stateVector: Uint8Array): Difference {
    // Nobody has written here since it was stored: the stored bytes say it without being decoded.
    if (!this.#doc && stateVector.length <= 1)
      return { update: this.#storedBytes(), stateVector: empty }
    const doc = this.doc()
    const update = Y.encodeStateAsUpdate(doc, stateVector.length > 0 ? stateVector : undefined)
    return { update, stateVector: Y.encodeStateVector(doc) }
  }

  #storedBytes(): Uint8Array {
    const { snapshots, updates } = this.#load()
    const pieces = snapshots.map(({ text }) => text).filter(({ length }) => length > 0)
    for (const { body } of updates) if (body.case === 'text') pieces.push(body.value)
    return pieces.length === 1 ? pieces[0]! : Y.mergeUpdates(pieces)
  }

  /** Something stored was received whole: reads it again. */
  reload(): Uint8Array | undefined {
    if (!this.#doc) return undefined
    this.settle()
    this.#runs.clear()
    const doc = this.#doc
    const before = Y.encodeStateVector(doc)
    this.#change(doc, () => integrate(doc, this.#storedBytes()))
    return Y.encodeStateAsUpdate(doc, before)
  }

  unload(): void {
    this.#doc?.destroy()
    this.#doc = undefined
    this.#textBytes = undefined
    this.#runs.clear()
    this.#waiting = []
    this.#waitingBytes = 0
  }

  // -------------------------------------------------------------------------------------- carets

  /** Keeps a caret; false: it is older than the one known. `from` is absent where a peer told it. */
  moved(now: number, session: SessionId, caret: Caret, from?: ClientChannel): boolean {
    const known = this.#carets.get(session)
    if (known && known.caret.clock > caret.clock) return false
    this.#carets.set(session, { caret, at: now, from })
    return true
  }

  carets(): Caret[] {
    return [...this.#carets.values()].flatMap(({ caret }) => (caret.state === '' ? [] : [caret]))
  }

  /** Those that no peer told; with an empty state those that went a moment ago. */
  caretsHere(): Caret[] {
    return [...this.#carets.values()].flatMap(({ caret, from }) => (from ? [caret] : []))
  }

  /**
   * Forgets the caret of a session that left, by this channel; the one to tell others. Undefined where
   * it came back meanwhile, by another channel or to another server: the end of one may be late.
   */
  left(session: SessionId, channel?: ClientChannel): Caret | undefined {
    const known = this.#carets.get(session)
    if (!known || known.caret.state === '') return undefined
    if (channel !== undefined && known.from !== channel) return undefined
    // A client says the number, and may say the last that there is.
    const clock = Math.min(known.caret.clock + 1, 2 ** 32 - 1)
    const caret = { ...known.caret, clock, state: '' }
    this.#carets.set(session, { ...known, caret })
    return caret
  }

  forgetOldCarets(now: number): void {
    for (const [session, { at }] of this.#carets) {
      if (now - at > caretLifeMs) this.#carets.delete(session)
    }
  }
}

const empty = new Uint8Array()

function countStructs(doc: Y.Doc): number {
  let count = 0
  for (const structs of doc.store.clients.values()) count += structs.length
  return count
}
