// What people must see of a folder, worked out anew from all changes by the rules of G9: slowly, in
// one go, and with nothing of the folder's own code but the order of stamps and the likeness of names.

import { newer } from '../src/core/model/entry.ts'
import { fileKey } from '../src/core/model/names.ts'
import { Kind, type Entry, type Purge, type Stamp } from '../src/core/model/wire.ts'

/** An entry as people must see it. */
export interface Expected {
  kind: Kind
  parent: string
  /** As a path would show it; the same also in the trash. */
  path: string
  isDeleted: boolean
  /** By itself, and not only with a directory above it. */
  isInTrashItself: boolean
}

/** What of a folder must be on a screen that shows only these; empty: the top. */
export function expectedOf(
  tree: Map<string, Expected>,
  shown: Map<string, 'alone' | 'open'>,
): Map<string, Expected> {
  const ids = new Set<string>()
  for (const id of shown.keys()) {
    for (let at = id; tree.has(at); at = tree.get(at)!.parent) ids.add(at)
  }
  return new Map(
    [...tree].filter(([id, { parent, isInTrashItself }]) => {
      // What was put in the trash may be there still, from before: it is seen nowhere.
      const isListed = shown.get(parent) === 'open' && !isInTrashItself
      return ids.has(id) || (isListed && (parent === '' || tree.has(parent)))
    }),
  )
}

/** One entry of which everything is known that was ever said. */
interface Known {
  id: string
  kind: Kind
  created: Stamp
  name: string
  parent: { value: string; stamp: Stamp | undefined }
  isDeleted: boolean
  deletion: Stamp | undefined
  purges: Purge[]
}

/** By id; without those that are deleted for good, or whose creation is not among the changes. */
export function expectedTree(changes: Iterable<Entry>): Map<string, Expected> {
  const all = new Map(knownOf(changes).map((entry) => [entry.id, entry]))
  const known = new Map([...all].filter(([, entry]) => !isPurged(entry, all)))
  const parents = parentsOf(known)
  const names = namesOf(known, parents)
  const chain = (id: string): Known[] => {
    const entry = known.get(id)
    return entry ? [...chain(parents.get(id)!), entry] : []
  }
  return new Map(
    [...known.values()].map(({ id, kind }): [string, Expected] => {
      const above = chain(id)
      const path = above.map((each) => names.get(each.id)!).join('/')
      const isDeleted = above.some((each) => each.isDeleted)
      const isInTrashItself = known.get(id)!.isDeleted
      return [id, { kind, parent: parents.get(id)!, path, isDeleted, isInTrashItself }]
    }),
  )
}

function knownOf(changes: Iterable<Entry>): Known[] {
  const byId = new Map<string, Entry[]>()
  for (const change of changes) byId.set(change.id, [...(byId.get(change.id) ?? []), change])
  return [...byId].flatMap(([id, all]) => {
    const creations = all.filter(({ created }) => created !== undefined)
    const first = creations.toSorted((a, b) => (newer(a.created, b.created) ? 1 : -1))[0]
    const name = last(all.map((change) => change.name))
    if (!first || !name) return []
    const parent = last(all.map((change) => change.parent))
    const deleted = last(all.map((change) => change.deleted))
    return {
      id,
      kind: first.kind,
      created: first.created!,
      name: name.value,
      parent: { value: parent?.value ?? '', stamp: parent?.stamp },
      isDeleted: deleted?.value ?? false,
      deletion: deleted?.stamp,
      purges: all.flatMap(({ purged }) => purged ?? []),
    }
  })
}

/** The last purge of it names what is so still, and so do those of all above it up to the root. */
function isPurged(entry: Known, known: Map<string, Known>): boolean {
  if (entry.purges.some(({ isDone }) => isDone)) return true
  const purge = lastPurge(entry)
  for (let at: Known | undefined = entry, steps = 0; at && steps <= known.size; steps++) {
    const last = lastPurge(at)
    if (!purge || last?.root !== purge.root || !isOne(last.deletion, purge.deletion)) return false
    if (at.id === purge.root) return at.isDeleted && isOne(at.deletion, purge.deletion)
    if (!isOne(last.place, at.parent.stamp)) return false
    at = known.get(at.parent.value)
  }
  return false
}

function lastPurge({ purges }: Known): Purge | undefined {
  return purges.toSorted((a, b) => {
    if (a.generation !== b.generation) return b.generation - a.generation
    if (!isOne(a.deletion, b.deletion)) return newer(a.deletion, b.deletion) ? -1 : 1
    return newer(a.place, b.place) ? -1 : 1
  })[0]
}

function isOne(a: Stamp | undefined, b: Stamp | undefined): boolean {
  return a?.counter === b?.counter && a?.origin === b?.origin
}

function last<T extends { stamp?: Stamp | undefined }>(fields: (T | undefined)[]): T | undefined {
  const set = fields.filter((field) => field !== undefined)
  return set.reduce<T | undefined>((a, b) => (newer(b.stamp, a?.stamp) ? b : a), undefined)
}

/** In which directory each is shown. */
function parentsOf(known: Map<string, Known>): Map<string, string> {
  const parents = new Map<string, string>()
  for (const { id, parent } of known.values()) {
    const isThere = known.get(parent.value)?.kind === Kind.DIRECTORY
    parents.set(id, isThere ? parent.value : '')
  }
  const broken: string[] = []
  for (const id of known.keys()) {
    const cycle = cycleOf(id, parents)
    if (cycle.length === 0) continue
    const stampOf = (each: string) => known.get(each)!.parent.stamp
    cycle.sort((a, b) => (newer(stampOf(a), stampOf(b)) ? 1 : -1))
    broken.push(cycle.at(-1)!)
  }
  for (const id of broken) parents.set(id, '')
  return parents
}

/** Those that lie in each other with this one, itself among them; none when it is not so. */
function cycleOf(id: string, parents: Map<string, string>): string[] {
  const passed: string[] = []
  for (let at = id; at !== '' && !passed.includes(at); at = parents.get(at)!) passed.push(at)
  return parents.get(passed.at(-1)!) === id ? passed : []
}

/** What each is shown as in its directory. */
function namesOf(known: Map<string, Known>, parents: Map<string, string>): Map<string, string> {
  const names = new Map([...known.values()].map(({ id, name }) => [id, name]))
  const present = [...known.values()]
    .filter(({ isDeleted }) => !isDeleted)
    .sort((a, b) => (isEarlier(a, b) ? -1 : 1))
  for (const directory of new Set(parents.values())) {
    const inHere = present.filter(({ id }) => parents.get(id) === directory)
    const own = new Set(inHere.map(({ name }) => fileKey(name)))
    const numbers = new Map<string, number>()
    for (const { id, name } of inHere) {
      let number = (numbers.get(fileKey(name)) ?? 0) + 1
      while (number > 1 && own.has(fileKey(numbered(name, number)))) number++
      numbers.set(fileKey(name), number)
      if (number > 1) names.set(id, numbered(name, number))
    }
  }
  return names
}

function isEarlier(a: Known, b: Known): boolean {
  return newer(b.created, a.created) || (!newer(a.created, b.created) && a.id < b.id)
}

function numbered(name: string, number: number): string {
  const [, stem, extension] = /^(.+?)(\.[^.]*)?$/su.exec(name)!
  return `${stem} (${number})${extension ?? ''}`
}
