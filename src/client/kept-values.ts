// What this device keeps, read back. Another version of the program may have written it, or nobody have
// written these bytes: what cannot be read counts as not kept.

import { fromBinary } from '@bufbuild/protobuf'
import * as Y from 'yjs'
import { textRoot } from '../core/model/snapshot.ts'
import { deletesOf } from '../core/model/text-update.ts'
import { EntrySchema, OperationSchema, type Entry } from '../core/model/wire.ts'
import type { KeptRelay } from '../core/ports.ts'
import type { OperationBody } from '../core/session/parcel.ts'
import type { Relay } from '../core/session/relays.ts'

/** An operation on its way to the servers. */
export interface KeptOperation {
  id: string
  /** The session that sees to it. */
  session: string
  /** An encoded fourfold.v1.Operation. */
  bytes: Uint8Array
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
export function sessionsIn(sessions: readonly string[], operations: unknown): string[] {
  const askers = keptOperations(operations).map(({ session }) => session)
  return [...new Set([...sessions, ...askers])].filter((each) => each !== '')
}

/** The same, encoded, and with whose they are. */
export function keptOperations(value: unknown): KeptOperation[] {
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

/** One of them; none: it does not decode. */
export function operationOf(bytes: Uint8Array): OperationBody[] {
  try {
    const { id, operation } = fromBinary(OperationSchema, bytes)
    return [{ id, operation }]
  } catch {
    // Whatever the decoder says: nobody can tell what was asked for.
    return []
  }
}

/** Others' edits of a document as they are kept, at the time they are read. */
export function relaysOf(document: string, at: number, value: unknown): Relay[] {
  const kept = listOf<KeptRelay>(value, (each) => {
    const { update, seal, own } = (each ?? {}) as Partial<KeptRelay>
    const areBytes = update instanceof Uint8Array && seal instanceof Uint8Array
    return areBytes && isRead(update) && Array.isArray(own) && own.every(areNumbers)
  })
  return kept.map(({ update, seal, own }) => ({ document, at, update, seal, own: new Map(own) }))
}

/** The same, to be kept. */
export function keptRelay({ update, seal, own }: Relay): KeptRelay {
  return { update, seal, own: [...own] }
}

const areNumbers = (each: unknown) =>
  Array.isArray(each) && each.length === 2 && each.every((one) => Number.isSafeInteger(one))

function isRead(update: Uint8Array): boolean {
  try {
    Y.parseUpdateMeta(update)
    deletesOf(update)
    return true
  } catch {
    // Whatever the decoder says: nobody wrote these bytes, and no server takes them.
    return false
  }
}

/** Paths of documents as they are kept, by id. */
export function pathsOf(value: unknown): { [id: string]: string } {
  const entries = Object.entries((value ?? {}) as { [id: string]: unknown })
  return Object.fromEntries(
    entries.flatMap(([id, path]) => (typeof path === 'string' ? [[id, path] as const] : [])),
  )
}

/** Paths by id, with one more, or another in its place. */
export function withPath(value: unknown, id: string, path: string): { [id: string]: string } {
  return { ...pathsOf(value), [id]: path }
}

/** Those of a list that are what they should be. */
export function listOf<T>(value: unknown, is: (each: unknown) => boolean): T[] {
  return Array.isArray(value) ? (value.filter(is) as T[]) : []
}
