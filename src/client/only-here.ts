// What a client does with texts that are only on its device: it looks whether the servers have them by
// now, and takes over what no server will take.

import { FourfoldError } from '../core/model/errors.ts'
import { restAfter } from '../core/model/rest.ts'
import type { KeptText } from './api.ts'
import type { Files } from './files.ts'
import type { Keepsake } from './keepsake.ts'
import { KeptTexts } from './kept-texts.ts'
import type { LocalStorage } from '../core/ports.ts'
import type { OpenDocument } from './open-document.ts'

/** What the servers tell of the folder in so short a time is compared with what is here at once. */
const compareAfterMs = 500
/** What is not there may come at any time. */
const comparePace = { times: 20, leastMs: 5000, mostMs: 5 * 60_000 }

/** Whether the active server has a document; 'later': it cannot be told now. */
type Answer = 'here' | 'none' | 'later'

export interface OnlyHereOptions {
  storage: LocalStorage | undefined
  keepsake: Keepsake
  files: Files
  isOnline: () => boolean
  /** Whether the active server has given all it has of a document. */
  isOpen: (id: string) => boolean
  /** The document, which is to be closed. */
  use: (id: string) => OpenDocument
  /** Other texts are only here than before. */
  changed: () => void
}

export class OnlyHere {
  readonly #options: OnlyHereOptions
  readonly #kept: KeptTexts
  readonly #asked = new Map<string, (answer: Answer) => void>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #isComparing = false
  #isOver = false

  constructor(options: OnlyHereOptions) {
    this.#options = options
    this.#kept = new KeptTexts(options.storage, options.changed)
  }

  get texts(): KeptText[] {
    return this.#kept.list
  }

  async forget(texts: readonly KeptText[]): Promise<void> {
    await this.#options.keepsake.decide(texts.filter(({ why }) => why === 'unsent'))
    await this.#kept.forget(texts)
  }

  /** `unkept`: what the client before this one had and the device could not keep. */
  async begin(unkept: readonly KeptText[]): Promise<void> {
    try {
      await this.#kept.begin(this.#options.keepsake.places, unkept)
    } catch {
      // The device's storage does not answer, and says so by itself; what it kept is still there.
      return
    }
    this.look()
  }

  /** Soon, for much may change at once: what was only here may have come to the servers. */
  look(afterMs = compareAfterMs): void {
    if (!this.#kept.isWaiting || this.#isOver || !this.#options.isOnline()) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#compare(), afterMs)
  }

  async #compare(): Promise<void> {
    if (this.#isComparing) return this.look()
    const beganAt = performance.now()
    this.#isComparing = true
    try {
      await this.#kept.compare((id) => this.#textAt(id))
    } catch {
      // The same: it is looked at again when something changes, or by the next client.
    } finally {
      this.#isComparing = false
      // Of what comes where nothing is shown nobody tells.
      this.look(restAfter(performance.now() - beganAt, comparePace))
    }
  }

  /** The words that the servers have under an id. */
  async #textAt(id: string): Promise<{ text: string } | 'none' | 'later'> {
    const { isOnline, isOpen, use } = this.#options
    if (this.#isOver || !isOnline()) return 'later'
    const document = use(id)
    try {
      const asked = () => new Promise<Answer>((resolve) => this.#asked.set(id, resolve))
      const answer = isOpen(id) ? 'here' : await asked()
      return answer === 'here' ? { text: document.text.toString() } : answer
    } finally {
      document.close()
    }
  }

  /** A server told of a document. */
  answered(id: string, answer: Answer): void {
    this.#asked.get(id)?.(answer)
    this.#asked.delete(id)
  }

  /** A file was deleted for good while edits of it were on their way. */
  async keepErased(document: OpenDocument): Promise<void> {
    await document.recall
    await this.keep(document, 'erased')
  }

  /** Of what is here are words that no server takes. */
  async keep({ id, text }: OpenDocument, why: 'erased' | 'unsent'): Promise<void> {
    const { files, keepsake } = this.#options
    const path = files.get(id)?.path ?? (await keepsake.path(id))
    const words = text.toString()
    if (words === '') return
    try {
      await this.#kept.keep({ id, path, text: words, why })
    } catch {
      // The same: this program shows it for as long as it runs.
    }
  }

  /**
   * The servers live another life, of this name: what these documents are is kept for the next client.
   * Returns what the device could not keep.
   */
  async leave(life: string, documents: readonly OpenDocument[]): Promise<KeptText[]> {
    const { files, keepsake } = this.#options
    this.end()
    for (const { id } of documents) this.keepPath(id)
    if (await keepsake.leave(life)) return this.#kept.unkept
    const open = documents.flatMap(({ id, text }) => {
      const words = text.toString()
      const path = files.get(id)?.path ?? `${id}.txt`
      return words === '' ? [] : [{ id, path, text: words, why: 'outlived' as const }]
    })
    return [...open, ...this.#kept.unkept]
  }

  /** Remembers how a document is called, for the day on which nobody else knows. */
  keepPath(id: string): void {
    const path = this.#options.files.get(id)?.path
    if (path !== undefined) this.#options.keepsake.keepPath(id, path)
  }

  end(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    for (const id of [...this.#asked.keys()]) this.answered(id, 'later')
  }
}

/** Why nothing more is taken of a file. */
export function erasedError(): FourfoldError {
  return new FourfoldError('not-found', 'This file was deleted for good.')
}

/** Why nothing is saved any more. */
export function outlivedError(): FourfoldError {
  const text = 'The servers were emptied. What was written here is kept on this device.'
  return new FourfoldError('unavailable', text)
}
