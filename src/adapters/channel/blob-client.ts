// A client's side of blobs: a file of this disk goes to a server, and comes from one, by parts.
//
// What broke off goes on where it was: up, where the server says; down, behind what is in the file
// already. Memory holds no more than the pieces on their way.

import { createHash, type Hash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { stat, truncate } from 'node:fs/promises'
import * as http from 'node:http'
import * as https from 'node:https'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { Code, ConnectError } from '@connectrpc/connect'
import { whyOf } from '../../core/model/errors.ts'
import { blobIdleMs } from '../../core/model/limits.ts'
import type { BlobName } from '../storage/blob.ts'

/** Somebody else uploads the same bytes: looked at again after this. */
const busyMs = 500
/** Read from the disk at once. */
const pieceBytes = 256 * 1024
/** Sooner sent than asked for. */
const unaskedBytesMax = 256 * 1024

/** The server that is asked. */
export interface BlobLine {
  address: string
  /** What shows who asks. */
  headers: { [name: string]: string }
  /** The server was found to be silent. */
  signal: AbortSignal
}

/** Told how many of a blob's bytes are where they shall be. */
export type Progress = (bytes: number) => void

/** The name of what a file holds. Rejects with the system's error. */
export async function nameOfFile(path: string): Promise<BlobName> {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of createReadStream(path, { highWaterMark: pieceBytes })) {
    hash.update(chunk as Buffer)
    size += (chunk as Buffer).length
  }
  return { hash: hash.digest('hex'), size }
}

/**
 * Sees to it that the server has the bytes of a file, verified and on its disk. Rejects with a
 * ConnectError, Unavailable where another server may do better, or with the system's error.
 */
export async function uploadBlob(
  line: BlobLine,
  path: string,
  name: BlobName,
  progress: Progress,
): Promise<void> {
  let isBegunAnew = false
  for (let isFirst = true; ; isFirst = false) {
    const isUnasked = isFirst && name.size <= unaskedBytesMax
    const offset = isUnasked ? 0 : await uploadedBytes(line, name)
    progress(offset ?? name.size)
    if (offset === undefined) return
    // What somebody left there may be the beginning of other bytes: then it is thrown away.
    const isDoubted = offset > 0 && !isBegunAnew
    const status = await uploadRest(line, path, name, offset, progress, isDoubted)
    isBegunAnew ||= status === 400
    if (isUnasked && status === 201) return
    if (status === 423) await sleep(busyMs)
    if (line.signal.aborted) throw unavailable(line.signal.reason)
  }
}

/** Whether the server has the bytes. Rejects as `uploadBlob` does. */
export async function hasBlob(line: BlobLine, name: BlobName): Promise<boolean> {
  return (await uploadedBytes(line, name)) === undefined
}

/** How far an upload came; undefined: all is there. */
async function uploadedBytes(line: BlobLine, name: BlobName): Promise<number | undefined> {
  const request = open(line, 'HEAD', name)
  const response = await answered(request)
  response.resume()
  if (response.statusCode === 200) return undefined
  if (response.statusCode !== 404) throw await refusal(response)
  return Number(response.headers['upload-offset'] ?? 0)
}

async function uploadRest(
  line: BlobLine,
  path: string,
  { hash, size }: BlobName,
  offset: number,
  progress: Progress,
  isDoubted: boolean,
): Promise<number> {
  const request = open(
    line,
    'PATCH',
    { hash, size },
    {
      'upload-offset': String(offset),
      'content-length': String(size - offset),
    },
  )
  const answer = answered(request)
  const sent = send(path, request, offset, size, progress)
  try {
    // A server that refuses says why, and reads no more; a file that cannot be read has no answer.
    const [response] = await Promise.all([answer, Promise.race([sent, answer])])
    const { statusCode = 0 } = response
    const isForUs = [201, 204, 409, 423].includes(statusCode) || (isDoubted && statusCode === 400)
    if (!isForUs) throw await refusal(response)
    response.resume()
    return statusCode
  } finally {
    // Of what is at its end the connection serves the next.
    if (!request.writableFinished) request.destroy()
  }
}

async function send(
  path: string,
  request: http.ClientRequest,
  offset: number,
  size: number,
  progress: Progress,
): Promise<void> {
  let bytes = offset
  if (offset < size) {
    const pieces = createReadStream(path, {
      start: offset,
      end: size - 1,
      highWaterMark: pieceBytes,
    })
    for await (const piece of pieces as AsyncIterable<Buffer>) {
      if (request.destroyed) return
      if (!request.write(piece)) await drained(request)
      bytes += piece.length
      progress(bytes)
    }
  }
  if (bytes < size) throw new ConnectError('The file became shorter as it was read', Code.DataLoss)
  request.end()
}

/** There is room again, or nobody reads any more. */
function drained(request: http.ClientRequest): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const told = () => {
    request.off('drain', told)
    request.off('close', told)
    resolve()
  }
  request.on('drain', told)
  request.on('close', told)
  return promise
}

/**
 * Puts a blob into a file, behind what is there of it from an earlier try, and verifies it. The
 * file is not flushed. Rejects as `uploadBlob` does: when the bytes are wrong, the file is emptied, and
 * another server may have others.
 */
export async function downloadBlob(
  line: BlobLine,
  path: string,
  name: BlobName,
  progress: Progress,
): Promise<void> {
  const hash = createHash('sha256')
  const offset = await hashed(path, name, hash)
  progress(offset)
  if (offset < name.size || name.size === 0) {
    const response = await got(line, name, offset)
    const target = createWriteStream(path, { flags: offset > 0 ? 'a' : 'w', mode: 0o600 })
    const seen = watched(offset, (bytes, chunk) => {
      hash.update(chunk)
      progress(bytes)
    })
    await pipeline(response, seen, target).catch((error: unknown) => {
      // What this disk says is not the server's fault.
      throw isBroken(response) && !isOfDisk(error) ? unavailable(error) : error
    })
  }
  if (hash.digest('hex') === name.hash) return
  await truncate(path)
  throw new ConnectError('What came is not what the file should hold.', Code.Unavailable)
}

/**
 * Gives the bytes of a blob from `offset` on to `take`, one piece after the other. Rejects as
 * `uploadBlob` does; whoever verifies them does it at the end.
 */
export async function readBlob(
  line: BlobLine,
  name: BlobName,
  offset: number,
  take: (piece: Buffer) => Promise<void>,
): Promise<void> {
  const response = await got(line, name, offset)
  const pieces = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  for (;;) {
    const next = await pieces.next().catch((error: unknown) => {
      throw unavailable(error)
    })
    if (next.done) return
    await take(next.value)
  }
}

async function got(line: BlobLine, name: BlobName, offset: number): Promise<http.IncomingMessage> {
  const range = offset > 0 ? { range: `bytes=${offset}-` } : {}
  const response = await answered(open(line, 'GET', name, range))
  const { statusCode } = response
  if (statusCode === (offset > 0 ? 206 : 200)) return response
  if (statusCode !== 404) throw await refusal(response)
  response.resume()
  // It is on its way to this server, and on another one's disk.
  throw new ConnectError('it has not got the bytes yet', Code.Unavailable)
}

/** How much of a blob a file holds already; what it holds goes into the hash. */
async function hashed(path: string, name: BlobName, hash: Hash): Promise<number> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  )
  if (size === 0 || size > name.size) return 0
  for await (const chunk of createReadStream(path, { highWaterMark: pieceBytes })) {
    hash.update(chunk as Buffer)
  }
  return size
}

// ------------------------------------------------------------------------------------ streams

/** Lets bytes through, and tells how many there are by then. */
function watched(from: number, tell: (bytes: number, chunk: Buffer) => void): Transform {
  let bytes = from
  return new Transform({
    transform(chunk: Buffer, _encoding, told) {
      bytes += chunk.length
      tell(bytes, chunk)
      told(null, chunk)
    },
  })
}

// ----------------------------------------------------------------------------------- requests

function open(
  { address, headers, signal }: BlobLine,
  method: string,
  { hash, size }: BlobName,
  more: http.OutgoingHttpHeaders = {},
): http.ClientRequest {
  const { request: ask } = address.startsWith('https:') ? https : http
  const url = `${address}/blobs/${hash}?size=${size}`
  const request = ask(url, { method, headers: { ...headers, ...more }, signal })
  request.setTimeout(blobIdleMs, () => request.destroy(new Error('it was silent')))
  if (method !== 'PATCH') request.end()
  return request
}

async function answered(request: http.ClientRequest): Promise<http.IncomingMessage> {
  try {
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    // From here on an error shows on the response.
    request.on('error', () => undefined)
    return response
  } catch (error) {
    throw unavailable(error)
  }
}

/** Nothing else is written or opened while bytes come. */
function isOfDisk(error: unknown): boolean {
  const { syscall } = error as NodeJS.ErrnoException
  return syscall === 'write' || syscall === 'open'
}

const isBroken = (response: http.IncomingMessage) => response.errored !== null || !response.complete

function unavailable(error: unknown): ConnectError {
  const text = whyOf(error)
  return new ConnectError(text, Code.Unavailable)
}

const codes: { [status: number]: Code } = {
  400: Code.InvalidArgument,
  401: Code.Unauthenticated,
  403: Code.PermissionDenied,
  404: Code.NotFound,
  413: Code.ResourceExhausted,
}

/** What the server says, in its words. */
async function refusal(response: http.IncomingMessage): Promise<ConnectError> {
  let text = ''
  for await (const chunk of response) text += String(chunk)
  const code = codes[response.statusCode ?? 0] ?? Code.Unavailable
  return new ConnectError(text.trim() || `status ${response.statusCode}`, code)
}
