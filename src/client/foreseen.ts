// The folder with what waits in it: entries as they will be when a server has carried out what this
// person asked for. Shown only here, and taken back when a server says what became of it.

import { create } from '@bufbuild/protobuf'
import { copyEntry, mergeEntry } from '../core/model/entry.ts'
import type { Change, Folder } from '../core/model/folder.ts'
import { operationsMax } from '../core/model/limits.ts'
import { isPurged } from '../core/model/purge.ts'
import { changeOf } from '../core/model/several.ts'
import { ContentSchema, EntrySchema, Kind, type Entry, type Stamp } from '../core/model/wire.ts'
import type { OperationBody } from '../core/session/parcel.ts'
import { subjectsOf } from '../core/session/precedence.ts'
import type { Asked } from '../core/session/session.ts'

/** What waits is newer than everything that servers have told. */
const firstCounter = 2 ** 32 - 1 - operationsMax

export class Foreseen {
  readonly #folder: Folder
  readonly #person: () => string
  /** What servers told of those that are shown otherwise; undefined: nothing yet. */
  readonly #told = new Map<string, Entry | undefined>()
  /** What is to become of each, in order. */
  #changes = new Map<string, Entry[]>()

  constructor(folder: Folder, person: () => string) {
    this.#folder = folder
    this.#person = person
  }

  /** Whether something that was asked of it waits. */
  has(id: string): boolean {
    return this.#told.has(id)
  }

  /** Those of which something waits. */
  ids(): Iterable<string> {
    return this.#told.keys()
  }

  /** What servers told of an entry, be it deleted for good; undefined: nothing. */
  told(id: string): Entry | undefined {
    return this.has(id) ? this.#told.get(id) : this.#folder.known(id)
  }

  /** A server told of an entry. The ids of those that are shown otherwise now, or not any more. */
  apply(change: Entry): string[] {
    if (!this.has(change.id)) {
      return [...idsOf(this.#folder.apply(change)), ...this.#folder.takeHidden().keys()]
    }
    const told = this.#told.get(change.id)
    const entry = told ? copyEntry(told) : change
    if (told) mergeEntry(entry, change)
    this.#told.set(change.id, entry)
    return this.#show(change.id)
  }

  /** Nothing is known of an entry any more. The ids of those that lie elsewhere because of that. */
  forget(id: string): string[] {
    if (this.has(id)) this.#told.set(id, undefined)
    return idsOf(this.#folder.set(id, undefined))
  }

  /** These wait, in this order. The ids of those that are shown otherwise now, or not any more. */
  wait(operations: readonly OperationBody[]): string[] {
    this.#changes = new Map()
    operations.forEach((operation, index) => {
      const counter = firstCounter + index
      const stamp = { $typeName: 'fourfold.v1.Stamp' as const, counter, origin: '' }
      const change = entryChange(operation, stamp, this.#person())
      for (const id of subjectsOf(operation)) {
        this.#changes.set(id, [...(this.#changes.get(id) ?? []), change])
        if (!this.has(id)) this.#told.set(id, this.#folder.known(id))
      }
    })
    return [...this.#told.keys()].flatMap((id) => this.#show(id))
  }

  #show(id: string): string[] {
    const told = this.#told.get(id)
    // Of what is deleted for good nothing comes any more.
    const isGone = told !== undefined && isPurged(told, (each) => this.told(each))
    const changes = this.#changes.get(id)
    if (!changes) this.#told.delete(id)
    let shown = changes && told ? copyEntry(told) : told
    for (const change of isGone ? [] : (changes ?? [])) {
      // A server may have made it, and not said so yet: it stands where it was made.
      if (shown && !change.created) mergeEntry(shown, change)
      else if (change.created) shown ??= change
    }
    return [id, ...idsOf(this.#folder.set(id, shown)), ...this.#folder.takeHidden().keys()]
  }
}

function idsOf(changes: Change[]): string[] {
  return changes.map(({ entry }) => entry.id)
}

/** What waits of this, to be shown: also what is done already, until a server tells of the entry. */
export function waitingOf(
  asked: readonly Asked[],
  isTold: (id: string) => boolean,
): OperationBody[] {
  return asked
    .filter(({ operation, hasEffect }) => !hasEffect || !subjectsOf(operation).every(isTold))
    .map(({ operation }) => operation)
}

/** What an operation will change, as far as this person can tell. */
function entryChange({ id, operation: asked }: OperationBody, stamp: Stamp, by: string): Entry {
  const operation = changeOf(asked)
  const made = (kind: Kind, name: string, parent: string) =>
    create(EntrySchema, {
      id,
      kind,
      created: stamp,
      name: { value: name, stamp },
      parent: { value: parent, stamp },
      createdBy: by,
      createdAt: Date.now(),
    })
  switch (operation.case) {
    case 'create':
      return made(Kind.TEXT, operation.value.name, operation.value.parent)
    case 'makeDirectory':
      return made(Kind.DIRECTORY, operation.value.name, operation.value.parent)
    case 'createBinary': {
      const { name, parent, hash, size } = operation.value
      const entry = made(Kind.BINARY, name, parent)
      entry.contents = [create(ContentSchema, { hash, size, stamp })]
      return entry
    }
    case 'rename':
      return create(EntrySchema, { name: { value: operation.value.name, stamp } })
    case 'move': {
      const { parent, name } = operation.value
      return create(EntrySchema, {
        parent: { value: parent, stamp },
        ...(name !== '' && { name: { value: name, stamp } }),
      })
    }
    case 'delete':
    case 'restore':
      return create(EntrySchema, {
        deleted: { value: operation.case === 'delete', stamp },
        deletedBy: by,
      })
    default:
      return create(EntrySchema)
  }
}
