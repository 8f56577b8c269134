// Carries out what needs a server: at once when one answers, later when none does, and says which.

import type { Client } from '../client/api.ts'
import { FourfoldError } from '../core/model/errors.ts'

/** Past this, people are told that it will be done, and may go on. */
const patienceMs = 1500

export type Outcome<T> =
  | { name: 'done'; value: T }
  | { name: 'failed'; text: string }
  /** No answer yet; `rest` settles when there is one. */
  | { name: 'waiting'; rest: Promise<Outcome<T>> }

/** What became of an operation, after `patienceMs` at most. */
export async function outcome<T>(client: Client, operation: Promise<T>): Promise<Outcome<T>> {
  const settled: Promise<Outcome<T>> = operation.then(
    (value) => ({ name: 'done', value }),
    (error: unknown) => {
      if (error instanceof FourfoldError) return { name: 'failed', text: error.message }
      throw error
    },
  )
  const waitMs = client.connection.name === 'online' ? patienceMs : 0
  const late = new Promise<Outcome<T>>((resolve) =>
    setTimeout(resolve, waitMs, { name: 'waiting', rest: settled } satisfies Outcome<T>),
  )
  return Promise.race([settled, late])
}
