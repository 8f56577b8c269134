// A process of people who type, each with a client of its own, and keep a journal of what they did.

import { tokenName, tokenText, wordsOf, type Found } from '../../sim/token.ts'
import { Random } from '../../sim/random.ts'
import { connect, type Client, type LiveDocument } from '../../src/client/index.ts'
import { answerQuestions, sharedNow } from '../companion.ts'

/** What happened to one person, in order. `at`: milliseconds of the machine's shared clock. */
export type Event =
  /** A word was typed; `follows`: right after this word of the same writer. */
  | { type: 'typed'; label: string; document: string; at: number; name: string; follows?: string }
  | { type: 'deleted'; label: string; document: string; at: number; name: string }
  /** The person's first `count` edits of a document are said to be on the disks of these servers. */
  | {
      type: 'told'
      label: string
      document: string
      at: number
      count: number
      servers: string[]
    }

/** How one person stands. */
export interface Standing {
  label: string
  /** The server of the moment; empty: none. */
  server: string
  /** Edits that no server is known to hold. */
  waiting: number
  /** The screens, by document. */
  texts: { [document: string]: string }
}

export interface TypistsQuestions {
  /** Everybody signs in; answers when all are in. */
  join: {
    given: { labels: string[]; servers: string[]; seed: string; gapMs: number }
    answer: undefined
  }
  create: { given: { name: string }; answer: { id: string } }
  /** From here on these documents are typed in; others are closed. */
  open: { given: { documents: string[] }; answer: undefined }
  /** Everybody goes on, or stops. */
  type: { given: { isTyping: boolean }; answer: undefined }
  /** What happened since the last report. */
  report: { given: undefined; answer: Event[] }
  stand: { given: undefined; answer: Standing[] }
  /** Everybody makes an edit now; how long each waited until a server held it. */
  proveService: { given: { boundMs: number }; answer: { label: string; tookMs: number }[] }
  leave: { given: undefined; answer: undefined }
}

/** How often what is known of receipts is looked at, beside every change. */
const lookMs = 25
/** Texts stay about this long, in words: beyond it people delete more than they type. */
const wordsMax = 300

class Typist {
  readonly label: string
  readonly client: Client
  readonly #random: Random
  readonly #gapMs: number
  readonly #papers = new Map<string, Paper>()
  readonly #events: Event[]
  #number = 0
  #timer: NodeJS.Timeout | undefined

  constructor(
    label: string,
    options: { servers: string[]; seed: string; gapMs: number; events: Event[] },
  ) {
    this.label = label
    this.#random = new Random(`${options.seed}/${label}`)
    this.#gapMs = options.gapMs
    this.#events = options.events
    const servers = this.#random.shuffled(options.servers)
    this.client = connect({ servers, name: `typist ${label}`, agent: 'siege' })
    this.client.onChange(() => this.look())
  }

  async open(documents: string[]): Promise<void> {
    for (const [id, paper] of this.#papers) {
      if (documents.includes(id)) continue
      paper.close()
      this.#papers.delete(id)
    }
    for (const id of documents) {
      if (this.#papers.has(id)) continue
      this.#papers.set(id, new Paper(this.client.open(id), this.label, this.#events))
    }
    await Promise.all([...this.#papers.values()].map(({ live }) => live.loaded))
  }

  type(isTyping: boolean): void {
    clearTimeout(this.#timer)
    if (!isTyping) return
    const waitMs = Math.min(4 * this.#gapMs, this.#random.span(this.#gapMs))
    this.#timer = setTimeout(() => {
      this.#edit()
      this.type(true)
    }, waitMs)
  }

  #edit(): void {
    const random = this.#random
    const paper = random.pick([...this.#papers.values()])
    const { found } = wordsOf(paper.live.text.toString())
    const chance = random.next()
    const deletesPart = found.length > wordsMax ? 0.6 : 0.2
    if (chance < deletesPart && found.length > 0) paper.delete(random.pick(found))
    else if (chance < 0.75) paper.continue(found, ++this.#number)
    // Between any two words: into what others are typing, too.
    else paper.insert(found[random.below(found.length + 1) - 1]?.end ?? 0, ++this.#number)
  }

  /** Types a word now; resolves when a server holds it. */
  async prove(boundMs: number): Promise<number> {
    const startedAt = sharedNow()
    const paper = this.#random.pick([...this.#papers.values()])
    paper.continue(wordsOf(paper.live.text.toString()).found, ++this.#number)
    const mine = paper.made
    while (paper.heldCount < mine) {
      if (sharedNow() - startedAt > boundMs) return Infinity
      await new Promise((resolve) => setTimeout(resolve, 5))
      this.look()
    }
    return paper.heldAt - startedAt
  }

  look(): void {
    for (const paper of this.#papers.values()) paper.look()
  }

  stand(): Standing {
    const { connection } = this.client
    const papers = [...this.#papers.values()]
    return {
      label: this.label,
      server: connection.name === 'online' ? connection.server : '',
      waiting: papers.reduce((sum, { made, heldCount }) => sum + made - heldCount, 0),
      texts: Object.fromEntries(papers.map(({ live }) => [live.id, live.text.toString()])),
    }
  }

  leave(): void {
    clearTimeout(this.#timer)
    this.client.close()
  }
}

/** One document under one person's hands. */
class Paper {
  readonly live: LiveDocument
  readonly #label: string
  readonly #events: Event[]
  #lastTyped: string | undefined
  /** Edits made here, and how many of them are said to be on some disk, since when. */
  made = 0
  heldCount = 0
  heldAt = 0
  #told = ''

  constructor(live: LiveDocument, label: string, events: Event[]) {
    this.live = live
    this.#label = label
    this.#events = events
  }

  /** After the word typed last, if it is still there; else at the end. */
  continue(found: Found[], number: number): void {
    const last = found.find(({ name }) => name === this.#lastTyped)
    if (last) this.insert(last.end, number, last.name)
    else this.insert(found.at(-1)?.end ?? 0, number)
  }

  insert(place: number, number: number, follows?: string): void {
    const name = tokenName(this.#label, number)
    const typed = { ...this.#event('typed'), name }
    this.#events.push(follows === undefined ? typed : { ...typed, follows })
    this.#lastTyped = name
    this.#do(() => this.live.text.insert(place, tokenText(name)))
  }

  delete({ name, start, end }: Found): void {
    this.#events.push({ ...this.#event('deleted'), name })
    this.#do(() => this.live.text.delete(start, end - start))
  }

  // In the journal before it is on its way: what a server shows, somebody asked for.
  #do(edit: () => void): void {
    this.made++
    const count = this.made
    edit()
    const told = ({ servers }: { servers: string[] }) => this.#tell(count, servers)
    // Closing the client ends the waiting; what was told until then counts.
    this.live.stored().then(told, () => undefined)
  }

  /** What is known of where all edits so far are. */
  look(): void {
    this.#tell(this.made, this.live.receipt().servers)
  }

  #tell(count: number, servers: string[]): void {
    if (count === 0 || servers.length === 0) return
    const told = `${count} ${servers.join(' ')}`
    if (told === this.#told) return
    this.#told = told
    const event = { ...this.#event('told'), count, servers }
    this.#events.push(event)
    if (count <= this.heldCount) return
    this.heldCount = count
    this.heldAt = event.at
  }

  #event<T extends Event['type']>(type: T) {
    return { type, label: this.#label, document: this.live.id, at: sharedNow() }
  }

  close(): void {
    this.live.close()
  }
}

const typists: Typist[] = []
const events: Event[] = []

answerQuestions<TypistsQuestions>({
  async join({ labels, ...options }) {
    for (const label of labels) typists.push(new Typist(label, { ...options, events }))
    await Promise.all(typists.map(({ client }) => client.joined()))
    setInterval(() => typists.forEach((typist) => typist.look()), lookMs)
    return undefined
  },
  async create({ name }) {
    const { id } = await typists[0]!.client.create(name, '')
    return { id }
  },
  async open({ documents }) {
    await Promise.all(typists.map((typist) => typist.open(documents)))
    return undefined
  },
  type({ isTyping }) {
    for (const typist of typists) typist.type(isTyping)
    return undefined
  },
  report: () => events.splice(0),
  stand: () => typists.map((typist) => typist.stand()),
  proveService: ({ boundMs }) =>
    Promise.all(
      typists.map(async (typist) => {
        return { label: typist.label, tookMs: await typist.prove(boundMs) }
      }),
    ),
  leave() {
    for (const typist of typists) typist.leave()
    return undefined
  },
})
