// Why a request of WebDAV is not carried out: a status of HTTP and a sentence, or a condition by name.

import { FourfoldError, type ErrorCode } from '../../core/model/errors.ts'
import { BlobError, fullOr } from '../../adapters/storage/blob.ts'

const statuses: Record<ErrorCode, number> = {
  invalid: 403,
  forbidden: 403,
  'not-found': 404,
  taken: 409,
  'too-large': 413,
  unavailable: 503,
  unauthenticated: 401,
  protocol: 400,
}

export interface RefusalOptions {
  headers?: { [name: string]: string }
  /** The condition that is not met, in XML, as RFC 4918 section 16 names them. */
  condition?: string
}

export class Refusal extends Error {
  readonly status: number
  readonly headers: { [name: string]: string }
  readonly condition: string | undefined

  constructor(status: number, message: string, { headers = {}, condition }: RefusalOptions = {}) {
    super(message)
    this.status = status
    this.headers = headers
    this.condition = condition
  }
}

export function anotherVersion(): Refusal {
  return new Refusal(412, 'It is another version by now.')
}

export function itIsHere(): Refusal {
  return new Refusal(412, 'It is here already.')
}

export function somethingIsThere(): Refusal {
  return new Refusal(412, 'Something is there already.')
}

export function refusalOf(thrown: unknown): Refusal {
  if (thrown instanceof Refusal) return thrown
  const error = fullOr(thrown)
  if (error instanceof FourfoldError) return new Refusal(statuses[error.code], error.message)
  if (error instanceof BlobError) {
    return new Refusal(error.code === 'full' ? 507 : 503, error.message)
  }
  // The disk: what is there is there, and three other servers are alive.
  return new Refusal(500, 'This server cannot do it. Try another.')
}
