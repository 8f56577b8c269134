// The nemesis: what goes wrong in a schedule, and how all of it ends when everything heals.

import type { SubjectId } from '../src/core/model/ids.ts'
import { covers } from '../src/core/model/version-vector.ts'
import type { Checkers } from './checkers.ts'
import { emptyBackup, type Backup } from './disk.ts'
import type { Journal } from './journal.ts'
import type { HostName, Network } from './network.ts'
import type { Fault } from './plan.ts'
import type { SimulatedServer } from './server.ts'
import type { Timeline } from './timeline.ts'
import type { Trace } from './trace.ts'

export interface NemesisOptions {
  timeline: Timeline
  network: Network
  trace: Trace
  /** What is written down of the present life of the set. */
  world: () => { journal: Journal; checkers: Checkers }
  servers: ReadonlyMap<HostName, SimulatedServer>
  /** All disks are lost: what stands in the journal is of another life. */
  reborn: () => void
  /** The id of a document that a plan numbers. */
  documentId: (number: number) => SubjectId
}

/**
 * So long after trouble the servers that it touched may still be finding each other: a dial that was
 * repeated just before ends a second later, and is followed by another at the next tick.
 */
const recoveryMs = 1500

export class Nemesis {
  readonly #options: NemesisOptions
  readonly #flushMs: ReadonlyMap<HostName, number>
  readonly #unblocks = new Set<() => void>()
  readonly #backups = new Map<Fault, Backup>()
  /** When each host was last touched. */
  readonly #touchedAt = new Map<HostName, number>()
  /** The server that was started with a disk of an earlier life. */
  #old: HostName | undefined
  #isOver = false

  constructor(options: NemesisOptions) {
    this.#options = options
    this.#flushMs = new Map([...options.servers].map(([name, { disk }]) => [name, disk.flushMs]))
  }

  /** Plans a fault. */
  expect(fault: Fault): void {
    const { timeline } = this.#options
    if (fault.type === 'rollback') {
      const { disk } = this.#server(fault.server)
      timeline.at(fault.toMs, () => this.#backups.set(fault, disk.backup()))
    }
    timeline.at(fault.at, () => this.#strike(fault))
  }

  /** Whether a server has a disk of an earlier life. */
  isOld(name: HostName): boolean {
    return this.#old === name
  }

  /** Nothing fails any more, and everything comes back. */
  heal(): void {
    const { timeline, trace, servers } = this.#options
    trace.note(timeline.now, 'everything heals')
    this.#isOver = true
    for (const unblock of this.#unblocks) unblock()
    this.#unblocks.clear()
    if (this.#old) this.#exchange(this.#old, emptyBackup())
    this.#old = undefined
    for (const [name, server] of servers) {
      this.#touch(name)
      server.disk.flushMs = this.#flushMs.get(name)!
      // What is damaged is noticed when it is read again, not while it is in memory.
      if (server.disk.damaged().length > 0) server.crash(false)
      server.thaw()
      server.start()
    }
  }

  /** Whether one server can be expected to get at what lies on another's disk. */
  canReach(from: HostName, to: HostName): boolean {
    const { network, timeline } = this.#options
    const isFine = (host: HostName) => {
      const { isUp, isFrozen } = this.#server(host)
      const touchedAt = this.#touchedAt.get(host) ?? 0
      return isUp && !isFrozen && timeline.now - touchedAt > recoveryMs
    }
    return !network.isCut(from, to) && isFine(from) && isFine(to)
  }

  // ------------------------------------------------------------------------------- faults

  #strike(fault: Fault): void {
    if (this.#isOver) return
    const { timeline, trace, network } = this.#options
    trace.note(timeline.now, `nemesis: ${JSON.stringify(fault)}`)
    switch (fault.type) {
      case 'kill':
        fault.servers.forEach((name, index) =>
          this.#crash(name, fault.isPowerCut, fault.downMs[index]!),
        )
        return
      case 'wipe':
        fault.servers.forEach((name, index) => {
          this.#crash(name, true, fault.downMs[index]!)
          this.#destroyed(name)
          this.#server(name).disk.wipe()
        })
        return
      case 'rebirth':
        this.#rebirth(fault)
        return
      case 'rollback':
        this.#crash(fault.server, true, fault.downMs)
        this.#destroyed(fault.server)
        this.#server(fault.server).disk.rollBack(this.#backups.get(fault)!)
        return
      case 'freeze':
        this.#freeze(fault.server, fault.forMs)
        return
      case 'part':
        this.#part(fault)
        return
      case 'cut':
        this.#touch(fault.one, fault.other)
        network.cut(fault.one, fault.other, fault.isHalf)
        return
      case 'slow': {
        const { disk } = this.#server(fault.server)
        disk.flushMs = fault.flushMs
        this.#later(fault.forMs, () => (disk.flushMs = this.#flushMs.get(fault.server)!))
        return
      }
      case 'flip':
        this.#flip(fault.server, this.#options.documentId(fault.document), fault.bit)
        return
      case 'clock':
        this.#server(fault.server).clockMs += fault.byMs
        return
      case 'compact':
        this.#server(fault.server).compact(this.#options.documentId(fault.document))
        return
    }
  }

  #rebirth({ old }: Extract<Fault, { type: 'rebirth' }>): void {
    const { servers, timeline, reborn } = this.#options
    for (const unblock of this.#unblocks) unblock()
    this.#unblocks.clear()
    const disk = old && this.#server(old.server).disk.backup()
    for (const [name, server] of servers) {
      server.thaw()
      this.#exchange(name, emptyBackup())
      server.disk.flushMs = this.#flushMs.get(name)!
    }
    reborn()
    for (const server of servers.values()) server.start()
    // One that was being filled has nothing to come back with.
    if (!old || !disk?.durable.isComplete) return
    timeline.after(old.afterMs, () => {
      if (this.#isOver) return
      // From here on nobody asks what lies on it.
      this.#old = old.server
      this.#exchange(old.server, disk)
      this.#server(old.server).start()
    })
  }

  /** A server that does not run has another disk. */
  #exchange(name: HostName, disk: Backup): void {
    this.#touch(name)
    this.#server(name).crash(true)
    this.#destroyed(name)
    this.#server(name).disk.rollBack(disk)
  }

  #crash(name: HostName, isPowerCut: boolean, downMs: number): void {
    const server = this.#server(name)
    this.#touch(name)
    server.crash(isPowerCut)
    this.#later(downMs, () => {
      this.#touch(name)
      server.start()
    })
  }

  #destroyed(name: HostName): void {
    const { timeline, world } = this.#options
    const { journal, checkers } = world()
    journal.destroyed(timeline.now, name)
    checkers.forget({ kind: 'disk', name })
  }

  #freeze(name: HostName, forMs: number): void {
    const server = this.#server(name)
    this.#touch(name)
    server.freeze()
    this.#later(forMs, () => {
      this.#touch(name)
      server.thaw()
    })
  }

  #part({ groups, isOneWay, forMs }: Extract<Fault, { type: 'part' }>): void {
    const { network } = this.#options
    const unblocks: (() => void)[] = []
    groups.forEach((group, index) => {
      for (const from of group) {
        for (const to of groups.flatMap((other, at) => (at === index ? [] : other))) {
          if (!isOneWay || index === 0) unblocks.push(network.block(from, to))
        }
      }
    })
    this.#touch(...groups.flat())
    const unblock = () => {
      this.#touch(...groups.flat())
      for (const each of unblocks) each()
    }
    this.#unblocks.add(unblock)
    this.#later(forMs, () => {
      this.#unblocks.delete(unblock)
      unblock()
    })
  }

  #flip(name: HostName, document: SubjectId, bit: number): void {
    const { timeline, world, servers } = this.#options
    const { journal, checkers } = world()
    const { disk } = this.#server(name)
    const others = [...servers.values()].filter((server) => server.name !== name)
    // What is on no other disk is given up when everybody was asked thrice. That log is longer at a
    // standstill than anybody here waits for.
    if (!others.every((other) => covers(other.disk.vector(), disk.vector()))) return
    if (!disk.flip(document, bit)) return
    journal.destroyed(timeline.now, name, document)
    checkers.forget({ kind: 'disk', name }, document)
  }

  #touch(...hosts: HostName[]): void {
    for (const host of hosts) this.#touchedAt.set(host, this.#options.timeline.now)
  }

  #later(ms: number, action: () => void): void {
    this.#options.timeline.after(ms, () => {
      if (!this.#isOver) action()
    })
  }

  #server(name: HostName): SimulatedServer {
    return this.#options.servers.get(name)!
  }
}
