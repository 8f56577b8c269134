// Texts that are ready to be saved in one moment are saved by one call.

import type { MessageInitShape } from '@bufbuild/protobuf'
import type { SaveFileRequestSchema, SaveFileResponse } from '../core/model/wire.ts'
import { Gathered } from './gathered.ts'
import type { SetClient } from './set-client.ts'

/** Of one call: others are made while it is on its way. */
const filesMax = 32
/** In UTF-16; a longer text goes by itself. */
const charactersMax = 256 * 1024

export type Save = MessageInitShape<typeof SaveFileRequestSchema> & { text: string }

export class SaveCalls {
  readonly #calls: Gathered<Save, SaveFileResponse>

  constructor(set: SetClient) {
    this.#calls = new Gathered({
      questionsMax: filesMax,
      charactersMax,
      charactersOf: ({ text }) => text.length,
      ask: async (files) => {
        const answer = await set.ask(({ folder }, call) => folder.saveFiles({ files }, call))
        return answer.results.map(({ result }) =>
          result.case === 'saved' ? result.value : undefined,
        )
      },
      askAlone: (save) => set.ask(({ folder }, call) => folder.saveFile(save, call)),
    })
  }

  /** Resolves when it is stored. Rejects with AnswerError or NoServerError. */
  save(save: Save): Promise<SaveFileResponse> {
    return this.#calls.ask(save)
  }
}
