// Which operations wait for others: so that what is asked in a row takes effect in that order.
//
// A server looks at names and directories as they are on its disk. What is sent in one go meets a
// folder without what was sent a moment before: so whatever builds on an operation waits for it.

import { changeOf, entriesOf } from '../model/several.ts'
import { type OperationBody, type OperationParcel, type Parcel } from './parcel.ts'

/** The operations that are not to be sent to this server yet. */
export function heldBack(parcels: Iterable<Parcel>, server: string): Set<OperationParcel> {
  const held = new Set<OperationParcel>()
  const before = new Before()
  for (const parcel of parcels) {
    if (parcel.type !== 'operation' || isThere(parcel, server)) continue
    if (before.holds(parcel.operation)) held.add(parcel)
    // A version may wait for text that never comes: nothing else is to wait with it.
    if (parcel.operation.operation.case !== 'nameVersion') before.add(parcel.operation)
  }
  return held
}

/** Whether a document is still to be made on this server. */
export function isUnborn(parcels: Iterable<Parcel>, document: string, server: string): boolean {
  for (const parcel of parcels) {
    if (parcel.type !== 'operation' || parcel.operation.id !== document) continue
    return parcel.operation.operation.case === 'create' && !isThere(parcel, server)
  }
  return false
}

/** The entries that an operation is about: also the one that it makes. */
export function subjectsOf({ id, operation }: OperationBody): readonly string[] {
  const changed = entriesOf(operation)
  return changed.length > 0 ? changed : [id]
}

/** Whether it took effect, and this server knows. */
function isThere(parcel: OperationParcel, server: string): boolean {
  return parcel.effect !== undefined && parcel.servers.has(server)
}

/** What is asked before an operation. */
class Before {
  /** What it was about: what is made, too. */
  readonly #subjects = new Set<string>()
  #freesNames = false
  /** The directory that all that frees a name is moved to; absent: there is no such directory. */
  #target: string | undefined

  holds({ operation }: OperationBody): boolean {
    const parent = parentOf(operation)
    const isAfter = (id: string) => this.#subjects.has(id)
    if (isAfter(parent) || entriesOf(operation).some(isAfter)) return true
    if (!this.#freesNames || !takesName(operation)) return false
    // Of those that are moved to one directory together none takes another's place.
    return changeOf(operation).case !== 'move' || parent !== this.#target
  }

  add(body: OperationBody): void {
    const { operation } = body
    const parent = parentOf(operation)
    for (const id of subjectsOf(body)) this.#subjects.add(id)
    if (!freesName(operation)) return
    const isSame = !this.#freesNames || this.#target === parent
    this.#target = changeOf(operation).case === 'move' && isSame ? parent : undefined
    this.#freesNames = true
  }
}

type Asked = OperationBody['operation']

/** The directory that an operation names; empty: the top or none. */
function parentOf(operation: Asked): string {
  const { value } = changeOf(operation)
  return value && 'parent' in value ? value.parent : ''
}

function takesName(operation: Asked): boolean {
  const { case: name } = changeOf(operation)
  return name !== undefined && !['delete', 'erase', 'nameVersion', 'setContent'].includes(name)
}

function freesName(operation: Asked): boolean {
  const { case: name } = changeOf(operation)
  return name === 'rename' || name === 'move' || name === 'delete'
}
