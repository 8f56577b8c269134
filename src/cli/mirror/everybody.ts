// All servers of a set, each asked by itself: what none of them has is lost, and not on its way. For a
// server that told of something has it on its disk until that is damaged, or an older copy of it is put
// in its place.

import { Code, ConnectError } from '@connectrpc/connect'
import { ServerState } from '../../core/model/wire.ts'
import { AnswerError, NoServerError, type Ask, type SetClient } from '../set-client.ts'

/** Where one did not answer, all are asked again after this: to ask one that is frozen takes long. */
const againMs = 10_000

export class Everybody {
  readonly #set: SetClient
  #notBefore = -Infinity

  constructor(set: SetClient) {
    this.#set = set
  }

  /** What each of them answers; undefined: not all do. Rejects with NoServerError when none is there. */
  async ask<T>(ask: Ask<T>): Promise<T[] | undefined> {
    if (performance.now() < this.#notBefore) return undefined
    const { servers } = await this.#set.ask(({ admin }, call) => admin.getStatus({}, call))
    const { servers: all = [], life = '' } = servers ?? {}
    if (all.length === 0 || all.some(({ state }) => state === ServerState.DOWN)) return undefined
    const sets = all.map(({ address }) => this.#set.only(address))
    try {
      const answers = sets.map((set, index) =>
        set.ask(async (clients, call) => {
          // Seen from here, another set may be at that address.
          const there = await clients.admin.getStatus({}, call)
          const isIt = there.id === all[index]!.id && there.servers?.life === life
          return isIt ? { value: await ask(clients, call) } : undefined
        }),
      )
      const values = (await Promise.all(answers)).filter((answer) => answer !== undefined)
      return values.length === all.length ? values.map(({ value }) => value) : undefined
    } catch (error) {
      if (error instanceof NoServerError) this.#notBefore = performance.now() + againMs
      else if (!(error instanceof AnswerError)) throw error
      return undefined
    } finally {
      for (const set of sets) set.close()
    }
  }
}

/** Whether a server knows an entry, in the trash or not. */
export function knows(file: string): Ask<boolean> {
  return ({ folder }, call) => unlessMissing(folder.getFile({ file }, call).then(() => true))
}

/** What a server has; false, where it does not know what was asked about. */
export async function unlessMissing(has: Promise<boolean>): Promise<boolean> {
  try {
    return await has
  } catch (error) {
    if (ConnectError.from(error).code === Code.NotFound) return false
    throw error
  }
}
