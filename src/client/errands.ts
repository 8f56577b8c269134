// What this person asked of the folder and is not certain to stay: kept on this device, and shown.

import { create, toBinary } from '@bufbuild/protobuf'
import { checkFileName } from '../core/model/names.ts'
import { OperationSchema, type Operation } from '../core/model/wire.ts'
import type { OperationBody } from '../core/session/parcel.ts'
import type { Asked } from '../core/session/session.ts'
import type { Files } from './files.ts'
import { waitingOf } from './foreseen.ts'
import type { Keepsake } from './keepsake.ts'

/** What could not be written is tried again after this, with the next step that the session takes. */
const retryMs = 5000

export interface ErrandsOptions {
  keepsake: Keepsake
  files: Files
  /** Other files are shown than before. */
  changed: () => void
  /** This device keeps more of them than before. */
  kept: () => void
}

export class Errands {
  readonly #options: ErrandsOptions
  /** By id, what the session has, and whether this device keeps it. */
  readonly #errands = new Map<string, { operation: OperationBody; isKept: boolean }>()
  /** Ids of what is shown as if it were done. */
  #shown = ''
  #writing: Promise<void> = Promise.resolve()
  /** Ids of what is certain or over, and may still be kept. */
  readonly #gone = new Set<string>()
  /** When the device could not write; undefined: it could. */
  #failedAt: number | undefined

  constructor(options: ErrandsOptions) {
    this.#options = options
  }

  /** What an earlier life of this client left; they are to be asked for again, in this order. */
  begin(kept: readonly OperationBody[]): void {
    for (const operation of kept) this.#errands.set(operation.id, { operation, isKept: true })
  }

  /** What another session left; returns that of it which is to be asked for, in this order. */
  take(left: readonly OperationBody[]): OperationBody[] {
    const fresh = left.filter(({ id }) => !this.#errands.has(id))
    this.begin(fresh)
    return fresh
  }

  /** The device lost what it had of them. */
  lost(): void {
    if (this.#errands.size === 0) return
    for (const errand of this.#errands.values()) errand.isKept = false
    this.#keep()
  }

  /** Resolves when nothing of them is on its way to the device. */
  get written(): Promise<void> {
    return this.#writing
  }

  /** Whether this device keeps what was asked for under this id. */
  isKept(id: string): boolean {
    return this.#errands.get(id)?.isKept ?? false
  }

  /** What was asked for under this id, while it is not certain to stay. */
  get(id: string): OperationBody | undefined {
    return this.#errands.get(id)?.operation
  }

  /** The first text of a file that no server is known to have made. */
  firstText(id: string): string | undefined {
    const operation = this.#errands.get(id)?.operation.operation
    return operation?.case === 'create' ? operation.value.text : undefined
  }

  /** The session took a step. */
  look(asked: readonly Asked[]): void {
    if (asked.length === 0 && this.#errands.size === 0 && this.#failedAt === undefined) return
    const { files, changed } = this.#options
    const present = new Map(asked.map(({ operation }) => [operation.id, operation]))
    const gone = [...this.#errands.keys()].filter((id) => !present.has(id))
    const come = asked.map(({ operation }) => operation).filter(({ id }) => !this.#errands.has(id))
    for (const id of gone) {
      this.#errands.delete(id)
      this.#gone.add(id)
    }
    for (const operation of come) this.#errands.set(operation.id, { operation, isKept: false })
    const isDue = this.#failedAt !== undefined && performance.now() >= this.#failedAt + retryMs
    if (gone.length > 0 || come.length > 0 || isDue) this.#keep()
    const waiting = waitingOf(asked, (id) => files.isTold(id))
    const shown = waiting.map(({ id }) => id).join()
    if (shown === this.#shown) return
    this.#shown = shown
    files.wait(waiting)
    changed()
  }

  #keep(): void {
    const { keepsake, kept } = this.#options
    if (!keepsake.isKeeping) return
    this.#failedAt = undefined
    this.#writing = this.#writing.then(async () => {
      const errands = [...this.#errands.values()]
      const come = errands.filter(({ operation, isKept }) => !isKept && isLasting(operation))
      const operations = come.map(({ operation }) => {
        return { id: operation.id, bytes: encoded(operation) }
      })
      const gone = [...this.#gone]
      if (!(await keepsake.keepOperations(operations, gone))) {
        this.#failedAt = performance.now()
        return
      }
      for (const id of gone) this.#gone.delete(id)
      for (const errand of come) errand.isKept = true
      if (come.length > 0) kept()
    })
  }
}

/** What is named is the text at that moment: it cannot wait for another life. */
function isLasting({ operation }: OperationBody): boolean {
  return operation.case !== 'nameVersion'
}

/** What every server would refuse is refused at once. */
export function checkName({ case: what, value }: Operation['operation']): void {
  const isNamed = what === 'create' || what === 'createBinary' || what === 'makeDirectory'
  if (isNamed || what === 'rename') checkFileName(value.name)
  if (what === 'move' && value.name !== '') checkFileName(value.name)
}

function encoded({ id, operation }: OperationBody): Uint8Array {
  return toBinary(OperationSchema, create(OperationSchema, { id, operation }))
}
