// Several things named in one command: what can be done is done, as with the commands of Unix.

import { AnswerError, NoServerError } from './set-client.ts'
import { CommandError, exitCodes, StoppedError } from './command.ts'

/**
 * What came of each that could be done, and the exit code. Of several a line tells what could not be
 * done. Rejects where nothing else could be done either, and when it was the only one.
 */
export async function each<T>(
  words: readonly string[],
  act: (word: string) => Promise<T>,
): Promise<{ done: T[]; code: number }> {
  const done: T[] = []
  let code: number = exitCodes.done
  for (const word of words) {
    try {
      done.push(await act(word))
    } catch (error) {
      if (words.length === 1 || isForAll(error)) throw error
      process.stderr.write(`${(error as Error).message}\n`)
      code = exitCodes.failed
    }
  }
  return { done, code }
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
