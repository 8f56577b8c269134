// Entries and their changes, as servers write them.

import { create } from '@bufbuild/protobuf'
import { Folder } from '../folder.ts'
import { EntrySchema, Kind, StampSchema, type Entry } from '../wire.ts'

export const stamp = (counter: number, origin = 'a') => create(StampSchema, { counter, origin })

export interface Made {
  name?: string
  parent?: string
  kind?: Kind
  origin?: string
}

/** An entry that was created; a directory under its id, unless told otherwise. */
export function made(id: string, counter: number, options: Made = {}): Entry {
  const { name = id, parent = '', kind = Kind.DIRECTORY, origin = 'a' } = options
  return create(EntrySchema, {
    id,
    kind,
    created: stamp(counter, origin),
    name: { value: name, stamp: stamp(0, origin) },
    parent: { value: parent, stamp: stamp(0, origin) },
  })
}

export const moved = (id: string, counter: number, parent: string, origin = 'a') =>
  create(EntrySchema, { id, parent: { value: parent, stamp: stamp(counter, origin) } })

export const renamed = (id: string, counter: number, name: string, origin = 'a') =>
  create(EntrySchema, { id, name: { value: name, stamp: stamp(counter, origin) } })

export const deleted = (id: string, counter: number, value = true, origin = 'a') =>
  create(EntrySchema, { id, deleted: { value, stamp: stamp(counter, origin) } })

export function folderOf(...changes: Entry[]): Folder {
  const folder = new Folder()
  for (const change of changes) folder.apply(change)
  return folder
}

/** In every order there is. */
export function permutations<T>(items: T[]): T[][] {
  if (items.length <= 1) return [items]
  return items.flatMap((item, index) =>
    permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]),
  )
}
