// A document's order of text with an update's text in it, worked out beside the document.
//
// The rules are those by which Yjs places concurrent text (YATA); the document is only read. Runs
// stand for its items, made when they are looked at and cut where new text comes to stand.

import * as Y from 'yjs'
import type { Cuts } from './cutting.ts'
import { idOf, textRoot, type Id, type TextStruct } from './text-update.ts'

/** Some units that stand together, of one writer. */
interface Run {
  readonly writer: number
  readonly clock: number
  length: number
  readonly left: Id | undefined
  readonly right: Id | undefined
  /** The next run is that of this item's right neighbour; when absent, it is `next`. */
  item: Y.Item | undefined
  next: Run | undefined
}

export class Draft {
  /** Work done so far: runs visited, and a thousandth of what Yjs will move to cut its items. */
  steps = 0
  readonly #doc: Y.Doc
  readonly #start: Run
  readonly #cuts: ReadonlyMap<number, ReadonlySet<number>>
  /** The runs of an item, in order. */
  readonly #runs = new Map<Y.Item, Run[]>()
  /** The runs that came with the update, by writer, in order. */
  readonly #added = new Map<number, Run[]>()

  /** `cuts`: where all is cut at once, before anything is placed. */
  constructor(doc: Y.Doc, cuts: Cuts = new Map()) {
    this.#doc = doc
    this.#cuts = new Map([...cuts].map(([writer, clocks]) => [writer, new Set(clocks)]))
    const first = doc.getText(textRoot)._start
    const next = first ? this.#runsOf(first)[0] : undefined
    const neighbours = { left: undefined, right: undefined }
    this.#start = { writer: 0, clock: 0, length: 0, ...neighbours, item: undefined, next }
  }

  /**
   * Takes a struct in; false when its neighbours do not fit: its right does not stand after its
   * left. Both must be in the document or have been placed before. Stops at `stepsMax` steps, true.
   */
  place(struct: TextStruct, stepsMax: number): boolean {
    // Right first: when both are in one run, the left one is then the part that ends there.
    const right = struct.right && this.#startingAt(struct.right)
    const left = struct.left ? this.#endingAt(struct.left) : this.#start
    if (left === undefined || (struct.right && right === undefined)) return false
    let target = left
    let run = this.#after(left)
    let isPlaced = false
    const passed = new Set<Run>()
    const rivals = new Set<Run>()
    while (run !== undefined && run !== right && this.steps < stepsMax) {
      this.steps++
      if (!isPlaced) {
        passed.add(run)
        rivals.add(run)
        if (isSame(struct.left, run.left)) {
          // Both were written at one place: the lower writer stands first.
          if (run.writer < struct.writer) {
            target = run
            rivals.clear()
          } else if (isSame(struct.right, run.right)) isPlaced = true
        } else {
          const cause = run.left && this.#holding(run.left)
          if (cause === undefined || !passed.has(cause)) isPlaced = true
          else if (!rivals.has(cause)) {
            target = run
            rivals.clear()
          }
        }
      } else if (right === undefined) break
      run = this.#after(run)
    }
    if (right !== undefined && run === undefined) return false
    this.#insert(struct, target)
    return true
  }

  #insert(struct: TextStruct, target: Run): void {
    const { writer, clock, length, left, right } = struct
    const run: Run = { writer, clock, length, left, right, item: target.item, next: target.next }
    target.item = undefined
    target.next = run
    const list = this.#added.get(writer)
    if (list) list.push(run)
    else this.#added.set(writer, [run])
  }

  #after(run: Run): Run | undefined {
    if (run.item === undefined) return run.next
    const { right } = run.item
    return right ? this.#runsOf(right)[0] : undefined
  }

  #endingAt(id: Id): Run | undefined {
    const runs = this.#around(id)
    if (runs === undefined) return undefined
    const index = indexIn(runs, id.clock)
    const offset = id.clock - runs[index]!.clock + 1
    if (offset < runs[index]!.length) this.#cut(runs, index, offset)
    return runs[index]
  }

  #startingAt(id: Id): Run | undefined {
    const runs = this.#around(id)
    if (runs === undefined) return undefined
    const index = indexIn(runs, id.clock)
    const offset = id.clock - runs[index]!.clock
    if (offset === 0) return runs[index]
    this.#cut(runs, index, offset)
    return runs[index + 1]
  }

  #holding(id: Id): Run | undefined {
    const runs = this.#around(id)
    return runs && runs[indexIn(runs, id.clock)]
  }

  /** The runs that one of holds this unit; undefined when its place is gone. */
  #around(id: Id): Run[] | undefined {
    const added = this.#added.get(id.writer)
    if (added && id.clock >= added[0]!.clock) return added
    const item = itemAt(this.#doc, id)
    return item && this.#runsOf(item)
  }

  #runsOf(item: Y.Item): Run[] {
    const known = this.#runs.get(item)
    if (known) return known
    const run: Run = {
      writer: item.id.client,
      clock: item.id.clock,
      length: item.length,
      left: idOf(item.origin),
      right: idOf(item.rightOrigin),
      item,
      next: undefined,
    }
    const runs = [run]
    this.#runs.set(item, runs)
    return runs
  }

  #cut(runs: Run[], index: number, offset: number): void {
    const run = runs[index]!
    const { writer, clock, right, item, next } = run
    const rest: Run = {
      writer,
      clock: clock + offset,
      length: run.length - offset,
      left: { writer, clock: clock + offset - 1 },
      right,
      item,
      next,
    }
    run.length = offset
    run.item = undefined
    run.next = rest
    runs.splice(index + 1, 0, rest)
    const isCut = this.#cuts.get(writer)?.has(rest.clock)
    this.steps += isCut ? 1 : cutSteps(this.#doc, writer, clock)
  }
}

/** What it costs to cut an item of this writer: those after it move in its array. */
export function cutSteps(doc: Y.Doc, writer: number, clock: number): number {
  const items = doc.store.clients.get(writer)
  if (items === undefined || clock >= Y.getState(doc.store, writer)) return 1
  return 1 + (items.length - Y.findIndexSS(items, clock)) / 1000
}

/** The item that holds a known unit; undefined when its place is gone. */
export function itemAt(doc: Y.Doc, id: Id): Y.Item | undefined {
  const items = doc.store.clients.get(id.writer)!
  const item = items[Y.findIndexSS(items, id.clock)]
  return item instanceof Y.Item ? item : undefined
}

/** The place in ascending runs, without holes, of the one that holds this clock. */
function indexIn(runs: Run[], clock: number): number {
  let low = 0
  let high = runs.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (runs[middle]!.clock <= clock) low = middle
    else high = middle - 1
  }
  return low
}

function isSame(a: Id | undefined, b: Id | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.writer === b.writer && a.clock === b.clock
}
