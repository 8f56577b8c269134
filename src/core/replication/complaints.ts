// What somebody must look at among the servers: said once, and now and then with how often it was so.

import type { Voice } from './voice.ts'

/** The same is said again after this: a server that is set up wrongly knocks for as long as it runs. */
const againMs = 10 * 60_000
/** What was so a moment ago is so now. */
const currentMs = 15_000
/** Sentences that are told apart. Servers and their mistakes are few; what strangers say is without end. */
const sentencesMax = 32
/** Characters of one: names in it are from outside. */
const charactersMax = 300

const andMore = 'peers are turned away for more reasons than are told apart'

interface Said {
  at: number
  /** When it was so last. */
  heardAt: number
  /** How often it was so since. */
  count: number
}

export class Complaints {
  readonly #voice: Voice
  readonly #said = new Map<string, Said>()

  constructor(voice: Voice) {
    this.#voice = voice
  }

  add(now: number, text: string): void {
    const sentence = this.#sentence(now, text.slice(0, charactersMax))
    const before = this.#said.get(sentence)
    if (before) {
      before.heardAt = now
      before.count++
      if (now - before.at < againMs) return
    }
    const count = before ? ` (${before.count} times since this was said last)` : ''
    this.#voice.log('error', `${sentence}${count}`)
    this.#said.set(sentence, { at: now, heardAt: now, count: 0 })
  }

  /** What is so at this moment. */
  current(now: number): string[] {
    return [...this.#said].flatMap(([text, { heardAt }]) =>
      now - heardAt < currentMs ? [text] : [],
    )
  }

  #sentence(now: number, text: string): string {
    if (this.#said.has(text)) return text
    if (this.#said.size >= sentencesMax) {
      for (const [old, { heardAt }] of this.#said) {
        if (now - heardAt >= againMs) this.#said.delete(old)
      }
    }
    return this.#said.size < sentencesMax ? text : andMore
  }
}
