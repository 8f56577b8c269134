// Texts that this session wrote in and closed. Opened again such a text must begin with all that was
// written: what is typed then would else be counted from the start once more, and one count would stand
// for two letters.

/** All texts together; beyond it the oldest are let go of, and opened again wait for a server. */
export const leftBytesMax = 16 * 1024 * 1024

/** How a text was when it was closed. */
export interface Left {
  /** Encoded, all of it; undefined: it is not held any more. */
  update: Uint8Array | undefined
  /** How many characters and deletions this session counted in it. */
  clock: number
}

/** What is let go of is safe: a text is not closed before its edits are. */
export class LeftTexts {
  /** The oldest first. */
  readonly #updates = new Map<string, Uint8Array>()
  readonly #clocks = new Map<string, number>()
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  keep(id: string, update: Uint8Array, clock: number): void {
    this.#forget(id)
    // It may have been opened again and left before all of it was here.
    this.#clocks.set(id, Math.max(clock, this.#clocks.get(id) ?? 0))
    this.#updates.set(id, update)
    this.#bytes += update.length
    for (const oldest of this.#updates.keys()) {
      if (this.#bytes <= leftBytesMax) return
      this.#forget(oldest)
    }
  }

  /** It is opened again. */
  take(id: string): Left | undefined {
    const clock = this.#clocks.get(id)
    const update = this.#updates.get(id)
    this.#forget(id)
    return clock === undefined ? undefined : { update, clock }
  }

  #forget(id: string): void {
    this.#bytes -= this.#updates.get(id)?.length ?? 0
    this.#updates.delete(id)
  }
}
