// MKCOL, DELETE, COPY and MOVE: directories, and where things lie.
//
// What is deleted or overwritten is in the trash. A file that is moved onto another one gives it what
// it holds and goes to the trash itself: that is how editors save, and the one that others have open
// keeps its id, its history and their edits.

import { hasCode } from '../../core/model/errors.ts'
import { newOperation } from '../../adapters/system.ts'
import type { DeadProperties } from './dead-properties.ts'
import type { Locks } from './locks.ts'
import { isWithin, keyOf } from './paths.ts'
import { Refusal, somethingIsThere } from './refusal.ts'
import { idOf, type Resource, type Shelf } from './shelf.ts'
import type { Transfers } from './transfers.ts'
import type { Visit } from './visit.ts'

const copiesAtOnce = 16

export interface ArrangingOptions {
  shelf: Shelf
  locks: Locks
  properties: DeadProperties
  transfers: Transfers
}

/** What is to lie where. */
interface Way {
  source: Resource
  path: string
  /** What lies there; absent: nothing. */
  there: Resource | undefined
}

export class Arranging {
  readonly #options: ArrangingOptions

  constructor(options: ArrangingOptions) {
    this.#options = options
  }

  async makeDirectory(visit: Visit): Promise<void> {
    const { shelf, locks } = this.#options
    const { path, response } = visit
    await visit.checkNoBody()
    if (await shelf.find(visit, path)) throw isHere()
    await shelf.checkParent(visit, path)
    await visit.checkConditions(undefined, shelf, locks)
    visit.checkLocks(locks, { path, isMembership: true, isDeep: false })
    try {
      await this.#makeDirectory(visit, path)
    } catch (error) {
      // It came after it was looked whether there was anything.
      throw hasCode(error, 'taken') ? isHere() : error
    }
    response.writeHead(201)
    response.end()
  }

  async delete(visit: Visit): Promise<void> {
    const { shelf, locks } = this.#options
    const resource = await shelf.get(visit, visit.path)
    const { path, file, isDirectory } = resource
    if (!file) throw new Refusal(403, 'The folder itself cannot be deleted.')
    if (isDirectory && (visit.depth ?? 'infinity') !== 'infinity') {
      throw new Refusal(400, 'A directory is deleted with all that is in it.')
    }
    await visit.checkConditions(resource, shelf, locks)
    visit.checkLocks(locks, { path, isMembership: true, isDeep: true })
    await shelf.delete(visit, resource)
    locks.releaseWithin(path)
    visit.response.writeHead(204)
    visit.response.end()
  }

  async move(visit: Visit): Promise<void> {
    const { shelf, locks, properties, transfers } = this.#options
    const { source, path, there } = await this.#wayOf(visit)
    if (source.isDirectory && (visit.depth ?? 'infinity') !== 'infinity') {
      throw new Refusal(400, 'A directory is moved with all that is in it.')
    }
    visit.checkLocks(locks, { path: source.path, isMembership: true, isDeep: true })
    // In another spelling of its own name, nothing is in its way.
    const isItself = there !== undefined && idOf(there) === idOf(source)
    if (there && !isItself && !there.isDirectory && !source.isDirectory) {
      const id = await transfers.pour(visit, source, there, true)
      properties.copy(idOf(source), id)
      await shelf.delete(visit, source)
    } else {
      await this.#replacing(visit, isItself ? undefined : there, async () => {
        const operation = newOperation()
        await shelf.ask(visit, 'kept', { type: 'move', file: idOf(source), path, operation })
      })
    }
    // No lock moves along, and what was there is not there any more.
    for (const gone of [source.path, path]) locks.releaseWithin(gone)
    visit.response.writeHead(there ? 204 : 201)
    visit.response.end()
  }

  async copy(visit: Visit): Promise<void> {
    const { locks, properties, transfers } = this.#options
    const { source, path, there } = await this.#wayOf(visit)
    const depth = visit.depth ?? 'infinity'
    if (depth === '1') throw new Refusal(400, 'A directory is copied with depth 0 or infinity.')
    if (there && idOf(there) === idOf(source)) throw new Refusal(403, 'That is the same file.')
    if (there && !there.isDirectory && !source.isDirectory) {
      properties.copy(idOf(source), await transfers.pour(visit, source, there, false))
    } else {
      await this.#replacing(visit, there, async () => {
        properties.copy(idOf(source), await this.#copyOne(visit, source, path))
      })
      if (source.isDirectory && depth === 'infinity') await this.#copyWithin(visit, source, path)
    }
    if (there) locks.releaseWithin(path)
    visit.response.writeHead(there ? 204 : 201)
    visit.response.end()
  }

  /** A few at a time: each waits for other disks. */
  async #copyWithin(visit: Visit, source: Resource, path: string): Promise<void> {
    const { shelf, properties } = this.#options
    // Where the copies of directories are, by id: paths of a later page may be others.
    const places = new Map([[idOf(source), path]])
    for await (const page of shelf.list(visit, source, true)) {
      let underWay: Promise<void>[] = []
      for (const each of page) {
        const { parent, name } = each.file!
        const above = places.get(parent)
        // It came into a directory that had been passed by before that was there.
        if (above === undefined) continue
        const to = `${above}/${name}`
        if (each.isDirectory) places.set(idOf(each), to)
        const copied = this.#copyOne(visit, each, to)
        const done = copied.then((id) => properties.copy(idOf(each), id))
        underWay.push(done)
        // What is in a directory comes after it.
        if (!each.isDirectory && underWay.length < copiesAtOnce) continue
        await Promise.all(underWay)
        underWay = []
      }
      await Promise.all(underWay)
    }
  }

  /** Without what is in it. The id of the copy. */
  #copyOne(visit: Visit, source: Resource, path: string): Promise<string> {
    if (source.isDirectory) return this.#makeDirectory(visit, path)
    return this.#options.transfers.pour(visit, source, path, false)
  }

  /** Puts what is there in the trash first; when the rest fails, it comes back. */
  async #replacing(
    visit: Visit,
    there: Resource | undefined,
    act: () => Promise<void>,
  ): Promise<void> {
    const { shelf } = this.#options
    if (there) await shelf.delete(visit, there)
    try {
      await act()
    } catch (error) {
      // It came after it was looked whether there was anything.
      if (!there) throw !visit.overwrites && hasCode(error, 'taken') ? somethingIsThere() : error
      const operation = newOperation()
      await shelf.ask(visit, 'kept', { type: 'restore', file: idOf(there), operation })
      throw error
    }
  }

  async #makeDirectory(visit: Visit, path: string): Promise<string> {
    const { shelf } = this.#options
    const operation = newOperation()
    const request = { type: 'makeDirectory' as const, path, hasParents: false, operation }
    const { file } = await shelf.ask(visit, 'kept', request)
    return file.entry.id
  }

  // --------------------------------------------------------------------------------- checks

  async #wayOf(visit: Visit): Promise<Way> {
    const { shelf, locks } = this.#options
    const { destination, overwrites } = visit
    const { path } = destination
    const source = await shelf.get(visit, visit.path)
    if (!source.file) throw new Refusal(403, 'The folder itself stays where it is.')
    if (path === '') throw new Refusal(403, 'Nothing takes the place of the folder itself.')
    const [from, to] = [keyOf(source.path), keyOf(path)]
    if (source.path === path) throw new Refusal(403, 'That is the same file.')
    const isInItself =
      from !== to && (isWithin(from, to) || (source.isDirectory && isWithin(to, from)))
    if (isInItself) throw new Refusal(403, 'A directory cannot lie in itself.')
    await shelf.checkParent(visit, path)
    const there = await shelf.find(visit, path)
    const isOther = there !== undefined && idOf(there) !== idOf(source)
    if (isOther && !overwrites) throw somethingIsThere()
    await visit.checkConditions(source, shelf, locks)
    visit.checkLocks(locks, { path, isMembership: !there, isDeep: there !== undefined })
    return { source, path, there }
  }
}

function isHere(): Refusal {
  return new Refusal(405, 'Something is here already.')
}
