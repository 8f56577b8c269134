// Operations that a program waits for: until servers say what became of them, or this device keeps
// them while no server answers.

import type { FourfoldError } from '../core/model/errors.ts'
import type { OperationBody } from '../core/session/parcel.ts'
import { subjectOf } from '../core/session/precedence.ts'

export interface Outcome {
  /** What it made or changed. */
  entry: string
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

  done(id: string, outcome: Outcome): void {
    this.#waiting.get(id)?.resolve(outcome)
    this.#waiting.delete(id)
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
      if (operation) this.done(id, { entry: subjectOf(operation), servers: [] })
    }
  }

  /** None of them is carried out by this client. */
  failAll(error: FourfoldError): void {
    for (const id of [...this.#waiting.keys()]) this.failed(id, error)
  }
}
