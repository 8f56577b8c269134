// A last look at those who watch: they know of all that is there, under its name, and were told of
// every change of a text.

import * as Y from 'yjs'
import type { SubjectId } from '../src/core/model/ids.ts'
import { textRoot } from '../src/core/model/snapshot.ts'
import type { Checkers } from './checkers.ts'
import type { Expected } from './folder-model.ts'
import type { Journal } from './journal.ts'
import type { SimulatedPerson } from './person.ts'
import type { SimulatedServer } from './server.ts'
import type { Watching } from './watching.ts'

interface WatchLook {
  servers: SimulatedServer[]
  people: SimulatedPerson[]
  checkers: Checkers
  journal: Journal
  /** Whether a disk was lost or put back: what was only there may have been told. */
  isBurnt: boolean
  tree: Map<string, Expected>
  /** Texts that are not going for good. */
  subjects: SubjectId[]
  late: (text: string) => void
}

export function checkWatches(look: WatchLook): void {
  for (const { name, watching } of look.people) {
    if (!watching) continue
    if (!watching.isReady) look.late(`who watches at ${name} is not told what is there`)
    else {
      checkPlaces(look, name, watching)
      checkTexts(look, name, watching)
    }
  }
}

function checkPlaces(
  { tree, isBurnt, checkers, journal }: WatchLook,
  name: string,
  { watched }: Watching,
): void {
  const { known } = watched
  const isGone = (id: string): boolean => {
    const ids: string[] = []
    for (let at = id; at !== '' && !ids.includes(at); at = known.get(at)?.parent ?? '') ids.push(at)
    return ids.some((each) => known.get(each)?.isDeleted)
  }
  for (const [id, { path, parent, isDeleted }] of tree) {
    const told = known.get(id)
    // What lay in a directory in the trash comes back with that, as it is by then. Where a deletion was
    // told and then lost with a disk, no server knows that anybody was told.
    const gone = everAbove(journal, id)
    if (isBurnt) gone.add(id)
    const wasGone = [...gone].some((each) => journal.files.get(each)?.deletions.length)
    if (wasGone || told?.isUnsure || (!told && isDeleted)) continue
    const shown = path.slice(path.lastIndexOf('/') + 1)
    const here = told && placeWords(isGone(id), told.name, told.parent)
    const there = placeWords(isDeleted, shown, parent)
    if (here === there) continue
    checkers.checkWatch(
      `who watches at ${name} knows ${id} as ${here ?? 'nothing'}, it is ${there}`,
    )
    return
  }
  if (isBurnt) return
  const ghost = [...known].find(([id, told]) => !tree.has(id) && !told.isUnsure && !isGone(id))
  if (ghost) checkers.checkWatch(`who watches at ${name} knows ${ghost[0]}, which is nowhere`)
}

function placeWords(isGone: boolean, name: string, parent: string): string {
  return isGone ? 'gone' : `"${name}" in "${parent}"`
}

function checkTexts({ servers, subjects, tree, checkers }: WatchLook, name: string, w: Watching) {
  for (const subject of subjects) {
    if (tree.get(subject)?.isDeleted !== false || !w.watched.known.has(subject)) continue
    const read = w.textOf(subject)
    if (!read) continue
    const before = textIn(read)
    Y.applyUpdate(read, Y.encodeStateAsUpdate(servers[0]!.disk.doc(subject)!))
    if (before === textIn(read)) continue
    checkers.checkWatch(
      `who watches at ${name} was not told of all that changed in ${subject}: ` +
        `it is "${textIn(read)}", and was "${before}" when that was told last`,
    )
  }
}

function textIn(doc: Y.Doc): string {
  return doc.getText(textRoot).toString()
}

/** Every directory in which an entry was ever to lie, at any depth. */
function everAbove(journal: Journal, id: string, found = new Set<string>()): Set<string> {
  for (const parent of journal.files.get(id)?.parents ?? []) {
    if (found.has(parent)) continue
    found.add(parent)
    everAbove(journal, parent, found)
  }
  return found
}
