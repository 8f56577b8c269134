// PROPFIND and PROPPATCH: what is known of files, and what clients put beside it.

import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as untilOthersRan } from 'node:timers/promises'
import { blobIdleMs, pieceBytes } from '../../core/model/limits.ts'
import { cut } from '../taking.ts'
import { labelOf, type DeadProperties } from './dead-properties.ts'
import { activeLock, supportedLocks } from './locking.ts'
import type { Locks } from './locks.ts'
import { hrefOf } from './paths.ts'
import { Refusal } from './refusal.ts'
import { etagOf, idOf, type Facts, type Resource, type Shelf } from './shelf.ts'
import { typeOf } from './transfers.ts'
import type { Visit } from './visit.ts'
import {
  childOf,
  davNamespace,
  elementsOf,
  escapeXml,
  isDav,
  languageOf,
  withLanguage,
  writeName,
  writeXml,
  type Name,
  type XmlElement,
} from './xml.ts'

const head = '<?xml version="1.0" encoding="utf-8"?>\n<D:multistatus xmlns:D="DAV:">\n'
const tail = '</D:multistatus>\n'
const type = { 'content-type': 'application/xml; charset=utf-8' }

/** What this server says of a resource by itself: the inside of an element; undefined: nothing. */
type Live = (resource: Resource, facts: Facts | undefined, locks: Locks) => string | undefined

const live: { [local: string]: Live } = {
  resourcetype: ({ isDirectory }) => (isDirectory ? '<D:collection/>' : ''),
  displayname: ({ file }) => escapeXml(file?.name ?? 'Fourfold'),
  creationdate: ({ file }) => file && new Date(file.entry.createdAt).toISOString(),
  getlastmodified: ({ file, isDirectory }, facts) => {
    const at = isDirectory ? file?.entry.createdAt : facts?.changedAt
    return at === undefined ? undefined : new Date(at).toUTCString()
  },
  getcontentlength: (_, facts) => (facts ? String(facts.bytes) : undefined),
  getcontenttype: (resource) => (resource.isDirectory ? undefined : typeOf(resource)),
  getetag: (_, facts) => (facts ? escapeXml(etagOf(facts.version)) : undefined),
  lockdiscovery: ({ path }, _, locks) => locks.covering(path).map(activeLock).join(''),
  supportedlock: () => supportedLocks,
}

/** What is asked of each resource. */
type Question = { type: 'all' } | { type: 'names' } | { type: 'some'; names: Name[] }

export interface PropertiesOptions {
  shelf: Shelf
  locks: Locks
  dead: DeadProperties
}

export class Properties {
  readonly #options: PropertiesOptions

  constructor(options: PropertiesOptions) {
    this.#options = options
  }

  // --------------------------------------------------------------------------------- asking

  async find(visit: Visit): Promise<void> {
    const depth = visit.depth ?? 'infinity'
    const question = questionOf(await visit.xml())
    const resource = await this.#options.shelf.get(visit, visit.path)
    if (depth === 'infinity' && resource.isDirectory) {
      throw new Refusal(403, 'Ask for one directory at a time: depth 0 or 1.', {
        condition: '<D:propfind-finite-depth/>',
      })
    }
    const answers = this.#answers(visit, resource, question, depth)
    // What fails at once is answered by a status of its own.
    const first = await answers.next()
    visit.response.setTimeout(blobIdleMs, () => cut(visit.response))
    visit.response.writeHead(207, type)
    const all = async function* () {
      yield head + String(first.value)
      yield* answers
      yield tail
    }
    await pipeline(Readable.from(all()), visit.response)
  }

  async *#answers(
    visit: Visit,
    resource: Resource,
    question: Question,
    depth: string,
  ): AsyncGenerator<string> {
    yield* this.#page(visit, [resource], question)
    if (depth === '0' || !resource.isDirectory) return
    for await (const page of this.#options.shelf.list(visit, resource, false)) {
      yield* this.#page(visit, page, question)
    }
  }

  /** Piece by piece: whoever asks of a thousand files for thousands of properties reads megabytes. */
  async *#page(visit: Visit, resources: Resource[], question: Question): AsyncGenerator<string> {
    const facts = await this.#options.shelf.facts(visit, resources)
    let piece = ''
    for (const each of resources) {
      piece += this.#answer(each, facts.get(idOf(each)), question)
      if (piece.length < pieceBytes) continue
      yield piece
      piece = ''
      await untilOthersRan()
    }
    yield piece
  }

  #answer(resource: Resource, facts: Facts | undefined, question: Question): string {
    const href = `<D:href>${hrefOf(resource.path, resource.isDirectory)}</D:href>`
    const found: string[] = []
    const missing: string[] = []
    for (const name of this.#namesFor(resource, question)) {
      const value = this.#value(resource, facts, name)
      if (value === undefined) missing.push(writeName(name))
      else found.push(question.type === 'names' ? writeName(name) : value)
    }
    const parts = [found.length > 0 || missing.length === 0 ? status(200, found) : '']
    // Only what was asked for by name is told to be missing.
    if (question.type === 'some' && missing.length > 0) parts.push(status(404, missing))
    return `<D:response>${href}${parts.join('')}</D:response>\n`
  }

  #namesFor(resource: Resource, question: Question): Name[] {
    const all = [
      ...Object.keys(live).map((local) => ({ uri: davNamespace, local })),
      ...[...this.#options.dead.of(idOf(resource))].map(({ name }) => name),
    ]
    return question.type === 'some' ? question.names : all
  }

  #value(resource: Resource, facts: Facts | undefined, name: Name): string | undefined {
    if (!isLive(name)) return this.#options.dead.get(idOf(resource), name)
    const inner = live[name.local]!(resource, facts, this.#options.locks)
    return inner === undefined ? undefined : `<D:${name.local}>${inner}</D:${name.local}>`
  }

  // -------------------------------------------------------------------------------- setting

  async change(visit: Visit): Promise<void> {
    const { shelf, locks, dead } = this.#options
    const changes = changesOf(await visit.xml())
    const resource = await shelf.get(visit, visit.path)
    const { path, isDirectory } = resource
    await visit.checkConditions(resource, shelf, locks)
    visit.checkLocks(locks, { path, isMembership: false, isDeep: false })
    const refused = changes.filter(({ name }) => isLive(name))
    const others = changes.filter(({ name }) => !isLive(name))
    const names = (some: PropertyChange[]) => some.map(({ name }) => writeName(name))
    let parts = status(200, names(others))
    // All or none.
    if (refused.length > 0) {
      const rule = '<D:error><D:cannot-modify-protected-property/></D:error>'
      parts = status(403, names(refused), rule)
      if (others.length > 0) parts += status(424, names(others))
    } else {
      for (const { name, xml } of others) {
        if (xml === undefined) dead.remove(idOf(resource), name)
        else dead.set(idOf(resource), name, xml)
      }
    }
    const href = `<D:href>${hrefOf(path, isDirectory)}</D:href>`
    visit.response.writeHead(207, type)
    visit.response.end(`${head}<D:response>${href}${parts}</D:response>\n${tail}`)
  }
}

const words: { [status: number]: string } = {
  200: 'OK',
  403: 'Forbidden',
  404: 'Not Found',
  424: 'Failed Dependency',
}

function status(code: number, properties: string[], error = ''): string {
  const line = `<D:status>HTTP/1.1 ${code} ${words[code]}</D:status>`
  return `<D:propstat><D:prop>${properties.join('')}</D:prop>${line}${error}</D:propstat>`
}

function isLive({ uri, local }: Name): boolean {
  return uri === davNamespace && Object.hasOwn(live, local)
}

function questionOf(asked: XmlElement | undefined): Question {
  if (!asked) return { type: 'all' }
  if (!isDav(asked, 'propfind')) throw new Refusal(400, 'A propfind is missing.')
  const some = childOf(asked, 'prop')
  const kinds = ['prop', 'allprop', 'propname'].filter((local) => childOf(asked, local))
  if (kinds.length !== 1) throw new Refusal(400, 'A propfind asks for one of three things.')
  if (some) return { type: 'some', names: eachOnce(elementsOf(some).map(nameOf)) }
  return { type: kinds[0] === 'propname' ? 'names' : 'all' }
}

/** Told as often as it is named, what is long would be thousands of times as long. */
function eachOnce(names: Name[]): Name[] {
  return [...new Map(names.map((name) => [labelOf(name), name])).values()]
}

interface PropertyChange {
  name: Name
  /** The element; absent: it is taken away. */
  xml?: string
}

function changesOf(asked: XmlElement | undefined): PropertyChange[] {
  if (!asked || !isDav(asked, 'propertyupdate')) {
    throw new Refusal(400, 'A propertyupdate is missing.')
  }
  const changes = elementsOf(asked).flatMap((step) => {
    const isSet = isDav(step, 'set')
    if (!isSet && !isDav(step, 'remove')) return []
    const properties = childOf(step, 'prop')
    if (!properties) throw new Refusal(400, 'A prop is missing.')
    const language = languageOf(properties) ?? languageOf(step) ?? languageOf(asked)
    return elementsOf(properties).map((property) => ({
      name: nameOf(property),
      ...(isSet && { xml: writeXml(withLanguage(property, language)) }),
    }))
  })
  if (changes.length === 0) throw new Refusal(400, 'It changes no property.')
  return changes
}

function nameOf({ uri, local }: XmlElement): Name {
  return { uri, local }
}
