// What of a client outlives its program: texts, keys of sessions, the list of files, the servers.

import { toBinary } from '@bufbuild/protobuf'
import { whyOf } from '../core/model/errors.ts'
import { sessionOf } from '../core/model/ids.ts'
import { restAfter } from '../core/model/rest.ts'
import { EntrySchema, type Entry } from '../core/model/wire.ts'
import type { LocalStorage, Note } from '../core/ports.ts'
import type { OperationBody } from '../core/session/parcel.ts'
import type { KeptText } from './api.ts'
import { KeptDocuments } from './kept-documents.ts'
import {
  entriesOf,
  keptOperations,
  listOf,
  operationOf,
  operationsOf,
  pathsOf,
  sessionsIn,
  withPath,
  type KeptOperation,
} from './kept-values.ts'
import { Keyring, recordsOfKeys } from './keyring.ts'
import {
  keepLives,
  leaveLife,
  livesIn,
  nameLife,
  readLives,
  storageAt,
  type Lives,
} from './lives.ts'
import { changeKeys, decide, findSuspects, judge, letGo } from './suspects.ts'

/** What a storage was asked for so long ago and has not done counts as not kept. */
const lateMs = 3000
/** An answer that came while the program stood still is heard after its timers, but within this. */
const unheardMs = 100

/** The list of files is written whole. */
const entriesPace = { times: 10, leastMs: 0, mostMs: 60_000 }

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
  /** Documents in which may be edits whose key is lost. */
  suspects: string[]
  /** Sessions that left something of this, or will if they end; undefined: it cannot be read. */
  sessions: string[] | undefined
}

/** Writes in the background, in order; a failure is told. */
export class Keepsake {
  readonly keyring: Keyring
  readonly documents: KeptDocuments
  /** The id of the session that keeps things here. */
  readonly session: string
  readonly #storage: LocalStorage | undefined
  readonly #changed: () => void
  #entriesTimer: ReturnType<typeof setTimeout> | undefined
  /** The list of files, when it is not written as it is. */
  #unwritten: (() => Iterable<Entry>) | undefined
  /** Name of the life that this begins in; undefined: the one that the device knows. */
  readonly #life: string | undefined
  /** The lives that this device knew when this began, and the part of the storage of the present one. */
  #begun: { lives: Lives; shelf: LocalStorage } | undefined
  /** Undefined: that could not be looked at. */
  #suspects: string[] | undefined
  readonly #held = Promise.withResolvers<(() => void) | undefined>()
  /** What was asked of the storage first, until it answers. */
  #beginning: Promise<LocalStorage> | undefined
  #isClosed = false
  /** How much the storage was asked for that long ago, and has not answered. */
  #late = 0
  #failure: string | undefined
  /** Why something that was asked of the folder is not kept, until it is. */
  #operationsFailure: string | undefined
  readonly #unhear: () => void

  /**
   * `changed`: whether storing works has changed. `life`: where the client before this one left for. `lost`:
   * the storage was emptied; what this did not know as a whole is to be kept again.
   */
  constructor(
    storage: LocalStorage | undefined,
    key: Uint8Array,
    changed: () => void,
    life?: string,
    lost = () => {},
  ) {
    this.#storage = storage
    this.#changed = changed
    this.#life = life
    this.session = sessionOf(key)
    this.#unhear =
      storage?.onLost(() => {
        this.#lost()
        lost()
      }) ?? (() => {})
    this.keyring = new Keyring(key, {
      read: () => this.#readKeys(),
      change: (alter) =>
        this.#did((shelf) =>
          this.#changeKeys(shelf, alter, ({ key, alter }) => shelf.change(key, alter)),
        ),
    })
    this.documents = new KeptDocuments({
      isKeeping: storage !== undefined,
      attempt: (act) => this.#attempt(act),
      did: (act, alter) =>
        this.#did((shelf) => {
          return alter ? this.#changeKeys(shelf, alter, (note) => act(shelf, note)) : act(shelf)
        }),
      claim: (document, keep) => this.keyring.claim(Date.now(), document, keep),
      whyNot: () => this.#failure,
      alter: (change) => this.#tell(change),
    })
  }

  /** Why what is typed is not kept here; undefined: it is. */
  get failure(): string | undefined {
    if (!this.#storage) return 'this program keeps nothing on this device'
    // That something else was written since says nothing of what was not.
    const late = this.#late > 0 ? 'the storage of this device does not answer' : undefined
    return this.#failure ?? late ?? this.#operationsFailure ?? this.documents.failure
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
      suspects: this.#suspects ?? [],
    }
  }

  #lost(): void {
    this.keyring.doubt()
    const { lives } = this.#begun ?? {}
    if (lives) void this.#did(() => keepLives(this.#storage!, lives))
    this.documents.lost()
  }

  // What is written there is a record: what was none must be noted first.
  async #changeKeys(
    shelf: LocalStorage,
    alter: Note['alter'],
    keep: (note: Note) => Promise<void>,
  ): Promise<void> {
    this.#suspects ??= await findSuspects(shelf, (id) => this.documents.isOpen(id))
    await changeKeys(shelf, alter, keep)
  }

  /** Whether servers lack words of a suspect that no one can send. Its copy goes, unless it is open. */
  async judge(document: string, isLacking: boolean): Promise<void> {
    await this.#did((shelf) => judge(shelf, document, isLacking))
    if (isLacking) await this.#did((shelf) => letGo(shelf, (id) => this.documents.isOpen(id)))
  }

  /** Their person has decided about these texts of suspects. */
  async decide(texts: readonly KeptText[]): Promise<void> {
    if (texts.length > 0) await this.#did((shelf) => decide(shelf, texts))
  }

  /** Sessions that left something here, or will if they end; undefined: it cannot be read. */
  async sessions(): Promise<string[] | undefined> {
    const sessions = await this.keyring.sessions()
    const operations = await this.#read('operations')
    return sessions && operations && sessionsIn(sessions, operations.value)
  }

  /** The program may be gone in a moment: the next one need not look for what was only about to come. */
  rest(isUnsafe: (document: string) => boolean): void {
    const rest = this.keyring.rest(isUnsafe)
    if (rest) void this.#did((shelf) => shelf.set('rest', rest))
  }

  /** The first pages kept a list of keys, and not where their edits are: that may be anywhere. */
  async #readKeys(): Promise<{ value: unknown; rest: unknown } | undefined> {
    const [kept, rested] = await Promise.all([this.#read('keys'), this.#read('rest')])
    if (!kept) return undefined
    const rest = rested?.value
    if (!Array.isArray(kept.value)) return { ...kept, rest }
    const documents = await this.#attempt((shelf) => shelf.documents())
    if (!documents) return undefined
    const alter = (value: unknown) => recordsOfKeys(value, documents)
    await this.#did((shelf) => shelf.change('keys', alter))
    return { value: alter(kept.value), rest }
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
    const isKept = await this.#did((storage) => storage.change('device', alter))
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
    const isKept = await this.#did((storage) => storage.change('operations', alter))
    // What goes may be asked for twice.
    const isAll = isKept || come.length === 0
    const why = isAll ? undefined : (this.#failure ?? 'not all that was asked for is kept here yet')
    this.#tell(() => (this.#operationsFailure = why))
    return isKept
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
    const isAdopted = await this.#did((storage) => {
      const alter = (value: unknown) => {
        const all = keptOperations(value)
        found = all
          .filter((each) => each.session === session)
          .flatMap(({ bytes }) => operationOf(bytes))
        return all.map((each) =>
          each.session === session ? { ...each, session: this.session } : each,
        )
      }
      return storage.change('operations', alter)
    })
    return isAdopted ? found : undefined
  }

  /**
   * Resolves with what lets go of the name of this session. It is asked for as soon as the device answers:
   * before anything of this session is there, which others would take for left.
   */
  get held(): Promise<(() => void) | undefined> {
    return this.#held.promise
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
    void this.#did(() => nameLife(this.#storage!, life))
  }

  /**
   * What is kept here is of a life that is over: whoever begins on this device from now on is in this
   * one. Whether all of it is kept.
   */
  async leave(life: string): Promise<boolean> {
    await this.documents.written()
    const { areBehind } = this.documents
    const isLeft = await this.#did(async (shelf) => {
      const { place } = this.places
      // Another program left before this one and may have forgotten what was here until then. What was
      // kept since builds on that.
      if ((await readLives(this.#storage!)).place !== place) {
        for (const [document, update] of this.documents.wholes()) {
          await shelf.append(document, update)
        }
      }
      await leaveLife(this.#storage!, life, place)
    })
    return !areBehind && isLeft
  }

  keepAddresses(addresses: string[]): void {
    void this.#did((storage) => storage.set('addresses', addresses))
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
    const written = this.#did((storage) => storage.set('entries', bytes))
    const pauseMs = restAfter(performance.now() - beganAt, entriesPace)
    await written
    if (this.#isClosed) return
    this.#entriesTimer = setTimeout(() => void this.#writeEntries(), pauseMs)
  }

  /** The path under which a document went when this device saw it last. */
  async path(document: string): Promise<string> {
    const paths = await this.#attempt((storage) => storage.get('paths'))
    return pathsOf(paths)[document] ?? `${document}.txt`
  }

  /** Under which path a document went when this device saw it last. */
  keepPath(document: string, path: string): void {
    void this.#did((storage) => {
      return storage.change('paths', (value) => withPath(value, document, path))
    })
  }

  close(): void {
    this.#isClosed = true
    this.#unhear()
    clearTimeout(this.#entriesTimer)
    this.documents.close()
  }

  /** Undefined: it cannot be read. */
  async #read(name: string): Promise<{ value: unknown } | undefined> {
    if (!this.#storage) return { value: undefined }
    return this.#attempt(async (storage) => ({ value: await storage.get(name) }))
  }

  /** Whether the storage took it. */
  async #did(act: (storage: LocalStorage) => Promise<void>): Promise<boolean> {
    const isDone = await this.#attempt(async (storage) => {
      await act(storage)
      return true
    })
    return isDone ?? false
  }

  /** What the storage answers; undefined: it failed, which is told. */
  async #attempt<T>(act: (storage: LocalStorage) => Promise<T>): Promise<T | undefined> {
    if (!this.#storage) return undefined
    const answered = this.#asked()
    try {
      const result = await act(this.#begun?.shelf ?? (await this.#shelf(this.#storage)))
      this.#report(undefined)
      return result
    } catch (error) {
      this.keyring.doubt()
      // Told to the person by the save state: closing the program would lose what no server has.
      this.#report(whyOf(error))
      return undefined
    } finally {
      answered()
    }
  }

  /** Returns what is to be called with the answer. */
  #asked(): () => void {
    let isLate = false
    const tell = () => {
      isLate = true
      this.#tell(() => this.#late++)
    }
    let timer = setTimeout(() => {
      timer = setTimeout(tell, unheardMs)
    }, lateMs)
    return () => {
      clearTimeout(timer)
      if (isLate) this.#tell(() => this.#late--)
    }
  }

  #shelf(storage: LocalStorage): Promise<LocalStorage> {
    // All wait for one answer, and go on in order: a record written earlier must not come later.
    return (this.#beginning ??= this.#begin(storage))
  }

  async #begin(storage: LocalStorage): Promise<LocalStorage> {
    try {
      const known = await readLives(storage)
      // A device that takes no writes still knows the life that was left.
      const lives = this.#life === undefined ? known : livesIn(known, this.#life)
      const shelf = storageAt(storage, lives.place)
      await this.#lookForSuspects(shelf)
      this.#begun = { lives, shelf }
      this.#held.resolve(shelf.hold(this.session))
      return shelf
    } finally {
      this.#beginning = undefined
    }
  }

  /** Before anything of them is read. */
  async #lookForSuspects(shelf: LocalStorage): Promise<void> {
    try {
      // What waits to be opened reads nothing before this.
      this.#suspects = await findSuspects(shelf, () => false)
    } catch {
      // A device that takes no writes can still be read; it is looked again before keys are written.
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
