// Where many things are that were stored one after the other: an answer tells what was known then.

import { changedJson, commonReceipt, type Changed, type Receipt } from './answer.ts'
import { CommandError } from './command.ts'
import { inLanes } from './lanes.ts'
import { answerMs, type Ask as AskFor, type SetClient } from './set-client.ts'

/** Stores something. Asked again, it has the same operation id, and so no other effect. */
export type Ask = AskFor<Changed>

/** Something stored. Where it is may be known better when all is told. */
export interface Kept {
  answer: Changed
  /** Of bytes, which servers have or have not whatever else they have. */
  ask: Ask | undefined
}

export class Receipts {
  readonly #set: SetClient
  readonly #kept: Kept[] = []
  #last: Ask | undefined

  constructor(set: SetClient) {
    this.#set = set
  }

  /** `ask` is what this was the answer to. */
  add(answer: Changed, ask: Ask): Kept {
    this.#last = ask
    return this.#keep({ answer, ask: undefined })
  }

  /** The same of a binary file. */
  addBytes(answer: Changed, ask: Ask): Kept {
    return this.#keep({ answer, ask })
  }

  #keep(kept: Kept): Kept {
    this.#kept.push(kept)
    return kept
  }

  /** Where all of it is by now. */
  async told(): Promise<string> {
    await this.#thicken()
    return commonReceipt(this.#kept.map(({ answer }) => answer))
  }

  /** Each of these, by path, and where it is by now. */
  async toldJson(kept: readonly Kept[]): Promise<string> {
    await this.#thicken()
    const pathOf = ({ file }: Changed) => file?.path ?? ''
    const answers = kept.map(({ answer }) => answer)
    return changedJson(answers.sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1)))
  }

  async #thicken(): Promise<void> {
    try {
      if (this.#kept.some(isThin)) await this.#askAgain()
    } catch (error) {
      // What was told before is true in any case.
      if (!(error instanceof CommandError)) throw error
    }
  }

  async #askAgain(): Promise<void> {
    const last = this.#last
    if (last) {
      const { id, now } = await this.#set.talk(async (clients, call) => {
        const options = { ...call, timeoutMs: answerMs }
        const { id } = await clients.admin.getStatus({}, options)
        return { id, now: await last(clients, options) }
      })
      // Whoever has heard of the last has heard of all that this server had.
      for (const each of this.#kept) {
        if (!each.ask && each.answer.servers.includes(id)) each.answer = both(each.answer, now)
      }
    }
    await inLanes(this.#kept.filter(isThin), async (each) => {
      if (each.ask) each.answer = await this.#set.ask(each.ask)
    })
  }
}

const isThin = ({ answer }: Kept) => answer.servers.length < answer.serverCount

function both(before: Changed, now: Receipt): Changed {
  const servers = new Set([...before.servers, ...now.servers])
  return { ...before, servers: [...servers].sort(), serverCount: now.serverCount }
}
