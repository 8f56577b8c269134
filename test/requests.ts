// What any program can ask of real servers: HTTP, and calls in JSON.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import * as http from 'node:http'
import type { Readable } from 'node:stream'

export interface Answer {
  status: number
  headers: http.IncomingHttpHeaders
  body: Buffer
}

/** One request. Rejects when the connection breaks before the answer is whole. */
export async function ask(
  url: string,
  method: string,
  headers: http.OutgoingHttpHeaders = {},
  body: Buffer | Readable = Buffer.alloc(0),
): Promise<Answer> {
  const request = http.request(url, { method, headers, agent: false })
  const answered = once(request, 'response') as Promise<[http.IncomingMessage]>
  if (Buffer.isBuffer(body)) request.end(body)
  else body.pipe(request)
  const [response] = await answered
  // What is refused while it is sent breaks off.
  request.on('error', () => {})
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return { status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }
}

/** A call of FolderService in JSON. */
export async function call(address: string, method: string, request: object) {
  const url = `${address}/fourfold.v1.FolderService/${method}`
  const headers = { 'content-type': 'application/json' }
  const { status, body } = await ask(url, 'POST', headers, Buffer.from(JSON.stringify(request)))
  return { status, body: JSON.parse(body.toString()) }
}

/** The answer to a call of FolderService that nothing stands in the way of. Fails where it is refused. */
export async function answered(address: string, method: string, request: object) {
  const { status, body } = await call(address, method, request)
  assert.equal(status, 200, `${method} ${JSON.stringify(request)}: ${JSON.stringify(body)}`)
  return body
}
