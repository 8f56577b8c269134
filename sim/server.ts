// A simulated server: a disk, a name, and one process after another; a crash drops everything that is
// in memory, and every start is a new life with a new origin on whatever the disk then holds.

import { originOf, type Origin, type ReplicaId, type SubjectId } from '../src/core/model/ids.ts'
import type { Answer, Call, Extent } from '../src/core/replica/messages.ts'
import type { TrashTimes } from '../src/core/replica/trash.ts'
import type { SimulatedDisk } from './disk.ts'
import type { Keeper } from './keeper.ts'
import { Life, type Asker, type Watch } from './life.ts'
import type { HostName, Network } from './network.ts'
import type { Plant } from './plants.ts'
import type { Random } from './random.ts'
import type { BytesName } from './shelf.ts'
import type { Timeline } from './timeline.ts'
import type { Trace } from './trace.ts'

export interface ServerOptions {
  name: HostName
  /** All servers of the set. */
  set: readonly HostName[]
  timeline: Timeline
  network: Network
  random: Random
  trace: Trace
  disk: SimulatedDisk
  plant: Plant
  /** Its minds go on before the disk has what they stored, and what leaves it waits for the disk. */
  takes: boolean
  /** When what is in the trash goes for good. */
  trash: TrashTimes
  /** A process carries out an operation; empty: changes something without one. */
  asked: (operation: string) => void
  /** A process carried out what was on its way to its disk. */
  repeated: (operation: string) => void
  /** Mean time of one way over the network. */
  latencyMs: number
  /** What looks after the bytes of files at each server that is up. */
  keepers: () => ReadonlyMap<HostName, Keeper>
  /** Whether somebody has uploaded these bytes and still asks for a file of them. */
  isExpected: (hash: string) => boolean
  /** A process removed the bytes of these names. */
  swept: (hashes: string[]) => void
  /** A process logged an error. */
  alarmed: (text: string) => void
}

export class SimulatedServer {
  readonly name: HostName
  readonly disk: SimulatedDisk
  readonly #options: ServerOptions
  readonly #origins: Origin[] = []
  /** How far its wall clock is off when a life begins; within one it only counts. */
  clockMs = 0
  #life: Life | undefined

  constructor(options: ServerOptions) {
    this.name = options.name
    this.disk = options.disk
    this.#options = options
  }

  get isUp(): boolean {
    return this.#life !== undefined
  }

  /** What decides in its process, while it runs. */
  get minds(): object[] {
    return this.#life?.minds ?? []
  }

  /** What looks after the bytes of files in its process, while it runs. */
  get keeper(): Keeper | undefined {
    return this.#life?.keeper
  }

  /** The bytes that entries name; undefined: nobody can tell, or it is not up. */
  get namedBytes(): readonly BytesName[] | undefined {
    return this.#life?.namedBytes
  }

  /** Whether it lets clients in. */
  get isServing(): boolean {
    return this.#life?.isServing ?? false
  }

  get isFrozen(): boolean {
    return this.#options.network.isFrozen(this.name)
  }

  start(): void {
    if (this.#life) return
    const { plant, random } = this.#options
    const fresh = originOf(this.name as ReplicaId, random.bytes(10))
    const origin = plant.origin?.(fresh, this.#origins, this.disk.vector()) ?? fresh
    this.#origins.push(origin)
    this.#life = new Life(this.#options, origin, this.clockMs)
  }

  /** Everything in memory is gone. */
  crash(isPowerCut: boolean): void {
    if (!this.#life) return
    const { network, trace, timeline } = this.#options
    trace.note(timeline.now, `${this.name} ${isPowerCut ? 'loses power' : 'is killed'}`)
    this.#life.end()
    this.#life = undefined
    this.disk.crash()
    if (isPowerCut) network.unplug(this.name)
    else network.kill(this.name)
  }

  freeze(): void {
    if (this.#life) this.#options.network.freeze(this.name)
  }

  thaw(): void {
    this.#options.network.thaw(this.name)
    this.#life?.thawed()
  }

  /** Asks as a whole-file client does; the answer comes with one of the next turns. */
  call(request: Call, asker: Asker): void {
    this.#life?.call(request, asker)
  }

  /** Watches the whole folder there; undefined: it is not up. */
  watch(extent: Extent, heard: (answer: Answer) => void): Watch | undefined {
    return this.#life?.watch(extent, heard)
  }

  /** Whether it knows what another one that is up has on its disk. */
  knowsDiskOf(other: SimulatedServer): boolean {
    const origin = other.isUp ? other.#origins.at(-1) : undefined
    return origin !== undefined && this.#life?.hears(other.name, origin) === true
  }

  /** Of all that it holds; empty: not worked out yet, or it is not up. */
  get digest(): string {
    return this.#life?.digest ?? ''
  }

  /** Merges the loose updates of a subject, as if there were many. */
  compact(subject: SubjectId): void {
    this.#life?.compact(subject)
  }
}
