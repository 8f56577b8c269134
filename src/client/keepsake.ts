// What of a client outlives its program: texts, keys of sessions, the list of files, the servers.

import { fromBinary, toBinary } from '@bufbuild/protobuf'
import * as Y from 'yjs'
import { sessionOf } from '../core/model/ids.ts'
import { textRoot } from '../core/model/snapshot.ts'
import { EntrySchema, OperationSchema, type Entry } from '../core/model/wire.ts'
import type { LocalStorage } from '../core/ports.ts'
import type { OperationBody } from '../core/session/parcel.ts'
import { Keyring } from './keyring.ts'
import { leaveLife, livesIn, nameLife, readLives, storageAt, type Lives } from './lives.ts'

/** Updates of a document kept one by one before they are put together. */
const looseMax = 200
/** The list of files is written whole: the pause after it is so many times its work. */
const entriesPause = 10
/** What could not be written is tried again after this. */
const retryMs = 5000

/** One document on its way to the storage. */
interface Pages {
  updates: Uint8Array[]
  /** Among them are edits of this session. */
  hasOwn: boolean
  isWriting: boolean
  writing: Promise<void>
  loose: number
  /** Something could not be written: the next write holds the whole document. */
  isTorn: boolean
  /** Why, until that is written. */
  failure: string | undefined
  /** What was loaded is not in the document yet: nothing may take its place. */
  isUnread: boolean
  /** What takes in all that is kept by now, and hears whether it could be read. */
  readings: { take: (updates: Uint8Array[]) => void; done: (isRead: boolean) => void }[]
  whole: () => Uint8Array
}

const damage = 'what this device kept of a file cannot be read'

/** What was kept by the client's last life. */
export interface Kept {
  /** Name of the life of the set that all of it belongs to; empty: not known. */
  life: string
  keys: Uint8Array[]
  /** Secret of this device, for all its sessions; empty: it keeps none. */
  device: Uint8Array
  addresses: string[]
  entries: Entry[]
  /** What was asked of the folder and was not certain to stay, in order. */
  operations: OperationBody[]
  /** Sessions that left something of this, or will if they end; undefined: it cannot be read. */
  sessions: string[] | undefined
}

/** An operation on its way to the servers. */
export interface KeptOperation {
  id: string
  /** The session that sees to it. */
  session: string
  /** An encoded fourfold.v1.Operation. */
  bytes: Uint8Array
}

/** Writes in the background, in order; a failure is told and the write tried again. */
export class Keepsake {
  readonly keyring: Keyring
  /** The id of the session that keeps things here. */
  readonly session: string
  readonly #storage: LocalStorage | undefined
  readonly #changed: () => void
  readonly #pages = new Map<string, Pages>()
  #entriesTimer: ReturnType<typeof setTimeout> | undefined
  /** The list of files, when it is not written as it is. */
  #unwritten: (() => Iterable<Entry>) | undefined
  /** Name of the life that this begins in; undefined: the one that the device knows. */
  readonly #life: string | undefined
  /** The lives that this device knew when this began, and the part of the storage of the present one. */
  #begun: { lives: Lives; shelf: LocalStorage } | undefined
  /** What was asked of the storage first, until it answers. */
  #beginning: Promise<LocalStorage> | undefined
  #isClosed = false
  #retryTimer: ReturnType<typeof setTimeout> | undefined
  #failure: string | undefined
  /** Documents of which something that is kept does not decode. */
  readonly #damaged = new Set<string>()

  /** `changed`: whether storing works has changed. `life`: where the client before this one left for. */
  constructor(
    storage: LocalStorage | undefined,
    key: Uint8Array,
    changed: () => void,
    life?: string,
  ) {
    this.#storage = storage
    this.#changed = changed
    this.#life = life
    this.session = sessionOf(key)
    this.keyring = new Keyring(key, {
      read: () => this.#read('keys'),
      change: async (alter) => {
        return (await this.#attempt((device) => isDone(device.change('keys', alter)))) ?? false
      },
    })
  }

  /** Why what is typed is not kept here; undefined: it is. */
  get failure(): string | undefined {
    if (!this.#storage) return 'this program keeps nothing on this device'
    // That something else was written since says nothing of what was not.
    const torn = [...this.#pages.values()].find(({ failure }) => failure !== undefined)
    return this.#failure ?? torn?.failure ?? (this.#damaged.size > 0 ? damage : undefined)
  }

  get isKeeping(): boolean {
    return this.#storage !== undefined
  }

  /** What is kept. */
  async begin(): Promise<Kept> {
    // All at once: a storage that does not answer is waited for once.
    const [keys, device, addresses, entries, operations] = await Promise.all([
      this.keyring.begin(),
      this.#deviceSecret(),
      this.#attempt((storage) => storage.get('addresses')),
      this.#attempt((storage) => storage.get('entries')),
      this.#read('operations'),
    ])
    return {
      life: this.#begun?.lives.name ?? '',
      sessions: keys && operations && sessionsIn(keys.map(sessionOf), operations.value),
      keys: keys ?? [],
      device,
      addresses: listOf(addresses, (each) => typeof each === 'string'),
      entries: entriesOf(entries),
      operations: operationsOf(operations?.value),
    }
  }

  /** Sessions that left something here, or will if they end; undefined: it cannot be read. */
  async sessions(): Promise<string[] | undefined> {
    const sessions = await this.keyring.sessions()
    const operations = await this.#read('operations')
    return sessions && operations && sessionsIn(sessions, operations.value)
  }

  /** Drawn once: what two programs draw at the same moment is one. */
  async #deviceSecret(): Promise<Uint8Array> {
    const kept = await this.#read('device')
    // Where nothing can be written it is still known.
    if (isSecret(kept?.value)) return kept.value
    let secret: Uint8Array = new Uint8Array()
    const alter = (value: unknown) => {
      return (secret = isSecret(value) ? value : crypto.getRandomValues(new Uint8Array(16)))
    }
    const isKept = await this.#attempt((storage) => isDone(storage.change('device', alter)))
    return isKept ? secret : new Uint8Array()
  }

  /** These come behind those that are kept; those of these ids go. Whether that is kept. */
  async keepOperations(
    come: readonly Pick<KeptOperation, 'id' | 'bytes'>[],
    gone: readonly string[],
  ): Promise<boolean> {
    const changed = new Set([...gone, ...come.map(({ id }) => id)])
    const alter = (value: unknown) => [
      ...keptOperations(value).filter(({ id }) => !changed.has(id)),
      ...come.map((operation) => ({ ...operation, session: this.session })),
    ]
    return (await this.#attempt((storage) => isDone(storage.change('operations', alter)))) ?? false
  }

  /**
   * What a session that is over asked for, in order: from here on this one sees to it. Undefined: it
   * cannot be read.
   */
  async adopt(session: string): Promise<OperationBody[] | undefined> {
    // A device that takes no writes still tells that there is nothing.
    const kept = await this.#read('operations')
    if (!kept || !keptOperations(kept.value).some((each) => each.session === session)) {
      return kept && []
    }
    let found: OperationBody[] = []
    const isAdopted = await this.#attempt((storage) => {
      const alter = (value: unknown) => {
        const all = keptOperations(value)
        found = all
          .filter((each) => each.session === session)
          .flatMap(({ bytes }) => operationOf(bytes))
        return all.map((each) =>
          each.session === session ? { ...each, session: this.session } : each,
        )
      }
      return isDone(storage.change('operations', alter))
    })
    return isAdopted && found
  }

  /** See `LocalStorage.hold`; of one life of the set. Undefined also where the storage fails. */
  async hold(name: string): Promise<(() => void) | undefined> {
    return this.#begun?.shelf.hold(name)
  }

  /** Tells a word to the other programs that keep things here. */
  tell(word: string): void {
    this.#begun?.shelf.tell(word)
  }

  /** Hears the words of others. Returns the function that ends it. */
  listen(hear: (word: string) => void): () => void {
    return this.#begun?.shelf.listen(hear) ?? (() => undefined)
  }

  /** Where things of the present life lie on this device, and of earlier ones. */
  get places(): Pick<Lives, 'place' | 'earlier'> {
    return this.#begun?.lives ?? { place: '', earlier: [] }
  }

  /** A server told the name of the life that it is in. */
  keepLife(life: string): void {
    void this.#attempt(() => isDone(nameLife(this.#storage!, life)))
  }

  /**
   * What is kept here is of a life that is over: whoever begins on this device from now on is in this
   * one. Whether all of it is kept.
   */
  async leave(life: string): Promise<boolean> {
    await this.written()
    const isBehind = [...this.#pages.keys()].some((document) => this.isBehind(document))
    const isLeft = await this.#attempt(async (shelf) => {
      const { place } = this.places
      // Another program left before this one and may have forgotten what was here until then. What was
      // kept since builds on that.
      if ((await readLives(this.#storage!)).place !== place) {
        for (const [document, { whole }] of this.#pages) await shelf.append(document, whole())
      }
      return isDone(leaveLife(this.#storage!, life, place))
    })
    return !isBehind && isLeft === true
  }

  keepAddresses(addresses: string[]): void {
    void this.#attempt((storage) => storage.set('addresses', addresses))
  }

  /** `entries`: the list as it is when it is written, soon. */
  keepEntries(entries: () => Iterable<Entry>): void {
    if (!this.#storage) return
    this.#unwritten = entries
    this.#entriesTimer ??= setTimeout(() => void this.#writeEntries())
  }

  async #writeEntries(): Promise<void> {
    const entries = this.#unwritten
    this.#unwritten = undefined
    if (!entries) {
      this.#entriesTimer = undefined
      return
    }
    const beganAt = performance.now()
    const bytes = [...entries()].map((entry) => toBinary(EntrySchema, entry))
    const written = this.#attempt((storage) => storage.set('entries', bytes))
    const pauseMs = (performance.now() - beganAt) * entriesPause
    await written
    if (this.#isClosed) return
    this.#entriesTimer = setTimeout(() => void this.#writeEntries(), pauseMs)
  }

  /** The document as it was kept here; `whole` encodes what it is by then. Undefined: it cannot be read. */
  async load(document: string, whole: () => Uint8Array): Promise<Uint8Array[] | undefined> {
    if (!this.#storage) return []
    // What could not be written before it was closed is still to be.
    const { isTorn = false, failure } = this.#pages.get(document) ?? {}
    const pages: Pages = {
      updates: [],
      hasOwn: false,
      isWriting: false,
      writing: Promise.resolve(),
      loose: 0,
      isTorn,
      failure,
      isUnread: true,
      readings: [],
      whole,
    }
    this.#pages.set(document, pages)
    const updates = await this.#attempt((storage) => storage.load(document))
    pages.loose += updates?.length ?? 0
    pages.isUnread = updates !== undefined && updates.length > 0
    return updates
  }

  /** What `load` returned is in the document. */
  taken(document: string): void {
    const pages = this.#pages.get(document)
    if (pages) pages.isUnread = false
  }

  /**
   * `take` is given all that is kept of an open document by now, by whomever. Whether it could be read.
   * It takes its turn among the writes: one that puts all in one piece counts on having all.
   */
  again(document: string, take: (updates: Uint8Array[]) => void): Promise<boolean> {
    const pages = this.#pages.get(document)
    if (!pages) return Promise.resolve(false)
    return new Promise((done) => {
      pages.readings.push({ take, done })
      if (!pages.isWriting) pages.writing = this.#write(document, pages)
    })
  }

  /** The text of a document that is not open, as far as it is kept here. */
  async text(document: string): Promise<string> {
    return textOf((await this.#attempt((storage) => storage.load(document))) ?? [])
  }

  /** Whether anything of a document is kept here. */
  async has(document: string): Promise<boolean> {
    // What is loaded counts as being in the document, and would go when that is written in one piece.
    if ((this.#pages.get(document)?.loose ?? 0) > 0) return true
    const updates = await this.#attempt((storage) => storage.load(document))
    return updates !== undefined && updates.length > 0
  }

  /** The path under which a document went when this device saw it last. */
  async path(document: string): Promise<string> {
    const paths = await this.#attempt((storage) => storage.get('paths'))
    return pathsOf(paths)[document] ?? `${document}.txt`
  }

  /** Under which path a document went when this device saw it last. */
  keepPath(document: string, path: string): void {
    void this.#attempt((storage) => {
      return isDone(storage.change('paths', (value) => withPath(value, document, path)))
    })
  }

  /** `isOwn`: an edit of this session, whose key must be kept before it. */
  append(document: string, update: Uint8Array, isOwn: boolean): void {
    const pages = this.#pages.get(document)
    if (!pages) return
    pages.updates.push(update)
    pages.hasOwn ||= isOwn
    if (!pages.isWriting) pages.writing = this.#write(document, pages)
  }

  /** Something that is kept of this document does not decode. It stays as it is until `mend`. */
  damaged(document: string): void {
    this.#damaged.add(document)
    this.#changed()
  }

  /** All that a server has of this document is here: what does not decode is written anew. */
  mend(document: string): void {
    const pages = this.#pages.get(document)
    if (!pages || !this.#damaged.has(document)) return
    pages.isTorn = true
    if (!pages.isWriting) pages.writing = this.#write(document, pages)
  }

  /** Whether edits of this document are still on their way to the storage. */
  isBehind(document: string): boolean {
    const pages = this.#pages.get(document)
    return pages !== undefined && (pages.isWriting || pages.isTorn)
  }

  /** The document is not open any more. */
  release(document: string): void {
    const pages = this.#pages.get(document)
    if (pages && !this.isBehind(document)) this.#pages.delete(document)
    this.#isSound(document)
  }

  /** Tries to write now what could not be written. */
  retry(): void {
    for (const [document, pages] of this.#pages) {
      if (pages.isTorn && !pages.isWriting) pages.writing = this.#write(document, pages)
    }
  }

  /** Resolves when nothing of any document is on its way to the storage. */
  async written(): Promise<void> {
    await Promise.all([...this.#pages.values()].map(({ writing }) => writing))
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#entriesTimer)
    clearTimeout(this.#retryTimer)
  }

  async #write(document: string, pages: Pages): Promise<void> {
    pages.isWriting = true
    while (pages.updates.length > 0 || pages.isTorn || pages.readings.length > 0) {
      if (pages.readings.length > 0) {
        await this.#readAgain(document, pages)
        continue
      }
      const { updates, hasOwn } = pages
      pages.updates = []
      pages.hasOwn = false
      // Without it nobody could bring these edits to a server when this session is over.
      const isClaimed = !hasOwn || (await this.keyring.claim(Date.now(), document))
      const why = this.#failure
      if ((await this.#put(document, pages, updates)) && isClaimed) {
        if (!pages.isTorn) this.#tell(() => (pages.failure = undefined))
        continue
      }
      pages.isTorn = true
      pages.hasOwn ||= !isClaimed
      this.#tell(() => (pages.failure = why ?? this.#failure ?? 'not all of it is kept here yet'))
      this.#retryLater()
      break
    }
    pages.isWriting = false
  }

  #put(document: string, pages: Pages, updates: Uint8Array[]): Promise<boolean> {
    const isLong = pages.loose >= looseMax && !this.#damaged.has(document)
    if (!pages.isUnread && (pages.isTorn || isLong)) return this.#compact(document, pages)
    return this.#append(document, pages, updates)
  }

  async #readAgain(document: string, pages: Pages): Promise<void> {
    const readings = pages.readings.splice(0)
    const updates = await this.#attempt((storage) => storage.load(document))
    if (updates) pages.loose = updates.length
    for (const { take, done } of readings) {
      if (updates) take(updates)
      done(updates !== undefined)
    }
  }

  async #append(document: string, pages: Pages, updates: Uint8Array[]): Promise<boolean> {
    const { isTorn } = pages
    const [first, ...more] = isTorn ? [pages.whole()] : updates
    const update = more.length === 0 ? first! : Y.mergeUpdates(updates)
    if (!(await this.#attempt((storage) => isDone(storage.append(document, update))))) return false
    pages.loose++
    if (isTorn) pages.isTorn = false
    return true
  }

  async #compact(document: string, pages: Pages): Promise<boolean> {
    const whole = pages.whole()
    if (!(await this.#attempt((storage) => isDone(storage.compact(document, whole))))) return false
    pages.loose = 1
    pages.isTorn = false
    this.#isSound(document)
    return true
  }

  #isSound(document: string): void {
    if (this.#damaged.delete(document)) this.#changed()
  }

  #retryLater(): void {
    clearTimeout(this.#retryTimer)
    if (!this.#isClosed) this.#retryTimer = setTimeout(() => this.retry(), retryMs)
  }

  /** Undefined: it cannot be read. */
  async #read(name: string): Promise<{ value: unknown } | undefined> {
    if (!this.#storage) return { value: undefined }
    return this.#attempt(async (storage) => ({ value: await storage.get(name) }))
  }

  async #attempt<T>(act: (storage: LocalStorage) => Promise<T>): Promise<T | undefined> {
    if (!this.#storage) return undefined
    try {
      const result = await act(await this.#shelf(this.#storage))
      this.#report(undefined)
      return result
    } catch (error) {
      // Told to the person by the save state: closing the program would lose what no server has.
      this.#report(error instanceof Error ? error.message : String(error))
      return undefined
    }
  }

  async #shelf(storage: LocalStorage): Promise<LocalStorage> {
    if (this.#begun) return this.#begun.shelf
    // All wait for one answer, and go on in order: a record written earlier must not come later.
    this.#beginning ??= this.#begin(storage)
    return this.#beginning
  }

  async #begin(storage: LocalStorage): Promise<LocalStorage> {
    try {
      const known = await readLives(storage)
      // A device that takes no writes still knows the life that was left.
      const lives = this.#life === undefined ? known : livesIn(known, this.#life)
      this.#begun = { lives, shelf: storageAt(storage, lives.place) }
      return this.#begun.shelf
    } finally {
      this.#beginning = undefined
    }
  }

  #report(failure: string | undefined): void {
    this.#tell(() => (this.#failure = failure))
  }

  /** Tells when something else is to be said of what fails. */
  #tell(alter: () => void): void {
    const before = this.failure
    alter()
    if (this.failure !== before) this.#changed()
  }
}

function isSecret(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.length === 16
}

async function isDone(write: Promise<void>): Promise<true> {
  await write
  return true
}

/** The text that these updates make. */
export function textOf(updates: readonly Uint8Array[]): string {
  const doc = new Y.Doc()
  for (const update of updates) {
    try {
      Y.applyUpdate(doc, update)
    } catch {
      // A device's storage can come back with bytes that nobody wrote: the rest is still of use.
    }
  }
  return doc.getText(textRoot).toString()
}

function listOf<T>(value: unknown, is: (each: unknown) => boolean): T[] {
  return Array.isArray(value) ? (value.filter(is) as T[]) : []
}

/** A list of files as it is kept. */
export function entriesOf(value: unknown): Entry[] {
  try {
    return listOf<Uint8Array>(value, (each) => each instanceof Uint8Array).map((bytes) =>
      fromBinary(EntrySchema, bytes),
    )
  } catch {
    // Whatever the decoder says: the servers tell the list anew, and the program must begin.
    return []
  }
}

/** Operations as they are kept. */
export function operationsOf(value: unknown): OperationBody[] {
  return keptOperations(value).flatMap(({ bytes }) => operationOf(bytes))
}

/** Those sessions, and those that asked for something that is kept. */
function sessionsIn(sessions: readonly string[], operations: unknown): string[] {
  const askers = keptOperations(operations).map(({ session }) => session)
  return [...new Set([...sessions, ...askers])].filter((each) => each !== '')
}

function keptOperations(value: unknown): KeptOperation[] {
  const kept = listOf<Omit<KeptOperation, 'session'> & { session?: unknown }>(value, (each) => {
    const { id, bytes } = (each ?? {}) as Partial<KeptOperation>
    return typeof id === 'string' && bytes instanceof Uint8Array
  })
  // Earlier versions of the program did not say whose they are.
  return kept.map((each) => ({
    ...each,
    session: typeof each.session === 'string' ? each.session : '',
  }))
}

function operationOf(bytes: Uint8Array): OperationBody[] {
  try {
    const { id, operation } = fromBinary(OperationSchema, bytes)
    return [{ id, operation }]
  } catch {
    // Whatever the decoder says: nobody can tell what was asked for.
    return []
  }
}

/** Paths of documents as they are kept, by id. */
export function pathsOf(value: unknown): { [id: string]: string } {
  const entries = Object.entries((value ?? {}) as { [id: string]: unknown })
  return Object.fromEntries(
    entries.flatMap(([id, path]) => (typeof path === 'string' ? [[id, path] as const] : [])),
  )
}

function withPath(value: unknown, id: string, path: string): { [id: string]: string } {
  return { ...pathsOf(value), [id]: path }
}
