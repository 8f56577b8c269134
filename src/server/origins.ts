// Which pages' scripts may connect. Browsers ask nobody before they open a WebSocket, so a page of a
// stranger could read local files through somebody's own browser: its Origin gives it away.

import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'

export type Verdict = 'allowed' | 'missing' | 'foreign'

export class Origins {
  readonly #known: ReadonlySet<string>

  /** `known` are the addresses of the servers, and what the operator adds. */
  constructor(known: string[]) {
    this.#known = new Set(known.map((address) => new URL(address).origin))
  }

  /**
   * Whether a request may be answered. Programs that are no browsers send no Origin, and no page can
   * make them: they are let in without. A browser always sends one with a WebSocket or a POST.
   */
  verdict(headers: IncomingHttpHeaders): Verdict {
    const { origin } = headers
    if (origin === undefined) return isBrowser(headers) ? 'missing' : 'allowed'
    if (this.#known.has(origin)) return 'allowed'
    return isOwnHost(origin, headers) ? 'allowed' : 'foreign'
  }
}

function isBrowser(headers: IncomingHttpHeaders): boolean {
  const agent = headers['user-agent'] ?? ''
  return headers['sec-fetch-site'] !== undefined || agent.startsWith('Mozilla/')
}

// A page of this very server under another of its addresses. Only by number or as localhost: any
// other name may have been pointed here by a stranger (DNS rebinding).
function isOwnHost(origin: string, headers: IncomingHttpHeaders): boolean {
  if (!URL.canParse(origin)) return false
  const { host, hostname } = new URL(origin)
  const asked = headers[':authority'] ?? headers.host
  const isNumber = isIP(hostname.replace(/^\[|\]$/g, '')) !== 0
  return host === asked && (isNumber || hostname === 'localhost')
}
