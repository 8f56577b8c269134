// What a person or another program did wrong, as values with a code and one sentence to act on.

/** Why something was not taken; the same words on every way in. */
export type ErrorCode =
  | 'invalid'
  | 'forbidden'
  | 'not-found'
  | 'taken'
  | 'too-large'
  | 'unavailable'
  | 'unauthenticated'
  | 'protocol'

/** A mistake of somebody outside. `message` is one sentence that a person can act on. */
export class FourfoldError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string) {
    super(message)
    this.name = 'FourfoldError'
    this.code = code
  }
}

/** Whether something was not taken for this reason. */
export function hasCode(error: unknown, code: ErrorCode): boolean {
  return error instanceof FourfoldError && error.code === code
}

/** What an error says; of anything else that was thrown, what it is as text. */
export function whyOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Ends the process when something that must always hold does not: three others are alive. */
export function assert(condition: unknown, rule: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${rule}`)
}
