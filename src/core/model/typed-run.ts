// Typing that goes on right behind itself: most of what a gate ever sees, and all of it one struct.
//
// A struct of new text was let in. What its writer puts right behind it, before the same right
// neighbour, any gate would let in: both neighbours are there, in this order, whatever else has come to
// the text. So it need not look into the text, and the text need not take in more than the whole run.
// Yjs makes one item of it in either case.

import { byteLength } from './byte-length.ts'
import { FourfoldError } from './errors.ts'
import {
  encodeTextUpdate,
  onlyStructOf,
  type Id,
  type TextStruct,
  type TextUpdate,
} from './update-format.ts'

/** Bytes of an update that may go on with a run: a longer paste stands by itself. */
const typedBytesMax = 256
/** Units of a run that wait to be taken in: a longer one is looked at by the gate in between. */
const runUnitsMax = 1024

/** The one struct of text that such an update is; undefined: it is more, less or something else. */
export function typedIn(bytes: Uint8Array): TextStruct | undefined {
  if (bytes.length > typedBytesMax) return undefined
  try {
    const struct = onlyStructOf(bytes)
    return struct?.kind === 'text' ? struct : undefined
  } catch (error) {
    // The gate says what is wrong with it.
    if (error instanceof FourfoldError) return undefined
    throw error
  }
}

export class TypedRun {
  readonly writer: number
  readonly #right: Id | undefined
  /** What the text that waits was put behind, its first clock, and itself. */
  #left: Id | undefined
  #start: number
  #text: string

  private constructor({ writer, clock, left, right, text }: TextStruct) {
    this.writer = writer
    this.#right = right
    this.#left = left
    this.#start = clock
    this.#text = text
  }

  /** Begins with what a gate let in and said of that a run may begin with it. */
  static begin(update: TextUpdate): TypedRun | undefined {
    const struct = onlyText(update)
    return struct && new TypedRun(struct)
  }

  /** How much of it waits to be taken in: Unicode code units. */
  get length(): number {
    return this.#text.length
  }

  /** The same in bytes of UTF-8. */
  get bytes(): number {
    return byteLength(this.#text)
  }

  /** Takes what goes on with the run; false: it does not. */
  takes({ writer, clock, left, right, text }: TextStruct): boolean {
    const end = this.#start + this.#text.length
    const isBehind = left?.writer === writer && left.clock === end - 1
    if (writer !== this.writer || clock !== end || !isBehind) return false
    if (!areSame(right, this.#right)) return false
    if (this.#text.length + text.length > runUnitsMax) return false
    this.#text += text
    return true
  }

  /** What waits, as one update. From now on nothing waits, and the run goes on behind it. */
  take(): Uint8Array {
    const { writer } = this
    const text = this.#text
    const clock = this.#start
    const neighbours = { left: this.#left, right: this.#right }
    const struct = {
      writer,
      clock,
      kind: 'text' as const,
      length: text.length,
      ...neighbours,
      text,
    }
    this.#start += text.length
    this.#left = { writer, clock: this.#start - 1 }
    this.#text = ''
    return encodeTextUpdate({ structs: new Map([[writer, [struct]]]), deletes: new Map() })
  }
}

function areSame(one: Id | undefined, other: Id | undefined): boolean {
  return one?.writer === other?.writer && one?.clock === other?.clock
}

function onlyText({ structs, deletes }: TextUpdate): TextStruct | undefined {
  if (structs.size !== 1 || deletes.size > 0) return undefined
  const [[only, ...more]] = [...structs.values()] as [TextStruct[]]
  return only?.kind === 'text' && more.length === 0 ? only : undefined
}
