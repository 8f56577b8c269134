// What other sessions of this device leave when they end: one that is there brings it.
//
//   a session ── holds its name ──> ends ── the name is free ──> another holds it ── says its key, asks
//   for what it asked for, brings its edits ──> all of that is safe ──> its record goes
//
// Safety: while a session is alive it alone brings what it keeps, as far as the device can tell who is.
// Whoever brings it holds its name, and ends before that is done without harm: the next in line begins.

import { FourfoldError } from '../core/model/errors.ts'
import type { OperationBody } from '../core/session/parcel.ts'
import type { Comparison } from '../core/session/follows.ts'
import type { Keepsake } from './keepsake.ts'
import type { Left } from './keyring.ts'
import type { OpenDocument } from './open-document.ts'

/** A device that cannot be read is asked again after this. */
const findAgainMs = 5000
/** Documents that are brought to the servers at once. */
const broughtMax = 32
/** Whether servers have all of a suspect is looked at this often. */
const compareAgainMs = 250
/** What a server lacks for so long while all hear each other, none has. */
const lackedMs = 3000
/** Where that cannot be found out for so long what is known of other edits is said. */
const unsaidMs = 10_000

export interface InheritingOptions {
  keepsake: Keepsake
  /** Whether servers let this client in, or none was asked. */
  mayBring: () => boolean
  /** Says these keys to the servers, too. */
  learn: (keys: Uint8Array[]) => void
  ask: (operations: OperationBody[]) => void
  isHeld: (document: string) => boolean
  /** The document, which is to be closed. */
  use: (document: string) => OpenDocument
  /** Whether it is said already where this person's edits are: getting worse waits. */
  isSaid: () => boolean
  /** What servers said of a document when they were asked last; undefined: they were not. */
  compared: (document: string) => Comparison | undefined
  /** What is here of a document no server takes, for its key is lost. */
  keepUnsent: (document: OpenDocument) => Promise<void>
  /** Whether it was deleted for good. */
  isErased: (document: string) => boolean
  /** Other documents are to be brought than before. */
  changed: () => void
}

export class Inheriting {
  readonly #options: InheritingOptions
  /** Sessions whose end is waited for, or seen to. */
  readonly #known = new Set<string>()
  /** What lets go of the names that are held. */
  readonly #held = new Set<() => void>()
  /** Documents that are not here yet as they are kept: nothing is known of where that is. */
  readonly #unread = new Map<string, number>()
  readonly #barred = new Set<() => void>()
  /** Ends the pauses before the device is read again. */
  readonly #waiting = new Set<() => void>()
  readonly #queue: (() => Promise<void>)[] = []
  #bringing = 0
  #unlisten = () => {}
  #isOver = false
  /** And all that it has is written. */
  #hasEnded = false

  constructor(options: InheritingOptions) {
    this.#options = options
  }

  /** How many documents have edits of sessions that are over, which may be on no server. */
  get count(): number {
    return this.#options.keepsake.keyring.unsettled.length
  }

  /** Whether something of that was found at the beginning, and is not even read yet. */
  get isReading(): boolean {
    return this.#unread.size > 0
  }

  /**
   * `found`: sessions that left something, or will; undefined: the device could not be read. `suspects`:
   * documents in which may be edits whose key is lost.
   */
  async begin(found: readonly string[] | undefined, suspects: readonly string[]): Promise<void> {
    const { keepsake } = this.#options
    const holding = this.#holdOwn()
    for (const id of suspects) void this.#inTurn(id, () => this.#judge(id))
    const sessions = found ?? (await this.#sessions())
    if (this.#isOver) return
    const isHolding = await holding
    if (this.#isOver) return
    if (!isHolding) {
      // Nobody can tell who is alive: edits that come twice are there once.
      for (const session of sessions) void this.#bring(session, false)
      return
    }
    this.#unlisten = keepsake.listen((session) => {
      // So that it knows of this one.
      if (this.#meet(session)) keepsake.tell(keepsake.session)
    })
    keepsake.tell(keepsake.session)
    for (const session of sessions) this.#meet(session)
  }

  /** Whether it can be told here who holds what. */
  async #holdOwn(): Promise<boolean> {
    const letGo = await this.#options.keepsake.held
    if (!letGo) return false
    if (this.#hasEnded) letGo()
    else this.#held.add(letGo)
    return true
  }

  /** As soon as the device can be read. */
  async #sessions(): Promise<readonly string[]> {
    const { keepsake } = this.#options
    let sessions: readonly string[] | undefined
    while (!sessions && !this.#isOver) {
      await this.#pause()
      sessions = await keepsake.sessions()
    }
    return sessions ?? []
  }

  /** False: it was met before. */
  #meet(session: string): boolean {
    if (this.#known.has(session) || session === this.#options.keepsake.session) return false
    this.#known.add(session)
    void this.#outlive(session)
    return true
  }

  /** Waits in line for the end of a session. */
  async #outlive(session: string): Promise<void> {
    const { keepsake, mayBring } = this.#options
    for (;;) {
      const letGo = await keepsake.hold(session)
      if (!letGo || this.#isOver) return letGo?.()
      if (mayBring()) {
        this.#held.add(letGo)
        if (await this.#bring(session, true)) this.#letGo(letGo)
        return
      }
      // The servers may let others in.
      letGo()
      await new Promise<void>((resolve) => this.#barred.add(resolve))
    }
  }

  #letGo(letGo: () => void): void {
    if (this.#held.delete(letGo)) letGo()
  }

  /** Servers may let this client in by now. */
  look(): void {
    if (this.#barred.size === 0 || !this.#options.mayBring()) return
    for (const go of this.#barred) go()
    this.#barred.clear()
  }

  /** Whether all that it left is safe. */
  async #bring(session: string, isOver: boolean): Promise<boolean> {
    const { learn, ask, changed } = this.#options
    const found = await this.#find(session, isOver)
    if (!found || this.#isOver) return false
    const { left, operations } = found
    if (left.keys.length > 0) learn(left.keys)
    ask(operations)
    const bringing = left.documents.map((id) => this.#inTurn(id, () => this.#bringOne(session, id)))
    changed()
    const brought = await Promise.all(bringing)
    return brought.every(Boolean)
  }

  /** What it left, as soon as the device can be read; undefined: this session is over before that. */
  async #find(
    session: string,
    isOver: boolean,
  ): Promise<{ left: Left; operations: OperationBody[] } | undefined> {
    const { keepsake } = this.#options
    let left: Left | undefined
    while (!this.#isOver) {
      // Its key is told once.
      left ??= await keepsake.keyring.take(session, isOver)
      const operations = left && (await keepsake.adopt(session))
      if (left && operations) return { left, operations }
      await this.#pause()
    }
    return undefined
  }

  async #pause(ms = findAgainMs): Promise<void> {
    if (this.#isOver) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    this.#waiting.add(resolve)
    await promise
    clearTimeout(timer)
    this.#waiting.delete(resolve)
  }

  #inTurn(id: string, act: () => Promise<boolean>): Promise<boolean> {
    if (!this.#options.isSaid()) this.#unread.set(id, (this.#unread.get(id) ?? 0) + 1)
    return new Promise((resolve) => {
      this.#queue.push(async () => resolve(await act()))
      this.#next()
    })
  }

  #next(): void {
    if (this.#bringing >= broughtMax) return
    const bring = this.#queue.shift()
    if (!bring) return
    this.#bringing++
    void bring().finally(() => {
      this.#bringing--
      this.#next()
    })
  }

  /** Brings what a session wrote in a document and did not know to be safe. Whether that is safe now. */
  async #bringOne(session: string, id: string): Promise<boolean> {
    const { keepsake, isHeld, use, isErased, changed } = this.#options
    if (this.#isOver) return false
    const wasHeld = isHeld(id)
    const document = use(id)
    try {
      const isHere = await this.#recalled(document, wasHeld, () => this.#read(id))
      if (!isHere) return false
      await document.stored()
    } catch (error) {
      // No server takes it, or this client was closed: the key is kept for the next session. What was
      // deleted for good is kept as a text.
      if (!(error instanceof FourfoldError)) throw error
      if (!isErased(id)) return false
    } finally {
      document.close()
    }
    await keepsake.keyring.settled(session, id)
    changed()
    return true
  }

  /** Whether all that the device keeps of it is here, however long that takes. */
  async #recalled(document: OpenDocument, wasHeld: boolean, tried: () => void): Promise<boolean> {
    let isHere = await (wasHeld ? document.recallMore() : document.recall)
    tried()
    while (!isHere && !this.#isOver) {
      await this.#pause()
      isHere = await document.recallMore()
    }
    return isHere
  }

  /** Finds out whether a suspect has words that no server has. Whether that is known. */
  async #judge(id: string): Promise<boolean> {
    const { keepsake, isHeld, use, keepUnsent } = this.#options
    if (this.#isOver) return false
    const wasHeld = isHeld(id)
    const document = use(id)
    let isLacking: boolean | undefined
    try {
      const found = this.#recalled(document, wasHeld, () => {}).then((isHere) =>
        isHere ? this.#isLacking(id) : undefined,
      )
      await Promise.race([found, this.#pause(unsaidMs)])
      this.#read(id)
      isLacking = await found
      if (isLacking === true) await keepUnsent(document)
    } finally {
      document.close()
    }
    if (isLacking === undefined) return false
    await keepsake.judge(id, isLacking)
    return true
  }

  /** Whether the servers lack words of a document that are here; undefined: it cannot be found out. */
  async #isLacking(id: string): Promise<boolean | undefined> {
    const { compared, isErased } = this.#options
    let since = Infinity
    while (!this.#isOver && !isErased(id)) {
      const comparison = compared(id)
      if (comparison && !comparison.isLacking) return false
      since = comparison?.isWithAll ? Math.min(since, comparison.at) : Infinity
      if (comparison && comparison.at >= since + lackedMs) return true
      await this.#pause(compareAgainMs)
    }
    return undefined
  }

  #read(id: string): void {
    const left = (this.#unread.get(id) ?? 1) - 1
    if (left > 0) this.#unread.set(id, left)
    else this.#unread.delete(id)
    this.#options.changed()
  }

  /** This session is over, when all that it has is written. */
  async end(written: Promise<unknown>): Promise<void> {
    this.#isOver = true
    this.#unlisten()
    for (const go of [...this.#barred, ...this.#waiting]) go()
    await written
    this.#hasEnded = true
    for (const letGo of this.#held) this.#letGo(letGo)
  }
}
