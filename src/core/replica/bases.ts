// Texts that whole-file clients were given, so that a later save can say which one it was made from.

/** So many texts, and so many characters in all, are remembered; the longest unused go first. */
const textsMax = 1000
const charactersMax = 8 * 1024 * 1024

/** The last texts handed out, by the name of the version. */
export class Bases {
  readonly #texts = new Map<string, string>()
  #characters = 0

  remember(version: string, text: string): void {
    this.#forget(version)
    this.#texts.set(version, text)
    this.#characters += text.length
    for (const oldest of this.#texts.keys()) {
      const fits = this.#texts.size <= textsMax && this.#characters <= charactersMax
      if (fits || oldest === version) return
      this.#forget(oldest)
    }
  }

  recall(version: string): string | undefined {
    const text = this.#texts.get(version)
    if (text !== undefined) this.remember(version, text)
    return text
  }

  #forget(version: string): void {
    this.#characters -= this.#texts.get(version)?.length ?? 0
    this.#texts.delete(version)
  }
}
