// Who is in a document: names and colours of the sessions its awareness holds.

import { screenNameMax } from '../core/model/limits.ts'

/** Colours of people, as --person-1 … --person-12 in styles/tokens.css. */
export const personColorCount = 12

export interface PersonHere {
  /** Key of the awareness state: the Yjs client id. */
  writer: number
  name: string
  /** 1 … personColorCount. */
  color: number
  isMe: boolean
}

type States = Map<number, { [field: string]: unknown }>

/** The people of an awareness, me first, then by name. */
export function peopleOf(states: States, me: number, colors: PersonColors): PersonHere[] {
  const writers = [...states].filter(([, state]) => nameOf(state) !== undefined)
  colors.keep(new Set(writers.map(([writer]) => writer)))
  return writers
    .map(([writer, state]) => ({
      writer,
      name: nameOf(state)!,
      color: colors.of(writer),
      isMe: writer === me,
    }))
    .toSorted((a, b) => Number(b.isMe) - Number(a.isMe) || a.name.localeCompare(b.name))
}

/** The screen name in an awareness state; undefined when there is none. */
export function nameOf(state: { [field: string]: unknown } | undefined): string | undefined {
  const user = state?.['user']
  if (typeof user !== 'object' || user === null || !('name' in user)) return undefined
  const name = user.name
  return typeof name === 'string' && name.length > 0 ? name.slice(0, screenNameMax) : undefined
}

/** One or two letters that stand for a name. */
export function initials(name: string): string {
  const words = name.split(/[\s._-]+/u).filter((word) => word.length > 0)
  const letters =
    words.length > 1
      ? [first(words[0]!), first(words.at(-1)!)]
      : segments(words[0] ?? '').slice(0, 2)
  return words.length === 0 ? '?' : letters.join('').toLocaleUpperCase('en')
}

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

function segments(text: string): string[] {
  return [...graphemes.segment(text)].map((part) => part.segment)
}

function first(word: string): string {
  return segments(word)[0] ?? ''
}

/**
 * Colours given to people: the one their id asks for, or the next free one, so that two people here
 * look alike only when there are more people than colours. Kept for as long as somebody is here.
 */
export class PersonColors {
  readonly #given = new Map<number, number>()

  of(writer: number): number {
    const held = this.#given.get(writer)
    if (held !== undefined) return held
    const taken = new Set(this.#given.values())
    const wanted = writer % personColorCount
    let color = wanted + 1
    for (let step = 0; step < personColorCount; step++) {
      const tried = ((wanted + step) % personColorCount) + 1
      if (taken.has(tried)) continue
      color = tried
      break
    }
    this.#given.set(writer, color)
    return color
  }

  /** Frees the colours of everybody else. */
  keep(writers: Set<number>): void {
    for (const writer of this.#given.keys()) if (!writers.has(writer)) this.#given.delete(writer)
  }
}
