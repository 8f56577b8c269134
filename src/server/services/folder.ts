// FolderService: whole files for any gRPC client. Each call becomes one question to the replica.

import { create } from '@bufbuild/protobuf'
import { ConnectError, type HandlerContext, type ServiceImpl } from '@connectrpc/connect'
import { blobOf, hasConflict, isBytesName } from '../../core/model/contents.ts'
import { FourfoldError } from '../../core/model/errors.ts'
import { fromSeen, toSeen } from '../../core/model/version-vector.ts'
import {
  changeFilesMax,
  filesPerPageMax,
  foundFilesUsual,
  listedFileBytes,
  receiptWaitMs,
  saveFilesMax,
} from '../../core/model/limits.ts'
import {
  FileSchema,
  Kind,
  WatchEvent,
  type File,
  type FileChange,
  type FindFilesRequest,
  type FolderService,
  type ListFilesRequest,
  type SaveFileRequest,
} from '../../core/model/wire.ts'
import type { Answer, Call, FileView, Page } from '../../core/replica/messages.ts'
import { newOperation, wallNow } from '../../adapters/system.ts'
import { AddressCounts } from '../addresses.ts'
import { toConnectError } from '../errors.ts'
import { factsOf } from '../facts.ts'
import { LongAnswers } from '../long-answers.ts'
import type { Runtime } from '../runtime.ts'
import type { Caller, Tokens } from '../tokens.ts'
import { callerAddress, callerOf, connectionKey, cutKey, takenKey } from './caller.ts'
import type { SignInFailures } from './sign-in-failures.ts'
import { allVersions, oneVersion } from './versions.ts'

type AnswerOf<T extends Answer['type']> = Extract<Answer, { type: T }>

const watchEvents: Record<AnswerOf<'watched'>['event'], WatchEvent> = {
  present: WatchEvent.PRESENT,
  ready: WatchEvent.READY,
  created: WatchEvent.CREATED,
  changed: WatchEvent.CHANGED,
  renamed: WatchEvent.RENAMED,
  moved: WatchEvent.MOVED,
  deleted: WatchEvent.DELETED,
}

/** The blobs of this server. */
export interface Blobs {
  has: (name: { hash: string; size: number }) => Promise<boolean>
  /** The servers that hold it, asked for at most so long. */
  holders: (name: { hash: string; size: number }, waitMs: number) => Promise<string[]>
}

export function folderService(
  runtime: Runtime,
  tokens: Tokens,
  blobs: Blobs,
  failures: SignInFailures,
  streamsPerAddress: number,
): ServiceImpl<typeof FolderService> {
  const streams = new AddressCounts(streamsPerAddress)
  const longAnswers = new LongAnswers()

  async function ask<T extends Answer['type']>(
    context: HandlerContext,
    type: T,
    request: Call | (() => Call),
  ): Promise<AnswerOf<T>> {
    try {
      return (await asked(context, request)) as AnswerOf<T>
    } catch (error) {
      throw toConnectError(error)
    }
  }

  function asked(context: HandlerContext, request: Call | (() => Call)): Promise<Answer> {
    const { name } = callerOf(context, tokens)
    const call = typeof request === 'function' ? request() : request
    return runtime.calls.ask(call, name, context.signal)
  }

  /** An answer as long as a text. */
  async function long<T>(
    context: HandlerContext,
    make: () => Promise<T>,
    bytesOf: (answer: T) => number,
  ): Promise<T> {
    // Who may not call does not wait for those who may.
    callerOrError(context)
    const { signal, values } = context
    try {
      return await longAnswers.make(make, bytesOf, {
        signal,
        taken: values.get(takenKey),
        address: callerAddress(context),
        connection: values.get(connectionKey),
        cut: values.get(cutKey),
      })
    } catch (error) {
      throw toConnectError(error)
    }
  }

  /** The same of an answer that is long by the files in it. */
  function listed<T extends { files: File[] }>(context: HandlerContext, make: () => Promise<T>) {
    return long(context, make, ({ files }) => files.length * listedFileBytes)
  }

  function callerOrError(context: HandlerContext): Caller {
    try {
      return callerOf(context, tokens)
    } catch (error) {
      throw toConnectError(error)
    }
  }

  /** Answers that come one after the other: only so many at once go to one address. */
  async function* streamed(
    context: HandlerContext,
    how: 'watch' | 'parts',
    request: Call,
  ): AsyncGenerator<Answer> {
    const { name } = callerOrError(context)
    const address = callerAddress(context)
    if (!streams.enter(address)) {
      const text = 'Too many watches and searches from your address; end some.'
      throw toConnectError(new FourfoldError('unavailable', text))
    }
    try {
      yield* runtime.calls[how](request, name, context.signal)
      // Its time is over: whoever hears the end only is not to take it for the end of the answer.
      context.signal.throwIfAborted()
    } catch (error) {
      throw toConnectError(error)
    } finally {
      streams.leave(address)
    }
  }

  /** What has its effect already is answered so, wherever the bytes are. */
  async function checkBytes(
    name: { hash: string; size: number },
    operation: string,
  ): Promise<void> {
    if (!isBytesName(name)) {
      const text = 'A hash is 64 digits of SHA-256, a size a whole number.'
      throw toConnectError(new FourfoldError('invalid', text))
    }
    if (runtime.isCarriedOut(operation) || (await blobs.has(name))) return
    const text = 'These bytes are not here: upload them to this server first.'
    throw toConnectError(new FourfoldError('unavailable', text))
  }

  async function measured(context: HandlerContext, views: FileView[]): Promise<File[]> {
    const facts = await factsOf(views, async (texts) => {
      const { measures } = await ask(context, 'measured', { type: 'measure', texts })
      return measures
    })
    return views.map((view) => {
      const file = toFile(view)
      const found = facts.get(view.entry.id)
      file.changedAt = found?.changedAt ?? 0
      if (found && view.entry.kind === Kind.TEXT && file.hash === '') {
        file.textSize = found.bytes
        file.textVersion = found.version
      }
      return file
    })
  }

  async function list(context: HandlerContext, request: ListFilesRequest) {
    const { directory, isRecursive, inTrash } = request
    const of = listOf(request)
    const count = Math.max(1, Math.min(request.pageSize || filesPerPageMax, filesPerPageMax))
    const asked = { type: 'list' as const, directory, isRecursive, inTrash, count }
    const { files, page, total } = await ask(context, 'list', () =>
      request.page === '' ? asked : { ...asked, page: readCursor(request.page, of) },
    )
    const nextPage = page ? writeCursor({ of, page }) : ''
    const shown = request.measuresTexts ? await measured(context, files) : files.map(toFile)
    return { files: shown, nextPage, count: total }
  }

  async function find(context: HandlerContext, request: FindFilesRequest) {
    const { words, limit, directory, onlyDirectories, onlyFiles } = request
    const { files, found, looked } = await ask(context, 'finding', {
      type: 'find',
      words,
      limit: Math.max(1, Math.min(limit || foundFilesUsual, filesPerPageMax)),
      directory,
      kinds: onlyDirectories ? 'directories' : onlyFiles ? 'files' : 'both',
    })
    return { files: files.map(toFile), found, looked }
  }

  async function keep(context: HandlerContext, request: Call | (() => Call)) {
    const { file, servers, serverCount } = await ask(context, 'kept', request)
    return { file: toFile(file), servers, serverCount }
  }

  async function save(context: HandlerContext, request: SaveFileRequest) {
    const answer = await ask(context, 'kept', () => takenSave(request))
    const { version, state, servers, serverCount } = answer
    return { file: toFile(answer.file), version, state, servers, serverCount }
  }

  return {
    async signIn({ name, password }, context) {
      try {
        failures.check(callerAddress(context), runtime.now())
        if (!tokens.isPassword(password)) {
          failures.add(callerAddress(context), runtime.now())
          throw new FourfoldError('unauthenticated', 'The password is not that of this set.')
        }
        const { key, token } = tokens.make(name, wallNow())
        const request: Call = { type: 'signIn', name, key }
        const answer = await runtime.calls.ask(request, name, context.signal)
        return { token, name: (answer as AnswerOf<'signedIn'>).name }
      } catch (error) {
        throw toConnectError(error)
      }
    },

    listFiles: (request, context) => listed(context, () => list(context, request)),

    findFiles: (request, context) => listed(context, () => find(context, request)),

    async getFile({ file, measuresTexts, inTrash }, context) {
      const answer = await ask(context, 'got', { type: 'get', file, inTrash })
      if (!measuresTexts) return { file: toFile(answer.file) }
      const [shown] = await measured(context, [answer.file])
      return { file: shown! }
    },

    async readFile({ file }, context) {
      const read = () => ask(context, 'read', { type: 'read', file })
      const bytesOf = (answer: AnswerOf<'read'>) => Buffer.byteLength(answer.text)
      const { text, version, state, ...answer } = await long(context, read, bytesOf)
      return { file: toFile(answer.file), text, version, state }
    },

    saveFile: (request, context) => save(context, request),

    async saveFiles({ files }, context) {
      callerOrError(context)
      checkCount(files, saveFilesMax, 'saves')
      const results = files.map((request) =>
        orRefused(async () => ({ case: 'saved' as const, value: await save(context, request) })),
      )
      return { results: await Promise.all(results) }
    },

    async changeFiles({ changes }, context) {
      callerOrError(context)
      checkCount(changes, changeFilesMax, 'changes')
      const results = changes.map(({ change }) =>
        orRefused(async () => ({
          case: 'changed' as const,
          value: await keep(context, () => callOf(change)),
        })),
      )
      return { results: await Promise.all(results) }
    },

    async saveBinary({ file, hash, size, base, isNew, operation }, context) {
      // Who may not call is not told what is here.
      callerOrError(context)
      await checkBytes({ hash, size }, operation)
      const request: Call = {
        type: 'saveBinary',
        file,
        hash,
        size,
        ...(base !== undefined && { base }),
        isNew,
        operation: operation || newOperation(),
      }
      const [kept, holders] = await Promise.all([
        keep(context, request),
        blobs.holders({ hash, size }, receiptWaitMs),
      ])
      return { ...kept, servers: kept.servers.filter((id) => holders.includes(id)) }
    },

    async listContents({ file }, context) {
      const { contents } = await ask(context, 'contents', { type: 'contents', file })
      return { contents }
    },

    deleteFile: (value, context) => keep(context, callOf({ case: 'delete', value })),

    restoreFile: (value, context) => keep(context, callOf({ case: 'restore', value })),

    eraseFile: (value, context) => keep(context, callOf({ case: 'erase', value })),

    async listErased({ files }, context) {
      if (files.length > filesPerPageMax) {
        const text = `At most ${filesPerPageMax} files are asked for at once.`
        throw toConnectError(new FourfoldError('invalid', text))
      }
      const erased = await ask(context, 'erased', { type: 'erased', files })
      return { files: erased.files }
    },

    renameFile: ({ file, name, operation }, context) =>
      keep(context, { type: 'rename', file, name, operation: operation || newOperation() }),

    moveFile: (value, context) => keep(context, callOf({ case: 'move', value })),

    makeDirectory({ path, hasParents, operation: given }, context) {
      const operation = given || newOperation()
      return keep(context, { type: 'makeDirectory', path, hasParents, operation })
    },

    async listVersions({ file, version }, context) {
      const told = async () => {
        const { versions } = await ask(context, 'versions', { type: 'versions', file })
        return version === '' ? allVersions(versions) : [oneVersion(versions, version)]
      }
      const bytesOf = (versions: { text: string }[]) =>
        versions.reduce((bytes, { text }) => bytes + Buffer.byteLength(text), 0)
      return { versions: await long(context, told, bytesOf) }
    },

    async *searchFiles({ text, ignoresCase, isRegex, directory }, context) {
      const request: Call = { type: 'search', pattern: { text, ignoresCase, isRegex }, directory }
      for await (const answer of streamed(context, 'parts', request)) {
        if (answer.type !== 'found') continue
        for (const each of answer.lines) yield { ...each, file: toFile(each.file) }
        if (answer.isCut) yield { isCut: true }
      }
    },

    async *watch({ file, since, listsAll }, context) {
      const known = since && { since: fromSeen(since.seen), listsAll }
      const request: Call = { type: 'watch', file, ...known }
      for await (const answer of streamed(context, 'watch', request)) {
        if (answer.type !== 'watched') continue
        const { file: view, seen, operation } = answer
        yield {
          event: watchEvents[answer.event],
          ...(view && { file: toFile(view) }),
          ...(operation && { operation }),
          ...(seen && { seen: { seen: toSeen(seen) } }),
        }
      }
    },
  }
}

/** @throws ConnectError invalid */
function checkCount(many: readonly unknown[], max: number, what: string): void {
  if (many.length <= max) return
  throw toConnectError(new FourfoldError('invalid', `One call ${what} at most ${max} files.`))
}

/** What became of one of many. */
async function orRefused<T>(act: () => Promise<T>) {
  try {
    return { result: await act() }
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error
    const { code, rawMessage: text } = error
    return { result: { case: 'refused' as const, value: { code, text } } }
  }
}

/** @throws FourfoldError invalid */
function callOf({ case: type, value }: FileChange['change']): Call {
  if (type === undefined) throw new FourfoldError('invalid', 'This change says nothing to do.')
  const { file, operation: given } = value
  const operation = given || newOperation()
  return type === 'move' ? { type, file, path: value.path, operation } : { type, file, operation }
}

/** Takes the texts out of the request, which lives until it is answered: they need not. */
function takenSave(request: SaveFileRequest): Call {
  const { file, text, baseVersion, baseText, baseState, isNew, operation } = request
  request.text = ''
  delete request.baseText
  return {
    type: 'save',
    file,
    text,
    baseVersion,
    ...(baseText !== undefined && { baseText }),
    ...(baseState.length > 0 && { baseState }),
    isNew,
    isOnce: operation === '',
    operation: operation || newOperation(),
  }
}

function toFile({ entry, name, parent, path, isDeleted }: FileView): File {
  const { id, kind, createdBy, createdAt, deletedBy, deletedAt } = entry
  const by = { createdBy, createdAt, deletedBy, deletedAt }
  const { hash = '', size = 0 } = blobOf(entry) ?? {}
  const bytes = { hash, size, hasConflict: hasConflict(entry) }
  return create(FileSchema, { id, name, kind, isDeleted, parent, path, ...by, ...bytes })
}

// ------------------------------------------------------------------------------- pages

interface Cursor {
  /** Of which list: the directory as it was asked for, and how. */
  of: string
  page: Page
}

/** Names the list that a page is of. */
const listOf = ({ directory, isRecursive, inTrash }: ListFilesRequest) =>
  `${isRecursive ? 'r' : ''}${inTrash ? 't' : ''}:${directory}`

function writeCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url')
}

function readCursor(text: string, of: string): Page {
  try {
    const cursor = JSON.parse(Buffer.from(text, 'base64url').toString()) as Partial<Cursor> | null
    const page: unknown = cursor?.page
    if (cursor?.of === of && Array.isArray(page) && page.length > 0 && page.every(isPlace)) {
      return page
    }
  } catch {
    // Not JSON: not a page of ours, answered below.
  }
  throw new FourfoldError('invalid', 'That page is not one of this list; start without a page.')
}

function isPlace(place: unknown): place is Page[number] {
  const { key, id } = (place ?? {}) as Partial<Page[number]>
  return typeof key === 'string' && typeof id === 'string'
}
