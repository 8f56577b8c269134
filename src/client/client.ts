// One person's client: the mind of a session, its connections, its documents, its files.
//
//   program ─> edits, operations ─> Session ─> frames ─> servers
//   program <─ texts, files, state <─ Session <─ frames <─ servers

import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import * as Y from 'yjs'
import { FourfoldError } from '../core/model/errors.ts'
import { Folder } from '../core/model/folder.ts'
import { subjectId, writerOf } from '../core/model/ids.ts'
import {
  ServerState,
  SessionRequestSchema,
  SessionResponseSchema,
  type Entry,
  type Operation,
} from '../core/model/wire.ts'
import type { Dial, Wire } from '../core/ports.ts'
import type { ConnectionId, SessionInput, SessionOutput } from '../core/session/messages.ts'
import { Session } from '../core/session/session.ts'
import type {
  Client,
  ClientOptions,
  Connection,
  FileInfo,
  Listen,
  LiveDocument,
  Moved,
  Receipt,
  SaveState,
  ServerInfo,
} from './api.ts'
import { Keepsake } from './keepsake.ts'
import { Listeners } from './listeners.ts'
import { OpenDocument } from './open-document.ts'

/** A step that would be due at once waits at least this long: no loop starves the program. */
const stepAfterMsMin = 1

interface Operating {
  resolve: (done: { entry: string; servers: string[] }) => void
  reject: (error: FourfoldError) => void
}

interface Waiting {
  document: string
  upTo: number
  resolve: (receipt: Receipt) => void
  reject: (error: FourfoldError) => void
}

export class SessionClient implements Client {
  readonly #options: ClientOptions
  readonly #dial: Dial
  readonly #key = crypto.getRandomValues(new Uint8Array(16))
  readonly #writers = new Set<number>()
  readonly #keepsake: Keepsake
  readonly #folder = new Folder()
  readonly #documents = new Map<string, OpenDocument>()
  readonly #wires = new Map<ConnectionId, Wire>()
  readonly #operating = new Map<string, Operating>()
  readonly #changes = new Listeners<void>()
  readonly #renames = new Listeners<{ name: string; text: string }>()
  readonly #joined = Promise.withResolvers<void>()
  /** What happened and was not stepped yet: while a step is performed, or before the beginning. */
  readonly #inbox: SessionInput[] = []
  #isStepping = false
  #session: Session | undefined
  #waiting: Waiting[] = []
  #files: FileInfo[] | undefined
  #filesAreCurrent = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #isClosed = false
  readonly #beganAt = Date.now()

  constructor(options: ClientOptions, dial: Dial) {
    this.#options = options
    this.#dial = dial
    this.#writers.add(writerOf(this.#key))
    this.#keepsake = new Keepsake(options.storage, Y.mergeUpdates, () => this.#changes.tell())
    // A program that does not wait for `joined` hears of a refusal through `connection`.
    this.#joined.promise.catch(() => {})
    void this.#begin()
  }

  async #begin(): Promise<void> {
    const kept = await this.#keepsake.begin(this.#key)
    if (this.#isClosed) return
    for (const key of kept.keys) this.#writers.add(writerOf(key))
    for (const entry of kept.entries) this.#applyEntry(entry)
    this.#session = new Session({
      key: this.#key,
      earlierKeys: kept.keys,
      name: this.#options.name,
      agent: this.#options.agent,
      token: this.#options.token ?? '',
      addresses: [...new Set([...this.#options.servers, ...kept.addresses])],
      hasStandby: this.#options.hasStandby ?? true,
      documents: {
        stateVector: (id) => Y.encodeStateVector(this.#document(id).doc),
        offer: (id, stateVector, deletes) => this.#document(id).offer(stateVector, deletes),
      },
      random: Math.random,
    })
    const early = this.#inbox.splice(0)
    for (const input of [{ type: 'started' as const }, ...early]) this.#step(input)
  }

  // -------------------------------------------------------------------------------- what is so

  get connection(): Connection {
    const state = this.#session?.state ?? { name: 'joining' as const, since: this.#beganAt }
    switch (state.name) {
      case 'online':
        return { ...state, roundTripMs: this.#session?.roundTripMs ?? 0 }
      case 'stopped':
        return { name: 'offline', since: this.#beganAt, retryAt: Infinity }
      default:
        return state
    }
  }

  get save(): SaveState {
    const save = this.#session?.save ?? { name: 'saved', servers: [], of: 0, isThin: false }
    const { failure } = this.#keepsake
    if (save.name !== 'local' || failure === undefined) return save
    if (save.waiting === 0) return save
    return { name: 'danger', waiting: save.waiting, why: failure }
  }

  get servers(): ServerInfo[] {
    return (this.#session?.servers ?? []).map(({ id, address, state, lag, heardAt }) => {
      return { id, address, state: stateNames[state] ?? 'down', lag, heardAt }
    })
  }

  get moves(): Moved[] {
    return [...(this.#session?.moves ?? [])]
  }

  get name(): string {
    return this.#session?.name ?? this.#options.name
  }

  get files(): FileInfo[] {
    this.#files ??= [...this.#folder.all()].map((entry) => this.#file(entry))
    return this.#files
  }

  get filesAreCurrent(): boolean {
    return this.#filesAreCurrent
  }

  get onChange(): Listen<void> {
    return (listener) => this.#changes.add(listener)
  }

  get onRenamed(): Listen<{ name: string; text: string }> {
    return (listener) => this.#renames.add(listener)
  }

  joined(): Promise<void> {
    return this.#joined.promise
  }

  // --------------------------------------------------------------------------------- documents

  open(id: string): LiveDocument {
    const known = this.#documents.get(id)
    if (known) {
      this.#step({ type: 'follow', document: id })
      return known.use()
    }
    const document = new OpenDocument({
      id,
      writer: writerOf(this.#key),
      writers: this.#writers,
      name: this.name,
      keepsake: this.#keepsake,
      edited: (update) => this.#step({ type: 'edited', document: id, update }),
      moved: (state) => this.#step({ type: 'caret', document: id, state }),
      closed: () => this.#step({ type: 'unfollow', document: id }),
      stored: () => this.#stored(id),
      receipt: () => this.#receipt(id),
    })
    this.#documents.set(id, document)
    // What is known here need not travel again.
    void document.recalled.then(() => {
      this.#step({ type: 'follow', document: id })
      this.#step({ type: 'caret', document: id, state: document.presence.state })
    })
    return document
  }

  #document(id: string): OpenDocument {
    const document = this.#documents.get(id)
    if (!document) throw new Error(`the session asks for ${id}, which is not open`)
    return document
  }

  async #stored(document: string): Promise<Receipt> {
    // The edits made so far may wait for the end of a step.
    await Promise.resolve()
    const { promise, resolve, reject } = Promise.withResolvers<Receipt>()
    const upTo = this.#session?.edits(document) ?? 0
    this.#waiting.push({ document, upTo, resolve, reject })
    this.#tellStored()
    return promise
  }

  #receipt(document: string): Receipt {
    const session = this.#session
    // What is not stepped yet is only here.
    const isAhead = this.#inbox.some(
      (input) => input.type === 'edited' && input.document === document,
    )
    if (!session || isAhead) return { servers: [], of: session?.servers.length ?? 0 }
    const servers = session.holders(document, session.edits(document))
    return { servers, of: session.servers.length }
  }

  #tellStored(): void {
    const session = this.#session
    if (!session || this.#waiting.length === 0) return
    const of = session.servers.length
    this.#waiting = this.#waiting.filter(({ document, upTo, resolve }) => {
      const servers = session.holders(document, upTo)
      if (of === 0 || servers.length < session.safeCount) return true
      resolve({ servers, of })
      return false
    })
  }

  // -------------------------------------------------------------------------------- operations

  async create(name: string, text: string): Promise<FileInfo & Receipt> {
    const value = { $typeName: 'fourfold.v1.Create' as const, name, text: text.toWellFormed() }
    const { entry, ...receipt } = await this.#operate({ case: 'create', value })
    const made = this.#folder.get(entry)
    if (!made) throw new FourfoldError('unavailable', `"${name}" was made but is not listed yet.`)
    return { ...this.#file(made), ...receipt }
  }

  rename(entry: string, name: string): Promise<Receipt> {
    const value = { $typeName: 'fourfold.v1.Rename' as const, entry, name }
    return this.#operate({ case: 'rename', value })
  }

  remove(entry: string): Promise<Receipt> {
    return this.#operate({ case: 'delete', value: { $typeName: 'fourfold.v1.Delete', entry } })
  }

  restore(entry: string): Promise<Receipt> {
    return this.#operate({ case: 'restore', value: { $typeName: 'fourfold.v1.Restore', entry } })
  }

  nameVersion(document: string, name: string): Promise<Receipt> {
    const value = { $typeName: 'fourfold.v1.NameVersion' as const, document, name }
    return this.#operate({ case: 'nameVersion', value })
  }

  async #operate(operation: Operation['operation']): Promise<Receipt & { entry: string }> {
    const id = subjectId(crypto.getRandomValues(new Uint8Array(16)))
    const { promise, resolve, reject } = Promise.withResolvers<{
      entry: string
      servers: string[]
    }>()
    this.#operating.set(id, { resolve, reject })
    this.#step({ type: 'operate', operation: { id, operation } })
    const { entry, servers } = await promise
    return { entry, servers, of: this.#session?.servers.length ?? servers.length }
  }

  retry(): void {
    this.#step({ type: 'retry' })
  }

  close(): void {
    if (this.#isClosed) return
    for (const document of this.#documents.values()) document.awareness.setLocalState(null)
    this.#step({ type: 'stopped' })
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#keepsake.close()
    for (const document of this.#documents.values()) document.destroy()
    const error = new FourfoldError('unavailable', 'This client was closed.')
    this.#joined.reject(error)
    for (const { reject } of [...this.#operating.values(), ...this.#waiting]) reject(error)
  }

  // ---------------------------------------------------------------------------------- the loop

  // Steps do not nest: what a listener does while outputs are performed comes after them.
  #step(input: SessionInput): void {
    if (this.#isClosed) return
    this.#inbox.push(input)
    const session = this.#session
    if (this.#isStepping || !session) return
    this.#isStepping = true
    try {
      for (let next = this.#inbox.shift(); next; next = this.#inbox.shift()) {
        this.#performAll(session.step(Date.now(), next))
      }
    } finally {
      this.#isStepping = false
    }
    this.#tellStored()
    this.#forgetClosed()
    this.#wakeIn(session.wakeAt - Date.now())
  }

  #performAll(outputs: SessionOutput[]): void {
    const frames = new Map<ConnectionId, Uint8Array[]>()
    for (const output of outputs) this.#perform(output, frames)
    for (const [connection, parts] of frames) this.#wires.get(connection)?.send(joined(parts))
  }

  #wakeIn(ms: number): void {
    clearTimeout(this.#timer)
    if (ms === Infinity) return
    this.#timer = setTimeout(() => this.#step({ type: 'tick' }), Math.max(stepAfterMsMin, ms))
  }

  #perform(output: SessionOutput, frames: Map<ConnectionId, Uint8Array[]>): void {
    switch (output.type) {
      case 'dial':
        this.#dialTo(output.connection, output.address)
        return
      case 'hangUp':
        this.#hangUp(output.connection, frames)
        return
      case 'send': {
        const parts = frames.get(output.connection) ?? []
        frames.set(output.connection, parts)
        const request = create(SessionRequestSchema, { messages: [output.message] })
        parts.push(toBinary(SessionRequestSchema, request))
        return
      }
      case 'integrate':
        this.#documents.get(output.document)?.integrate(output.update)
        return
      case 'caughtUp':
        this.#documents.get(output.document)?.caughtUp()
        return
      case 'caret':
        this.#documents.get(output.caret.document)?.presence.heard(output.caret)
        return
      case 'entries':
        for (const entry of output.entries) this.#applyEntry(entry)
        this.#filesAreCurrent ||= output.isComplete
        this.#keepsake.keepEntries(() => this.#folder.all())
        this.#changes.tell()
        return
      case 'servers':
        this.#keepsake.keepAddresses(this.#session?.addresses ?? [])
        return
      case 'done':
        this.#operating.get(output.operation)?.resolve(output)
        this.#operating.delete(output.operation)
        return
      case 'failed':
        this.#operating.get(output.operation)?.reject(output.error)
        this.#operating.delete(output.operation)
        return
      case 'turnedDown':
        this.#turnedDown(output.document, output.error)
        return
      case 'named':
        this.#named(output.name, output.text)
        return
      case 'unavailable':
      case 'changed':
        this.#changed()
        return
    }
  }

  #dialTo(connection: ConnectionId, address: string): void {
    const closed = (why: string) => {
      this.#wires.delete(connection)
      this.#step({ type: 'closed', connection, why })
    }
    try {
      const wire = this.#dial(address, {
        opened: () => this.#step({ type: 'opened', connection }),
        received: (frame) => this.#received(connection, frame),
        closed,
      })
      this.#wires.set(connection, wire)
    } catch (error) {
      // Not an address: as a server that never answers. Told later, for steps do not nest.
      const why = error instanceof Error ? error.message : String(error)
      queueMicrotask(() => closed(why))
    }
  }

  #hangUp(connection: ConnectionId, frames: Map<ConnectionId, Uint8Array[]>): void {
    const wire = this.#wires.get(connection)
    const parts = frames.get(connection)
    // What was said before hanging up is still said.
    if (wire && parts) wire.send(joined(parts))
    frames.delete(connection)
    this.#wires.delete(connection)
    wire?.close('done')
  }

  #received(connection: ConnectionId, frame: Uint8Array): void {
    let bytes = frame.length
    for (const message of fromBinary(SessionResponseSchema, frame).messages) {
      this.#step({ type: 'received', connection, message, bytes })
      bytes = 0
    }
  }

  #changed(): void {
    const state = this.#session?.state
    if (state?.name === 'refused') this.#joined.reject(new FourfoldError(state.code, state.text))
    this.#changes.tell()
  }

  #named(name: string, text: string): void {
    this.#joined.resolve()
    for (const document of this.#documents.values()) document.presence.rename(name)
    if (text !== '') this.#renames.tell({ name, text })
    this.#changes.tell()
  }

  #turnedDown(document: string, error: FourfoldError): void {
    this.#waiting = this.#waiting.filter((waiting) => {
      if (waiting.document === document) waiting.reject(error)
      return waiting.document !== document
    })
    this.#changes.tell()
  }

  #forgetClosed(): void {
    for (const [id, document] of this.#documents) {
      if (!document.isClosed || this.#session?.needs(id)) continue
      this.#documents.delete(id)
      document.destroy()
    }
  }

  // ------------------------------------------------------------------------------------- files

  #applyEntry(entry: Entry): void {
    if (this.#folder.apply(entry)) this.#files = undefined
  }

  #file(entry: Entry): FileInfo {
    return {
      id: entry.id,
      name: this.#folder.shownName(entry.id) ?? entry.name?.value ?? '',
      isDeleted: entry.deleted?.value ?? false,
      deletedBy: entry.deleted?.value ? entry.deletedBy : '',
      createdBy: entry.createdBy,
      createdAt: entry.createdAt,
    }
  }
}

const stateNames: Record<ServerState, ServerInfo['state']> = {
  [ServerState.UNSPECIFIED]: 'down',
  [ServerState.LIVE]: 'live',
  [ServerState.BEHIND]: 'behind',
  [ServerState.DOWN]: 'down',
}

/** Concatenated encodings of one message with one repeated field are one message. */
function joined(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
