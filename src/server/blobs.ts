// /blobs/<hash>: bytes up and down over plain HTTP, from any place in them on.
//
//   HEAD  ?size=N   200 it is here; 404 with upload-offset: how far an upload of it came
//   HEAD            200 it can be had here
//   PATCH ?size=N   upload-offset: where the bytes of the body belong; 204 there is more to come,
//                   201 it is here, verified and flushed; blob-servers names the disks that hold it
//   GET             with Range or without; what an entry names and is not here is fetched from another
//                   server and passed on as it comes, the end of it when it is verified. 503 with
//                   Retry-After: none has it that can be reached now
//   POST  ?size=N   another server of the set: "you can have it from me", or "here it is"
//
// With servers=1 a HEAD tells in blob-servers, too, which servers hold it. With upload=1 what belongs
// to every upload is no error, which a browser would tell its person: 204 instead of 404 where it is
// not here, and instead of 409 and 423 where it goes on elsewhere, or is just being uploaded.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { finished } from 'node:stream/promises'
import { isHash } from '../core/model/contents.ts'
import { FourfoldError } from '../core/model/errors.ts'
import type { ReplicaId } from '../core/model/ids.ts'
import { blobBytesMax, blobIdleMs, blobReadsMax, receiptWaitMs } from '../core/model/limits.ts'
import { BlobError, type BlobErrorCode, type BlobName } from '../adapters/storage/blob.ts'
import type { BlobStore, GrowingBlob, OpenBlob } from '../adapters/storage/blob-store.ts'
import type { Upload } from '../adapters/storage/blob-upload.ts'
import type { BlobFetching } from './blob-fetching.ts'
import type { BlobCare } from './blob-care.ts'
import { pour } from './blob-pouring.ts'
import { drain } from './last-words.ts'
import { keepPace, uploadPace, type Pace } from './pace.ts'
import { sendText } from './plain-answer.ts'
import { callerBy } from './services/caller.ts'
import { proofHeader } from './services/replication.ts'
import { cut } from './taking.ts'
import type { Tokens } from './tokens.ts'

/** What comes before the hash in a path. */
export const blobsPath = '/blobs/'

/** Of what no server that can be reached has: the next look may find one. */
export const notHereYet =
  'These bytes are not here yet. Try another server, or this one in a moment.'
export const notHereHeaders = { 'retry-after': '1', 'cache-control': 'no-store' }

/** An upload of so many bytes is told to the others while it goes on; a shorter one at its end. */
const announceBytesMin = 1024 * 1024

const statuses: Record<BlobErrorCode, number> = {
  busy: 423,
  offset: 409,
  mismatch: 400,
  full: 507,
  many: 503,
}

export interface BlobDoorOptions {
  store: BlobStore
  fetching: BlobFetching
  care: BlobCare
  tokens: Tokens
  /** Whether another server must show a certificate of the set's authority. */
  needsCertificate: boolean
  /** By the wall clock, as others are. */
  now: () => number
  /** Whether so many further bytes leave the disk the room it needs. */
  hasRoom: (bytes: number) => Promise<boolean>
  /** Why this server takes nothing, if so. */
  refusal: () => string | undefined
  pace?: Pace
}

/** A refusal with its status of HTTP. */
class Refusal extends Error {
  readonly status: number
  readonly headers: { [name: string]: string }

  constructor(status: number, message: string, headers: { [name: string]: string } = {}) {
    super(message)
    this.status = status
    this.headers = headers
  }
}

export class BlobDoor {
  readonly #options: BlobDoorOptions
  #reads = 0

  constructor(options: BlobDoorOptions) {
    this.#options = options
  }

  /** Answers a request for a path below /blobs/; never rejects. */
  async answer(
    request: IncomingMessage,
    response: ServerResponse,
    isCertified: boolean,
  ): Promise<void> {
    try {
      await this.#answer(request, response, isCertified)
    } catch (error) {
      if (response.destroyed || response.headersSent) {
        // The caller went away, or has a part of it.
        cut(response)
        return
      }
      this.#refuse(request, response, error)
    }
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    isCertified: boolean,
  ): Promise<void> {
    const url = new URL(request.url ?? '', 'http://localhost')
    const hash = url.pathname.slice(blobsPath.length)
    const isOfPeer = request.headers[proofHeader] !== undefined
    if (isOfPeer) this.#checkPeer(request, isCertified)
    else callerBy(request.headers.authorization ?? null, this.#options.tokens)
    if (!isHash(hash)) throw new Refusal(404, 'A blob is named by 64 digits of SHA-256.')
    switch (request.method) {
      case 'HEAD':
        return this.#head(response, hash, url.searchParams)
      case 'GET':
        return this.#get(request, response, hash, isOfPeer ? url.searchParams : undefined)
      case 'PATCH':
        return this.#patch(request, response, { hash, size: sizeOf(url.searchParams) })
      case 'POST':
        if (!isOfPeer) throw new Refusal(403, 'Only servers of this set may offer blobs.')
        return this.#offered(request, response, hash, url.searchParams)
      default:
        throw new Refusal(405, 'Only GET, HEAD and PATCH here.', { allow: 'GET, HEAD, PATCH' })
    }
  }

  #checkPeer({ headers }: IncomingMessage, isCertified: boolean): void {
    const { tokens, needsCertificate, now } = this.#options
    const isPeer = tokens.isProof(String(headers[proofHeader]), now())
    if (!isPeer || (needsCertificate && !isCertified)) {
      throw new Refusal(403, 'Only servers of this set may prove so.')
    }
  }

  // --------------------------------------------------------------------------------- upload

  async #head(response: ServerResponse, hash: string, query: URLSearchParams): Promise<void> {
    const { store, fetching } = this.#options
    const size = await store.size(hash)
    const missing = size === undefined && !query.has('size') ? fetching.missing(hash) : undefined
    if (missing) {
      const { file } = await this.#brought(missing)
      await file.close()
      response.writeHead(200, headersOf(hash, missing.size))
      response.end()
      return
    }
    const asked = query.has('size') ? sizeOf(query) : size
    // Whoever asks is about to name it.
    if (size !== undefined && size === asked && (await store.claim({ hash, size }))) {
      const wants = query.get('servers') === '1'
      const servers = wants ? await fetching.holders({ hash, size }, receiptWaitMs) : undefined
      response.writeHead(200, {
        ...headersOf(hash, size),
        ...(servers && { 'blob-servers': servers.join(', ') }),
      })
      response.end()
      return
    }
    const offset = asked === undefined ? 0 : await store.received({ hash, size: asked })
    response.writeHead(query.get('upload') === '1' ? 204 : 404, {
      'upload-offset': String(offset),
      'cache-control': 'no-store',
    })
    response.end()
  }

  async #patch(request: IncomingMessage, response: ServerResponse, name: BlobName): Promise<void> {
    const { store, hasRoom, refusal } = this.#options
    const why = refusal()
    if (why !== undefined) throw new Refusal(503, why)
    const offset = Number(request.headers['upload-offset'] ?? NaN)
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw new Refusal(400, 'The header upload-offset says where these bytes belong.')
    }
    const length = Number(request.headers['content-length'] ?? 0)
    if (offset + length > name.size) {
      throw new Refusal(400, `That is more than the ${name.size} bytes of size.`)
    }
    if (await store.claim(name)) throw new BlobError('offset', 'It is here already.', name.size)
    if (!(await hasRoom(name.size - offset))) {
      throw new BlobError('full', 'The disk of this server is full. Try another.')
    }
    const upload = await store.upload(name, offset)
    if (name.size - offset >= announceBytesMin) this.#options.fetching.announce(name)
    request.setTimeout(blobIdleMs, () => request.destroy())
    await flow(request, upload, this.#options.pace ?? uploadPace)
    await this.#answerUploaded(response, name, upload.bytes)
  }

  async #answerUploaded(response: ServerResponse, name: BlobName, offset: number): Promise<void> {
    const { store, fetching } = this.#options
    const isWhole = await store.has(name)
    let servers: ReplicaId[] = []
    if (isWhole) {
      fetching.arrived(name)
      servers = await fetching.spread(name, receiptWaitMs)
    }
    response.writeHead(isWhole ? 201 : 204, {
      'upload-offset': String(offset),
      ...(isWhole && { 'blob-servers': servers.join(', ') }),
    })
    response.end()
  }

  async #offered(
    request: IncomingMessage,
    response: ServerResponse,
    hash: string,
    query: URLSearchParams,
  ): Promise<void> {
    const { fetching, refusal } = this.#options
    const name = { hash, size: sizeOf(query) }
    const why = refusal()
    if (why !== undefined) throw new Refusal(503, why)
    const isBrought = name.size > 0 && Number(request.headers['content-length']) === name.size
    if (isBrought) await this.#brings(request, name)
    const from = (query.get('from') ?? '') as ReplicaId
    const isHere = await fetching.offered(name, from, receiptWaitMs)
    response.writeHead(isHere ? 200 : 202)
    response.end()
  }

  /** A blob comes along with the offer of it; in vain, it is fetched like one that does not. */
  async #brings(request: IncomingMessage, name: BlobName): Promise<void> {
    const { store, fetching, hasRoom } = this.#options
    try {
      if ((await store.has(name)) || !(await hasRoom(name.size))) return
      await flow(request, await store.upload(name, 0), this.#options.pace ?? uploadPace)
      fetching.arrived(name)
    } catch (error) {
      // It comes from elsewhere at this moment, or these are other bytes.
      if (!(error instanceof BlobError)) throw error
    } finally {
      request.resume()
    }
  }

  // ------------------------------------------------------------------------------- download

  /** `query` is that of another server: it may follow an upload that is not at its end. */
  async #get(
    request: IncomingMessage,
    response: ServerResponse,
    hash: string,
    query?: URLSearchParams,
  ): Promise<void> {
    if (this.#reads >= blobReadsMax) {
      throw new Refusal(503, 'Too many downloads at this moment. Try another server.')
    }
    this.#reads++
    try {
      const open = await this.#open(hash, query)
      try {
        await this.#send(request, response, { hash, isOfPeer: query !== undefined }, open)
      } finally {
        await open.file.close()
      }
    } finally {
      this.#reads--
    }
  }

  async #open(hash: string, query?: URLSearchParams): Promise<OpenBlob | GrowingBlob> {
    const { store, fetching } = this.#options
    const whole = await store.read(hash)
    if (whole) return whole
    // Servers ask each other for what is there: were they to pass it on, they could wait in a circle.
    const missing = query ? undefined : fetching.missing(hash)
    if (missing) return this.#brought(missing)
    const growing = query?.has('size')
      ? await store.follow({ hash, size: sizeOf(query) })
      : undefined
    if (growing) return growing
    throw new Refusal(404, 'This server has no such blob.')
  }

  async #brought(missing: BlobName): Promise<OpenBlob | GrowingBlob> {
    const open = await this.#options.fetching.bring(missing)
    if (open) return open
    throw new Refusal(503, notHereYet, notHereHeaders)
  }

  async #send(
    request: IncomingMessage,
    response: ServerResponse,
    { hash, isOfPeer }: { hash: string; isOfPeer: boolean },
    open: OpenBlob | GrowingBlob,
  ): Promise<void> {
    const { headers } = request
    const { file } = open
    const { size } = 'upload' in open ? open.upload : open
    if (headers['if-none-match'] === etagOf(hash)) {
      response.writeHead(304, { etag: etagOf(hash) })
      response.end()
      return
    }
    const isSame = headers['if-range'] === undefined || headers['if-range'] === etagOf(hash)
    const range = isSame ? rangeOf(headers.range, size) : undefined
    if (range === 'none') {
      throw new Refusal(416, `It has ${size} bytes.`, { 'content-range': `bytes */${size}` })
    }
    const { start, end } = range ?? { start: 0, end: size - 1 }
    response.writeHead(range ? 206 : 200, {
      ...headersOf(hash, end - start + 1),
      ...(range && { 'content-range': `bytes ${start}-${end}/${size}` }),
    })
    response.setTimeout(blobIdleMs, () => cut(response))
    const growth = 'upload' in open ? { upload: open.upload, isSure: !isOfPeer } : undefined
    const isWhole = growth === undefined && end - start + 1 === size
    const known = isWhole ? hash : undefined
    const poured = await pour({ file, start, end: end + 1, growth, hash: known }, response)
    if (poured === 'spoilt') await this.#options.care.spoilt(hash, file)
  }

  // ------------------------------------------------------------------------------- refusals

  #refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const { status, message, headers } = refusalOf(error)
    if (isOfUploads(error) && /[?&]upload=1\b/.test(request.url ?? '')) {
      response.writeHead(204, headers)
      response.end()
    } else sendText(response, status, `${message}\n`, headers)
    if (!request.complete) drain(request)
  }
}

/**
 * Like a pipeline, but what the upload refuses ends no connection: the sender is to read why. A sender
 * that goes away ends the upload.
 */
async function flow(request: IncomingMessage, upload: Upload, pace: Pace): Promise<void> {
  const cut = () => void (request.complete || upload.destroy())
  request.once('close', cut)
  const slow = () => void (request.complete || request.destroy())
  const endPace = keepPace(pace, () => upload.bytes, slow)
  // It may have gone while the upload began: then nothing more is heard of it.
  if (request.destroyed) upload.destroy()
  else request.pipe(upload)
  try {
    await finished(upload)
  } finally {
    endPace()
    request.off('close', cut)
    request.unpipe(upload)
  }
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof FourfoldError) {
    return new Refusal(error.code === 'unauthenticated' ? 401 : 403, error.message)
  }
  if (error instanceof BlobError) {
    const isOffset = error.code === 'offset'
    const headers = { ...(isOffset && { 'upload-offset': String(error.offset) }) }
    return new Refusal(statuses[error.code], error.message, headers)
  }
  // The disk: what is there is there, and three other servers are alive.
  return new Refusal(500, 'This server cannot keep it. Try another.')
}

/** Whether it says no more than where an upload is: others send the same, or servers fetch it. */
function isOfUploads(error: unknown): boolean {
  return error instanceof BlobError && (error.code === 'busy' || error.code === 'offset')
}

function sizeOf(query: URLSearchParams): number {
  const text = query.get('size') ?? ''
  if (!/^\d{1,15}$/.test(text)) throw new Refusal(400, 'size is missing: how many bytes it has.')
  if (Number(text) > blobBytesMax) {
    throw new Refusal(413, `A file may have at most ${blobBytesMax} bytes.`)
  }
  return Number(text)
}

/** One range; undefined where there is none that we know, 'none' where nothing lies in it. */
export function rangeOf(
  header: string | undefined,
  size: number,
): { start: number; end: number } | 'none' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? []
  if (first === '' && last === '') return undefined
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined
  return start > end ? 'none' : { start, end }
}

function etagOf(hash: string): string {
  return `"${hash}"`
}

function headersOf(hash: string, length: number) {
  return {
    'content-type': 'application/octet-stream',
    'content-length': String(length),
    // Whatever it is, no browser shall take it for a page of ours.
    'content-disposition': 'attachment',
    'content-security-policy': "default-src 'none'; sandbox",
    'cross-origin-resource-policy': 'same-site',
    'x-content-type-options': 'nosniff',
    'accept-ranges': 'bytes',
    'cache-control': 'private, max-age=31536000, immutable',
    etag: etagOf(hash),
  }
}
