// How far a command is, as one line that changes in place; where there is no terminal, nothing.

import { printable } from './command.ts'

/** A line drawn more often would only flicker. */
const drawMs = 100
const barWidth = 24

export class ProgressBar {
  readonly #stream = process.stderr
  readonly #of: number
  #count = 0
  #what = ''
  #drawnAt = 0

  constructor(of: number) {
    this.#of = of
  }

  /** What is worked on, made `printable` by the caller. */
  show(what: string): void {
    this.#what = what
    this.#draw()
  }

  add(): void {
    this.#count++
    this.#draw()
  }

  /** A line that stays, on a terminal and elsewhere. */
  say(text: string): void {
    this.#clear()
    this.#stream.write(`${text}\n`)
  }

  end(): void {
    this.#clear()
  }

  #clear(): void {
    if (this.#stream.isTTY && this.#drawnAt > 0) this.#stream.write('\r\u001b[K')
  }

  #draw(): void {
    const now = performance.now()
    if (!this.#stream.isTTY || now - this.#drawnAt < drawMs) return
    this.#drawnAt = now
    const done = this.#of === 0 ? barWidth : Math.floor((barWidth * this.#count) / this.#of)
    const bar = `${'█'.repeat(done)}${'░'.repeat(barWidth - done)}`
    const line = `${bar} ${this.#count}/${this.#of} ${printable(this.#what)}`
    this.#stream.write(`\r\u001b[K${line.slice(0, (this.#stream.columns || 80) - 1)}`)
  }
}
