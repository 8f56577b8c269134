// One person's client: the mind of a session, its connections, its documents, its files.
//
//   program ─> edits, operations ─> Session ─> frames ─> servers
//   program <─ texts, files, state <─ Session <─ frames <─ servers

import * as Y from 'yjs'
import { FourfoldError } from '../core/model/errors.ts'
import { writerOf } from '../core/model/ids.ts'
import type { Operation } from '../core/model/wire.ts'
import type { Dial } from '../core/ports.ts'
import type { SessionInput, SessionOutput } from '../core/session/messages.ts'
import type { OperationBody } from '../core/session/parcel.ts'
import { Relays } from '../core/session/relays.ts'
import { Session } from '../core/session/session.ts'
import { connectionOf, serverInfo } from './account.ts'
import type {
  BytesName,
  Client,
  ClientOptions,
  Connection,
  FileInfo,
  KeptText,
  Listen,
  LiveDocument,
  Outlived,
  Moved,
  Refusal,
  Receipt,
  SaveState,
  ServerInfo,
  SharedChange,
  Undone,
  UntakenText,
} from './api.ts'
import { Documents } from './documents.ts'
import { checkName, Errands } from './errands.ts'
import { Files } from './files.ts'
import type { Frames } from './frames.ts'
import { Inheriting } from './inheriting.ts'
import { Keepsake } from './keepsake.ts'
import { beatMs } from './keyring.ts'
import { Listeners } from './listeners.ts'
import { Loop, now } from './loop.ts'
import { erasedError, OnlyHere, outlivedError } from './only-here.ts'
import { newId } from './new-id.ts'
import { Operating, type Outcome } from './operating.ts'
import { Receipts } from './receipts.ts'
import { Refusals } from './refusals.ts'
import { changeSeveral } from './several.ts'
import { Shown } from './shown.ts'
import { Wires } from './wires.ts'

/** What is safe is not kept as unsafe for longer; pauses between letters are shorter. */
const keepKeyAfterMs = 2000

export class SessionClient implements Client {
  readonly #options: ClientOptions
  readonly #key = crypto.getRandomValues(new Uint8Array(16))
  readonly #writers = new Set<number>()
  readonly #relays = new Relays()
  readonly #keepsake: Keepsake
  readonly #files: Files
  readonly #errands: Errands
  readonly #shown: Shown
  readonly #documents: Documents
  readonly #onlyHere: OnlyHere
  readonly #inheriting: Inheriting
  #isOutlived = false
  /** Files that servers said to be deleted for good. */
  readonly #erased = new Set<string>()
  readonly #wires: Wires
  readonly #operating = new Operating()
  readonly #receipts = new Receipts()
  readonly #changes = new Listeners<void>()
  readonly #listings = new Listeners<void>()
  readonly #renames = new Listeners<{ name: string; text: string }>()
  readonly #refusals: Refusals
  readonly #outliving = new Listeners<Outlived>()
  readonly #loop: Loop
  #joined = Promise.withResolvers<void>()
  #beat: ReturnType<typeof setInterval> | undefined
  #keyTimer: ReturnType<typeof setTimeout> | undefined
  #isClosed = false
  readonly #beganAt = now()

  constructor(options: ClientOptions, dial: Dial) {
    this.#options = options
    this.#loop = new Loop({
      perform: (outputs) => this.#performAll(outputs),
      stepped: (session) => this.#stepped(session),
      nextAt: (at, session) => this.#receipts.look(at, session),
    })
    this.#wires = new Wires(dial, (input) => this.#loop.step(input))
    this.#writers.add(writerOf(this.#key))
    this.#files = new Files({ isOfAll: this.#hearsAll, person: () => this.name })
    this.#shown = new Shown((entry, extent) => {
      this.#files.show(entry, extent)
      this.#loop.step({ type: 'show', entry, extent })
      this.#changes.tell()
    })
    this.#keepsake = new Keepsake(
      options.storage,
      this.#key,
      () => this.#changes.tell(),
      options.after?.life,
      () => this.#lost(),
    )
    this.#onlyHere = new OnlyHere({
      storage: options.storage,
      keepsake: this.#keepsake,
      files: this.#files,
      isOnline: () => !this.#isClosed && this.connection.name === 'online',
      isOpen: (id) => this.#session?.isOpen(id) ?? false,
      use: (id) => this.#documents.use(id, { isSeen: false }),
      changed: () => this.#changes.tell(),
    })
    this.#refusals = new Refusals(this.#files, async (id) => {
      return this.#documents.get(id)?.text.toString() ?? (await this.#keepsake.documents.text(id))
    })
    this.#errands = new Errands({
      keepsake: this.#keepsake,
      files: this.#files,
      changed: () => this.#listed(),
      kept: () => this.#letGo(),
    })
    this.#documents = new Documents({
      writer: writerOf(this.#key),
      writers: this.#writers,
      kept: this.#keepsake.documents,
      relays: this.#relays,
      name: () => this.name,
      firstText: (id) => this.#errands.firstText(id),
      step: (input) => this.#loop.step(input),
      show: (id) => this.show(id, 'alone'),
      closed: (id) => this.#onlyHere.keepPath(id),
      recalling: (id) => this.#learnKeys(id),
      expected: (id) => this.#expected(id),
      stored: (id) => this.#stored(id),
      receipt: (id) => this.#receipt(id),
    })
    this.#inheriting = new Inheriting({
      keepsake: this.#keepsake,
      mayBring: () => this.connection.name !== 'refused',
      learn: (keys) => this.#learn(keys),
      ask: (operations) => this.#askLate(operations),
      isHeld: (id) => this.#documents.get(id) !== undefined,
      use: (id) => this.#documents.use(id, { isSeen: false }),
      isSaid: () => this.save.name === 'saved' && this.servers.length > 0,
      compared: (id) => this.#session?.compared(id),
      keepUnsent: (document) => this.#onlyHere.keep(document, 'unsent'),
      isErased: (id) => this.#erased.has(id),
      changed: () => this.#changes.tell(),
    })
    // A program that does not wait for `joined` hears of a refusal through `connection`.
    this.#joined.promise.catch(() => {})
    void this.#begin()
  }

  async #begin(): Promise<void> {
    const kept = await this.#keepsake.begin()
    if (this.#isClosed) return
    for (const key of kept.keys) this.#writers.add(writerOf(key))
    this.#files.apply({ entries: kept.entries })
    const { after } = this.#options
    const session = new Session({
      key: this.#key,
      earlierKeys: after ? [after.key, ...kept.keys] : kept.keys,
      device: kept.device,
      name: this.#options.name,
      agent: this.#options.agent,
      token: this.#options.token ?? '',
      addresses: [...new Set([...this.#options.servers, ...kept.addresses])],
      hasStandby: this.#options.hasStandby ?? true,
      showsDirectories: !this.#hearsAll,
      life: kept.life,
      documents: {
        stateVector: (id) => Y.encodeStateVector(this.#documents.held(id).doc),
        offer: (id, stateVector, deletes) => this.#documents.held(id).offer(stateVector, deletes),
        relays: (id) => this.#relays.of(id),
      },
      random: Math.random,
    })
    this.#errands.begin(kept.operations)
    this.#loop.begin(session, [{ type: 'started' }, ...kept.operations.map(lateOperation)])
    this.#changes.tell()
    void this.#onlyHere.begin(this.#options.after?.texts ?? [])
    if (!this.#keepsake.isKeeping) return
    this.#beat = setInterval(() => void this.#keepKey(), beatMs)
    void this.#inheriting.begin(kept.sessions, kept.suspects)
  }

  // -------------------------------------------------------------------------------- what is so

  get #session(): Session | undefined {
    return this.#loop.session
  }

  get connection(): Connection {
    return connectionOf(this.#session, this.#beganAt)
  }

  get save(): SaveState {
    const save = this.#session?.save ?? nothingKnown
    if (save.name === 'saving') return save
    if (save.name === 'saved' && this.#inheriting.isReading) return nothingKnown
    const { failure } = this.#keepsake
    const unkept = failure !== undefined && { unkept: failure }
    if (save.name === 'saved') return save.isThin ? { ...save, ...unkept } : save
    const { waiting } = save
    const earlier = this.#inheriting.count
    if (waiting === 0 || failure === undefined) return { ...save, earlier }
    return { name: 'danger', waiting, earlier, why: failure }
  }

  get servers(): ServerInfo[] {
    return (this.#session?.servers ?? []).map(serverInfo)
  }

  get moves(): Moved[] {
    return [...(this.#session?.moves ?? [])]
  }

  get name(): string {
    return this.#session?.name ?? this.#options.name
  }

  get files(): FileInfo[] {
    return this.#files.list
  }

  get filesAreCurrent(): boolean {
    return this.#files.areCurrent
  }

  get onChange(): Listen<void> {
    return (listener) => this.#changes.add(listener)
  }

  get onRenamed(): Listen<{ name: string; text: string }> {
    return (listener) => this.#renames.add(listener)
  }

  get onRefused(): Listen<Refusal> {
    return (listener) => this.#refusals.add(listener)
  }

  get keptTexts(): readonly KeptText[] {
    return this.#onlyHere.texts
  }

  forgetKept(texts: readonly KeptText[]): Promise<void> {
    return this.#onlyHere.forget(texts)
  }

  get untaken(): UntakenText[] {
    const untaken = this.#session?.untaken ?? []
    return untaken.map(({ document, error }) => ({ id: document, why: error.message }))
  }

  isKept(id: string): Promise<boolean> {
    return this.#keepsake.documents.has(id)
  }

  get onOutlived(): Listen<Outlived> {
    return (listener) => this.#outliving.add(listener)
  }

  joined(): Promise<void> {
    return this.#joined.promise
  }

  // -------------------------------------------------------------------------------- what is shown

  get #hearsAll(): boolean {
    return this.#options.folder !== 'shown'
  }

  show(id: string, extent: 'alone' | 'open'): () => void {
    return this.#hearsAll || this.#isClosed ? () => undefined : this.#shown.show(id, extent)
  }

  isAnswered(id: string): boolean {
    return this.#files.isAnswered(id)
  }

  isWhole(directory: string): boolean {
    return this.#files.isWhole(directory)
  }

  async look(id: string): Promise<FileInfo | undefined> {
    const end = this.show(id, 'alone')
    try {
      await this.#until(() => this.#files.isAnswered(id))
      return this.#files.get(id)
    } finally {
      end()
    }
  }

  // --------------------------------------------------------------------------------- documents

  open(id: string): LiveDocument {
    return this.#documents.open(id)
  }

  async #stored(document: string): Promise<Receipt> {
    if (this.#erased.has(document)) throw erasedError()
    const unstepped = this.#loop.unstepped(document)
    const refusal = this.#session?.refusal(document)
    if (refusal && unstepped === 0) throw refusal
    const edits = (this.#session?.edits(document) ?? 0) + unstepped
    const stored = this.#receipts.wait(document, edits)
    this.#loop.look()
    return stored
  }

  #receipt(document: string): Receipt {
    const session = this.#session
    if (!session || this.#loop.unstepped(document) > 0) {
      return { servers: [], of: session?.servers.length ?? 0 }
    }
    const servers = session.holders(document, session.edits(document))
    return { servers: session.inOrder(servers), of: session.servers.length }
  }

  /** Text of other tabs may be in what is kept, and what is typed now may stand beside it. */
  async #learnKeys(document: string): Promise<void> {
    const keys = await this.#keepsake.keyring.others(document)
    if (keys.length > 0) this.#learn(keys)
  }

  #learn(keys: Uint8Array[]): void {
    for (const key of keys) this.#writers.add(writerOf(key))
    this.#loop.step({ type: 'keys', keys })
  }

  /** What somebody asked for who is not there any more to be told what became of it. */
  #askLate(operations: OperationBody[]): void {
    this.#loop.step(...this.#errands.take(operations).map(lateOperation))
  }

  // ------------------------------------------------------------------------------ what is only here

  /** `isOwed`: edits of it were on their way when it was deleted for good: they stay here. */
  #gone(id: string, isOwed: boolean): void {
    this.#erased.add(id)
    this.#receipts.reject(erasedError(), id)
    this.#onlyHere.answered(id, 'none')
    const document = this.#documents.get(id)
    const isOfEarlier = this.#keepsake.keyring.unsettled.includes(id)
    if (document && (isOwed || isOfEarlier)) void this.#onlyHere.keepErased(document)
  }

  /** The servers live another life: this client is over, and all that it had is kept for the next. */
  async #outlived(life: string): Promise<void> {
    if (this.#isOutlived) return
    this.#isOutlived = true
    const error = outlivedError()
    this.#receipts.reject(error)
    this.#operating.failAll(error)
    const texts = await this.#onlyHere.leave(life, this.#documents.all)
    this.#outliving.tell({ life, key: this.#key, texts })
    this.#joined.reject(error)
    this.close()
  }

  /** A person emptied this device's storage. */
  #lost(): void {
    this.#errands.lost()
    this.#keepsake.keepEntries(() => this.#files.entries())
    this.#keepsake.keepAddresses(this.#session?.addresses ?? this.#options.servers)
  }

  #expected(document: string): void {
    const isExpected = this.#documents.get(document)?.isExpected ?? false
    if (isExpected && this.#keepsake.isKeeping) this.#keepsake.keyring.expect(Date.now(), document)
    else this.#keepKeySoon()
  }

  #keepKey(): Promise<boolean> {
    return this.#keepsake.keyring.beat(
      Date.now(),
      (id) => this.#isUnsafe(id) || (this.#documents.get(id)?.isExpected ?? false),
    )
  }

  rest(): void {
    if (!this.#isClosed) this.#keepsake.rest((id) => this.#isUnsafe(id))
  }

  #isUnsafe(id: string): boolean {
    return this.#keepsake.documents.isBehind(id) || (this.#session?.isUnsafe(id) ?? true)
  }

  #keepKeySoon(): void {
    if (this.#isClosed || !this.#keepsake.keyring.isClaiming) return
    this.#keyTimer ??= setTimeout(() => {
      this.#keyTimer = undefined
      void this.#keepKey()
    }, keepKeyAfterMs)
  }

  // -------------------------------------------------------------------------------- operations

  create(name: string, text: string, parent = ''): Promise<FileInfo & Receipt> {
    const $typeName = 'fourfold.v1.Create'
    const value = { $typeName, name, text: text.toWellFormed(), parent } as const
    return this.#make({ case: 'create', value })
  }

  makeDirectory(name: string, parent = ''): Promise<FileInfo & Receipt> {
    const value = { $typeName: 'fourfold.v1.MakeDirectory' as const, name, parent }
    return this.#make({ case: 'makeDirectory', value })
  }

  createBinary(
    name: string,
    { hash, size }: BytesName,
    parent = '',
    id?: string,
  ): Promise<FileInfo & Receipt> {
    const $typeName = 'fourfold.v1.CreateBinary'
    const value = { $typeName, name, parent, hash, size } as const
    return this.#make({ case: 'createBinary', value }, id)
  }

  setContent(
    entry: string,
    bytes: BytesName | 'text',
    base: string,
    id?: string,
  ): Promise<Receipt> {
    const { hash, size } = bytes === 'text' ? { hash: '', size: 0 } : bytes
    const value = { $typeName: 'fourfold.v1.SetContent' as const, entry, hash, size, base }
    return this.#operate({ case: 'setContent', value }, id)
  }

  async #make(
    operation: Operation['operation'],
    id: string = newId(),
  ): Promise<FileInfo & Receipt> {
    // What is made gets the id of the operation, and need not lie where this program looks.
    const end = this.show(id, 'alone')
    try {
      const { entry, undone: _, ...receipt } = await this.#operate(operation, id)
      await this.#until(() => this.#files.get(entry) !== undefined)
      return { ...this.#files.get(entry)!, ...receipt }
    } finally {
      // A server may say later what became of it. What waits without one stands here as it is.
      const isOver = () => this.#isAlone || this.#files.isTold(id) || !this.#files.get(id)
      void this.#until(isOver).then(end, end)
    }
  }

  rename(entry: string, name: string): Promise<Receipt> {
    const value = { $typeName: 'fourfold.v1.Rename' as const, entry, name }
    return this.#operate({ case: 'rename', value })
  }

  move(entry: string, parent: string, name = ''): Promise<Receipt> {
    const value = { $typeName: 'fourfold.v1.Move' as const, entry, parent, name }
    return this.#operate({ case: 'move', value })
  }

  remove(entry: string): Promise<Receipt> {
    return this.#operate({ case: 'delete', value: { $typeName: 'fourfold.v1.Delete', entry } })
  }

  restore(entry: string): Promise<Receipt> {
    return this.#operate({ case: 'restore', value: { $typeName: 'fourfold.v1.Restore', entry } })
  }

  erase(entry: string): Promise<Receipt> {
    return this.#operate({ case: 'erase', value: { $typeName: 'fourfold.v1.Erase', entry } })
  }

  changeSeveral(ids: readonly string[], change: SharedChange): Promise<Undone[]> {
    return changeSeveral(ids, change, (operation) => this.#operate(operation))
  }

  nameVersion(document: string, name: string): Promise<Receipt> {
    const value = { $typeName: 'fourfold.v1.NameVersion' as const, document, name }
    return this.#operate({ case: 'nameVersion', value })
  }

  async #operate(
    operation: Operation['operation'],
    id: string = newId(),
  ): Promise<Receipt & Outcome> {
    if (this.#isClosed) throw closedError()
    checkName(operation)
    const outcome = this.#operating.wait(id)
    this.#loop.step({ type: 'operate', operation: { id, operation } })
    const { servers, ...result } = await outcome
    return { ...result, servers, of: this.#session?.servers.length ?? servers.length }
  }

  /** Whether a server has told of it, and not that it is deleted for good. */
  #isThere(id: string): boolean {
    return this.#files.isTold(id) && this.#files.get(id) !== undefined
  }

  get #isAlone(): boolean {
    return this.save.name === 'local' || this.connection.name === 'offline'
  }

  /** While no server answers nobody waits for one: what this device keeps takes effect later. */
  #letGo(): void {
    if (!this.#isAlone) return
    this.#operating.letGo((id) => (this.#errands.isKept(id) ? this.#errands.get(id) : undefined))
  }

  /** Resolves when the active server has told enough: another one may have made what is waited for. */
  #until(isSo: () => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const look = () => {
      if (isSo()) resolve()
      else if (this.#isClosed) reject(closedError())
    }
    const end = this.#listings.add(look)
    look()
    return promise.finally(end)
  }

  retry(as: { name?: string; token?: string } = {}): void {
    if (this.#session?.state.name === 'refused') {
      this.#joined = Promise.withResolvers()
      this.#joined.promise.catch(() => {})
    }
    this.#loop.step({ type: 'retry', ...as })
  }

  close(): void {
    if (this.#isClosed) return
    for (const document of this.#documents.all) document.presence.leave()
    this.#loop.step({ type: 'stopped' })
    this.#isClosed = true
    this.#loop.end()
    clearInterval(this.#beat)
    clearTimeout(this.#keyTimer)
    this.#onlyHere.end()
    // The last chance, for what a device could not keep a moment ago.
    this.#keepsake.documents.retry()
    const key = this.#keepsake.isKeeping ? this.#keepKey() : undefined
    const written = Promise.all([key, this.#errands.written, this.#keepsake.documents.written()])
    void this.#inheriting.end(written)
    this.#keepsake.close()
    for (const document of this.#documents.all) document.destroy()
    const error = closedError()
    this.#joined.reject(error)
    this.#receipts.reject(error)
    this.#listings.tell()
    this.#operating.failAll(error)
  }

  // ---------------------------------------------------------------------------------- the loop

  #stepped(session: Session): void {
    this.#documents.forgetClosed((id) => session.needs(id))
    this.#errands.look(session.operations)
    this.#letGo()
    this.#keepKeySoon()
  }

  #performAll(outputs: SessionOutput[]): void {
    const frames = this.#wires.frames()
    for (const output of outputs) this.#perform(output, frames)
    frames.flush()
  }

  #perform(output: SessionOutput, frames: Frames): void {
    switch (output.type) {
      case 'dial':
        this.#wires.dial(output.connection, output.address)
        return
      case 'hangUp':
        // What was said before hanging up is still said.
        frames.flush()
        this.#wires.hangUp(output.connection)
        return
      case 'send':
        frames.add(output.connection, output.message)
        return
      case 'integrate':
        this.#documents.get(output.document)?.integrate(output.update, output.seal)
        return
      case 'unsealed':
        this.#relays.forget(output.document)
        return
      case 'caughtUp':
        this.#documents.get(output.document)?.caughtUp()
        this.#onlyHere.answered(output.document, 'here')
        this.#erased.delete(output.document)
        return
      case 'caret':
        this.#documents.get(output.caret.document)?.presence.heard(output.caret)
        return
      case 'entries':
        this.#files.apply(output)
        this.#keepsake.keepEntries(() => this.#files.entries())
        this.#listed()
        this.#onlyHere.look()
        return
      case 'life':
        this.#keepsake.keepLife(output.life)
        return
      case 'gone':
        this.#gone(output.document, output.isOwed)
        return
      case 'servers':
        this.#keepsake.keepAddresses(this.#session?.addresses ?? [])
        return
      case 'done':
        this.#done(output)
        return
      case 'failed':
        this.#failed(output.operation, output.error)
        return
      case 'turnedDown':
        this.#receipts.reject(output.error, output.document)
        this.#changes.tell()
        return
      case 'named':
        this.#named(output.name, output.text)
        return
      case 'unavailable':
        // What is known to be is only not to be read here and now.
        this.#onlyHere.answered(output.document, this.#isThere(output.document) ? 'later' : 'none')
        this.#changed()
        return
      case 'changed':
        this.#changed()
        return
    }
  }

  /** Other files are shown than before. */
  #listed(): void {
    this.#listings.tell()
    this.#changes.tell()
  }

  #done(outcome: Extract<SessionOutput, { type: 'done' }>): void {
    const isAwaited = this.#operating.done(outcome.operation, outcome)
    if (!isAwaited) this.#refusals.undone(outcome.undone)
  }

  #failed(id: string, error: FourfoldError): void {
    const operation = this.#errands.get(id)
    if (this.#operating.failed(id, error)) return
    if (operation) void this.#refusals.refused(operation, error)
  }

  #changed(): void {
    const state = this.#session?.state
    if (state?.name === 'outlived') void this.#outlived(state.life)
    else if (state?.name === 'online') this.#onlyHere.look()
    if (state?.name === 'refused') this.#joined.reject(new FourfoldError(state.code, state.text))
    if (this.#session?.save.name === 'local') {
      for (const { presence } of this.#documents.all) presence.forgetOthers()
    }
    this.#inheriting.look()
    this.#changes.tell()
  }

  #named(name: string, text: string): void {
    this.#joined.resolve()
    for (const { presence } of this.#documents.all) presence.rename(name)
    if (text !== '') this.#renames.tell({ name, text })
    this.#changes.tell()
  }
}

const nothingKnown: SaveState = { name: 'saved', servers: [], of: 0, isThin: false }

function lateOperation(operation: OperationBody): SessionInput {
  return { type: 'operate', operation, isLate: true }
}

function closedError(): FourfoldError {
  return new FourfoldError('unavailable', 'This client was closed.')
}
