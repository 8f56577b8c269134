// Several things named in one command: what can be done is done, as with the commands of Unix.

import { AnswerError, NoServerError } from './set-client.ts'
import { CommandError, exitCodes, StoppedError } from './command.ts'
import { inLanes } from './lanes.ts'
import { ProgressBar } from './progress-bar.ts'

/**
 * What came of each that could be done, in their order, and the exit code. Of several a line tells what
 * could not be done. Rejects where nothing else could be done either, and when it was the only one.
 */
export async function each<T>(
  words: readonly string[],
  act: (word: string) => Promise<T>,
  { lanes = 1, ending }: { lanes?: number; ending?: AbortSignal } = {},
): Promise<{ done: T[]; code: number }> {
  const done = new Map<number, T>()
  let code: number = exitCodes.done
  const progress = new ProgressBar(words.length)
  const one = async (word: string, index: number) => {
    try {
      done.set(index, await act(word))
    } catch (error) {
      if (words.length === 1 || isForAll(error)) throw error
      progress.say((error as Error).message)
      code = exitCodes.failed
    }
    if (lanes > 1) progress.add()
  }
  try {
    const items = words.map((word, index) => ({ word, index }))
    await inLanes(items, ({ word, index }) => one(word, index), { lanes, ending })
  } catch (error) {
    if (words.length === 1) throw error
    throw withProgress(error, `${done.size} of ${words.length} are done.`)
  } finally {
    progress.end()
  }
  return { done: words.flatMap((_, index) => (done.has(index) ? [done.get(index)!] : [])), code }
}

/** Whether this says something of the others, too. */
function isForAll(error: unknown): boolean {
  return (
    !(error instanceof CommandError) ||
    error instanceof NoServerError ||
    error instanceof StoppedError
  )
}

/** An error with a sentence on how far it had come. */
export function withProgress(error: unknown, soFar: string): unknown {
  if (error instanceof StoppedError) return new StoppedError(`Stopped: ${soFar}`)
  if (error instanceof AnswerError) return new AnswerError(error.code, `${error.message} ${soFar}`)
  if (error instanceof NoServerError) return new NoServerError(`${error.message} ${soFar}`)
  return error instanceof CommandError ? new CommandError(`${error.message} ${soFar}`) : error
}
