// Files that are deleted, restored or erased in one moment are so by one call.

import { newOperation } from '../adapters/system.ts'
import type { Changed } from './answer.ts'
import { Gathered } from './gathered.ts'
import type { SetClient } from './set-client.ts'

/** Of one call: what a server takes in some 20 ms. */
const changesPerCall = 128

/** At once: while the disks have those of one call, the next is there. A server has 1,000 for all. */
export const changeLanes = 2 * changesPerCall

interface Change {
  kind: 'delete' | 'restore' | 'erase'
  /** Path or id. */
  file: string
  operation: string
}

export class ChangeCalls {
  readonly #calls: Gathered<Change, Changed>

  constructor(set: SetClient) {
    this.#calls = new Gathered({
      questionsMax: changesPerCall,
      charactersMax: Infinity,
      charactersOf: () => 0,
      ask: async (asked) => {
        const changes = asked.map(({ kind, ...value }) => ({ change: { case: kind, value } }))
        const answer = await set.ask(({ folder }, call) => folder.changeFiles({ changes }, call))
        return answer.results.map(({ result }) =>
          result.case === 'changed' ? result.value : undefined,
        )
      },
      askAlone: ({ kind, ...value }) =>
        set.ask<Changed>(({ folder }, call) => {
          if (kind === 'delete') return folder.deleteFile(value, call)
          return kind === 'restore'
            ? folder.restoreFile(value, call)
            : folder.eraseFile(value, call)
        }),
    })
  }

  /** Resolves when that is stored. Rejects with AnswerError or NoServerError. */
  change(kind: Change['kind'], file: string): Promise<Changed> {
    return this.#calls.ask({ kind, file, operation: newOperation() })
  }
}
