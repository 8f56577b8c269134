// GET, HEAD and PUT: files down and up.
//
// A text that is put is merged as a change of what this client read or wrote last of that file. Where
// that is not known, it is a change of the version in If-Match; and without that, of what is there.

import { blobOf } from '../../core/model/contents.ts'
import { hasCode } from '../../core/model/errors.ts'
import {
  blobIdleMs,
  blobReadsMax,
  davTextBytesMax,
  receiptWaitMs,
  textBytesMax,
} from '../../core/model/limits.ts'
import { Kind } from '../../core/model/wire.ts'
import type { BlobName } from '../../adapters/storage/blob.ts'
import type { BlobStore, GrowingBlob, OpenBlob } from '../../adapters/storage/blob-store.ts'
import { newOperation } from '../../adapters/system.ts'
import type { BlobCare } from '../blob-care.ts'
import { pour } from '../blob-pouring.ts'
import { notHereHeaders, notHereYet, rangeOf } from '../blobs.ts'
import { sendText } from '../plain-answer.ts'
import { cut, giveAll } from '../taking.ts'
import { isAmong } from './conditions.ts'
import type { Body, Incoming } from './incoming.ts'
import { bytesOf, type LastRead, type Read } from './last-read.ts'
import type { Locks } from './locks.ts'
import { davPath, hrefOf } from './paths.ts'
import { anotherVersion, itIsHere, Refusal } from './refusal.ts'
import { aboutOf, etagOf, idOf, versionOf, type Facts, type Resource, type Shelf } from './shelf.ts'
import type { Visit } from './visit.ts'

/** What a save is a change of, in the words of the replica. */
interface Base {
  /** Of a text; both empty: what is there. */
  text: { baseVersion: string; baseText?: string }
  /** Of bytes: their hash, empty for live text; absent: what is there. */
  bytes?: string
  /** It is a text that was there before: no bytes are a change of that. */
  isOlder: boolean
  /** Nothing was there, and nothing is to be there. */
  mustBeNew: boolean
}

/** Where a file is put. */
interface Place {
  path: string
  before: Resource | undefined
  base: Base
}

interface Kept {
  /** Absent: what is there now is not what was sent. */
  version: string | undefined
  servers: readonly string[]
}

/** How bytes get to the other servers, and here. */
export interface Fetching {
  /** Opens what an entry names and is not here, as it comes; undefined: no server has it now. */
  bring(name: BlobName): Promise<OpenBlob | GrowingBlob | undefined>
  arrived(name: BlobName): void
  /** The servers that hold them, asked for at most so long. */
  holders(name: BlobName, waitMs: number): Promise<string[]>
}

export interface TransfersOptions {
  shelf: Shelf
  locks: Locks
  lastRead: LastRead
  incoming: Incoming
  store: BlobStore
  fetching: Fetching
  care: BlobCare
}

export class Transfers {
  readonly #options: TransfersOptions
  #reads = 0
  /** Of the texts that are being sent. */
  #textBytes = 0

  constructor(options: TransfersOptions) {
    this.#options = options
  }

  // ---------------------------------------------------------------------------------- down

  async get(visit: Visit): Promise<void> {
    const resource = await this.#options.shelf.get(visit, visit.path)
    if (resource.isDirectory) this.#answerDirectory(visit, resource)
    else if (visit.request.method === 'HEAD') await this.#head(visit, resource)
    else if (this.#reads >= blobReadsMax) {
      throw new Refusal(503, 'Too many downloads at this moment. Try another server.')
    } else {
      this.#reads++
      try {
        const isText = resource.file!.entry.kind === Kind.TEXT
        await (isText ? this.#getText(visit, resource) : this.#getBytes(visit, resource))
      } finally {
        this.#reads--
      }
    }
  }

  #answerDirectory({ target, response }: Visit, { path }: Resource): void {
    if (target.hasSlash) {
      sendText(response, 200, `This is a directory: mount ${davPath}/ by WebDAV to see it.\n`)
    } else {
      const location = hrefOf(path, true)
      sendText(response, 301, 'A directory ends with a slash.\n', { location })
    }
  }

  async #head(visit: Visit, resource: Resource): Promise<void> {
    const facts = await this.#options.shelf.factsOf(visit, resource)
    if (isKnown(visit, facts)) return
    visit.response.writeHead(200, {
      ...headersOf(resource, facts),
      'content-length': String(facts.bytes),
    })
    visit.response.end()
  }

  async #getText(visit: Visit, resource: Resource): Promise<void> {
    const { shelf } = this.#options
    const facts = await shelf.factsOf(visit, resource)
    if (this.#textBytes > 0 && this.#textBytes + facts.bytes > davTextBytesMax) {
      const headers = { 'retry-after': '2' }
      throw new Refusal(503, 'Too many texts are read at this moment.', { headers })
    }
    this.#textBytes += facts.bytes
    try {
      await this.#sendText(visit, resource, facts)
    } finally {
      this.#textBytes -= facts.bytes
    }
  }

  async #sendText(visit: Visit, resource: Resource, facts: Facts): Promise<void> {
    const { shelf, lastRead } = this.#options
    const id = idOf(resource)
    const { text, version } = await shelf.ask(visit, 'read', { type: 'read', file: id })
    const bytes = Buffer.from(text)
    const isSent = await this.#send(
      visit,
      resource,
      { ...facts, version, bytes: bytes.length },
      (start, end) => giveAll(visit.response, bytes.subarray(start, end)),
    )
    if (isSent === 'whole' || (isSent && !lastRead.of(visit.reader, id))) {
      lastRead.remember(visit.reader, id, { version, text })
    }
  }

  async #getBytes(visit: Visit, resource: Resource): Promise<void> {
    const { shelf, store, fetching, care, lastRead } = this.#options
    const facts = await shelf.factsOf(visit, resource)
    const name = { hash: facts.version, size: facts.bytes }
    const blob = (await store.read(name.hash)) ?? (await fetching.bring(name))
    if (!blob) throw new Refusal(503, notHereYet, { headers: notHereHeaders })
    try {
      const { file } = blob
      const growth = 'upload' in blob ? { upload: blob.upload, isSure: true } : undefined
      const isSent = await this.#send(visit, resource, facts, async (start, end) => {
        const isWhole = growth === undefined && end - start === name.size
        const hash = isWhole ? name.hash : undefined
        const poured = await pour({ file, start, end, growth, hash }, visit.response)
        if (poured === 'spoilt') await care.spoilt(name.hash, file)
        return poured === 'sent'
      })
      const { version } = facts
      if (isSent) lastRead.remember(visit.reader, idOf(resource), { version })
    } finally {
      await blob.file.close()
    }
  }

  /** Whether all was sent, or only a part, or nothing. `send`: whether all up to the end was. */
  async #send(
    visit: Visit,
    resource: Resource,
    facts: Facts,
    send: (start: number, end: number) => Promise<boolean>,
  ): Promise<'whole' | 'part' | undefined> {
    const { response } = visit
    if (isKnown(visit, facts)) return undefined
    const size = facts.bytes
    const asked = visit.header('if-range')
    const isSame = asked === undefined || asked === etagOf(facts.version)
    const range = isSame ? rangeOf(visit.header('range'), size) : undefined
    if (range === 'none') {
      const headers = { 'content-range': `bytes */${size}` }
      throw new Refusal(416, `It has ${size} bytes.`, { headers })
    }
    const { start, end } = range ?? { start: 0, end: size - 1 }
    response.writeHead(range ? 206 : 200, {
      ...headersOf(resource, facts),
      'content-length': String(end - start + 1),
      ...(range && { 'content-range': `bytes ${start}-${end}/${size}` }),
    })
    response.setTimeout(blobIdleMs, () => cut(response))
    if (!(await send(start, end + 1))) return undefined
    return range ? 'part' : 'whole'
  }

  // ------------------------------------------------------------------------------------ up

  async put(visit: Visit): Promise<void> {
    const { shelf, locks, incoming } = this.#options
    const { path, target, request } = visit
    for (const [name, usual] of [['content-encoding', 'identity'], ['content-range']] as const) {
      const value = visit.header(name)
      if (value !== undefined && value !== usual) {
        throw new Refusal(400, `A file is put whole and as it is: ${name} is not understood.`)
      }
    }
    const before = await shelf.find(visit, path)
    if (before?.isDirectory || target.hasSlash) throw new Refusal(405, 'That is a directory.')
    if (!before) await shelf.checkParent(visit, path)
    const base = await this.#baseOf(visit, before)
    await visit.checkIf(shelf, locks)
    visit.checkLocks(locks, { path, isMembership: !before, isDeep: false })
    request.setTimeout(blobIdleMs, () => request.destroy())
    const length = visit.header('content-length')
    const announced = length === undefined ? undefined : Number(length)
    const { version, servers } = await incoming.take(request, announced, (body) => {
      visit.checkOpen()
      // From here on it is the client that waits.
      request.setTimeout(0)
      return this.#keep(visit, { path, before, base }, body)
    })
    visit.response.writeHead(before ? 204 : 201, {
      'fourfold-servers': servers.join(', '),
      // Only of what is there as it was sent: it may hold the work of others too.
      ...(version !== undefined && { etag: etagOf(version) }),
    })
    visit.response.end()
  }

  /** Rejects with Refusal where If-Match or If-None-Match forbid it. */
  async #baseOf(visit: Visit, before: Resource | undefined): Promise<Base> {
    const { shelf, lastRead } = this.#options
    const etag = visit.namesEtags && before ? await visit.etagOf(before, shelf) : undefined
    const read = before && lastRead.of(visit.reader, idOf(before))
    const isText = before?.file?.entry.kind === Kind.TEXT
    let named = ''
    let isOlder = false
    visit.checkMatch(etag, (asked) => {
      const isRead = read !== undefined && asked === etagOf(read.version)
      isOlder = asked !== etag && !isRead
      // Somebody else changed it: the replica may still know what this one was made from.
      named = isOlder && !isText ? '' : (versionOf(asked) ?? '')
      return named !== ''
    })
    const known = !isOlder && read?.text !== undefined ? read.text : undefined
    const isThere = named !== '' && etagOf(named) === etag
    const bytes = read && bytesOf(read)
    const base = isThere ? (isText ? '' : named) : bytes
    return {
      // By name also where it is there now: others may change it while the body comes.
      text: known === undefined ? { baseVersion: named } : { baseVersion: '', baseText: known },
      ...(base !== undefined && { bytes: base }),
      isOlder,
      mustBeNew: !before && visit.header('if-none-match')?.trim() === '*',
    }
  }

  async #keep(visit: Visit, place: Place, body: Body): Promise<Kept> {
    try {
      return await this.#keepAt(visit, place, body)
    } catch (error) {
      if (place.before || !hasCode(error, 'taken')) throw error
      if (place.base.mustBeNew) throw itIsHere()
      // Somebody made it while the body came.
      const before = await this.#options.shelf.find(visit, place.path)
      if (!before || before.isDirectory) throw error
      return this.#keepAt(visit, { ...place, before }, body)
    }
  }

  async #keepAt(visit: Visit, place: Place, body: Body): Promise<Kept> {
    const { before } = place
    const shared = before?.file?.entry.kind === Kind.TEXT ? before : undefined
    const longest = shared ? await this.#longestText(visit, shared, body) : textBytesMax
    const text = await body.text(longest)
    // A text may have a zero in it once it is one.
    if (text === undefined || (text.includes('\0') && !shared)) {
      return this.#keepBytes(visit, place, body)
    }
    return this.#keepText(visit, place, { text, version: body.hash })
  }

  /** Servers that were apart may have made a text too long together: what shortens it is a text still. */
  async #longestText(visit: Visit, shared: Resource, { size }: Body): Promise<number> {
    if (size <= textBytesMax) return textBytesMax
    const { bytes } = await this.#options.shelf.factsOf(visit, shared)
    return Math.max(textBytesMax, bytes)
  }

  async #keepText(
    visit: Visit,
    { path, before, base }: Place,
    read: Required<Read>,
  ): Promise<Kept> {
    const { shelf, lastRead } = this.#options
    const { text, version } = read
    const about = aboutOf(before ?? path)
    const operation = newOperation()
    try {
      const save = { type: 'save' as const, ...about, text, ...base.text, operation, isOnce: true }
      const kept = await shelf.ask(visit, 'kept', save)
      lastRead.remember(visit.reader, kept.file.entry.id, read)
      return { version: kept.version === version ? version : undefined, servers: kept.servers }
    } catch (error) {
      const isForgotten = hasCode(error, 'invalid')
      throw isForgotten && base.text.baseVersion !== '' ? anotherVersion() : error
    }
  }

  async #keepBytes(visit: Visit, { path, before, base }: Place, body: Body): Promise<Kept> {
    const { shelf, fetching, lastRead } = this.#options
    const { hash, size } = body
    const { isOlder, bytes } = base
    if (isOlder) throw anotherVersion()
    await body.keep()
    fetching.arrived({ hash, size })
    const [{ file, servers }, holders] = await Promise.all([
      shelf.ask(visit, 'kept', {
        type: 'saveBinary',
        ...aboutOf(before ?? path),
        hash,
        size,
        ...(bytes !== undefined && { base: bytes }),
        operation: newOperation(),
      }),
      fetching.holders({ hash, size }, receiptWaitMs),
    ])
    lastRead.remember(visit.reader, file.entry.id, { version: hash })
    return { version: hash, servers: servers.filter((id) => holders.includes(id)) }
  }

  /**
   * Gives one file what another holds. `isSave`: it was written beside it to take its place, by an
   * editor that saves so; then it is merged like one.
   */
  async pour(visit: Visit, from: Resource, into: Resource | string, isSave: boolean) {
    const { shelf, lastRead } = this.#options
    const operation = newOperation()
    const before = typeof into === 'string' ? undefined : into
    const about = aboutOf(into)
    const blob = blobOf(from.file!.entry)
    const read = before && isSave ? lastRead.of(visit.reader, idOf(before)) : undefined
    if (blob) {
      const { hash, size } = blob
      const base = read && bytesOf(read)
      const call = { type: 'saveBinary' as const, ...about, hash, size, operation }
      const known = { ...call, ...(base !== undefined && { base }) }
      const kept = await shelf.ask(visit, 'kept', known)
      if (isSave) lastRead.remember(visit.reader, kept.file.entry.id, { version: hash })
      return kept.file.entry.id
    }
    const { text, version } = await shelf.ask(visit, 'read', { type: 'read', file: idOf(from) })
    const base = { baseVersion: '', ...(read?.text !== undefined && { baseText: read.text }) }
    const call = { type: 'save' as const, ...about, text, ...base, operation, isOnce: true }
    const kept = await shelf.ask(visit, 'kept', call)
    if (isSave) lastRead.remember(visit.reader, kept.file.entry.id, { version, text })
    return kept.file.entry.id
  }
}

/** Whether the caller has this version, and was told so. Throws Refusal when another one is meant. */
function isKnown(visit: Visit, { version }: Facts): boolean {
  const etag = etagOf(version)
  const isSo = isAmong(visit.header('if-none-match') ?? '', etag)
  if (isSo) visit.response.writeHead(304, { etag }).end()
  else visit.checkMatch(etag)
  return isSo
}

/** Whatever it is, no browser shall take it for a page of ours. */
function headersOf(resource: Resource, { version, changedAt }: Facts) {
  return {
    'content-type': typeOf(resource),
    'content-security-policy': "default-src 'none'; sandbox",
    'cross-origin-resource-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'accept-ranges': 'bytes',
    'cache-control': 'private, no-cache',
    'last-modified': new Date(changedAt).toUTCString(),
    etag: etagOf(version),
  }
}

/** The media type that is told: never one that a browser would run. */
export function typeOf({ file }: Resource): string {
  const isText = file?.entry.kind === Kind.TEXT
  return isText ? 'text/plain; charset=utf-8' : 'application/octet-stream'
}
