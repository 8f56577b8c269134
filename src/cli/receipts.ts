// Where many things are that were stored one after the other: an answer tells what was known then.

import { commonReceipt, type Receipt } from './answer.ts'
import { CommandError } from './command.ts'
import { inLanes } from './lanes.ts'
import { answerMs, type Ask as AskFor, type SetClient } from './set-client.ts'

/** Stores something. Asked again, it has the same operation id, and so no other effect. */
export type Ask = AskFor<Receipt>

interface Kept {
  receipt: Receipt
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
  add(receipt: Receipt, ask: Ask): void {
    this.#kept.push({ receipt, ask: undefined })
    this.#last = ask
  }

  /** The same of a binary file. */
  addBytes(receipt: Receipt, ask: Ask): void {
    this.#kept.push({ receipt, ask })
  }

  /** Where all of it is by now. */
  async told(): Promise<string> {
    try {
      if (this.#kept.some(isThin)) await this.#askAgain()
    } catch (error) {
      // What was told before is true in any case.
      if (!(error instanceof CommandError)) throw error
    }
    return commonReceipt(this.#kept.map(({ receipt }) => receipt))
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
        if (!each.ask && each.receipt.servers.includes(id)) each.receipt = both(each.receipt, now)
      }
    }
    await inLanes(this.#kept.filter(isThin), async (each) => {
      if (each.ask) each.receipt = await this.#set.ask(each.ask)
    })
  }
}

const isThin = ({ receipt }: Kept) => receipt.servers.length < receipt.serverCount

function both(before: Receipt, now: Receipt): Receipt {
  const servers = new Set([...before.servers, ...now.servers])
  return { servers: [...servers].sort(), serverCount: now.serverCount }
}
