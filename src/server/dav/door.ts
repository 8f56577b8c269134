// /dav/: the folder for every program that speaks WebDAV (RFC 4918, class 1 and 2).
//
// The door knows HTTP and its conditions; all that changes the folder are calls to the replica, with
// the same rules, receipts and watchers as for everybody else.

import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { FourfoldError } from '../../core/model/errors.ts'
import { checkScreenName } from '../../core/model/names.ts'
import type { BlobStore } from '../../adapters/storage/blob-store.ts'
import type { BlobCare } from '../blob-care.ts'
import { drain } from '../last-words.ts'
import type { Origins } from '../origins.ts'
import { sendText } from '../plain-answer.ts'
import type { Runtime } from '../runtime.ts'
import { callerBy } from '../services/caller.ts'
import type { SignInFailures } from '../services/sign-in-failures.ts'
import { cut } from '../taking.ts'
import type { Tokens } from '../tokens.ts'
import { Arranging } from './arranging.ts'
import { DeadProperties } from './dead-properties.ts'
import type { Incoming } from './incoming.ts'
import { LastRead } from './last-read.ts'
import { Locking } from './locking.ts'
import { Locks } from './locks.ts'
import { Properties } from './properties.ts'
import { Refusal, refusalOf } from './refusal.ts'
import { Shelf } from './shelf.ts'
import { Transfers, type Fetching } from './transfers.ts'
import { Visit, type Caller } from './visit.ts'

const methods =
  'OPTIONS, GET, HEAD, PUT, DELETE, MKCOL, COPY, MOVE, PROPFIND, PROPPATCH, LOCK, UNLOCK'

const isBare: ReadonlySet<string> = new Set(['DELETE', 'COPY', 'MOVE', 'UNLOCK'])

export interface DavDoorOptions {
  runtime: Runtime
  tokens: Tokens
  failures: SignInFailures
  origins: Origins
  store: BlobStore
  fetching: Fetching
  care: BlobCare
  incoming: Incoming
  now: () => number
}

export class DavDoor {
  readonly #options: DavDoorOptions
  readonly #transfers: Transfers
  readonly #arranging: Arranging
  readonly #locking: Locking
  readonly #properties: Properties

  constructor(options: DavDoorOptions) {
    const { runtime, now, store, fetching, care, incoming } = options
    const shelf = new Shelf(runtime)
    const locks = new Locks(now, () => `urn:uuid:${randomUUID()}`)
    const dead = new DeadProperties()
    this.#options = options
    const lastRead = new LastRead()
    this.#transfers = new Transfers({ shelf, locks, lastRead, incoming, store, fetching, care })
    this.#arranging = new Arranging({ shelf, locks, properties: dead, transfers: this.#transfers })
    this.#locking = new Locking(shelf, locks)
    this.#properties = new Properties({ shelf, locks, dead })
  }

  /** Answers a request below /dav, or an OPTIONS above it; never rejects. */
  async answer(request: IncomingMessage, response: ServerResponse, address: string): Promise<void> {
    try {
      this.#checkOrigin(request)
      if (request.method === 'OPTIONS') this.#answerOptions(response)
      else await this.#answer(request, response, this.#callerOf(request, address))
    } catch (error) {
      if (response.destroyed || response.headersSent) {
        // The caller went away, or has a part of it.
        cut(response)
        return
      }
      this.#refuse(request, response, refusalOf(error))
    }
  }

  // Asked without a name, too: Windows looks here before it asks its person for one.
  #answerOptions(response: ServerResponse): void {
    response.writeHead(200, {
      dav: '1, 2',
      allow: methods,
      'ms-author-via': 'DAV',
      'content-length': '0',
    })
    response.end()
  }

  async #answer(request: IncomingMessage, response: ServerResponse, caller: Caller): Promise<void> {
    const visit = new Visit(request, response, caller)
    // A body that means nothing is let through: the port takes a request for slow until it ends.
    if (isBare.has(request.method ?? '')) request.resume()
    switch (request.method) {
      case 'GET':
      case 'HEAD':
        return this.#transfers.get(visit)
      case 'PUT':
        return this.#transfers.put(visit)
      case 'MKCOL':
        return this.#arranging.makeDirectory(visit)
      case 'DELETE':
        return this.#arranging.delete(visit)
      case 'COPY':
        return this.#arranging.copy(visit)
      case 'MOVE':
        return this.#arranging.move(visit)
      case 'PROPFIND':
        return this.#properties.find(visit)
      case 'PROPPATCH':
        return this.#properties.change(visit)
      case 'LOCK':
        return this.#locking.lock(visit)
      case 'UNLOCK':
        return this.#locking.unlock(visit)
      default:
        throw new Refusal(405, 'This method is not one of WebDAV.', { headers: { allow: methods } })
    }
  }

  // --------------------------------------------------------------------------- who may come

  /**
   * Programs send no Origin. A page could have its browser read files here, without one, under a name
   * that its owner pointed at this machine: so the name asked for must be one of ours, where nobody
   * signs in.
   */
  #checkOrigin({ headers }: IncomingMessage): void {
    const { origins, tokens } = this.#options
    if (origins.verdict(headers) === 'foreign') {
      throw new Refusal(403, 'Scripts of this page may not call this server.')
    }
    if (tokens.areRequired || headers.origin !== undefined) return
    const host = headers[':authority'] ?? headers.host ?? ''
    const isOurs = ['http', 'https'].some((scheme) => {
      return origins.verdict({ ...headers, origin: `${scheme}://${String(host)}` }) === 'allowed'
    })
    if (isOurs) return
    throw new Refusal(403, 'Ask by the address of this server, or add this one to its "origins".')
  }

  #callerOf(request: IncomingMessage, address: string): Caller {
    const author = this.#authorOf(request.headers.authorization, address)
    const reader = JSON.stringify([author, address, request.headers['user-agent'] ?? ''])
    return { author, reader }
  }

  #authorOf(header: string | undefined, address: string): string {
    const { tokens, failures, now } = this.#options
    const [, basic] = /^basic +([\w+/=-]+) *$/i.exec(header ?? '') ?? []
    if (basic === undefined) {
      if (header === undefined && tokens.areRequired) throw signIn('Sign in first.')
      return callerBy(header ?? null, tokens).name
    }
    const [name = '', ...password] = Buffer.from(basic, 'base64').toString().split(':')
    this.#checkTries(address)
    if (!tokens.isPassword(password.join(':'))) {
      failures.add(address, now())
      throw signIn('The password is not that of this set.')
    }
    try {
      return checkScreenName(name)
    } catch (error) {
      throw error instanceof FourfoldError ? signIn(error.message) : error
    }
  }

  #checkTries(address: string): void {
    try {
      this.#options.failures.check(address, this.#options.now())
    } catch (error) {
      throw error instanceof FourfoldError ? new Refusal(429, error.message) : error
    }
  }

  // ------------------------------------------------------------------------------- refusals

  #refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
    const { status, message, headers, condition } = refusal
    const asks = status === 401 ? signIn(message).headers : {}
    if (condition === undefined) {
      sendText(response, status, `${message}\n`, { ...headers, ...asks })
    } else {
      response.writeHead(status, { 'content-type': 'application/xml; charset=utf-8', ...headers })
      const error = `<D:error xmlns:D="DAV:">${condition}</D:error>`
      response.end(`<?xml version="1.0" encoding="utf-8"?>\n${error}\n`)
    }
    if (!request.complete) drain(request)
  }
}

function signIn(text: string): Refusal {
  const headers = { 'www-authenticate': 'Basic realm="Fourfold", charset="UTF-8"' }
  return new Refusal(401, text, { headers })
}
