// Errors on their way out to callers of services: a code and one sentence, nothing of the inside.

import { Code, ConnectError } from '@connectrpc/connect'
import { FourfoldError, type ErrorCode } from '../core/model/errors.ts'

const codes: Record<ErrorCode, Code> = {
  invalid: Code.InvalidArgument,
  forbidden: Code.PermissionDenied,
  'not-found': Code.NotFound,
  taken: Code.AlreadyExists,
  'too-large': Code.ResourceExhausted,
  unavailable: Code.Unavailable,
  unauthenticated: Code.Unauthenticated,
  protocol: Code.FailedPrecondition,
}

/** What the caller of a service gets to hear. Our own mistakes are thrown on as they are. */
export function toConnectError(error: unknown): unknown {
  if (!(error instanceof FourfoldError)) return error
  return new ConnectError(error.message, codes[error.code])
}
