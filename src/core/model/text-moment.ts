// A moment of a text: which units it consisted of, told by a Yjs snapshot, and what edits of the text
// as it was then are to the text as it is now.
//
// An edit made so depends on nothing but the moment: its structs have the neighbours that they would
// have had then, whatever came between them since. Made twice, on servers that differ, it is one.

import * as Y from 'yjs'
import { FourfoldError } from './errors.ts'
import type { Edit } from './text-diff.ts'
import {
  encodeTextUpdate,
  firstBeyond,
  joinDeletes,
  textRoot,
  type Deletes,
  type Id,
  type Range,
} from './text-update.ts'

/** What a text consists of now. Equal bytes are equal texts, and equally made. */
export function momentOf(doc: Y.Doc): Uint8Array {
  return Y.encodeSnapshot(Y.snapshot(doc))
}

export interface Moment {
  /** How many units of each writer there were, deleted ones included. */
  vector: Map<number, number>
  /** Of these, the deleted ones. */
  deletes: Deletes
}

/** @throws FourfoldError invalid */
export function readMoment(bytes: Uint8Array): Moment {
  let snapshot: Y.Snapshot
  try {
    snapshot = Y.decodeSnapshot(bytes)
  } catch {
    // Whatever Yjs says of bytes that are no snapshot, they are none.
    throw notOurs()
  }
  const deletes: Deletes = new Map()
  for (const [writer, ranges] of snapshot.ds.clients) {
    let end = 0
    for (const { clock, len } of ranges) {
      if (clock < end || len < 1) throw notOurs()
      end = clock + len
    }
    if (end > (snapshot.sv.get(writer) ?? 0)) throw notOurs()
    deletes.set(
      writer,
      ranges.map(({ clock, len }): Range => [clock, len]),
    )
  }
  return { vector: snapshot.sv, deletes }
}

/** Whether a document has all units that there were. */
export function reaches(doc: Y.Doc, { vector }: Moment): boolean {
  for (const [writer, units] of vector) if (Y.getState(doc.store, writer) < units) return false
  return true
}

/**
 * Edits of `text`, which a document that reaches the moment had then, as an update of a writer that has
 * written nothing but this. What was deleted then and is not yet deleted here is deleted with it.
 * Undefined: nothing changes. Throws FourfoldError 'invalid' when the text is another.
 */
export function editsAt(
  doc: Y.Doc,
  moment: Moment,
  change: { text: string; edits: readonly Edit[]; writer: number },
): Uint8Array | undefined {
  const { writer, edits } = change
  const runs = runsOf(doc, moment, change.text)
  const deletes = liveOf(doc, moment.deletes)
  const structs = []
  let clock = 0
  const place = new Places(runs)
  for (const { at, remove, insert } of edits) {
    const { left, right } = place.reach(at)
    if (insert !== '') {
      const { length } = insert
      structs.push({ writer, clock, length, kind: 'text' as const, left, right, text: insert })
      clock += length
    }
    for (const [writer, range] of place.pass(remove)) addRange(deletes, writer, range)
  }
  if (structs.length === 0 && deletes.size === 0) return undefined
  const gone: Deletes = new Map()
  joinDeletes(gone, deletes)
  return encodeTextUpdate({ structs: new Map([[writer, structs]]), deletes: gone })
}

/** Units of one writer that stood beside each other, in the order of the text. */
interface Run {
  writer: number
  clock: number
  length: number
  isDeleted: boolean
}

function runsOf(doc: Y.Doc, moment: Moment, text: string): Run[] {
  const runs: Run[] = []
  let at = 0
  for (let item = doc.getText(textRoot)._start; item; item = item.right) {
    const { client: writer, clock } = item.id
    const length = Math.min(item.length, (moment.vector.get(writer) ?? 0) - clock)
    if (length <= 0) continue
    const shown = item.content instanceof Y.ContentString ? item.content.str : undefined
    for (const run of split({ writer, clock, length, isDeleted: false }, moment.deletes)) {
      runs.push(run)
      if (run.isDeleted) continue
      const end = at + run.length
      const said = shown?.slice(run.clock - clock, run.clock - clock + run.length)
      if (end > text.length || (said !== undefined && said !== text.slice(at, end))) throw notOurs()
      at = end
    }
  }
  if (at < text.length) throw notOurs()
  return runs
}

/** Parts of a run, told apart by what was deleted. */
function* split(run: Run, deletes: Deletes): Iterable<Run> {
  const { writer } = run
  const end = run.clock + run.length
  const ranges = deletes.get(writer) ?? []
  let clock = run.clock
  for (let index = firstBeyond(ranges, clock); clock < end; index++) {
    const [start, length] = ranges[index] ?? [end, 0]
    const from = Math.min(Math.max(start, clock), end)
    const until = Math.min(start + length, end)
    if (from > clock) yield { writer, clock, length: from - clock, isDeleted: false }
    if (until > from) yield { writer, clock: from, length: until - from, isDeleted: true }
    clock = Math.max(from, until)
  }
}

/** Goes through the text once. */
class Places {
  readonly #runs: Run[]
  #index = 0
  /** Of the present run, the units before the place. */
  #offset = 0
  #at = 0
  #left: Id | undefined

  constructor(runs: Run[]) {
    this.#runs = runs
  }

  /** The units beside a place of the text: behind what was deleted there, where Yjs inserts. */
  reach(at: number): { left: Id | undefined; right: Id | undefined } {
    this.pass(at - this.#at)
    while (this.#runs[this.#index]?.isDeleted) this.#step(Infinity)
    const run = this.#runs[this.#index]
    const right = run && { writer: run.writer, clock: run.clock + this.#offset }
    return { left: this.#left, right }
  }

  /** Passes so many units of the text; which ones. */
  pass(count: number): [writer: number, Range][] {
    const passed: [number, Range][] = []
    for (let rest = count; rest > 0;) {
      const { isDeleted, writer } = this.#runs[this.#index]!
      const range = this.#step(isDeleted ? Infinity : rest)
      if (isDeleted) continue
      passed.push([writer, range])
      this.#at += range[1]
      rest -= range[1]
    }
    return passed
  }

  /** Goes on in the present run; which of its units. */
  #step(most: number): Range {
    const run = this.#runs[this.#index]!
    const clock = run.clock + this.#offset
    const length = Math.min(most, run.length - this.#offset)
    this.#left = { writer: run.writer, clock: clock + length - 1 }
    this.#offset += length
    if (this.#offset === run.length) {
      this.#index++
      this.#offset = 0
    }
    return [clock, length]
  }
}

/** The ranges of which something is not deleted yet. */
function liveOf(doc: Y.Doc, deletes: Deletes): Deletes {
  const live: Deletes = new Map()
  for (const [writer, ranges] of deletes) {
    const items = doc.store.clients.get(writer) ?? []
    for (const range of ranges) {
      const [clock, length] = range
      for (let index = Y.findIndexSS(items, clock); index < items.length; index++) {
        const item = items[index]!
        if (item.id.clock >= clock + length) break
        if (item.deleted) continue
        addRange(live, writer, range)
        break
      }
    }
  }
  return live
}

function addRange(deletes: Deletes, writer: number, range: Range): void {
  const ranges = deletes.get(writer)
  if (ranges) ranges.push(range)
  else deletes.set(writer, [range])
}

function notOurs(): FourfoldError {
  return new FourfoldError('invalid', 'The text given as the base is not that of the base state.')
}
