// FolderService: whole files for any gRPC client. Each call becomes one question to the replica.

import { inflateRawSync } from 'node:zlib'
import { create } from '@bufbuild/protobuf'
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect'
import { isDeleted } from '../../core/model/entry.ts'
import { FourfoldError } from '../../core/model/errors.ts'
import { subjectId } from '../../core/model/ids.ts'
import { filesPerPageMax, textBytesMax } from '../../core/model/limits.ts'
import {
  FileSchema,
  WatchEvent,
  type File,
  type FolderService,
  type ListFilesRequest,
  type ListFilesResponse,
} from '../../core/model/wire.ts'
import type { Answer, Call, FileView } from '../../core/replica/messages.ts'
import { random } from '../../adapters/system.ts'
import { toConnectError } from '../errors.ts'
import type { Runtime } from '../runtime.ts'
import type { Tokens } from '../tokens.ts'
import { callerAddress, callerOf } from './caller.ts'
import { SignInFailures } from './sign-in-failures.ts'

type AnswerOf<T extends Answer['type']> = Extract<Answer, { type: T }>

const watchEvents: Record<AnswerOf<'watched'>['event'], WatchEvent> = {
  present: WatchEvent.PRESENT,
  ready: WatchEvent.READY,
  created: WatchEvent.CREATED,
  changed: WatchEvent.CHANGED,
  renamed: WatchEvent.RENAMED,
  deleted: WatchEvent.DELETED,
}

export function folderService(runtime: Runtime, tokens: Tokens): ServiceImpl<typeof FolderService> {
  const failures = new SignInFailures()

  async function ask<T extends Answer['type']>(
    context: HandlerContext,
    type: T,
    request: Call,
  ): Promise<AnswerOf<T>> {
    try {
      const { name } = callerOf(context, tokens, runtime.now())
      return (await runtime.call(request, name, context.signal)) as AnswerOf<T>
    } catch (error) {
      throw toConnectError(error)
    }
  }

  async function keep(context: HandlerContext, request: Call) {
    const { file, servers, serverCount } = await ask(context, 'kept', request)
    return { file: toFile(file), servers, serverCount }
  }

  return {
    async signIn({ name, password }, context) {
      try {
        failures.check(callerAddress(context), runtime.now())
        if (!tokens.isPassword(password)) {
          failures.add(callerAddress(context), runtime.now())
          throw new FourfoldError('unauthenticated', 'The password is not that of this set.')
        }
        const { key, token } = tokens.make(name, runtime.now())
        const request: Call = { type: 'signIn', name, key }
        const answer = await runtime.call(request, name, context.signal)
        return { token, name: (answer as AnswerOf<'signedIn'>).name }
      } catch (error) {
        throw toConnectError(error)
      }
    },

    async listFiles(request, context) {
      const { files } = await ask(context, 'list', { type: 'list', inTrash: request.inTrash })
      try {
        return page(files, request)
      } catch (error) {
        throw toConnectError(error)
      }
    },

    async readFile({ file }, context) {
      const answer = await ask(context, 'read', { type: 'read', file })
      return { file: toFile(answer.file), text: answer.text, version: answer.version }
    },

    async saveFile({ file, text, baseVersion, baseText, operation }, context) {
      const { version, ...answer } = await ask(context, 'kept', {
        type: 'save',
        file,
        text,
        baseVersion,
        ...(baseText !== undefined && { baseText }),
        operation: operation || newOperation(),
      })
      const { servers, serverCount } = answer
      return { file: toFile(answer.file), version, servers, serverCount }
    },

    deleteFile: ({ file, operation }, context) =>
      keep(context, { type: 'delete', file, operation: operation || newOperation() }),

    restoreFile: ({ file, operation }, context) =>
      keep(context, { type: 'restore', file, operation: operation || newOperation() }),

    renameFile: ({ file, name, operation }, context) =>
      keep(context, { type: 'rename', file, name, operation: operation || newOperation() }),

    async listVersions({ file }, context) {
      const { versions } = await ask(context, 'versions', { type: 'versions', file })
      return {
        versions: versions.map(({ id, name, author, at, text }) => ({
          id,
          name,
          author,
          at,
          text: inflateRawSync(text, { maxOutputLength: textBytesMax }).toString(),
        })),
      }
    },

    async *watch({ file }, context) {
      try {
        const { name } = callerOf(context, tokens, runtime.now())
        for await (const answer of runtime.watch({ type: 'watch', file }, name, context.signal)) {
          if (answer.type !== 'watched') continue
          const event = watchEvents[answer.event]
          yield answer.file ? { event, file: toFile(answer.file) } : { event }
        }
      } catch (error) {
        throw toConnectError(error)
      }
    },
  }
}

function newOperation(): string {
  return subjectId(random(16))
}

function toFile({ entry, name }: FileView): File {
  return create(FileSchema, {
    id: entry.id,
    name,
    kind: entry.kind,
    isDeleted: isDeleted(entry),
    createdBy: entry.createdBy,
    createdAt: entry.createdAt,
  })
}

// ------------------------------------------------------------------------------- pages

interface Cursor {
  inTrash: boolean
  name: string
  id: string
}

/** Pages go on after a (name, id), so that files made or deleted meanwhile shift nothing. */
function page(
  files: FileView[],
  request: ListFilesRequest,
): Pick<ListFilesResponse, 'files' | 'nextPage'> {
  const { inTrash } = request
  const size = Math.max(1, Math.min(request.pageSize || filesPerPageMax, filesPerPageMax))
  const after = request.page === '' ? undefined : readCursor(request.page, inTrash)
  const sorted = files
    .map(toFile)
    .sort((left, right) => order(left, right))
    .filter((file) => !after || order(file, after) > 0)
  const shown = sorted.slice(0, size)
  const last = shown.at(-1)
  const hasMore = sorted.length > shown.length
  return {
    files: shown,
    nextPage: hasMore && last ? writeCursor({ inTrash, name: last.name, id: last.id }) : '',
  }
}

function order(left: { name: string; id: string }, right: { name: string; id: string }): number {
  if (left.name !== right.name) return left.name < right.name ? -1 : 1
  return left.id < right.id ? -1 : left.id > right.id ? 1 : 0
}

function writeCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url')
}

function readCursor(text: string, inTrash: boolean): Cursor {
  try {
    const cursor = JSON.parse(Buffer.from(text, 'base64url').toString()) as Partial<Cursor> | null
    const { name, id } = cursor ?? {}
    if (typeof name === 'string' && typeof id === 'string' && cursor?.inTrash === inTrash) {
      return { inTrash, name, id }
    }
  } catch {
    // Not JSON: not a page of ours, answered below.
  }
  throw new FourfoldError('invalid', 'That page is not one of this list; start without a page.')
}
