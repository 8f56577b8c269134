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
  progress?: Progress | undefined
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
  const { progress } = words
  const takeBack = notify(words.waiting, undefined, { stays: progress !== undefined, progress })
  void result.rest.then((late) => {
    takeBack()
    if (late.name === 'done') words.done(late.value)
    else if (late.name === 'failed') notify(late.text)
  })
  return undefined
}

/** Operations on their way at once: as many as a server makes durable together; more would only wait. */
const atOnceMax = 64

/**
 * Does something to each, some at a time. What cannot be done to one is done to the others all the
 * same; rejects with FourfoldError when it could be done to none.
 */
export async function each<T>(
  items: T[],
  act: (item: T) => Promise<unknown>,
  progress: Progress = { done: 0, total: items.length },
): Promise<EachDone<T>> {
  const done: T[] = []
  const problems: FourfoldError[] = []
  const left = items.values()
  const work = async () => {
    for (const item of left) {
      try {
        await act(item)
        done.push(item)
      } catch (error) {
        if (!(error instanceof FourfoldError)) throw error
        problems.push(error)
      }
      progress.done++
    }
  }
  await Promise.all(Array.from({ length: atOnceMax }, work))
  if (done.length === 0 && problems.length > 0) throw problems[0]!
  return { done, problems }
}

export interface EachDone<T> {
  done: T[]
  problems: FourfoldError[]
}

/** What waited for a server was refused: what was written in it can be had. */
export function tellRefusal({ text, file }: Refusal): void {
  const action = file && { label: 'Download', run: () => download(file.name, file.text) }
  notify(text, action, { stays: true })
}
