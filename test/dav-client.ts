// A client of WebDAV that asks what mounts and editors ask, with a server for it.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import * as http from 'node:http'
import type { TestContext } from 'node:test'

import { connect, type Client } from '../src/client/index.ts'
import { startLone } from './lone-server.ts'

export interface Answer {
  status: number
  headers: http.IncomingHttpHeaders
  body: Buffer
  text: string
}

/** By name, in lower case. */
export type Headers = { [name: string]: string }

/** A client of one server: its requests are told from those of others by its User-Agent. */
export class Dav {
  readonly #address: string
  readonly #usual: Headers

  constructor(address: string, agent = 'one', usual: Headers = {}) {
    this.#address = address
    this.#usual = { 'user-agent': agent, ...usual }
  }

  /** `path` is below /dav. */
  async ask(
    method: string,
    path: string,
    headers: Headers = {},
    body: string | Buffer = '',
  ): Promise<Answer> {
    const { hostname, port } = new URL(this.#address)
    const isLong = 'transfer-encoding' in headers
    const length = isLong ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const all = { ...this.#usual, ...length, ...headers }
    const options = { hostname, port, method, path: `/dav${path}`, headers: all, agent: false }
    const request = http.request(options)
    const answered = once(request, 'response') as Promise<[http.IncomingMessage]>
    request.end(body)
    const [response] = await answered
    // What is refused while it is sent breaks off.
    request.on('error', () => {})
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    const whole = Buffer.concat(chunks)
    const { statusCode, headers: told } = response
    return { status: statusCode!, headers: told, body: whole, text: whole.toString() }
  }

  async status(...request: Parameters<Dav['ask']>): Promise<number> {
    return (await this.ask(...request)).status
  }

  async read(path: string): Promise<string> {
    const { status, text } = await this.ask('GET', path)
    assert.equal(status, 200, text)
    return text
  }

  async write(path: string, text: string | Buffer, headers: Headers = {}): Promise<Answer> {
    const answer = await this.ask('PUT', path, headers, text)
    assert.ok([201, 204].includes(answer.status), `${answer.status} ${answer.text}`)
    return answer
  }

  /** The addresses that a directory tells. */
  async list(path: string): Promise<string[]> {
    const { status, text } = await this.ask('PROPFIND', path, { depth: '1' })
    assert.equal(status, 207, text)
    return [...text.matchAll(/<D:response><D:href>([^<]*)</g)].map(([, href]) => href!)
  }

  async lock(path: string, body = lockBody('exclusive')): Promise<string> {
    const { status, headers, text } = await this.ask('LOCK', path, { depth: 'infinity' }, body)
    assert.ok(status === 200 || status === 201, text)
    return String(headers['lock-token'])
  }
}

/** Asks for a lock: an exclusive or a shared one. */
export const lockBody = (scope: string) =>
  `<lockinfo xmlns="DAV:"><lockscope><${scope}/></lockscope><locktype><write/></locktype>` +
  '<owner>somebody</owner></lockinfo>'

/** A set of one server, and a client of its WebDAV. */
export async function lone(t: TestContext, keys = {}) {
  const server = await startLone(t, keys)
  return { ...server, dav: new Dav(server.address) }
}

/** Somebody at the page of this server. */
export function person(t: TestContext, address: string, name: string): Client {
  const made = connect({ servers: [address], name, agent: 'test' })
  t.after(() => made.close())
  return made
}

/** Gives a file properties; `z` stands for a namespace of the client. */
export const propertiesBody = (inner: string) =>
  `<D:propertyupdate xmlns:D="DAV:" xmlns:z="urn:z"><D:set><D:prop>${inner}</D:prop></D:set>` +
  '</D:propertyupdate>'
