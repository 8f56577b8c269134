// The documents of a client: those that a program has open, and those that are closed and still on
// their way to the servers.

import type { Relays } from '../core/session/relays.ts'
import type { SessionInput } from '../core/session/messages.ts'
import type { Receipt } from './api.ts'
import type { KeptDocuments } from './kept-documents.ts'
import { LeftTexts } from './left-texts.ts'
import { OpenDocument } from './open-document.ts'

export interface DocumentsOptions {
  /** The Yjs client id under which this client writes. */
  writer: number
  /** Those under which this person's unsafe edits may stand. */
  writers: ReadonlySet<number>
  kept: KeptDocuments
  /** Others' edits that came with a seal, of those that are here. */
  relays: Relays
  /** The screen name. */
  name: () => string
  /** Of a file that no server is known to have made: what it begins with. */
  firstText: (id: string) => string | undefined
  step: (input: SessionInput) => void
  /** From here on it is told how the file is called, and where it lies. Returns the function that ends it. */
  show: (id: string) => () => void
  /** The last user of a document closed it. */
  closed: (id: string) => void
  /** What this device kept of it is about to be brought to the servers. */
  recalling: (id: string) => Promise<void>
  /** Somebody is about to write in it, or nobody is any more. */
  expected: (id: string) => void
  stored: (id: string) => Promise<Receipt>
  receipt: (id: string) => Receipt
}

export class Documents {
  readonly #options: DocumentsOptions
  readonly #all = new Map<string, OpenDocument>()
  readonly #left = new LeftTexts()
  /** Ends the showing of those that a program opened. */
  readonly #shown = new Map<string, () => void>()

  constructor(options: DocumentsOptions) {
    this.#options = options
  }

  get all(): OpenDocument[] {
    return [...this.#all.values()]
  }

  get(id: string): OpenDocument | undefined {
    return this.#all.get(id)
  }

  /** One that must be there. */
  held(id: string): OpenDocument {
    const document = this.#all.get(id)
    if (!document) throw new Error(`the session asks for ${id}, which is not open`)
    return document
  }

  /** One more user of a document, which is shown as long as it has any. */
  open(id: string): OpenDocument {
    if (!this.#shown.has(id)) this.#shown.set(id, this.#options.show(id))
    return this.use(id, { isSeen: true })
  }

  /** The same without showing it. `isSeen`: others see this person there. */
  use(id: string, { isSeen }: { isSeen: boolean }): OpenDocument {
    const known = this.#all.get(id)
    const document = known ?? this.#begin(id)
    // It may have been closed, and only still be on its way to the servers.
    if (known?.isClosed) this.#options.step({ type: 'follow', document: id })
    return document.use(isSeen)
  }

  #begin(id: string): OpenDocument {
    const { writer, writers, kept, relays, name, firstText, step } = this.#options
    const { recalling, expected, stored, receipt } = this.#options
    const document: OpenDocument = new OpenDocument({
      id,
      writer,
      writers,
      name: name(),
      kept,
      relays,
      left: this.#left.take(id),
      firstText: () => firstText(id),
      edited: (update) => step({ type: 'edited', document: id, update }),
      moved: (state) => step({ type: 'caret', document: id, state }),
      recalling: () => recalling(id),
      // What is known here need not travel again.
      recalled: (isMore) => {
        if (document.isClosed) return
        step({ type: isMore ? 'recalled' : 'follow', document: id })
        step({ type: 'caret', document: id, state: document.presence.state })
      },
      closed: () => this.#closed(id),
      expected: () => expected(id),
      stored: () => stored(id),
      receipt: () => receipt(id),
    })
    this.#all.set(id, document)
    return document
  }

  #closed(id: string): void {
    const { step, closed } = this.#options
    step({ type: 'unfollow', document: id })
    closed(id)
    this.#shown.get(id)?.()
    this.#shown.delete(id)
  }

  /** Lets go of what is closed. `needs`: edits of it are on their way. */
  forgetClosed(needs: (id: string) => boolean): void {
    for (const [id, document] of this.#all) {
      if (!document.isClosed || needs(id)) continue
      if (document.left) this.#left.keep(id, document.left, document.clock)
      this.#all.delete(id)
      // What is still being written holds them.
      if (!this.#options.kept.isBehind(id)) this.#options.relays.forget(id)
      this.#options.kept.release(id)
      document.destroy()
    }
  }
}
