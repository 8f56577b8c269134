// What the world must offer to the minds: a place to store, and an engine that carries updates.

import type { DoneOperation, Ephemeral, ServerState, Snapshot, Update } from './model/wire.ts'
import type { Origin, ReplicaId, SubjectId } from './model/ids.ts'
import type { VersionVector } from './model/version-vector.ts'

// ---------------------------------------------------------------------------------- Storage

/** Everything of one subject that is stored: the pieces of its snapshot and its loose updates. */
export interface StoredSubject {
  /** Merged pieces; one after compaction, more while received ones wait to be merged. */
  snapshots: Snapshot[]
  /** Updates not in any of them, by (origin, seq). */
  updates: Update[]
}

/** What can be read of a subject. */
export interface SoundSubject extends StoredSubject {
  /** How far in each log what is damaged stood for, as far as is noted. */
  lost: VersionVector
}

/** One atomic write. Everything in it becomes durable together, or nothing of it. */
export interface Batch {
  /** New ends of logs: contiguous per origin with what is stored or precedes in the batch. */
  updates: Update[]
  /**
   * Received pieces of subjects: kept beside what is there, never instead of it. The operations in
   * them are known from then on.
   */
  snapshots: Snapshot[]
  /** After the updates and snapshots of a transfer: raises the version vector at least to this. */
  advance?: VersionVector
  /** From now on this store counts as filled: it may serve. */
  isComplete?: boolean
  /** From now on the life that the set is in has this name. */
  life?: string
}

/** Reads of what is durable, or taken in and about to be. Synchronous. */
export interface StorageReader {
  /** Whether the store was ever filled: false on an empty disk until `Batch.isComplete`. */
  isComplete(): boolean
  /** Name of the life that the set is in; empty: not known. */
  life(): string
  /** The version vector of the store. */
  vector(): VersionVector
  /** Per origin the highest seq that compaction removed: logs can be read only after it. */
  floor(): VersionVector
  /**
   * Per origin the highest seq that a whole subject here stands for. Beyond the version vector: of a
   * transfer that broke off. Costs nothing, however much is stored.
   */
  covered(): VersionVector
  /** All that is stored of a subject; empty lists for an unknown one. Throws CorruptError. */
  load(subject: SubjectId): StoredSubject
  /** What of it can be read though something is damaged. It may be there twice. */
  sound(subject: SubjectId): SoundSubject
  /**
   * Updates of one log after `seq`, in order, of at most `bytesMax` (but at least one). Empty also
   * when the floor has risen above `seq`: ask for it again. Throws CorruptError.
   */
  after(origin: Origin, seq: number, bytesMax: number): Update[]
  /** Subjects with anything beyond `vector`, by id, after `after`, at most `limit`. */
  beyond(vector: VersionVector, after: SubjectId | '', limit: number): SubjectId[]
  /** Every subject that is an entry, by id, after `after`, at most `limit`. */
  entries(after: SubjectId | '', limit: number): SubjectId[]
  /** Every such subject with all that is stored of it, in no order: many are looked up at once. */
  eachEntry(): Iterable<EntryFound>
  /** An operation whose effect was stored here in the last 30 days. */
  operation(id: string): OperationFound | undefined
  /** Those about a subject, the newest first, at most `limit`: all have their effect in what is loaded. */
  operationsOf(subject: SubjectId, limit: number): DoneOperation[]
  /** How many loose updates a subject has. */
  loose(subject: SubjectId): number
  /** Bytes of its merged pieces: what merging it once more reads and writes. */
  mergedBytes(subject: SubjectId): number
}

/** An operation that took effect. */
export interface OperationFound {
  /** What it was about. */
  subject: SubjectId
  /** Of what was asked; empty: not told. */
  digest: string
  /**
   * It was carried out elsewhere and is not on this disk. Soon: what is asked of the engine from now on
   * comes after it. Later: its effect is not all here, and nobody can be told where it is.
   */
  coming?: 'soon' | 'later'
}

/** A subject that is an entry. */
export interface EntryFound {
  subject: SubjectId
  /** All that is stored of it. Throws CorruptError. */
  read: () => StoredSubject
}

/** What is stored does not match its checksum, or does not decode. */
export class CorruptError extends Error {
  readonly subject: SubjectId

  constructor(subject: SubjectId, message: string) {
    super(message)
    this.name = 'CorruptError'
    this.subject = subject
  }
}

/**
 * One server's disk. One `write` is under way at a time. When a promise rejects, the write may or
 * may not have happened, and the storage must not be used any more (fail stop).
 */
export interface Storage {
  readonly reader: StorageReader
  /** Resolves with why when nothing can be stored any more, also while nobody waits for the disk. */
  readonly failed: Promise<Error>
  /**
   * Takes the batch in, if it can at once: the reader shows it when this returns, and the promise
   * resolves when the batch and all that was taken in before it is on stable storage. Nothing that
   * rests on it may leave the process sooner. Undefined: it cannot; `write` it.
   */
  take(batch: Batch): Promise<void> | undefined
  /** Resolves after the batch is on stable storage. */
  write(batch: Batch): Promise<void>
  /**
   * Merges the snapshots of a subject, and its updates up to `upTo`, into one snapshot. Reads only
   * what is durable. Resolves when done; may run beside writes. Rejects with CorruptError when
   * something of the subject is damaged. However it rejects, nothing has changed, and the storage goes
   * on unless it `failed`.
   */
  compact(subject: SubjectId, upTo: VersionVector): Promise<void>
  /** The same, and of what is merged only a tombstone stays: its entry must be purged for good. */
  purge(subject: SubjectId, upTo: VersionVector): Promise<void>
  close(): Promise<void>
}

// ----------------------------------------------------------------------------------- Engine

/** An update before it has a place in a log. */
export type NewUpdate = Pick<Update, 'subject' | 'author' | 'at' | 'operation' | 'body'> &
  Partial<Pick<Update, 'operationDigest'>>

/**
 * A point in what this server has stored. Marks grow; a replica that covers a mark holds all that
 * this server held when the mark was given, the causes of every update included.
 */
export type Mark = number

/**
 * What a server's mind towards clients asks of the engine. Every request is idempotent and
 * commutative; no order between writers is promised; what an answer leads to leaves the server only
 * when the bytes are on stable storage (`Engine.whenStored`).
 */
export type EngineRequest =
  /** Make this durable and carry it. Answered by `appended`, in the order of the requests. */
  | { type: 'append'; tag: number; update: NewUpdate }
  /** Nothing to store: answered by `appended` when all appends before it are stored. */
  | { type: 'barrier'; tag: number }
  /** Merge the loose updates of this subject when that is safe. No answer. */
  | { type: 'compact'; subject: SubjectId }
  /**
   * Remove all of this subject but the tombstone, as soon as every server holds what this one holds
   * now, and this one all that they hold; and it was asked for twice since. Asked again and again by
   * whoever still wants it, until it is answered by `purged`.
   */
  | { type: 'purge'; subject: SubjectId }
  /** Fetch this subject whole from a peer: what is stored does not load. Answered by `replaced`. */
  | { type: 'want'; subject: SubjectId }
  /**
   * Compare this digest of all that is on disk with those of the others; a difference is told.
   * `heard` is how many `appended` with an update, `changed` and `replaced` it accounts for: when
   * more are on their way the request is void.
   */
  | { type: 'compare'; digest: string; heard: number }
  /** Whether more of these logs, up to there, may come. Answered by `absent` where it is sure of some. */
  | { type: 'seek'; tag: number; upTo: VersionVector }
  /**
   * To all other servers with which there is a channel, once; a caret may get lost where much waits.
   * Who is here is said again when a channel is new (`ServerView.channel`).
   */
  | { type: 'send'; ephemeral: Ephemeral }

/**
 * What the engine tells. In order. It may tell a moment before the disk has it: whatever leaves the
 * server because of it goes through `Engine.whenStored`.
 */
export type EngineEvent =
  /** The append or barrier `tag` is on this disk. `update` is absent for a barrier. */
  | { type: 'appended'; tag: number; mark: Mark; update?: Update }
  /** `replica`'s disk covers all marks up to this one. */
  | { type: 'covered'; replica: ReplicaId; mark: Mark }
  /** An update of another server is on this disk. */
  | { type: 'changed'; update: Update }
  /** A subject was received whole and is on this disk: load it again and merge. */
  | { type: 'replaced'; subject: SubjectId }
  /** Of these logs all up to here is on disk, in whole subjects too. */
  | { type: 'advanced'; upTo: VersionVector }
  /** Every server is there, and none has more of these logs, of those that `tag` seeks, than is on disk. */
  | { type: 'absent'; tag: number; origins: Origin[] }
  /**
   * Something of this subject is on no disk any more, and the rest is about to be `replaced`: what is in
   * memory of it is to be said again.
   */
  | { type: 'lost'; subject: SubjectId }
  /** Nothing is left of this subject but its tombstone. */
  | { type: 'purged'; subject: SubjectId }
  | { type: 'ephemeral'; from: ReplicaId; ephemeral: Ephemeral }
  /** How the servers are, in the order of the configuration; sent when something changed. */
  | { type: 'servers'; servers: ServerView[]; isServing: boolean }

/** One server of the set as this one sees it. */
export interface ServerView {
  id: ReplicaId
  /** Where clients find it: "http://127.0.0.1:4400". */
  address: string
  state: ServerState
  /** The life it is in; absent of this server itself, and of one with which there is no channel. */
  origin?: Origin
  /** Another one each time there is a new channel to it; absent where `origin` is. */
  channel?: number
  /** How many updates it lacks that this server has. */
  lag: number
  heardAt: number
}

/** Reads that the mind towards clients makes: the durable state of this server. */
export type EngineReader = Pick<
  StorageReader,
  | 'life'
  | 'load'
  | 'entries'
  | 'eachEntry'
  | 'operation'
  | 'loose'
  | 'mergedBytes'
  | 'vector'
  | 'beyond'
>

/** What hears an engine. */
export interface EngineListener {
  event(event: EngineEvent): void
  /**
   * The engine can store no more: nothing that was not answered is known to be stored. The last
   * call.
   */
  failed(error: Error): void
}

/**
 * What makes updates durable and carries them between servers: the replica set's own logs, or
 * another. One suite says what it owes: test/engine/conformance.ts.
 */
export interface Engine {
  readonly reader: EngineReader
  /** Unique to this life of this server; for the stamps of its writes. */
  readonly origin: Origin
  /** Never blocks, never throws; answered by events where the request has an answer. */
  ask(request: EngineRequest): void
  /** Called once by the owner, before anything is asked. */
  listen(listener: EngineListener): void
  /**
   * Calls `release` when all that was told so far is on stable storage: at once, if it is. In order.
   * Never, when storing fails.
   */
  whenStored(release: () => void): void
  /** Whether something is on its way to the disk or to a peer. */
  isBusy(): boolean
  /** How the servers are, in the order of the configuration. */
  servers(now: number): ServerView[]
  /** What somebody must look at among the servers, in sentences. */
  warnings(now: number): string[]
  /** Takes nothing from other servers until `resume`: this disk is nearly full. */
  suspend(): void
  resume(): void
  close(): Promise<void>
}

// ---------------------------------------------------------------------------------- Channel

/** Why a channel ended; for people. */
export type Ending = string

/**
 * An ordered, whole stream of messages until it breaks. Nothing is lost without `closed`; after
 * `closed` nothing comes.
 */
export interface Channel<Sent, Received> {
  /** Queues; never blocks. */
  send(message: Sent): void
  /** Bytes queued here and not yet taken by the network. */
  queuedBytes(): number
  /** Ends it; the other side sees it closed, and where it can hears why, if it is turned away. */
  close(why: Ending, isRefusal?: boolean): void
  /** Called once by the owner, before anything arrives. */
  listen(listener: ChannelListener<Received>): void
}

export interface ChannelListener<Received> {
  received(message: Received): void
  /** Some of a long message has come: the other side lives, and says nothing else meanwhile. */
  progressed?(): void
  /**
   * The other side says nothing more, and may still hear: a call has halves. It is closed by whoever
   * has said the rest. Without this it is `closed` at once.
   */
  ended?(why: Ending): void
  /** `isRefusal`: the other side turned this one away, with these words. */
  closed(why: Ending, isRefusal?: boolean): void
}

/** A connection that a client dialled: frames out. */
export interface Wire {
  send(frame: Uint8Array<ArrayBuffer>): void
  /** Its listener hears nothing more; what was sent before still goes. */
  close(why: Ending): void
}

/** `opened` comes once before anything else, or `closed` comes instead. */
export interface DialListener extends ChannelListener<Uint8Array> {
  opened(): void
}

/** How a client reaches a server. Throws when the address is none. */
export type Dial = (address: string, listener: DialListener) => Wire

// ------------------------------------------------------------------------------- This device

/** Somebody else's edit as a server sealed it; see `Relay` in core/session. Its text is also an update. */
export interface KeptRelay {
  update: Uint8Array
  seal: Uint8Array
  /** How far which of this person's Yjs client ids went then. */
  own: [writer: number, clock: number][]
}

export interface KeptDocument {
  updates: Uint8Array[]
  /** In the order in which they were kept; another version of the program may have written them. */
  relays: unknown[]
}

/** How one value changes: `alter` makes the next of it, also of one that is not there. */
export interface Note {
  key: string
  alter: (value: unknown) => unknown
}

/** What is kept in one piece with an update: relays whose text it holds, and a value that changes with it. */
export interface KeptWith {
  relays?: readonly KeptRelay[]
  note?: Note | undefined
}

/**
 * This device's storage: IndexedDB in a browser. Several programs, tabs above all, may have the same
 * one open, each through an object of its own. All may reject.
 */
export interface LocalStorage {
  /** What is kept of a document here: its updates, in any order, and the relays kept with them. */
  load(document: string): Promise<KeptDocument>
  /** Keeps all of it, or nothing. */
  append(document: string, update: Uint8Array, also?: KeptWith): Promise<void>
  /** Puts these in the place of all that this object loaded and appended; what others did stays. */
  compact(document: string, update: Uint8Array, also?: KeptWith): Promise<void>
  /** Every document of which something is kept. */
  documents(): Promise<string[]>
  /** Keeps nothing more of a document, whoever put it there. */
  forget(document: string): Promise<void>
  /** Small values: keys of sessions, the list of files, the addresses of servers. */
  get(key: string): Promise<unknown>
  set(key: string, value: unknown): Promise<void>
  /** Puts what `alter` makes of a value in its place, in one piece with what others do. */
  change(key: string, alter: (value: unknown) => unknown): Promise<void>
  /**
   * Holds a name as soon as nobody else does; resolves with what lets go of it. The end of the program
   * does so, too. Undefined: it cannot be told here who holds what.
   */
  hold(name: string): Promise<(() => void) | undefined>
  /** Tells a word to those who listen now, but for this object. */
  tell(word: string): void
  /** Returns the function that ends it. */
  listen(hear: (word: string) => void): () => void
  /** Hears that all of it may be gone: a person emptied it. Returns the function that ends it. */
  onLost(hear: () => void): () => void
}
