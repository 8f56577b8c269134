// Carries out what needs a server: at once when one answers, later when none does, and says which.

import type { Refusal } from '../client/api.ts'
import { FourfoldError } from '../core/model/errors.ts'
import { download } from './download.ts'
import { notify, type Progress } from './toasts.tsx'

/** Past this, people are told that it will be done, and may go on. */
const patienceMs = 1500

export type Outcome<T> =
  | { name: 'done'; value: T }
  | { name: 'failed'; text: string }
  /** No answer yet; `rest` settles when there is one. */
  | { name: 'waiting'; rest: Promise<Outcome<T>> }

/** What became of an operation, after `patienceMs` at most. */
export async function outcome<T>(operation: Promise<T>): Promise<Outcome<T>> {
  const settled: Promise<Outcome<T>> = operation.then(
    (value) => ({ name: 'done', value }),
    (error: unknown) => {
      if (error instanceof FourfoldError) return { name: 'failed', text: error.message }
      throw error
    },
  )
  const late = new Promise<Outcome<T>>((resolve) =>
    setTimeout(resolve, patienceMs, { name: 'waiting', rest: settled } satisfies Outcome<T>),
  )
  return Promise.race([settled, late])
}

export interface Words<T> {
  /** Said while no server answers. */
  waiting: string
  /** Shown as long as it takes. */
  progress?: Progress
  /** The person may stop it. */
  stop?: () => void
  done: (value: T) => void
}

/** Returns why it failed; undefined when it was done, or will be. */
export async function carry<T>(
  operation: Promise<T>,
  words: Words<T>,
): Promise<string | undefined> {
  const result = await outcome(operation)
  if (result.name === 'failed') return result.text
  if (result.name === 'done') {
    words.done(result.value)
    return undefined
  }
  const { progress, stop } = words
  const stopping = stop && { label: 'Stop', run: stop }
  const takeBack = notify(words.waiting, stopping, { stays: progress !== undefined, progress })
  void result.rest.then((late) => {
    takeBack()
    if (late.name === 'done') words.done(late.value)
    else if (late.name === 'failed') notify(late.text)
  })
  return undefined
}

/** What waited for a server was refused: what was written in it can be had. */
export function tellRefusal({ text, file }: Refusal): void {
  const action = file && { label: 'Download', run: () => download(file.name, file.text) }
  notify(text, action, { stays: true })
}
