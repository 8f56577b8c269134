// One request of WebDAV: who makes it, what it is about, and the conditions that it names.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { davXmlBytesMax } from '../../core/model/limits.ts'
import { etagsIn, isAmong, parseIf, tokensIn, type ConditionList } from './conditions.ts'
import type { Change, Locks } from './locks.ts'
import { targetOf, type Target } from './paths.ts'
import { anotherVersion, itIsHere, Refusal } from './refusal.ts'
import { etagOf, type Asker, type Resource, type Shelf } from './shelf.ts'
import { parseXml, type XmlElement } from './xml.ts'

export interface Caller {
  author: string
  /** Tells this client from others, as far as they can be told apart. */
  reader: string
}

/** The etag of what is at a path; undefined: nothing is. */
type EtagAt = (path: string) => Promise<string | undefined>

export class Visit implements Asker, Caller {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly author: string
  readonly reader: string
  readonly target: Target
  readonly signal: AbortSignal
  readonly #lists: ConditionList[]

  /** Throws Refusal where the address or its conditions are malformed. */
  constructor(request: IncomingMessage, response: ServerResponse, { author, reader }: Caller) {
    this.request = request
    this.response = response
    this.author = author
    this.reader = reader
    this.target = targetOf(request.url ?? '')
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    this.signal = gone.signal
    const header = this.header('if')
    this.#lists = header === undefined ? [] : parseIf(header)
  }

  get path(): string {
    return this.target.path
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }

  /** Depth; undefined where it is missing. Throws Refusal. */
  get depth(): '0' | '1' | 'infinity' | undefined {
    const depth = this.header('depth')?.trim().toLowerCase()
    if (depth === undefined || depth === '0' || depth === '1' || depth === 'infinity') return depth
    throw new Refusal(400, 'Depth is 0, 1 or infinity.')
  }

  /** Where to copy or move. Throws Refusal. */
  get destination(): Target {
    const header = this.header('destination')
    if (header === undefined) throw new Refusal(400, 'The header Destination is missing.')
    return targetOf(this.#own(header, 502))
  }

  get overwrites(): boolean {
    const overwrite = this.header('overwrite')?.trim().toUpperCase() ?? 'T'
    if (overwrite === 'T' || overwrite === 'F') return overwrite === 'T'
    throw new Refusal(400, 'Overwrite is T or F.')
  }

  /** How long a lock is asked for; undefined: nothing is said. */
  get timeoutMs(): number | undefined {
    const [first = ''] = (this.header('timeout') ?? '').split(',')
    const [, seconds] = /^\s*second-(\d{1,10})\s*$/i.exec(first) ?? []
    if (seconds !== undefined) return Number(seconds) * 1000
    return /^\s*infinite\s*$/i.test(first) ? Infinity : undefined
  }

  get tokens(): string[] {
    return tokensIn(this.#lists)
  }

  /** The XML that came along; undefined: none did. Rejects with Refusal. */
  async xml(): Promise<XmlElement | undefined> {
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of this.#body()) {
      chunks.push(chunk as Buffer)
      bytes += (chunk as Buffer).length
      if (bytes > davXmlBytesMax) {
        throw new Refusal(413, `XML may have at most ${davXmlBytesMax} bytes here.`)
      }
    }
    return bytes === 0 ? undefined : parseXml(Buffer.concat(chunks))
  }

  /** Whoever stops in the middle of it can still answer. */
  #body(): AsyncIterable<unknown> {
    return this.request.iterator({ destroyOnReturn: false })
  }

  /** Throws Refusal when a body came along that means nothing here. */
  async checkNoBody(): Promise<void> {
    for await (const chunk of this.#body()) {
      if ((chunk as Buffer).length > 0) throw new Refusal(415, 'This takes no body.')
    }
  }

  /** Throws Refusal when this was cut: HTTP/2 then ends a body as if all of it had come. */
  checkOpen(): void {
    if (this.signal.aborted) throw new Refusal(400, 'The connection ended before the file did.')
  }

  /** Throws Refusal when a lock of somebody else forbids the change. */
  checkLocks(locks: Locks, change: Change): void {
    locks.check(change, { author: this.author, tokens: this.tokens })
  }

  // ---------------------------------------------------------------------------- conditions

  /** Throws Refusal where If-Match, If-None-Match or If forbid to change what lies there. */
  async checkConditions(there: Resource | undefined, shelf: Shelf, locks: Locks): Promise<void> {
    await this.checkEtags(there, shelf)
    await this.checkIf(shelf, locks)
  }

  /** Throws Refusal where If-Match or If-None-Match forbid it. */
  async checkEtags(there: Resource | undefined, shelf: Shelf): Promise<void> {
    if (this.namesEtags) this.checkMatch(there && (await this.etagOf(there, shelf)))
  }

  get namesEtags(): boolean {
    return this.header('if-match') !== undefined || this.header('if-none-match') !== undefined
  }

  /** Throws Refusal when no list of If holds. */
  async checkIf(shelf: Shelf, locks: Locks): Promise<void> {
    if (this.#lists.length === 0) return
    const etags = new Map<string, Promise<string | undefined>>()
    // Asked for once, in however many of the thousand lists that fit it is named.
    const etagAt: EtagAt = (path) => {
      const etag = etags.get(path) ?? this.#etagAt(path, shelf)
      etags.set(path, etag)
      return etag
    }
    for (const list of this.#lists) if (await this.#holds(list, locks, etagAt)) return
    throw new Refusal(412, 'None of the conditions in If holds.')
  }

  async #etagAt(path: string, shelf: Shelf): Promise<string | undefined> {
    const resource = await shelf.find(this, path)
    return resource && this.etagOf(resource, shelf)
  }

  async #holds(list: ConditionList, locks: Locks, etagAt: EtagAt): Promise<boolean> {
    const { resource, conditions } = list
    const path = resource === undefined ? this.path : targetOf(this.#own(resource, 400)).path
    for (const { of, isNot } of conditions) {
      const isSo =
        'token' in of ? locks.find(of.token, path) !== undefined : of.etag === (await etagAt(path))
      if (isSo === isNot) return false
    }
    return true
  }

  /** Empty for a directory: it is there, and nobody can name what is in it. */
  async etagOf(resource: Resource, shelf: Shelf): Promise<string> {
    if (resource.isDirectory) return ''
    return etagOf((await shelf.factsOf(this, resource)).version)
  }

  /**
   * Throws Refusal when If-None-Match forbids it, or If-Match with none of the etags that `isMeant`
   * takes: a save that was made from an older version is merged as a change of that one.
   */
  checkMatch(etag: string | undefined, isMeant = (asked: string) => asked === etag): void {
    const match = this.header('if-match')
    if (match !== undefined) {
      const etags = etagsIn(match)
      const holds = etags === '*' ? etag !== undefined : etags.some(isMeant)
      if (!holds) throw anotherVersion()
    }
    const none = this.header('if-none-match')
    if (none === undefined) return
    if (isAmong(none, etag)) throw itIsHere()
  }

  /** The path and query of an address of this server. Throws Refusal. */
  #own(address: string, otherwise: number): string {
    if (address.startsWith('/')) return address
    if (!URL.canParse(address)) throw new Refusal(400, 'An address in a header is malformed.')
    const { host, pathname, hash } = new URL(address)
    const own = this.header(':authority') ?? this.header('host') ?? ''
    // Written with or without the usual port.
    const isOwn = ['http', 'https'].some((scheme) => {
      return URL.canParse(`${scheme}://${own}`) && new URL(`${scheme}://${own}`).host === host
    })
    if (!isOwn) throw new Refusal(otherwise, 'That is an address of another server.')
    return pathname + hash
  }
}
