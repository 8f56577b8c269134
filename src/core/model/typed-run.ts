// Typing that goes on right behind itself: most of what a gate ever sees, and all of it one struct.
//
// Between two neighbours that stand beside each other a struct was let in. What its writer puts right
// behind it, before the same right neighbour, stands beside that again, as long as nothing else has
// come to the text: so it can be let in without looking into the text, and taken in with the rest of
// the run at once. Yjs makes one item of them in either case.

import { FourfoldError } from './errors.ts'
import { textBytesMax } from './limits.ts'
import {
  decodeTextUpdate,
  encodeTextUpdate,
  type Id,
  type TextStruct,
  type TextUpdate,
} from './update-format.ts'

/** Units of one run, and bytes of an update that may go on with one: a longer paste stands by itself. */
const runUnitsMax = 1024
const typedBytesMax = 256

export class TypedRun {
  readonly #first: TextStruct
  readonly #writer: number
  readonly #right: Id | undefined
  /** How many units the text may still get. */
  #room: number
  #text: string

  private constructor(first: TextStruct, textLengthUtf16: number) {
    this.#first = first
    this.#writer = first.writer
    this.#right = first.right
    this.#text = first.text
    this.#room = Math.min(runUnitsMax, textBytesMax - textLengthUtf16) - first.length
  }

  /**
   * Begins with what a gate let in, into a text of that length, if it is one struct of text; its
   * neighbours must stand beside each other.
   */
  static begin(update: TextUpdate, textLengthUtf16: number): TypedRun | undefined {
    const struct = onlyText(update)
    return struct && new TypedRun(struct, textLengthUtf16)
  }

  /** Takes an update that goes on with the run, by one of these writers; false: it does not. */
  takes(bytes: Uint8Array, writers: ReadonlySet<number>): boolean {
    if (bytes.length > typedBytesMax || !writers.has(this.#writer)) return false
    const struct = textIn(bytes)
    if (!struct || struct.length > this.#room || !this.#isNext(struct)) return false
    this.#room -= struct.length
    this.#text += struct.text
    return true
  }

  /** All of it as one update. */
  encoded(): Uint8Array {
    const struct = { ...this.#first, length: this.#text.length, text: this.#text }
    return encodeTextUpdate({ structs: new Map([[this.#writer, [struct]]]), deletes: new Map() })
  }

  #isNext({ writer, clock, left, right }: TextStruct): boolean {
    const end = this.#first.clock + this.#text.length
    const isBehind = left !== undefined && left.writer === writer && left.clock === end - 1
    return writer === this.#writer && clock === end && isBehind && areSame(right, this.#right)
  }
}

function areSame(one: Id | undefined, other: Id | undefined): boolean {
  return one?.writer === other?.writer && one?.clock === other?.clock
}

function textIn(bytes: Uint8Array): TextStruct | undefined {
  try {
    return onlyText(decodeTextUpdate(bytes))
  } catch (error) {
    // The gate says what is wrong with it.
    if (error instanceof FourfoldError) return undefined
    throw error
  }
}

function onlyText({ structs, deletes }: TextUpdate): TextStruct | undefined {
  if (structs.size !== 1 || deletes.size > 0) return undefined
  const [[only, ...more]] = [...structs.values()] as [TextStruct[]]
  return only?.kind === 'text' && more.length === 0 ? only : undefined
}
