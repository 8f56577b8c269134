// Honest people who type, seeded: documents of several writers and the updates they would push.

import * as Y from 'yjs'
import type { Random } from '../sim/random.ts'
import { isLow } from '../src/core/model/surrogates.ts'

/** One person at one device. */
export class Typist {
  readonly doc: Y.Doc
  readonly text: Y.Text
  readonly #random: Random
  #made: Uint8Array[] = []

  constructor(writer: number, random: Random) {
    this.#random = random
    this.doc = new Y.Doc()
    this.doc.clientID = writer
    this.text = this.doc.getText('text')
    this.doc.on('update', (bytes: Uint8Array, _origin: unknown, _doc: Y.Doc, { local }) => {
      if (local) this.#made.push(bytes)
    })
  }

  /** One edit at a place of the whole text, or near its middle, where others type too. */
  edit(): void {
    const random = this.#random
    const { text } = this
    const whole = text.toString()
    const near = Math.min(whole.length, Math.floor(whole.length / 2) + random.below(3))
    const at = onCharacter(whole, random.chance(0.5) ? near : random.below(whole.length + 1))
    const chance = random.next()
    if (chance < 0.6 || whole.length === 0) text.insert(at, this.#word())
    else if (chance < 0.9) text.delete(at, onCharacter(whole, at + 1 + random.below(9)) - at)
    else {
      // Replace, as an editor does it: one transaction.
      this.doc.transact(() => {
        text.delete(at, onCharacter(whole, at + 1 + random.below(4)) - at)
        text.insert(at, this.#word())
      })
    }
  }

  hear(update: Uint8Array): void {
    Y.applyUpdate(this.doc, update)
  }

  /** What was made since the last call, update by update. */
  takeMade(): Uint8Array[] {
    const made = this.#made
    this.#made = []
    return made
  }

  #word(): string {
    const random = this.#random
    const letters = ['a', 'b', 'c', 'é', 'ж', '漢', '👋', '\n', ' ']
    let word = ''
    for (let count = random.between(1, 5); count > 0; count--) word += random.pick(letters)
    return word
  }
}

/** The nearest place not inside a surrogate pair, at or after `at`, within the text. */
function onCharacter(text: string, at: number): number {
  const place = Math.min(at, text.length)
  return isLow(text.charCodeAt(place)) ? place + 1 : place
}
