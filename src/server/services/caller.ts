// Who makes a call, and where it comes from.

import { createContextKey, type HandlerContext } from '@connectrpc/connect'
import { FourfoldError } from '../../core/model/errors.ts'
import { wallNow } from '../../adapters/system.ts'
import type { Caller, Tokens } from '../tokens.ts'

/**
 * The address of the caller, carried from the port to the services; '' where there is none, as on a
 * Unix socket.
 */
export const addressKey = createContextKey('', { description: 'address of the caller' })

/** The connection on which the call came. */
export const connectionKey = createContextKey<object>({}, { description: 'connection of the call' })

/** When the answer was taken, or its caller is gone. */
export const takenKey = createContextKey(Promise.resolve(), { description: 'the answer was taken' })

/** Ends a request that is still to come, with what its caller is told. */
export const tooLateKey = createContextKey<(why: unknown) => void>(() => {}, {
  description: 'the call is over before its request has come',
})

/** Ends the answer in the midst. */
export const cutKey = createContextKey<() => void>(() => {}, { description: 'ends the answer' })

/** Where a call came from, behind trusted proxies too; empty on a Unix socket. */
export function callerAddress(context: HandlerContext): string {
  return context.values.get(addressKey)
}

/** Who calls when the set asks for no sign-in and none was made. */
const guest: Caller = { name: 'guest' }

/** Throws FourfoldError 'unauthenticated'. */
export function callerOf(context: HandlerContext, tokens: Tokens): Caller {
  return callerBy(context.requestHeader.get('authorization'), tokens)
}

/** The same by the header itself. */
export function callerBy(header: string | null, tokens: Tokens): Caller {
  if (header === null) {
    if (tokens.areRequired) throw new FourfoldError('unauthenticated', 'Sign in first.')
    return guest
  }
  const [, token] = /^bearer +(\S+)$/i.exec(header) ?? []
  if (token === undefined) throw new FourfoldError('unauthenticated', 'Sign in again.')
  // A counted clock stands still while the machine sleeps: other servers made tokens meanwhile.
  return tokens.check(token, wallNow())
}
