// LOCK and UNLOCK, and how locks are told.

import { davLockOwnerCharactersMax } from '../../core/model/limits.ts'
import { hasCode } from '../../core/model/errors.ts'
import { newOperation } from '../../adapters/system.ts'
import type { Lock, Locks } from './locks.ts'
import { hrefOf } from './paths.ts'
import { Refusal } from './refusal.ts'
import { aboutOf, type Shelf } from './shelf.ts'
import type { Visit } from './visit.ts'
import { childOf, isDav, writeXml, type XmlElement } from './xml.ts'

/** What kinds of locks there are. */
export const supportedLocks = ['exclusive', 'shared']
  .map((scope) => {
    const kind = `<D:lockscope><D:${scope}/></D:lockscope><D:locktype><D:write/></D:locktype>`
    return `<D:lockentry>${kind}</D:lockentry>`
  })
  .join('')

export class Locking {
  readonly #shelf: Shelf
  readonly #locks: Locks

  constructor(shelf: Shelf, locks: Locks) {
    this.#shelf = shelf
    this.#locks = locks
  }

  async lock(visit: Visit): Promise<void> {
    const depth = visit.depth ?? 'infinity'
    if (depth === '1') throw new Refusal(400, 'A lock has depth 0 or infinity.')
    const asked = await visit.xml()
    if (asked) await this.#take(visit, asked, depth === 'infinity')
    else await this.#renew(visit)
  }

  async #take(visit: Visit, asked: XmlElement, isDeep: boolean): Promise<void> {
    const { path, author, timeoutMs } = visit
    const { isExclusive, owner } = wishOf(asked)
    const there = await this.#shelf.find(visit, path)
    if (!there) {
      if (visit.target.hasSlash) throw new Refusal(409, 'The directory is not there.')
      await this.#shelf.checkParent(visit, path)
    }
    await visit.checkConditions(there, this.#shelf, this.#locks)
    if (!there) visit.checkLocks(this.#locks, { path, isMembership: true, isDeep: false })
    const lock = this.#locks.take({ path, isExclusive, isDeep, owner, author, timeoutMs })
    try {
      if (!there) await this.#makeEmpty(visit)
    } catch (error) {
      this.#locks.release(lock)
      throw error
    }
    this.#answer(visit, there ? 200 : 201, lock, { 'lock-token': `<${lock.token}>` })
  }

  async #makeEmpty(visit: Visit): Promise<void> {
    const empty = { text: '', baseVersion: '', operation: newOperation() }
    try {
      await this.#shelf.ask(visit, 'kept', { type: 'save', ...aboutOf(visit.path), ...empty })
    } catch (error) {
      // Somebody made it meanwhile: it is locked all the same.
      if (!hasCode(error, 'taken') || !(await this.#shelf.find(visit, visit.path))) throw error
    }
  }

  async #renew(visit: Visit): Promise<void> {
    const { path, tokens } = visit
    if (tokens.length === 0) throw new Refusal(400, 'A lock is renewed by its token in If.')
    await this.#checkEtags(visit)
    const lock = tokens.map((token) => this.#locks.find(token, path)).find(Boolean)
    if (!lock || lock.author !== visit.author) {
      throw new Refusal(412, 'There is no such lock.', {
        condition: '<D:lock-token-matches-request-uri/>',
      })
    }
    this.#locks.renew(lock, visit.timeoutMs)
    this.#answer(visit, 200, lock, {})
  }

  async unlock(visit: Visit): Promise<void> {
    const [, token] = /^\s*<([^<>\s]+)>\s*$/.exec(visit.header('lock-token') ?? '') ?? []
    if (token === undefined) throw new Refusal(400, 'The header Lock-Token is missing.')
    await this.#checkEtags(visit)
    const lock = this.#locks.find(token, visit.path)
    if (!lock) {
      throw new Refusal(409, 'There is no such lock.', {
        condition: '<D:lock-token-matches-request-uri/>',
      })
    }
    if (lock.author !== visit.author) throw new Refusal(403, `That is a lock of ${lock.author}.`)
    this.#locks.release(lock)
    visit.response.writeHead(204)
    visit.response.end()
  }

  /** Of If only the token counts where it is about the lock itself. */
  async #checkEtags(visit: Visit): Promise<void> {
    if (!visit.namesEtags) return
    await visit.checkEtags(await this.#shelf.find(visit, visit.path), this.#shelf)
  }

  #answer(visit: Visit, status: number, lock: Lock, headers: { [name: string]: string }): void {
    const active = `<D:lockdiscovery>${activeLock(lock)}</D:lockdiscovery>`
    const body = `<?xml version="1.0" encoding="utf-8"?>\n<D:prop xmlns:D="DAV:">${active}</D:prop>\n`
    visit.response.writeHead(status, {
      'content-type': 'application/xml; charset=utf-8',
      ...headers,
    })
    visit.response.end(body)
  }
}

/** As XML. The owner is XML already, as whoever locked it wrote it. */
export function activeLock(lock: Lock): string {
  const { token, path, isExclusive, isDeep, owner, timeoutMs } = lock
  return (
    '<D:activelock><D:locktype><D:write/></D:locktype>' +
    `<D:lockscope><D:${isExclusive ? 'exclusive' : 'shared'}/></D:lockscope>` +
    `<D:depth>${isDeep ? 'infinity' : '0'}</D:depth>${owner}` +
    `<D:timeout>Second-${Math.round(timeoutMs / 1000)}</D:timeout>` +
    `<D:locktoken><D:href>${token}</D:href></D:locktoken>` +
    `<D:lockroot><D:href>${hrefOf(path, false)}</D:href></D:lockroot></D:activelock>`
  )
}

function wishOf(asked: XmlElement): { isExclusive: boolean; owner: string } {
  const scope = childOf(asked, 'lockscope')
  const type = childOf(asked, 'locktype')
  const isExclusive = scope !== undefined && childOf(scope, 'exclusive') !== undefined
  const isShared = scope !== undefined && childOf(scope, 'shared') !== undefined
  const isWrite = type !== undefined && childOf(type, 'write') !== undefined
  if (!isDav(asked, 'lockinfo') || isExclusive === isShared || !isWrite) {
    throw new Refusal(400, 'A lock is for writing, and exclusive or shared.')
  }
  const given = childOf(asked, 'owner')
  const owner = given ? writeXml({ ...given, attributes: [] }) : ''
  if (owner.length > davLockOwnerCharactersMax) {
    throw new Refusal(413, `Who has a lock is told in ${davLockOwnerCharactersMax} characters.`)
  }
  return { isExclusive, owner }
}
