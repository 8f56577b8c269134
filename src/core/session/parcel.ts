// What is on its way to the servers: pushes and operations, each until enough disks hold it.

import { pushesOf as pushesOfOperation } from '../model/several.ts'
import type { Operation, Undone } from '../model/wire.ts'

/** What a person asks of the folder; the session gives it the rest. */
export type OperationBody = Pick<Operation, 'id' | 'operation'>

/** Some edits of one document. */
export interface PushParcel {
  readonly type: 'push'
  readonly document: string
  /** Absent: too much was kept. The document holds it, and what a server lacks is made again. */
  update: Uint8Array | undefined
  /** The first and last of the document's edits in it, counted from 1; 0: of an earlier session. */
  from: number
  to: number
  /** How many edits these are, for people to read. */
  count: number
  /** The servers on whose disks it is, with all it depends on. */
  servers: Set<string>
  /** When the first of its edits was made. */
  bornAt: number
  /**
   * It also stands for edits before it whose bytes are not in it: a server holds them all only if
   * the document was opened there before this was sent.
   */
  isFolded: boolean
}

/** Somebody else's edit that a server lacks, with the seal that lets anybody bring it. */
export interface RelayParcel {
  readonly type: 'relay'
  readonly document: string
  readonly update: Uint8Array
  readonly seal: Uint8Array
  servers: Set<string>
}

/** A change of the folder. */
export interface OperationParcel {
  readonly type: 'operation'
  readonly operation: OperationBody
  readonly bytes: number
  servers: Set<string>
  bornAt: number
  /** While it waited, no server could be asked: what others did meanwhile does not refuse it. */
  isLate: boolean
  /** Where it took effect; absent until a server said Done. */
  effect: Effect | undefined
  /**
   * Servers said "not here, not now"; absent until then. `hadAllLive`: when they last said so, all
   * of them could be heard.
   */
  trouble: { since: number; count: number; retryAt: number; hadAllLive: boolean } | undefined
}

export interface Effect {
  readonly entry: string
  /** Of several entries, those to which it was not done. */
  readonly undone: readonly Undone[]
  /** There was nothing to do: it is on no disk. */
  readonly changedNothing: boolean
  readonly at: number
  readonly isTold: boolean
}

/** Has no number of its own: every sending of it gets a fresh ticket, so that tickets ascend. */
export type Parcel = PushParcel | RelayParcel | OperationParcel

export function bytesOf(parcel: Parcel): number {
  return parcel.type === 'operation' ? parcel.bytes : (parcel.update?.length ?? 0)
}

/** As how many pushes it counts. */
export function pushesOf(parcel: Parcel): number {
  return parcel.type === 'operation' ? pushesOfOperation(parcel.operation.operation) : 1
}

/** Whether no server is known to hold it. */
export function isUnacknowledged(parcel: Parcel): boolean {
  return parcel.servers.size === 0
}
