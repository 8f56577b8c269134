// A program on a device: its network can be taken from it, and it can be killed in the middle of anything.

import * as Y from 'yjs'

import { webSockets } from '../../src/adapters/channel/websocket-client.ts'
import type { MemoryDevice } from '../../src/adapters/storage/local-memory.ts'
import { SessionClient } from '../../src/client/client.ts'
import type { LiveDocument } from '../../src/client/index.ts'
import type { Dial, DialListener, LocalStorage, Wire } from '../../src/core/ports.ts'

/** Whether a tab has a network. */
export interface Network {
  isThere: boolean
}

interface Opened {
  live: LiveDocument
  undo: Y.UndoManager
}

export class Tab {
  readonly name: string
  readonly client: SessionClient
  readonly files = new Map<string, Opened>()
  readonly #storage: Mortal
  readonly #network: Network
  readonly #wires = new Map<Wire, DialListener>()
  #isOver = false

  constructor(name: string, device: MemoryDevice, network: Network, servers: string[]) {
    this.name = name
    this.#network = network
    this.#storage = new Mortal(device.open())
    const options = { servers, name, agent: 'test', storage: this.#storage.open() }
    this.client = new SessionClient(options, this.#dial(webSockets()))
  }

  #dial(dial: Dial): Dial {
    return (address, listener) => {
      if (!this.#network.isThere || this.#isOver) throw new Error('there is no network')
      const wire = dial(address, {
        opened: () => listener.opened(),
        received: (frame) => listener.received(frame),
        closed: (why) => {
          this.#wires.delete(wire)
          listener.closed(why)
        },
      })
      this.#wires.set(wire, listener)
      return wire
    }
  }

  get isOver(): boolean {
    return this.#isOver
  }

  open(file: string): void {
    if (this.files.has(file)) return
    const live = this.client.open(file)
    this.files.set(file, { live, undo: new Y.UndoManager(live.text, { captureTimeout: 0 }) })
  }

  close(file: string): void {
    this.files.get(file)?.undo.destroy()
    this.files.get(file)?.live.close()
    this.files.delete(file)
  }

  /** The network is gone: nothing comes or goes, and the program hears of it. */
  cut(): void {
    for (const [wire, listener] of [...this.#wires]) {
      this.#wires.delete(wire)
      wire.close('cut')
      listener.closed('cut')
    }
  }

  /** It ends as a program should. */
  end(): void {
    this.#isOver = true
    this.client.close()
  }

  /** It is gone from one moment to the next: it says nothing more, writes nothing more. */
  kill(): void {
    this.#isOver = true
    this.#storage.die()
    for (const wire of this.#wires.keys()) wire.close('cut')
    this.#wires.clear()
    // What it says when it ends goes nowhere.
    this.client.close()
  }
}

/** The storage of a program that may die: from then on nothing of it happens or answers. */
class Mortal {
  readonly #storage: LocalStorage
  readonly #ends: (() => void)[] = []
  #isDead = false

  constructor(storage: LocalStorage) {
    this.#storage = storage
  }

  die(): void {
    this.#isDead = true
    for (const end of this.#ends) end()
  }

  open(): LocalStorage {
    const storage = this.#storage
    return {
      load: (document) => this.#alive(() => storage.load(document)),
      append: (...kept) => this.#alive(() => storage.append(...kept)),
      compact: (...kept) => this.#alive(() => storage.compact(...kept)),
      documents: () => this.#alive(() => storage.documents()),
      forget: (document) => this.#alive(() => storage.forget(document)),
      get: (key) => this.#alive(() => storage.get(key)),
      set: (key, value) => this.#alive(() => storage.set(key, value)),
      change: (key, alter) => this.#alive(() => storage.change(key, alter)),
      hold: (name) => this.#alive(() => this.#hold(name)),
      tell: (word) => this.#isDead || storage.tell(word),
      listen: (hear) => {
        const end = storage.listen((word) => this.#isDead || hear(word))
        this.#ends.push(end)
        return end
      },
      onLost: (hear) => storage.onLost(() => this.#isDead || hear()),
    }
  }

  async #hold(name: string): Promise<(() => void) | undefined> {
    const letGo = await this.#storage.hold(name)
    if (letGo) this.#ends.push(letGo)
    if (this.#isDead) letGo?.()
    return letGo
  }

  async #alive<T>(act: () => Promise<T>): Promise<T> {
    const never = new Promise<T>(() => {})
    if (this.#isDead) return never
    const result = await act()
    return this.#isDead ? never : result
  }
}
