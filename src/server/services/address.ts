// Where a call comes from, carried from the socket to the services.

import { createContextKey, type HandlerContext } from '@connectrpc/connect'

/** The address of the other end of the socket; '' where there is none, as on a Unix socket. */
export const addressKey = createContextKey('', { description: 'address of the caller' })

/** Whether the other end of the socket showed a certificate that `tls.ca` signed. */
export const certifiedKey = createContextKey(false, { description: 'certified peer' })

export function callerAddress(context: HandlerContext): string {
  return context.values.get(addressKey)
}
