// Who is in a document: names and colours of the sessions its awareness holds.

import { screenNameMax } from '../core/model/limits.ts'

/** Colours of people, as --person-1 … --person-12 in styles/tokens.css. */
export const personColorCount = 12

export interface PersonHere {
  /** Keys of the awareness states, Yjs client ids: one for each tab that this person is here in. */
  writers: readonly number[]
  name: string
  /** 1 … personColorCount. */
  color: number
  isMe: boolean
}

/** Whether a person is typing in any of their tabs; `typing`: the writers who are. */
export function typesNow({ writers }: PersonHere, typing: ReadonlySet<number>): boolean {
  return writers.some((writer) => typing.has(writer))
}

type States = Map<number, { [field: string]: unknown }>

/**
 * The people of an awareness, me first, then by name. Who has one name is one person: servers give it to
 * one browser. My other tabs are one of the others, of my name.
 */
export function peopleOf(states: States, me: number, colors: PersonColors): PersonHere[] {
  const writersOf = new Map<string, number[]>()
  for (const [writer, state] of [...states].toSorted(([a], [b]) => a - b)) {
    const name = nameOf(state)
    if (name !== undefined) writersOf.set(name, [...(writersOf.get(name) ?? []), writer])
  }
  colors.keep(writersOf)
  return [...writersOf]
    .flatMap(([name, writers]) => {
      const color = colors.of(name, writers[0]!)
      const mine = writers.filter((writer) => writer === me)
      const others = writers.filter((writer) => writer !== me)
      return [
        { writers: mine, name, color, isMe: true },
        { writers: others, name, color, isMe: false },
      ].filter((person) => person.writers.length > 0)
    })
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
 * Colours given to names: the one their writer asks for, or the next free one, so that two people here
 * look alike only when there are more people than colours. Kept for as long as somebody is here.
 */
export class PersonColors {
  readonly #given = new Map<string, number>()

  of(name: string, writer: number): number {
    const held = this.#given.get(name)
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
    this.#given.set(name, color)
    return color
  }

  /** Frees the colours of everybody else. */
  keep(names: { has(name: string): boolean }): void {
    for (const name of this.#given.keys()) if (!names.has(name)) this.#given.delete(name)
  }
}
