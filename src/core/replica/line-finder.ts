// Finds the lines of a text that hold a piece of text, or match a pattern in linear time.
//
// Patterns come from outside and go over everybody's texts, so that no backtracking engine sees them:
// re2js (RE2) takes steps in proportion to the length of a line times the size of the program.

import { RE2JS, RE2JSException } from 're2js'
import { FourfoldError } from '../model/errors.ts'
import {
  foundLineMax,
  regexProgramMax,
  regexStepsPerLineMax,
  searchTextMax,
} from '../model/limits.ts'

export interface Pattern {
  text: string
  ignoresCase: boolean
  isRegex: boolean
}

export interface FoundLine {
  /** From 1. */
  number: number
  /** What is shown of it: of a long line a part, with what was found where that is known. */
  text: string
}

/** A piece of the work: what it cost, in characters or steps of a program, and what it found. */
export interface Progress {
  steps: number
  found?: FoundLine
}

/** Of a long line so much is shown before what was found. */
const shownBefore = 200

export class LineFinder {
  readonly #pattern: Pattern
  readonly #needle: string
  readonly #regex: RE2JS | undefined

  /** @throws FourfoldError invalid */
  constructor(pattern: Pattern) {
    const { text, ignoresCase, isRegex } = pattern
    if (text === '') throw new FourfoldError('invalid', 'Say what to look for.')
    if (text.length > searchTextMax) {
      const rule = `What to look for has at most ${searchTextMax} characters.`
      throw new FourfoldError('invalid', rule)
    }
    if (text.includes('\n')) {
      throw new FourfoldError('invalid', 'A search looks within lines; leave the line break out.')
    }
    this.#pattern = pattern
    this.#needle = ignoresCase ? folded(text) : text
    this.#regex = isRegex ? compiled(pattern) : undefined
  }

  /** The lines in order. Each step of the generator is a bounded piece of work. */
  find(text: string): Generator<Progress> {
    return this.#regex ? matching(text, this.#regex) : this.#holding(text)
  }

  *#holding(text: string): Generator<Progress> {
    // The same line breaks in both, while places within a line may differ by a letter like ß.
    const searched = this.#pattern.ignoresCase ? folded(text) : text
    let at = 0
    let shownAt = 0
    let number = 1
    for (;;) {
      const index = searched.indexOf(this.#needle, at)
      if (index < 0) {
        yield { steps: searched.length - at }
        return
      }
      const from = at
      for (let end = searched.indexOf('\n', at); end >= 0 && end < index;) {
        at = end + 1
        shownAt = text.indexOf('\n', shownAt) + 1
        number++
        end = searched.indexOf('\n', at)
      }
      const end = endOfLine(text, shownAt)
      yield {
        steps: index - from + 1,
        found: { number, text: shown(text.slice(shownAt, end), index - at) },
      }
      at = searched.indexOf('\n', index) + 1
      shownAt = end + 1
      number++
      if (at === 0) return
    }
  }
}

function* matching(text: string, regex: RE2JS): Generator<Progress> {
  const size = regex.programSize()
  const lineMax = Math.floor(regexStepsPerLineMax / size)
  let number = 1
  for (let at = 0; at <= text.length; number++) {
    const end = endOfLine(text, at)
    const line = withoutReturn(text.slice(at, Math.min(end, at + lineMax)))
    const steps = (line.length + 1) * size
    if (regex.test(line)) yield { steps, found: { number, text: shown(text.slice(at, end), 0) } }
    else yield { steps }
    at = end + 1
    // A break at the end of the text begins no further line.
    if (at === text.length) return
  }
}

function compiled({ text, ignoresCase }: Pattern): RE2JS {
  try {
    const regex = RE2JS.compile(text, ignoresCase ? RE2JS.CASE_INSENSITIVE : 0)
    if (regex.programSize() <= regexProgramMax) return regex
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error
    const why = error.message.replace('error parsing regexp: ', '').replaceAll('`', '"')
    throw new FourfoldError('invalid', `That is no regular expression here: ${why}.`)
  }
  throw new FourfoldError('invalid', 'That regular expression is too large; look for less at once.')
}

/** One form for upper and lower case; upper, because of ß and the final sigma. */
const folded = (text: string) => text.toUpperCase()

const withoutReturn = (line: string) => (line.endsWith('\r') ? line.slice(0, -1) : line)

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end
}

function shown(line: string, foundAt: number): string {
  const text = withoutReturn(line)
  if (text.length <= foundLineMax) return text
  const from = Math.max(0, Math.min(foundAt - shownBefore, text.length - foundLineMax))
  // A pair of surrogates may be cut at either end.
  return text.slice(from, from + foundLineMax).toWellFormed()
}
