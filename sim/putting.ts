// How a simulated person gives bytes that a server has to files: once, or again after another upload, where
// servers said for long that they lack them.

import type { Files } from '../src/client/files.ts'
import type { ErrorCode } from '../src/core/model/errors.ts'
import { subjectId, type SubjectId } from '../src/core/model/ids.ts'
import { Kind } from '../src/core/model/wire.ts'
import type { OperationBody } from '../src/core/session/parcel.ts'
import type { DocumentId, Edit, Journal, PutBytes } from './journal.ts'
import type { Random } from './random.ts'
import { safeCount } from './receipts.ts'
import type { BytesName } from './shelf.ts'
import type { Timeline } from './timeline.ts'

export interface PuttingOptions {
  journal: Journal
  timeline: Timeline
  person: string
  /** The screen name. */
  author: string
  files: Files
  random: Random
  /** Asks servers for it, while the page is open. */
  operate: (operation: OperationBody, edits: Edit[]) => void
}

/** Bytes that are given to a file. */
interface Given {
  put: PutBytes
  /** False: it is given up. */
  again: () => boolean
}

export class Putting {
  readonly #options: PuttingOptions
  /** By operation. */
  readonly #given = new Map<string, Given>()

  constructor(options: PuttingOptions) {
    this.#options = options
  }

  /** Whether a server may still be asked to give these bytes to a file. */
  isPutting(hash: string): boolean {
    const all = [...this.#given.values()]
    return all.some(({ put }) => put.hash === hash && put.receipt.size < safeCount)
  }

  /** `upload`: brings the bytes to a server once more; false: not again. */
  put(document: SubjectId, name: BytesName, upload: (done: () => void) => boolean): void {
    const { journal, timeline, person, author, files, random, operate } = this.#options
    const isKnown = journal.files.has(document)
    const shown = files.get(document)
    if (isKnown && !shown) return
    const by = { at: timeline.now, person }
    const made = isKnown
      ? []
      : [journal.created({ ...by, id: document, ...placeOf(document), kind: Kind.BINARY })]
    const put = journal.put({ ...by, author, document, ...name })
    const operation: OperationBody = isKnown
      ? {
          id: subjectId(random.bytes(16)),
          operation: setContent(document, name, shown?.bytes?.hash),
        }
      : { id: document, operation: createBinary(document, name) }
    const give = () => operate(operation, [...made, put])
    this.#given.set(operation.id, { put, again: () => upload(give) })
    give()
  }

  /** An operation has failed. Whether it comes again: servers lacked the bytes, which are uploaded. */
  failed(operation: string, code: ErrorCode): boolean {
    const isAgain = code === 'unavailable' && this.#given.get(operation)?.again() === true
    if (!isAgain) this.#given.delete(operation)
    return isAgain
  }
}

function placeOf(document: DocumentId): { name: string; parent: string } {
  return { name: `bytes ${document.slice(0, 4)}`, parent: '' }
}

function createBinary(document: DocumentId, { hash, size }: BytesName): OperationBody['operation'] {
  const $typeName = 'fourfold.v1.CreateBinary'
  return { case: 'createBinary', value: { $typeName, ...placeOf(document), hash, size } }
}

function setContent(
  entry: SubjectId,
  { hash, size }: BytesName,
  base = '',
): OperationBody['operation'] {
  return {
    case: 'setContent',
    value: { $typeName: 'fourfold.v1.SetContent', entry, hash, size, base },
  }
}
