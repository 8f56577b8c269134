// Operations that a program waits for: until servers say what became of them, or this device keeps
// them while no server answers.

import type { FourfoldError } from '../core/model/errors.ts'
import type { OperationBody } from '../core/session/parcel.ts'
import { subjectsOf } from '../core/session/precedence.ts'
import type { Undone } from '../core/model/wire.ts'

export interface Outcome {
  /** What it made or changed; of several the first. */
  entry: string
  /** Of several, those to which it was not done. */
  undone: readonly Undone[]
  /** The servers on whose disks it is. */
  servers: string[]
}

export class Operating {
  readonly #waiting = new Map<string, PromiseWithResolvers<Outcome>>()

  /** Resolves when it took effect or is kept. Rejects with FourfoldError. */
  wait(id: string): Promise<Outcome> {
    const waiting = Promise.withResolvers<Outcome>()
    this.#waiting.set(id, waiting)
    return waiting.promise
  }

  /** Returns whether anybody waited for it. */
  done(id: string, outcome: Outcome): boolean {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    waiting?.resolve(outcome)
    return waiting !== undefined
  }

  /** It never takes effect. Returns whether anybody waited for it. */
  failed(id: string, error: FourfoldError): boolean {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    waiting?.reject(error)
    return waiting !== undefined
  }

  /** Nobody waits any more for what this device keeps: it takes effect later. */
  letGo(kept: (id: string) => OperationBody | undefined): void {
    for (const id of [...this.#waiting.keys()]) {
      const operation = kept(id)
      if (operation) this.done(id, { entry: subjectsOf(operation)[0]!, undone: [], servers: [] })
    }
  }

  /** None of them is carried out by this client. */
  failAll(error: FourfoldError): void {
    for (const id of [...this.#waiting.keys()]) this.failed(id, error)
  }
}
