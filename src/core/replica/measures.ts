// How long texts are and which versions, for whoever lists files without reading them.

import { utf8ByteLength } from 'lib0/string'
import { measuredCharactersMax, measuredTextsMax, measuresMax } from '../model/limits.ts'
import { FourfoldError } from '../model/errors.ts'
import type { SubjectId } from '../model/ids.ts'
import type { EngineReader } from '../ports.ts'
import type { Documents } from './documents.ts'
import type { Measure } from './messages.ts'

export interface MeasuresOptions {
  documents: Documents
  reader: EngineReader
  hash: (text: string) => string
}

/** What was measured is remembered until it changes. */
export class Measures {
  readonly #options: MeasuresOptions
  readonly #known = new Map<SubjectId, Measure>()

  constructor(options: MeasuresOptions) {
    this.#options = options
  }

  /**
   * Of the first of these texts, of one at least, until that was work enough for one turn. Undefined
   * stands for what cannot be read here.
   */
  of(texts: readonly SubjectId[]): (Measure | undefined)[] {
    const measures: (Measure | undefined)[] = []
    let characters = 0
    let taken = 0
    for (const id of texts) {
      const known = this.#known.get(id)
      const measure = known ?? this.#take(id)
      measures.push(measure)
      if (known) continue
      characters += measure?.bytes ?? 0
      if (characters >= measuredCharactersMax || ++taken >= measuredTextsMax) break
    }
    return measures
  }

  /** Its stored text changed. */
  forget(text: SubjectId): void {
    this.#known.delete(text)
  }

  #take(id: SubjectId): Measure | undefined {
    const { documents, reader, hash } = this.#options
    const measure = documents.attempt(id, () => {
      const changes = reader.load(id).updates.filter(({ body }) => body.case === 'text')
      const text = documents.peek(id)
      const changedAt = changes.reduce((last, { at }) => Math.max(last, at), 0)
      return { version: hash(text), bytes: utf8ByteLength(text), changedAt }
    })
    if (measure instanceof FourfoldError) return undefined
    this.#known.set(id, measure)
    if (this.#known.size > measuresMax) {
      const [oldest] = this.#known.keys()
      if (oldest !== undefined) this.#known.delete(oldest)
    }
    return measure
  }
}
