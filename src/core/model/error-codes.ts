// The kinds of errors as the wire names them.

import { FourfoldError, type ErrorCode } from './errors.ts'
import { Code } from './wire.ts'

const codes: Record<ErrorCode, Code> = {
  invalid: Code.INVALID,
  forbidden: Code.FORBIDDEN,
  'not-found': Code.NOT_FOUND,
  taken: Code.TAKEN,
  'too-large': Code.TOO_LARGE,
  unavailable: Code.UNAVAILABLE,
  unauthenticated: Code.UNAUTHENTICATED,
  protocol: Code.PROTOCOL,
}

const kinds = new Map(
  Object.entries(codes).map(([kind, code]): [Code, ErrorCode] => [code, kind as ErrorCode]),
)

export function codeOf(error: FourfoldError): Code {
  return codes[error.code]
}

/** What a server said. A code of a later revision is one of a server that is of no use here. */
export function errorOf({ code, text }: { code: Code; text: string }): FourfoldError {
  return new FourfoldError(kinds.get(code) ?? 'unavailable', text)
}
