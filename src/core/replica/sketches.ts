// The sketches of all texts: which of them a search has to read.
//
//   there ──> waiting ── read, when it was quiet for a while or by a search ──> sketched
//               ^                                                                  │
//               └─────────────────────────── text changed ─────────────────────────┘
//
// Safety: every text of the folder is in here, and one without a sketch may hold anything: a search
// finds all that is there, however many wait. Nothing is kept on the disk that could be stale or torn.

import {
  searchStepsPerFile,
  sketchAfterQuietMs,
  sketchBytesMax,
  sketchedCharactersMax,
  sketchStepsPerBusyTick,
  sketchStepsPerTick,
} from '../model/limits.ts'
import { SketchShelf } from './sketch-shelf.ts'
import { sketchOf } from './sketch.ts'
import type { WantedPieces } from './wanted-pieces.ts'

/** Of how many bits one may be set; fewer when a quarter of the room is used. */
const sparseness = 4
const sparsenessLater = 2

/** Where a sketch lies is one number: its place times this, plus the exponent of its size. */
const exponents = 32

export class Sketches<Id extends string> {
  readonly #textOf: (id: Id) => string | undefined
  readonly #bytesMax: number
  readonly #sketched = new Map<Id, number>()
  /** By exponent of the size. */
  readonly #shelves: (SketchShelf<Id> | undefined)[] = []
  /** Since when each waits; the first for the longest time. */
  readonly #waiting = new Map<Id, number>()
  /** Too long, or there was no room left, or it could not be read: until a search reads it. */
  readonly #without = new Set<Id>()
  #bytes = 0
  /** When any text came or changed last. */
  #changedAt = -Infinity

  /** `textOf`: reads what is to be sketched; undefined: it cannot be read. */
  constructor(textOf: (id: Id) => string | undefined, bytesMax = sketchBytesMax) {
    this.#textOf = textOf
    this.#bytesMax = bytesMax
  }

  /** Bytes of all sketches. */
  get bytes(): number {
    return this.#bytes
  }

  /** There is such a text. */
  add(at: number, id: Id): void {
    if (this.#sketched.has(id) || this.#waiting.has(id) || this.#without.has(id)) return
    this.#changedAt = at
    this.#waiting.set(id, at)
  }

  /** It is another text than before. */
  changed(at: number, id: Id): void {
    this.#changedAt = at
    // Most likely it is still too long.
    if (this.#without.has(id)) return
    this.forget(id)
    this.#waiting.set(id, at)
  }

  /** There is no such text. */
  forget(id: Id): void {
    this.#waiting.delete(id)
    this.#without.delete(id)
    const where = this.#sketched.get(id)
    if (where === undefined) return
    const exponent = where % exponents
    this.#sketched.delete(id)
    this.#shelves[exponent]!.remove((where - exponent) / exponents)
    this.#bytes -= 2 ** exponent
  }

  /** The text as it is now. */
  read(id: Id, text: string): void {
    if (this.#sketched.has(id)) return
    this.forget(id)
    if (text.length > sketchedCharactersMax) {
      this.#without.add(id)
      return
    }
    const isRoomy = this.#bytes < this.#bytesMax / 4
    const sketch = sketchOf(text, isRoomy ? sparseness : sparsenessLater)
    if (this.#bytes + sketch.length > this.#bytesMax) {
      this.#without.add(id)
      return
    }
    const exponent = Math.log2(sketch.length)
    const shelf = (this.#shelves[exponent] ??= new SketchShelf(sketch.length))
    this.#sketched.set(id, shelf.put(id, sketch) * exponents + exponent)
    this.#bytes += sketch.length
  }

  /** Whether the text has to be read to know. */
  mayHold(id: Id, wanted: WantedPieces): boolean {
    const where = this.#sketched.get(id)
    if (where === undefined || wanted.length === 0) return true
    const exponent = where % exponents
    return this.#shelves[exponent]!.mayHold((where - exponent) / exponents, wanted)
  }

  /** All that have to be read, in no order; undefined: they are more than so many. */
  few(wanted: WantedPieces, max: number): Id[] | undefined {
    if (wanted.length === 0 || this.#waiting.size + this.#without.size > max) return undefined
    const found = [...this.#waiting.keys(), ...this.#without]
    for (const shelf of this.#shelves) {
      for (const id of shelf?.holding(wanted) ?? []) {
        if (found.push(id) > max) return undefined
      }
    }
    return found
  }

  /** Reads some of those that wait. A text that somebody writes is left alone until it is quiet. */
  tick(now: number): void {
    // While many texts come, their people wait for other things.
    const isBusy = now - this.#changedAt < sketchAfterQuietMs
    let left = isBusy ? sketchStepsPerBusyTick : sketchStepsPerTick
    for (const [id, at] of this.#waiting) {
      if (left <= 0 || now - at < sketchAfterQuietMs) return
      const text = this.#textOf(id)
      left -= searchStepsPerFile + (text?.length ?? 0)
      this.forget(id)
      if (text === undefined) this.#without.add(id)
      else this.read(id, text)
    }
  }
}
