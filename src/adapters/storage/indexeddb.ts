// A browser's own storage: what was typed here, until servers hold it and for reading without them.

import type { KeptDocument, KeptRelay, KeptWith, LocalStorage, Note } from '../../core/ports.ts'

const revision = 1
const updates = 'updates'
const values = 'values'
const byDocument = 'document'
/** A browser that does not answer counts as one that cannot store. */
const answerWithinMs = 5000

/** The database of this name in this browser and origin. Several tabs may use it at once. */
export function indexedDbStorage(name: string): LocalStorage {
  return new IndexedDbStorage(name)
}

interface Kept {
  document: string
  update: Uint8Array
  /** Absent: there are none, or it is of a version of the program that kept none. */
  relays?: readonly KeptRelay[]
}

class IndexedDbStorage implements LocalStorage {
  readonly #name: string
  /** Rows of each document that were loaded or appended here. */
  readonly #known = new Map<string, IDBValidKey[]>()
  #opened: Promise<IDBDatabase> | undefined
  /** The same, as soon as it is open. */
  #database: IDBDatabase | undefined
  /** It is being opened for too long already: nobody waits for that again. */
  #isLate = false
  readonly #lostListeners = new Set<() => void>()
  /** What is told here is heard by other objects alone. */
  #words: BroadcastChannel | undefined

  constructor(name: string) {
    this.#name = name
  }

  async load(document: string): Promise<KeptDocument> {
    const transaction = await this.#transaction(updates, 'readonly')
    const index = transaction.objectStore(updates).index(byDocument)
    const keys = answer(index.getAllKeys(document))
    const kept = await answer(index.getAll(document) as IDBRequest<Kept[]>)
    this.#known.set(document, await keys)
    return {
      updates: kept.map(({ update }) => update),
      relays: kept.flatMap(({ relays }) => relays ?? []),
    }
  }

  async append(
    document: string,
    update: Uint8Array,
    { relays, note }: KeptWith = {},
  ): Promise<void> {
    const stores = note ? [updates, values] : updates
    // At once where that can be: a page that crashes when it draws this letter has asked for it by then.
    const transaction =
      this.#begun(stores, 'readwrite') ?? (await this.#transaction(stores, 'readwrite'))
    if (note) await changed(transaction, note)
    const added = answer(transaction.objectStore(updates).add(row(document, update, relays)))
    await done(transaction)
    const known = this.#known.get(document) ?? []
    this.#known.set(document, known)
    known.push(await added)
  }

  async compact(
    document: string,
    update: Uint8Array,
    { relays, note }: KeptWith = {},
  ): Promise<void> {
    const transaction = await this.#transaction(note ? [updates, values] : updates, 'readwrite')
    if (note) await changed(transaction, note)
    const store = transaction.objectStore(updates)
    const known = this.#known.get(document) ?? []
    for (const key of known) store.delete(key)
    const added = answer(store.add(row(document, update, relays)))
    await done(transaction)
    this.#known.set(document, [await added])
  }

  async documents(): Promise<string[]> {
    const transaction = await this.#transaction(updates, 'readonly')
    const index = transaction.objectStore(updates).index(byDocument)
    const found: string[] = []
    const request = index.openKeyCursor(null, 'nextunique')
    request.addEventListener('success', () => {
      const cursor = request.result
      if (!cursor) return
      if (typeof cursor.key === 'string') found.push(cursor.key)
      cursor.continue()
    })
    await ended(transaction)
    return found
  }

  async forget(document: string): Promise<void> {
    const transaction = await this.#transaction(updates, 'readwrite')
    const store = transaction.objectStore(updates)
    const kept = await answer(store.index(byDocument).getAllKeys(document))
    for (const key of kept) store.delete(key)
    await done(transaction)
    this.#known.delete(document)
  }

  async get(key: string): Promise<unknown> {
    const transaction = await this.#transaction(values, 'readonly')
    return answer(transaction.objectStore(values).get(key) as IDBRequest<unknown>)
  }

  async set(key: string, value: unknown): Promise<void> {
    // At once where that can be: a page that is left has no later.
    const transaction =
      this.#begun(values, 'readwrite') ?? (await this.#transaction(values, 'readwrite'))
    transaction.objectStore(values).put(value, key)
    await done(transaction)
  }

  async change(key: string, alter: (value: unknown) => unknown): Promise<void> {
    const transaction = await this.#transaction(values, 'readwrite')
    await changed(transaction, { key, alter })
    await done(transaction)
  }

  async hold(name: string): Promise<(() => void) | undefined> {
    // Pages that came over an open network have none.
    const locks = navigator.locks as LockManager | undefined
    if (!locks) return undefined
    return new Promise((resolve) => {
      const held = () => new Promise<void>((letGo) => resolve(letGo))
      // A page that may keep nothing may hold nothing either.
      locks.request(`${this.#name} ${name}`, held).catch(() => resolve(undefined))
    })
  }

  tell(word: string): void {
    this.#channel.postMessage(word)
  }

  listen(hear: (word: string) => void): () => void {
    const heard = ({ data }: MessageEvent<unknown>) => {
      if (typeof data === 'string') hear(data)
    }
    this.#channel.addEventListener('message', heard)
    return () => this.#channel.removeEventListener('message', heard)
  }

  onLost(hear: () => void): () => void {
    this.#lostListeners.add(hear)
    return () => this.#lostListeners.delete(hear)
  }

  get #channel(): BroadcastChannel {
    return (this.#words ??= new BroadcastChannel(this.#name))
  }

  async #transaction(stores: string | string[], mode: IDBTransactionMode): Promise<IDBTransaction> {
    this.#opened ??= this.#open()
    const waitMs = this.#isLate ? 0 : answerWithinMs
    this.#database = await within(this.#opened, waitMs, () => (this.#isLate = true))
    return this.#begun(stores, mode)!
  }

  /** Undefined: the database is not open yet. */
  #begun(stores: string | string[], mode: IDBTransactionMode): IDBTransaction | undefined {
    try {
      return this.#database?.transaction(stores, mode, { durability: 'strict' })
    } catch (error) {
      // The next use opens it anew: the browser may have closed it.
      this.#opened = undefined
      this.#database = undefined
      throw error
    }
  }

  #open(): Promise<IDBDatabase> {
    const opened = open(this.#name)
    void opened.then(
      (database) => database.addEventListener('close', () => this.#closed(opened)),
      // Told to whoever waits for it.
      () => {},
    )
    const answered = (isOpen: boolean) => {
      this.#isLate = false
      if (!isOpen && this.#opened === opened) this.#opened = undefined
    }
    opened.then(
      () => answered(true),
      () => answered(false),
    )
    return opened
  }

  /** The browser closed it without being asked: its person emptied it, or its disk failed. */
  #closed(opened: Promise<IDBDatabase>): void {
    if (this.#opened !== opened) return
    this.#opened = undefined
    this.#database = undefined
    // In the next one these are numbers of other rows.
    this.#known.clear()
    for (const hear of this.#lostListeners) hear()
  }
}

function row(document: string, update: Uint8Array, relays: readonly KeptRelay[] = []): Kept {
  return relays.length === 0 ? { document, update } : { document, update, relays }
}

function open(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, revision)
  request.addEventListener('upgradeneeded', () => {
    const database = request.result
    database.createObjectStore(updates, { autoIncrement: true }).createIndex(byDocument, byDocument)
    database.createObjectStore(values)
  })
  return answer(request)
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result))
    request.addEventListener('error', () => reject(request.error ?? new Error('not stored')))
  })
}

/** The transaction lives on for as long as requests are made in the callbacks of others. */
async function changed(transaction: IDBTransaction, { key, alter }: Note): Promise<void> {
  const store = transaction.objectStore(values)
  const value = await answer(store.get(key) as IDBRequest<unknown>)
  store.put(alter(value), key)
}

/** Nothing more is asked of it: what was is kept also when the page is closed before it is answered. */
function done(transaction: IDBTransaction): Promise<void> {
  transaction.commit()
  return ended(transaction)
}

function ended(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = () => reject(transaction.error ?? new Error('not stored'))
    transaction.addEventListener('complete', () => resolve())
    transaction.addEventListener('error', failed)
    transaction.addEventListener('abort', failed)
  })
}

function within<T>(promise: Promise<T>, ms: number, late: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      late()
      reject(new Error("this browser's storage does not answer"))
    }, ms)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
