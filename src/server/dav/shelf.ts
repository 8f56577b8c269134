// The folder as WebDAV asks for it. All of it are calls to the replica, as those of any other program.

import { parentOf } from '../../core/model/path.ts'
import { hasCode } from '../../core/model/errors.ts'
import { filesPerPageMax } from '../../core/model/limits.ts'
import { Kind } from '../../core/model/wire.ts'
import type { Answer, Call, FileView } from '../../core/replica/messages.ts'
import { newOperation } from '../../adapters/system.ts'
import { factsOf, type Facts } from '../facts.ts'
import type { Runtime } from '../runtime.ts'
import { keyOf } from './paths.ts'
import { Refusal } from './refusal.ts'

/** On whose behalf, and for how long. */
export interface Asker {
  author: string
  signal: AbortSignal
}

/** What lies at an address. */
export interface Resource {
  path: string
  /** Absent: it is the top. */
  file: FileView | undefined
  isDirectory: boolean
}

export type { Facts } from '../facts.ts'

export const idOf = ({ file }: Resource) => file?.entry.id ?? ''

/**
 * Which file a save is about, for the replica: what is here, or a new one at a path where nothing was.
 * Rejected with 'taken' where something is by then.
 */
export function aboutOf(what: Resource | string): { file: string; isNew: boolean } {
  const isNew = typeof what === 'string'
  return { file: isNew ? what : idOf(what), isNew }
}

/** The 43 characters of base64url: some clients have little room for two etags in one header. */
export function etagOf(version: string): string {
  return `"${Buffer.from(version, 'hex').toString('base64url')}"`
}

/** The version that an etag names; undefined: it is none of ours. */
export function versionOf(etag: string): string | undefined {
  const [, text] = /^"([\w-]{43})"$/.exec(etag) ?? []
  return text && Buffer.from(text, 'base64url').toString('hex')
}

export class Shelf {
  readonly #runtime: Runtime

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  async ask<T extends Answer['type']>(
    { author, signal }: Asker,
    type: T,
    request: Call,
  ): Promise<Extract<Answer, { type: T }>> {
    // What takes several changes is half done between them: they go on when the client has left.
    const until = type === 'kept' ? new AbortController().signal : signal
    const answer = await this.#runtime.calls.ask(request, author, until)
    if (answer.type !== type) throw new Error(`${request.type} was answered by ${answer.type}`)
    return answer as Extract<Answer, { type: T }>
  }

  /** What lies at a path; undefined: nothing. */
  async find(asker: Asker, path: string): Promise<Resource | undefined> {
    if (path === '') return { path, file: undefined, isDirectory: true }
    try {
      const { file } = await this.ask(asker, 'got', { type: 'get', file: path })
      // An id leads to a file, too, which is not what an address says.
      return keyOf(file.path) === keyOf(path) ? resourceOf(file) : undefined
    } catch (error) {
      if (hasCode(error, 'not-found')) return undefined
      throw error
    }
  }

  /** The same, or Refusal. */
  async get(asker: Asker, path: string): Promise<Resource> {
    const resource = await this.find(asker, path)
    if (!resource) throw new Refusal(404, 'Nothing is here.')
    return resource
  }

  /** Throws Refusal where the directory of a path is not there. */
  async checkParent(asker: Asker, path: string): Promise<void> {
    const parent = await this.find(asker, parentOf(path))
    if (!parent?.isDirectory) throw new Refusal(409, 'The directory for it is not there.')
  }

  /** What lies in a directory, by path, in pages. */
  async *list(asker: Asker, directory: Resource, isRecursive: boolean): AsyncGenerator<Resource[]> {
    const request = {
      type: 'list' as const,
      directory: idOf(directory),
      isRecursive,
      inTrash: false,
      count: filesPerPageMax,
    }
    let answer = await this.ask(asker, 'list', request)
    yield answer.files.map(resourceOf)
    while (answer.page) {
      answer = await this.ask(asker, 'list', { ...request, page: answer.page })
      yield answer.files.map(resourceOf)
    }
  }

  /** Facts of files by id; what cannot be read here is not among them. */
  async facts(asker: Asker, resources: Resource[]): Promise<Map<string, Facts>> {
    const files = resources.flatMap(({ file, isDirectory }) => (file && !isDirectory ? [file] : []))
    return factsOf(files, async (texts) => {
      const { measures } = await this.ask(asker, 'measured', { type: 'measure', texts })
      return measures
    })
  }

  /** Those of one file. Throws Refusal when it cannot be read here. */
  async factsOf(asker: Asker, resource: Resource): Promise<Facts> {
    const facts = (await this.facts(asker, [resource])).get(idOf(resource))
    if (!facts) throw new Refusal(503, 'This file cannot be read here. Try another server.')
    return facts
  }

  async delete(asker: Asker, resource: Resource): Promise<void> {
    const operation = newOperation()
    await this.ask(asker, 'kept', { type: 'delete', file: idOf(resource), operation })
  }
}

function resourceOf(file: FileView): Resource {
  return { path: file.path, file, isDirectory: file.entry.kind === Kind.DIRECTORY }
}
