// Scripts of pages from another origin: which of them may call, and what they may send and read (CORS).

import type { IncomingMessage, ServerResponse } from 'node:http'
import { cors } from '@connectrpc/connect'
import type { Origins } from './origins.ts'
import { sendText } from './plain-answer.ts'

/** What scripts of known pages may do, as the headers of HTTP put it. */
export interface ScriptRights {
  methods: string
  headers: string
  /** Of the answer, what they may read. */
  exposed: string
}

export const rpcScripts: ScriptRights = {
  methods: 'POST',
  headers: [...cors.allowedHeaders, 'authorization'].join(', '),
  exposed: cors.exposedHeaders.join(', '),
}

export const blobScripts: ScriptRights = {
  methods: 'GET, HEAD, PATCH',
  headers: 'authorization, content-type, range, if-range, upload-offset',
  exposed: 'accept-ranges, blob-servers, content-length, content-range, etag, upload-offset',
}

export const sessionScripts: ScriptRights = { methods: 'HEAD', headers: '', exposed: '' }

/**
 * Whether a request is to be answered. If not, it has its answer: scripts of unknown pages a refusal,
 * a browser that asks before it calls (OPTIONS) what it may do. Adds to `response` what browsers want
 * to read before they give it to a script.
 */
export function admits(
  origins: Origins,
  request: IncomingMessage,
  response: ServerResponse,
  { methods, headers, exposed }: ScriptRights,
): boolean {
  const { origin } = request.headers
  if (origins.verdict(request.headers) === 'foreign') {
    sendText(response, 403, 'Scripts of this page may not call this server.\n')
    return false
  }
  if (origin !== undefined) {
    response.setHeader('access-control-allow-origin', origin)
    response.setHeader('access-control-expose-headers', exposed)
    response.setHeader('vary', 'origin')
  }
  if (request.method !== 'OPTIONS') return true
  response.writeHead(204, {
    'access-control-allow-methods': methods,
    'access-control-allow-headers': headers,
    'access-control-max-age': '7200',
  })
  response.end()
  return false
}
