// Texts that are ready to be saved in one moment go to a server by one call: most of what a call costs
// is its own.

import type { MessageInitShape } from '@bufbuild/protobuf'
import type { SaveFileRequestSchema, SaveFileResponse } from '../core/model/wire.ts'
import { AnswerError, type SetClient } from './set-client.ts'

/** Of one call: others are made while it is on its way. */
const filesMax = 32
/** In UTF-16; a longer text goes by itself. */
const charactersMax = 256 * 1024

export type Save = MessageInitShape<typeof SaveFileRequestSchema> & { text: string }

interface Waiting {
  save: Save
  answer: PromiseWithResolvers<SaveFileResponse>
}

export class SaveCalls {
  readonly #set: SetClient
  #waiting: Waiting[] = []

  constructor(set: SetClient) {
    this.#set = set
  }

  /** Resolves when it is stored. Rejects with AnswerError or NoServerError. */
  save(save: Save): Promise<SaveFileResponse> {
    if (this.#waiting.length === 0) setImmediate(() => this.#begin())
    const answer = Promise.withResolvers<SaveFileResponse>()
    this.#waiting.push({ save, answer })
    return answer.promise
  }

  #begin(): void {
    const waiting = this.#waiting
    this.#waiting = []
    let call: Waiting[] = []
    let characters = 0
    for (const each of waiting) {
      const { length } = each.save.text
      if (call.length === filesMax || characters + length > charactersMax) {
        void this.#send(call)
        call = []
        characters = 0
      }
      call.push(each)
      characters += length
    }
    void this.#send(call)
  }

  /** Never rejects. */
  async #send(call: Waiting[]): Promise<void> {
    try {
      const results = call.length > 1 ? await this.#sendAll(call) : []
      call.forEach(({ save, answer }, index) => {
        const result = results[index]?.result
        if (result?.case === 'saved') answer.resolve(result.value)
        // Asked by itself, it is refused again, or saved where another server can.
        else answer.resolve(this.#sendOne(save))
      })
    } catch (error) {
      for (const { answer } of call) answer.reject(error)
    }
  }

  #sendOne(save: Save): Promise<SaveFileResponse> {
    return this.#set.ask(({ folder }, call) => folder.saveFile(save, call))
  }

  async #sendAll(call: Waiting[]) {
    const files = call.map(({ save }) => save)
    try {
      const answer = await this.#set.ask(({ folder }, options) =>
        folder.saveFiles({ files }, options),
      )
      return answer.results
    } catch (error) {
      // What a server says of all of them it says of each: an older one knows no such call.
      if (error instanceof AnswerError) return []
      throw error
    }
  }
}
