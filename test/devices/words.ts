// The words that people typed, each once, and which of them have to be there in the end.

import { type LiveDocument } from '../../src/client/index.ts'
import type { Random } from '../../sim/random.ts'

export interface Word {
  text: string
  file: string
  tab: string
  /** Since the beginning. */
  at: number
  /** It was said to be stored: whatever happens, it is. */
  isStored: boolean
  /** Somebody took it away: it may be there. */
  isTaken: boolean
  /** Its program was killed before it was stored anywhere. */
  isLost: boolean
}

/** Words never stand in each other. */
const wordPattern = /\[\d+\]/g

export class Words {
  readonly all: Word[] = []
  #count = 0

  next(): string {
    return `[${++this.#count}]`
  }

  /** Types a word between others, at a place that is drawn. */
  type(random: Random, tab: string, live: LiveDocument, at: number): Word {
    const before = live.text.toString()
    const places = [
      0,
      ...[...before.matchAll(wordPattern)].map(({ 0: word, index }) => index + word.length),
    ]
    const word = { ...this.#fresh(), file: live.id, tab, at }
    live.text.insert(random.pick(places), word.text)
    this.all.push(word)
    void live.stored().then(
      () => (word.isStored = true),
      () => undefined,
    )
    return word
  }

  /** A word that a file was made with. */
  made(text: string, file: string, tab: string, at: number): Word {
    const word = { ...this.#fresh(), text, file, tab, at, isStored: true }
    this.all.push(word)
    return word
  }

  #fresh() {
    return { text: this.next(), isStored: false, isTaken: false, isLost: false }
  }

  /** One of the words of a text goes. */
  take(random: Random, live: LiveDocument): Word | undefined {
    const places = [...live.text.toString().matchAll(wordPattern)]
    if (places.length === 0) return undefined
    const { 0: text, index } = random.pick(places)
    live.text.delete(index, text.length)
    return this.touched(text)
  }

  /** Whether it is there is its writer's or another's business from now on. */
  touched(text: string): Word | undefined {
    const word = this.all.find((each) => each.text === text)
    if (word) word.isTaken = true
    return word
  }

  /** The words whose being there changed. */
  changed(before: string, after: string): void {
    const [was, is] = [wordsIn(before), wordsIn(after)]
    for (const word of was) if (!is.includes(word)) this.touched(word)
    for (const word of is) if (!was.includes(word)) this.touched(word)
  }

  /** What is wrong with a text as everybody has it in the end; undefined: nobody has it. */
  wrong(file: string, text: string | undefined): string[] {
    if (text === undefined) return [`${file} is not there`]
    const found = wordsIn(text)
    const wrong: string[] = []
    if (found.join('') !== text) wrong.push(`${file} has what nobody wrote: ${text}`)
    if (new Set(found).size < found.length) wrong.push(`${file} has a word twice: ${text}`)
    for (const word of this.all) {
      if (word.file !== file || word.isTaken || word.isLost) continue
      if (!found.includes(word.text)) wrong.push(`${file} lacks ${JSON.stringify(word)}: ${text}`)
    }
    for (const word of found) {
      const known = this.all.find((each) => each.text === word)
      if (known?.file !== file) wrong.push(`${file} has ${word}, which is of ${known?.file}`)
    }
    return wrong
  }
}

function wordsIn(text: string): string[] {
  return text.match(wordPattern) ?? []
}
