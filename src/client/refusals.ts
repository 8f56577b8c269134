// What servers did not do of what had waited, when nobody waits for the answer any more.

import type { FourfoldError } from '../core/model/errors.ts'
import type { Undone } from '../core/model/wire.ts'
import type { OperationBody } from '../core/session/parcel.ts'
import { subjectsOf } from '../core/session/precedence.ts'
import type { Refusal } from './api.ts'
import type { Files } from './files.ts'
import { Listeners } from './listeners.ts'

export class Refusals {
  readonly #files: Files
  readonly #text: (id: string) => Promise<string>
  readonly #listeners = new Listeners<Refusal>()

  /** `text`: what was written here in a file that no server has made. */
  constructor(files: Files, text: (id: string) => Promise<string>) {
    this.#files = files
    this.#text = text
  }

  /** Returns the function that ends it. */
  add(listener: (refusal: Refusal) => void): () => void {
    return this.#listeners.add(listener)
  }

  /** Of several, these are as they were. */
  undone(these: readonly Undone[]): void {
    const ids = these.map(({ entry }) => entry)
    if (these[0]) this.#listeners.tell({ text: this.#about(ids, these[0].text) })
  }

  /** It never takes effect: what was written in a file that is not made is told with it. */
  async refused({ id, operation }: OperationBody, { message }: FourfoldError): Promise<void> {
    if (operation.case !== 'create') {
      this.#listeners.tell({ text: this.#about(subjectsOf({ id, operation }), message) })
      return
    }
    const { name, text: first } = operation.value
    const text = (await this.#text(id)) || first
    this.#listeners.tell({ text: `"${name}" was not made: ${message}`, file: { name, text } })
  }

  #about(ids: readonly string[], text: string): string {
    if (ids.length > 1) return `${ids.length.toLocaleString('en')} entries: ${text}`
    const name = this.#files.get(ids[0]!)?.name ?? ''
    return name === '' ? text : `"${name}": ${text}`
  }
}
