// Which operations wait for others: so that what is asked in a row takes effect in that order.
//
// A server looks at names and directories as they are on its disk. What is sent in one go meets a
// folder without what was sent a moment before: so whatever builds on an operation waits for it.

import { type OperationBody, type OperationParcel, type Parcel } from './parcel.ts'

/** The operations that are not to be sent to this server yet. */
export function heldBack(parcels: Iterable<Parcel>, server: string): Set<OperationParcel> {
  const held = new Set<OperationParcel>()
  const before = new Before()
  for (const parcel of parcels) {
    if (parcel.type !== 'operation' || isThere(parcel, server)) continue
    if (before.holds(parcel.operation)) held.add(parcel)
    before.add(parcel.operation)
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

/** The entry that an operation is about: also the one that it makes. */
export function subjectOf({ id, operation }: OperationBody): string {
  return aimOf(operation).subject || id
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
    const { subject, parent } = aimOf(operation)
    if (this.#subjects.has(subject) || this.#subjects.has(parent)) return true
    if (!this.#freesNames || !takesName(operation)) return false
    // Of those that are moved to one directory together none takes another's place.
    return operation.case !== 'move' || parent !== this.#target
  }

  add(body: OperationBody): void {
    const { operation } = body
    const { parent } = aimOf(operation)
    this.#subjects.add(subjectOf(body))
    if (!freesName(operation)) return
    const isSame = !this.#freesNames || this.#target === parent
    this.#target = operation.case === 'move' && isSame ? parent : undefined
    this.#freesNames = true
  }
}

type Asked = OperationBody['operation']

/** What it is about, and the directory it names; empty: what it makes, and the top or none. */
function aimOf(operation: Asked): { subject: string; parent: string } {
  switch (operation.case) {
    case 'create':
    case 'createBinary':
    case 'makeDirectory':
      return { subject: '', parent: operation.value.parent }
    case 'move':
      return { subject: operation.value.entry, parent: operation.value.parent }
    case 'rename':
    case 'delete':
    case 'restore':
    case 'setContent':
    case 'erase':
      return { subject: operation.value.entry, parent: '' }
    case 'nameVersion':
      return { subject: operation.value.document, parent: '' }
    case undefined:
      return { subject: '', parent: '' }
  }
}

function takesName({ case: name }: Asked): boolean {
  return name !== undefined && !['delete', 'erase', 'nameVersion', 'setContent'].includes(name)
}

function freesName({ case: name }: Asked): boolean {
  return name === 'rename' || name === 'move' || name === 'delete'
}
