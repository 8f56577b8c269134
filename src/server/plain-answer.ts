// An answer of HTTP in one plain sentence.

import type { ServerResponse } from 'node:http'

/** Answers with one sentence, that ends with a newline; `headers` are sent besides. */
export function sendText(
  response: ServerResponse,
  status: number,
  text: string,
  headers: { [name: string]: string } = {},
): void {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
    ...headers,
  })
  response.end(text)
}
