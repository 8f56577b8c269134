// Another server as a place that has blobs: what is asked of it over plain HTTP.

import * as http from 'node:http'
import * as https from 'node:https'
import { once } from 'node:events'
import type { SecureContextOptions } from 'node:tls'
import { blobAnswerMs, blobHurriesMax, blobIdleMs } from '../../core/model/limits.ts'
import type { BlobName } from '../storage/blob.ts'

/** Connections to one server at once: fetches, and questions beside them. */
const socketsMax = blobHurriesMax + 8

export interface BlobPeerOptions {
  /** "http://127.0.0.1:4400". */
  address: string
  tls?: SecureContextOptions
  /** Says who asks. Made anew for each request. */
  headers: () => { [name: string]: string }
}

export class BlobPeer {
  readonly #options: BlobPeerOptions
  readonly #agent: http.Agent

  constructor(options: BlobPeerOptions) {
    this.#options = options
    const pooled = { keepAlive: true, maxSockets: socketsMax }
    this.#agent = options.address.startsWith('https:')
      ? new https.Agent({ ...pooled, ...options.tls })
      : new http.Agent(pooled)
  }

  /**
   * The bytes of a blob from `offset` on, to be read or destroyed; undefined when the other server
   * has it not. Of an upload to it they come as that goes on, and end early when it does. Rejects when
   * it cannot be reached or does not begin to answer. Silence of 30 s ends it.
   */
  async get({ hash, size }: BlobName, offset: number): Promise<http.IncomingMessage | undefined> {
    const range = offset > 0 ? { range: `bytes=${offset}-` } : undefined
    const response = await this.#ask('GET', `/blobs/${hash}?size=${size}`, blobAnswerMs, range)
    if (response.statusCode === (offset > 0 ? 206 : 200)) {
      response.setTimeout(blobIdleMs)
      return response
    }
    if (response.statusCode === 404) response.resume()
    else response.destroy()
    return undefined
  }

  /**
   * Tells that it can be had here, or brings all its `bytes` along; whether the other server has it
   * within `waitMs`.
   */
  async offer(
    { hash, size }: BlobName,
    { from, waitMs, bytes }: { from: string; waitMs: number; bytes?: Buffer | undefined },
  ): Promise<boolean> {
    const path = `/blobs/${hash}?size=${size}&from=${from}`
    const headers = bytes && { 'content-length': String(bytes.length) }
    const response = await this.#ask('POST', path, waitMs * 2, headers, bytes)
    response.resume()
    return response.statusCode === 200
  }

  close(): void {
    this.#agent.destroy()
  }

  async #ask(
    method: string,
    path: string,
    silenceMs: number,
    headers?: { [name: string]: string },
    body?: Buffer,
  ): Promise<http.IncomingMessage> {
    const { address } = this.#options
    const { request: ask } = address.startsWith('https:') ? https : http
    const request = ask(`${address}${path}`, {
      method,
      agent: this.#agent,
      headers: { ...this.#options.headers(), ...headers },
      timeout: silenceMs,
    })
    const silent = () => request.destroy(new Error(`${address} was silent for ${silenceMs} ms`))
    request.on('timeout', silent)
    request.end(body)
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    // After the response began an error shows on the response.
    request.on('error', () => undefined)
    return response
  }
}
