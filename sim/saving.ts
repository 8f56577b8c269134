// How a simulated person saves a whole file, as a program without a live document does: reads it at one
// server, and sends the new text to that one; when no answer comes, the same call to another.

import type { Call, Answer } from '../src/core/replica/messages.ts'
import { subjectId, type SubjectId } from '../src/core/model/ids.ts'
import type { Bits } from './bits.ts'
import type { Checkers } from './checkers.ts'
import type { Edit, Journal, Token } from './journal.ts'
import { textOf } from './last-look.ts'
import type { HostName, Network } from './network.ts'
import { serverNames, type Act } from './plan.ts'
import type { Random } from './random.ts'
import type { SimulatedServer } from './server.ts'
import type { Timeline } from './timeline.ts'
import { tokenText, wordsOf } from './token.ts'
import type { Trace } from './trace.ts'

/** Sent again, to one server after the other, so often and so far apart. */
const tries = 12
const retryMs = 400

export type SaveAct = Extract<Act, { type: 'save' }>

export interface SavingOptions {
  timeline: Timeline
  trace: Trace
  journal: Journal
  checkers: Checkers
  network: Network
  random: Random
  servers: ReadonlyMap<HostName, SimulatedServer>
  person: string
  /** Of the person's tokens. */
  label: string
  documentId: (number: number) => SubjectId
}

type Reading = Extract<Answer, { type: 'read' }>

export class Saving {
  readonly #options: SavingOptions
  /** After this nothing is asked. */
  readonly #until: number
  #readings = 0

  constructor(options: SavingOptions, until: number) {
    this.#options = options
    this.#until = until
  }

  save(act: SaveAct): void {
    const { documentId, timeline } = this.#options
    this.#ask(act.first, { type: 'read', file: documentId(act.document) }, (answer) => {
      if (answer.type !== 'read') return
      const seen = this.#look(answer)
      timeline.after(act.thinkMs, () => {
        if (timeline.now <= this.#until) this.#send(act, answer, seen)
      })
    })
  }

  // What a file holds is no screen that goes on: each is a place of its own.
  #look({ file, text }: Reading): Bits {
    const { checkers, person } = this.#options
    const name = `${person}, file ${++this.#readings}`
    return checkers.read({ kind: 'screen', name }, file.entry.id, text)
  }

  #send(act: SaveAct, read: Reading, seen: Bits): void {
    const { timeline, random } = this.#options
    const { text, token, edits } = this.#changed(act, read, seen)
    const request: Call = {
      type: 'save',
      file: read.file.entry.id,
      text,
      baseVersion: read.version,
      baseText: read.text,
      baseState: read.state,
      operation: subjectId(random.bytes(16)),
    }
    let isAnswered = false
    const answered = (answer: Answer) => {
      if (answer.type === 'failed' && answer.error.code === 'unavailable') return
      isAnswered = true
      if (answer.type === 'kept') this.#told(edits, answer.servers)
      else this.#note(answer.type === 'failed' ? answer.error.message : answer.type)
    }
    const ask = (name: HostName, hear: (answer: Answer) => void) =>
      this.#ask(name, request, hear, (answer) => this.#checkTold(name, answer, token))
    ask(act.first, act.isLost ? () => {} : answered)
    const others = serverNames.filter((name) => name !== act.second)
    const order = [act.second, ...others]
    for (let count = 0; count < tries; count++) {
      timeline.after(act.retryMs + count * retryMs, () => {
        if (!isAnswered) ask(order[count % order.length]!, answered)
      })
    }
  }

  /** The text with a word more, and perhaps one less. */
  #changed(act: SaveAct, { file, text }: Reading, seen: Bits) {
    const { journal, person, label, timeline } = this.#options
    const document = file.entry.id
    const at = timeline.now
    const { found } = wordsOf(text)
    const typed = { at, person, label, document, seen, follows: undefined, isOfFile: true }
    const token = journal.typed(typed)
    const edits: Edit[] = [token]
    const words = found.map(({ start, end }) => text.slice(start, end))
    const place = Math.floor(act.where * (words.length + 1))
    const gone = act.which === undefined ? -1 : Math.floor(act.which * words.length)
    // Beside each other they could be told as one word that changed.
    const isApart = gone !== place && gone !== place - 1
    const deleted =
      isApart && found[gone] && journal.document(document).byName.get(found[gone].name)
    if (deleted) {
      edits.push(journal.deleted(at, person, deleted))
      words[gone] = ''
    }
    words.splice(place, 0, tokenText(token.name))
    return { text: words.join(''), token, edits }
  }

  #ask(
    name: HostName,
    request: Call,
    answered: (answer: Answer) => void,
    made: (answer: Answer) => void = () => {},
  ): void {
    const { servers, timeline } = this.#options
    if (timeline.now > this.#until || !this.#canReach(name)) return
    this.#note(`asks ${name} to ${request.type}`)
    servers.get(name)!.call(request, {
      answered: (answer) => {
        if (this.#canReach(name)) answered(answer)
      },
      made,
    })
  }

  /** Of itself a server may speak before its disk has it: then the answer waits for that. */
  #checkTold(by: HostName, answer: Answer, token: Token): void {
    if (answer.type !== 'kept') return
    const { servers, checkers } = this.#options
    const server = servers.get(by)!
    for (const name of answer.servers) {
      const holder = servers.get(name)!
      // Undefined: a bit of it was flipped, of which nobody knows until it is read.
      const doc = holder.disk.doc(token.document as SubjectId)
      if (name === by || !doc || !server.knowsDiskOf(holder)) continue
      checkers.checkTold(by, name, token, textOf(doc))
    }
  }

  #canReach(server: HostName): boolean {
    const { network, person } = this.#options
    return !network.isCut(person, server) && !network.isFrozen(person)
  }

  #told(edits: Edit[], servers: string[]): void {
    const { journal, timeline } = this.#options
    for (const edit of edits) for (const server of servers) journal.told(timeline.now, edit, server)
    this.#note(`saved on ${servers.join(' ')}`)
  }

  #note(text: string): void {
    const { trace, timeline, person } = this.#options
    trace.note(timeline.now, `${person}, whole file: ${text}`)
  }
}
