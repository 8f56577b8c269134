// One document that a program holds open: its text, its people, its copy on this device.

import * as Y from 'yjs'
import { FourfoldError } from '../core/model/errors.ts'
import { integrate } from '../core/model/integration.ts'
import { keptRelayBytesMax } from '../core/model/limits.ts'
import { textRoot } from '../core/model/snapshot.ts'
import { seedText } from '../core/model/seed.ts'
import { deletesOf, offer, type Deletes } from '../core/model/text-update.ts'
import type { KeptDocument } from '../core/ports.ts'
import { relayOf, type Relays } from '../core/session/relays.ts'
import type { LiveDocument, Receipt } from './api.ts'
import type { KeptDocuments } from './kept-documents.ts'
import { relaysOf } from './kept-values.ts'
import type { Left } from './left-texts.ts'
import { now } from './loop.ts'
import { Presence } from './presence.ts'

const notHereText = 'This text is not here yet; wait until it is loaded.'

/** Marks transactions that integrate what a server or this device's storage had. */
const integrated = 'fourfold'
/** A writer id that no session has. */
const nobody = 0
/** A browser's storage that takes longer than this does not keep a document from being opened. */
const recallMs = 1500

export interface OpenDocumentOptions {
  id: string
  writer: number
  /** The Yjs client ids under which this person's unsafe edits may stand. */
  writers: ReadonlySet<number>
  name: string
  kept: KeptDocuments
  /** Where others' edits are that came with a seal. */
  relays: Relays
  /** What it was when this session closed it, having written in it. */
  left: Left | undefined
  /** Of a file that no server is known to have made: what it begins with. */
  firstText: () => string | undefined
  edited: (update: Uint8Array) => void
  moved: (state: string) => void
  /** What this device kept is about to be here; not before this resolves. */
  recalling: () => Promise<void>
  /** What this device kept is here, as far as it came in time; `isMore`: some more of it. */
  recalled: (isMore: boolean) => void
  /** The last user closed it. */
  closed: () => void
  /** Somebody is about to write, or nobody is any more. */
  expected: () => void
  stored: () => Promise<Receipt>
  /** Where all edits are that were made so far. */
  receipt: () => Receipt
}

export class OpenDocument implements LiveDocument {
  readonly id: string
  readonly doc: Y.Doc
  readonly text: Y.Text
  readonly presence: Presence
  readonly loaded: Promise<void>
  /** Resolves when what this device kept of it is here; with false, when that could not be read. */
  readonly recall: Promise<boolean>
  readonly #options: OpenDocumentOptions
  readonly #setLoaded: () => void
  #users = 0
  readonly #expecting = new Set<symbol>()

  /** Has no users yet. */
  constructor(options: OpenDocumentOptions) {
    const { id, writer, name, moved, kept, left } = options
    this.#options = options
    this.id = id
    this.doc = new Y.Doc({ gc: true })
    this.doc.clientID = writer
    const mustHave = left?.clock ?? 0
    this.text = wellFormed(this.doc.getText(textRoot), () => {
      if (this.clock < mustHave) throw new FourfoldError('unavailable', notHereText)
    })
    this.presence = new Presence(this.doc, name, moved)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.loaded = promise
    this.#setLoaded = resolve
    if (left?.update) this.#integrateAll({ updates: [left.update], relays: [] })
    const edited = (update: Uint8Array, origin: unknown) => {
      if (origin === integrated) return
      kept.append(id, update, true)
      options.edited(update)
    }
    // While somebody listens Yjs encodes every change anew. What is integrated is encoded already,
    // and to do it again for a whole document takes nearly as long as integrating it.
    this.doc.on('beforeTransaction', ({ origin }: Y.Transaction) => {
      if (origin !== integrated) this.doc.on('update', edited)
    })
    this.doc.on('afterAllTransactions', () => this.doc.off('update', edited))
    this.recall = this.#recall()
  }

  get awareness() {
    return this.presence.awareness
  }

  async #recall(): Promise<boolean> {
    const { recalled } = this.#options
    const loading = this.#load()
    const late = Promise.withResolvers<'late'>()
    const timer = setTimeout(() => late.resolve('late'), recallMs)
    const first = await Promise.race([loading, late.promise])
    clearTimeout(timer)
    if (first !== 'late' && first) this.#integrateAll(first)
    this.#begin()
    recalled(false)
    const read = await loading
    if (first === 'late' && read && read.updates.length > 0) {
      this.#integrateAll(read)
      recalled(true)
    }
    return read !== undefined
  }

  async #load(): Promise<KeptDocument | undefined> {
    const { kept, id, relays, recalling } = this.#options
    const whole = () => Y.encodeStateAsUpdate(this.doc)
    const read = await kept.load(id, whole, () => relays.lastOf(id, keptRelayBytesMax))
    if (read && read.updates.length > 0) await recalling()
    return read
  }

  /** What other programs on this device wrote in it meanwhile comes to be here. Whether it could be read. */
  async recallMore(): Promise<boolean> {
    const { kept, id, recalling, recalled } = this.#options
    // What could not be read at first is of sessions that were not asked after.
    if (!(await this.recall)) await recalling()
    const isRead = await kept.again(id, (read) => this.#integrateAll(read))
    if (isRead) recalled(true)
    return isRead
  }

  // What a server will make it from, so that both are one.
  #begin(): void {
    const text = this.#options.firstText()
    if (text === undefined || this.doc.isDestroyed) return
    if (text !== '') this.integrate(seedText(this.id, text))
    this.#setLoaded()
  }

  #integrateAll({ updates, relays }: KeptDocument): void {
    if (updates.length === 0 || this.doc.isDestroyed) return
    const { kept, id } = this.#options
    for (const relay of relaysOf(id, now(), relays)) this.#options.relays.keep(relay)
    let count = 0
    this.#asNobody(() =>
      this.doc.transact(() => {
        for (const update of updates) if (this.#isIntegrated(update)) count++
      }, integrated),
    )
    if (count < updates.length) kept.damaged(id)
    kept.taken(id)
    // With nothing readable here the document opens from a server.
    if (count > 0) this.#setLoaded()
  }

  // A device's storage can come back with bytes that nobody wrote.
  #isIntegrated(update: Uint8Array): boolean {
    try {
      // Read first: Yjs has changed the document before it comes to what is deleted.
      integrate(this.doc, update, integrated, deletesOf(update))
      return true
    } catch {
      // Whatever the decoder says: the person hears that the device's copy cannot be read.
      return false
    }
  }

  /** `seal`: of somebody else's edit, as a server told it. */
  integrate(update: Uint8Array, seal?: Uint8Array): void {
    const { id, kept, relays, writers } = this.#options
    const came = seal && { document: id, at: now(), update, seal }
    const relay = came && relayOf(came, this.doc, writers)
    if (relay) relays.keep(relay)
    kept.append(id, update, false, relay)
    this.#asNobody(() => integrate(this.doc, update, integrated))
  }

  // Yjs takes another writer id when text comes that was written under the present one. Here that is of
  // this session, from when it had the document open before; servers let it write under no other.
  #asNobody(act: () => void): void {
    this.doc.clientID = nobody
    act()
    this.doc.clientID = this.#options.writer
  }

  caughtUp(): void {
    const { kept, id } = this.#options
    kept.mend(id)
    this.#setLoaded()
  }

  offer(stateVector: Uint8Array, deletes: Deletes): Uint8Array | undefined {
    return offer(this.doc, stateVector, deletes, this.#options.writers)
  }

  stored(): Promise<Receipt> {
    return this.#options.stored()
  }

  receipt(): Receipt {
    return this.#options.receipt()
  }

  expect(): () => void {
    const { expected } = this.#options
    const who = Symbol('who expects')
    this.#expecting.add(who)
    expected()
    return () => {
      if (this.#expecting.delete(who)) expected()
    }
  }

  /** Whether somebody is about to write. */
  get isExpected(): boolean {
    return this.#expecting.size > 0
  }

  get isClosed(): boolean {
    return this.#users === 0
  }

  /**
   * All of it, when this session wrote in it: opened again it must begin with that. What is typed then
   * would else be counted from the start once more, and one count would stand for two letters.
   */
  get left(): Uint8Array | undefined {
    return this.clock > 0 ? Y.encodeStateAsUpdate(this.doc) : undefined
  }

  /** How much this session wrote in it, as far as it is here. */
  get clock(): number {
    return Y.getState(this.doc.store, this.#options.writer)
  }

  /** One more user of the same object. `isSeen`: others see this person there. */
  use(isSeen: boolean): this {
    this.#users++
    if (isSeen) this.presence.enter()
    return this
  }

  close(): void {
    if (this.#users === 0 || --this.#users > 0) return
    this.presence.leave()
    this.#options.closed()
  }

  destroy(): void {
    this.presence.destroy()
    this.doc.destroy()
  }
}

/**
 * Half a surrogate pair cannot travel, the writer would see another text than everybody else: it
 * becomes U+FFFD before it gets into the text. `check` throws while nothing may be written. Formats have no place in a text file.
 */
function wellFormed(text: Y.Text, check: () => void): Y.Text {
  const insert = text.insert.bind(text)
  text.insert = (index, content) => {
    check()
    insert(index, content.toWellFormed())
  }
  const applyDelta = text.applyDelta.bind(text)
  text.applyDelta = (delta, options) => {
    check()
    applyDelta(plain(delta), options)
  }
  return text
}

type Delta = Parameters<Y.Text['applyDelta']>[0]

function plain(delta: Delta): Delta {
  return Array.from(delta as Iterable<{ insert?: unknown; retain?: number; delete?: number }>).map(
    ({ insert, retain, delete: deleted }) => {
      if (typeof insert === 'string') return { insert: insert.toWellFormed() }
      return retain === undefined ? { delete: deleted } : { retain }
    },
  )
}
