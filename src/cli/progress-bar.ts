// How far a command is, as one line that changes in place; where there is no terminal, nothing.

import { printable } from './command.ts'

/** A line drawn more often would only flicker. */
const drawMs = 100
const barWidth = 24

export class ProgressBar {
  readonly #stream = process.stderr
  /** A dumb one does not go back to the beginning of a line. */
  readonly #isTerminal = process.stderr.isTTY && process.env['TERM'] !== 'dumb'
  readonly #of: number
  readonly #unit: 'files' | 'bytes'
  #count = 0
  #what = ''
  #drawnAt = 0

  constructor(of: number, unit: 'files' | 'bytes' = 'files') {
    this.#of = of
    this.#unit = unit
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

  /** So much is done in all. */
  reach(count: number): void {
    this.#count = count
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

  #shown(count: number): string {
    return this.#unit === 'files' ? String(count) : `${(count / 1e6).toFixed(1)} MB`
  }

  #clear(): void {
    if (this.#isTerminal && this.#drawnAt > 0) this.#stream.write('\r\u001b[K')
  }

  #draw(): void {
    const now = performance.now()
    if (!this.#isTerminal || now - this.#drawnAt < drawMs) return
    this.#drawnAt = now
    const done = this.#of === 0 ? barWidth : Math.floor((barWidth * this.#count) / this.#of)
    const bar = `${'█'.repeat(done)}${'░'.repeat(barWidth - done)}`
    const line = `${bar} ${this.#shown(this.#count)}/${this.#shown(this.#of)} ${printable(this.#what)}`
    this.#stream.write(`\r\u001b[K${line.slice(0, (this.#stream.columns || 80) - 1)}`)
  }
}
