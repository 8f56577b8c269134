// Bytes of this device go to the servers: read and named piece by piece, sent to any that lives.
//
//   reading ──> sending ──(that server died: another, where its copy ends)──> on the live disks
//                  └── none answers: waiting ──┘

import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { BytesName, Client } from '../client/api.ts'
import { doubling } from '../core/model/doubling.ts'
import { FourfoldError } from '../core/model/errors.ts'
import { blobBytesMax } from '../core/model/limits.ts'
import { addresses } from './asking.ts'
import { sizeWords } from './file-bytes.ts'
import { authorization } from './pass.ts'

/** How far it is. */
export interface Sending {
  stage: 'reading' | 'sending' | 'waiting'
  bytes: number
  size: number
}

/** Read at once: some 5 ms of this page's time. */
const pieceBytes = 1024 * 1024
/** A server gets this long for a question. */
const askMs = 5000
/** A server that takes nothing for this long is left alone. */
const silentMs = 15_000
/** Somebody else uploads the same bytes: looked at again after this. */
const busyMs = 500
/** Looks at one server without a byte more on it. */
const looksMax = 8
/** No server takes it: all are asked again after this, then twice as long, at most this. */
const retryFirstMs = 250
const retryMaxMs = 4000
/** So much a millisecond goes from server to server: it is waited for accordingly, if not for long. */
const spreadBytesPerMs = 50_000
const spreadMsMin = 2000
const spreadMsMax = 15_000

/** An upload: through whom, when it is to end early, and who hears how far it is. */
export interface Uploading {
  client: Client
  signal: AbortSignal
  tell: (sending: Sending) => void
}

/**
 * Reads bytes through, to know their name. Rejects with FourfoldError when they are too many or
 * cannot be read, with the signal's reason when it was stopped.
 */
export async function nameOf({ signal, tell }: Uploading, blob: Blob): Promise<BytesName> {
  const { size } = blob
  if (size > blobBytesMax) {
    throw new FourfoldError('too-large', `A file may have at most ${sizeWords(blobBytesMax)}.`)
  }
  const hash = await hashOf(blob, signal, (bytes) => tell({ stage: 'reading', bytes, size }))
  return { hash, size }
}

/**
 * Sees to it that a server has these bytes, verified and flushed, the one that this client is at if it
 * lives, and that all who live had the time to fetch them. Rejects as `nameOf` does; waits for a server
 * as long as none answers.
 */
export async function upload(uploading: Uploading, blob: Blob, name: BytesName): Promise<void> {
  const address = await sendSomewhere(uploading, blob, name)
  await spread(uploading, address, name)
}

async function hashOf(
  blob: Blob,
  signal: AbortSignal,
  tell: (bytes: number) => void,
): Promise<string> {
  const hash = sha256.create()
  tell(0)
  for (let at = 0; at < blob.size; at += pieceBytes) {
    const piece = await readPart(blob, at, at + pieceBytes)
    signal.throwIfAborted()
    hash.update(piece)
    tell(Math.min(at + pieceBytes, blob.size))
  }
  return bytesToHex(hash.digest())
}

async function readPart(blob: Blob, start: number, end: number): Promise<Uint8Array> {
  try {
    return new Uint8Array(await blob.slice(start, end).arrayBuffer())
  } catch {
    // The browser says no more than that it could not.
    throw new FourfoldError('invalid', 'It changed, went away or is locked on this device.')
  }
}

/** The address of the server that has it. */
async function sendSomewhere(
  { client, signal, tell }: Uploading,
  blob: Blob,
  name: BytesName,
): Promise<string> {
  const { size } = name
  let bytes = 0
  for (let round = 0; ; round++) {
    for (const address of addresses(client)) {
      const told = (sending: Sending) => {
        ;({ bytes } = sending)
        tell(sending)
      }
      if (await sendTo(address, { client, signal, tell: told }, blob, name)) return address
    }
    tell({ stage: 'waiting', bytes, size })
    await pause(doubling(retryFirstMs, retryMaxMs, round), signal)
  }
}

/** False: another server may do better. */
async function sendTo(
  address: string,
  { client, signal, tell }: Uploading,
  blob: Blob,
  name: BytesName,
): Promise<boolean> {
  const reached = (bytes: number) => tell({ stage: 'sending', bytes, size: name.size })
  let furthest = -1
  let isBegunAnew = false
  for (let looks = 0; looks < looksMax; looks++) {
    const held = await heldBy(address, name, signal)
    if (held === undefined) return false
    reached(held.bytes)
    if (held.isWhole) return true
    if (held.bytes > furthest) looks = 0
    furthest = Math.max(furthest, held.bytes)
    const rest = blob.slice(held.bytes)
    const gone = whenDown(client, address)
    try {
      const inTime = AbortSignal.any([signal, gone.signal])
      const answer = await patch(urlOf(address, name), rest, held.bytes, inTime, (sent) =>
        reached(held.bytes + sent),
      )
      if (answer.status === 201) return true
      // It goes on elsewhere, or somebody else is at it: another page, or the server itself.
      if (answer.status === 204) await pause(busyMs, signal)
      else if (answer.status === 413) throw new FourfoldError('too-large', answer.text)
      else if (answer.status === 400 && held.bytes > 0 && !isBegunAnew) {
        // What somebody left there was the beginning of other bytes, and is thrown away now.
        isBegunAnew = true
        furthest = -1
      } else if (answer.status === 400) {
        throw new FourfoldError('invalid', 'It changed while it was read.')
      } else if (answer.status === 401) throw new FourfoldError('unauthenticated', answer.text)
      else return false
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof FourfoldError) throw error
      // A file that can be read no more and a server that went away look the same from here.
      if (rest.size > 0) await readPart(rest, 0, 1)
      return false
    } finally {
      gone.end()
    }
  }
  return false
}

/** Aborts when the set says that the server at this address is down: it may only be silent. */
function whenDown(client: Client, address: string): { signal: AbortSignal; end: () => void } {
  const gone = new AbortController()
  const end = client.onChange(() => {
    const server = client.servers.find((each) => each.address === address)
    if (server?.state === 'down') gone.abort()
  })
  return { signal: gone.signal, end }
}

/** How much of it a server has; undefined: it does not answer, or takes nothing. */
async function heldBy(
  address: string,
  name: BytesName,
  signal: AbortSignal,
): Promise<{ isWhole: boolean; bytes: number } | undefined> {
  try {
    const inTime = AbortSignal.any([signal, AbortSignal.timeout(askMs)])
    const asking = { method: 'HEAD', headers: authorization(), signal: inTime }
    const answer = await fetch(urlOf(address, name), asking)
    if (answer.status === 200) return { isWhole: true, bytes: name.size }
    if (answer.status === 401) throw new FourfoldError('unauthenticated', 'Sign in again.')
    if (answer.status !== 204) return undefined
    return { isWhole: false, bytes: Number(answer.headers.get('upload-offset') ?? 0) }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof FourfoldError) throw error
    // It is down.
    return undefined
  }
}

/** Only XMLHttpRequest tells how far a body is. The browser reads it from the disk as it goes. */
function patch(
  url: string,
  body: Blob,
  offset: number,
  signal: AbortSignal,
  tell: (bytes: number) => void,
): Promise<{ status: number; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>()
  const request = new XMLHttpRequest()
  const cut = () => request.abort()
  let timer = setTimeout(cut, silentMs)
  request.upload.onprogress = ({ loaded }) => {
    clearTimeout(timer)
    timer = setTimeout(cut, silentMs)
    tell(loaded)
  }
  request.onload = () => resolve({ status: request.status, text: request.responseText.trim() })
  request.onerror = () => reject(new Error('the connection broke'))
  request.onabort = () => reject(new Error('it was cut'))
  request.onloadend = () => {
    clearTimeout(timer)
    signal.removeEventListener('abort', cut)
  }
  request.open('PATCH', url)
  for (const [header, value] of Object.entries(authorization())) {
    request.setRequestHeader(header, value)
  }
  request.setRequestHeader('upload-offset', String(offset))
  signal.addEventListener('abort', cut)
  request.send(body)
  if (signal.aborted) cut()
  return promise
}

/** Waits until all live servers tell that they have it, or had the time: then an entry may name it. */
async function spread(
  { client, signal }: Uploading,
  address: string,
  name: BytesName,
): Promise<void> {
  const waitMs = Math.min(spreadMsMax, Math.max(spreadMsMin, name.size / spreadBytesPerMs))
  const end = performance.now() + waitMs
  while (performance.now() < end) {
    const holders = await holdersAt(address, name, signal)
    // Who asked is gone: what it had, others have, or fetch when it is back.
    if (holders === undefined) return
    const live = client.servers.filter(({ state }) => state === 'live')
    if (live.every(({ id }) => holders.includes(id))) return
    await pause(busyMs / 2, signal)
  }
}

async function holdersAt(
  address: string,
  name: BytesName,
  signal: AbortSignal,
): Promise<string[] | undefined> {
  try {
    const inTime = AbortSignal.any([signal, AbortSignal.timeout(askMs)])
    const url = `${urlOf(address, name)}&servers=1`
    const asking = { method: 'HEAD', headers: authorization(), signal: inTime }
    const answer = await fetch(url, asking)
    return answer.headers.get('blob-servers')?.split(', ')
  } catch {
    signal.throwIfAborted()
    return undefined
  }
}

function urlOf(address: string, { hash, size }: BytesName): string {
  // The browser is to tell nobody of errors where there are none: that it is not here yet.
  return new URL(`/blobs/${hash}?size=${size}&upload=1`, address).href
}

/** Rejects with the signal's reason. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  const stop = () => reject(signal.reason as Error)
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  return promise.finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  })
}
