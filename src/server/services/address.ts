// Where a call comes from, carried from the socket to the services.

import { createContextKey, type HandlerContext } from '@connectrpc/connect'

/** The address of the other end of the socket; '' where there is none, as on a Unix socket. */
export const addressKey = createContextKey('', { description: 'address of the caller' })

export function callerAddress(context: HandlerContext): string {
  return context.values.get(addressKey)
}
