// A siege: people type on four real servers that are killed, frozen, wiped and started again.

import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Random } from '../../sim/random.ts'
import { labelOf } from '../../sim/token.ts'
import { Companion, sharedNow } from '../companion.ts'
import { EndedError, Fleet } from '../fleet.ts'
import { Ledger } from './ledger.ts'
import type { Blow, Round } from './plan.ts'
import type { Event, Standing, TypistsQuestions } from './typists.ts'
import { digestOf, readFile, statusOf } from './whole-files.ts'

/** A server that is started again takes edits within this. */
const reviveMs = 120_000
const lookMs = 100
/** After so many rounds people turn to other documents. */
const roundsPerDocuments = 10

export interface SiegeOptions {
  /** Processes of people, and people in each. */
  processes: number
  peopleEach: number
  documents: number
  /** How long a person waits between two edits, on average. */
  gapMs: number
  /**
   * What is left answers a person's edit within this; and from when all servers are well, everybody
   * and everything is the same within this.
   */
  patienceMs: number
  random: Random
}

/** A time that was waited for, with what for. */
export interface Waited {
  /** The slowest person's edit after the last blow of a round: until some server held it. */
  serviceMs: number[]
  /** From when all servers were well. */
  convergeMs: number[]
}

export class Siege {
  readonly ledger = new Ledger()
  readonly waited: Waited = { serviceMs: [], convergeMs: [] }
  readonly #fleet: Fleet
  readonly #typists: Companion<TypistsQuestions>[]
  readonly #options: SiegeOptions
  /** All documents so far; the last `options.documents` of them are open. */
  readonly #documents: string[] = []
  readonly #revivals: Promise<void>[] = []
  readonly #events: Event[] = []
  #roundCount = 0

  private constructor(fleet: Fleet, options: SiegeOptions) {
    this.#fleet = fleet
    this.#options = options
    const file = new URL('./typists.ts', import.meta.url)
    this.#typists = Array.from({ length: options.processes }, () => new Companion(file))
  }

  /** Servers and people are there, and the first documents are open. */
  static async begin(options: SiegeOptions): Promise<Siege> {
    const fleet = await Fleet.start()
    const siege = new Siege(fleet, options)
    try {
      await siege.#join()
      await siege.#turnToNewDocuments()
    } catch (error) {
      await siege.end()
      throw error
    }
    return siege
  }

  get servers(): readonly string[] {
    return this.#fleet.ids
  }

  /** Where everything that was stored lies. */
  get directory(): string {
    return this.#fleet.directory
  }

  /** Where a server keeps what it stores. */
  storeOf(server: string): string {
    return this.#fleet.data(server)
  }

  /** Kills everything; `isKept`: what was stored stays for whoever looks into it. */
  async end(isKept = false): Promise<void> {
    await Promise.all(this.#typists.map((typists) => typists.end()))
    await this.#fleet.end(isKept)
  }

  // -------------------------------------------------------------------------------- a round

  /** One round, with all checks; what is wrong is in the ledger. */
  async round({ calmMs, blows, siegeMs }: Round): Promise<void> {
    if (++this.#roundCount % roundsPerDocuments === 0) await this.#turnToNewDocuments()
    await this.#type(true)
    await sleep(calmMs)
    await this.#strike(blows)
    await sleep(siegeMs)
    this.#checkFallen()
    const serving = await this.#serving()
    if (serving.length > 0) {
      await this.#proveService(serving)
      await this.#checkServers(serving)
    }
    await this.#reviveAll()
    await this.#type(false)
    await this.#converge()
    this.#checkFallen()
  }

  async #strike(blows: Blow[]): Promise<void> {
    const startedAt = sharedNow()
    for (const blow of blows) {
      await sleep(Math.max(0, startedAt + blow.at - sharedNow()))
      if (blow.type === 'revive') this.#revivals.push(this.#revive(blow.server))
      else await this.#hit(blow.type, blow.server)
    }
  }

  async #hit(type: 'kill' | 'freeze' | 'wipe', server: string): Promise<void> {
    if (type === 'freeze') {
      this.#fleet.freeze(server)
      return
    }
    const killed = this.#fleet.kill(server)
    if (type === 'kill') return // The signal is sent; the next one falls without a wait.
    await killed
    rmSync(this.#fleet.data(server), { recursive: true })
    this.ledger.destroyed(sharedNow(), server)
  }

  async #revive(server: string): Promise<void> {
    if (this.#fleet.isFrozen(server)) {
      this.#fleet.thaw(server)
      return
    }
    await this.#fleet.gone(server)
    try {
      await this.#fleet.start(server)
    } catch (error) {
      // Struck again while it started: the next revival sees to it.
      if (!(error instanceof EndedError && error.end.signal === 'SIGKILL')) throw error
    }
  }

  async #reviveAll(): Promise<void> {
    const { random } = this.#options
    const down = random.shuffled(this.servers.filter((id) => !this.#isStanding(id)))
    const revivals = down.map(async (server, index) => {
      await sleep(index * random.below(500))
      await this.#revive(server)
    })
    await Promise.all([...revivals, ...this.#revivals.splice(0)])
    await this.#fleet.well(this.servers, reviveMs)
  }

  #isStanding(id: string): boolean {
    return this.#fleet.isRunning(id) && !this.#fleet.isFrozen(id)
  }

  /** Servers that take edits now. */
  async #serving(): Promise<string[]> {
    const standing = this.servers.filter((id) => this.#isStanding(id))
    const areWell = await Promise.all(standing.map((id) => this.#fleet.isWell(id)))
    return standing.filter((_, index) => areWell[index])
  }

  // --------------------------------------------------------------------------------- checks

  /** No server ends but by our hand. */
  #checkFallen(): void {
    for (const { id, said } of this.#fleet.takeFallen()) {
      this.ledger.report('C0', `server ${id} ended by itself: ${said.slice(-2000)}`)
    }
  }

  /** Everybody's edit reaches what is left. */
  async #proveService(serving: string[]): Promise<void> {
    const { patienceMs } = this.#options
    const proofs = (await this.#ask('proveService', { boundMs: patienceMs })).flat()
    for (const { label, tookMs } of proofs) {
      if (tookMs <= patienceMs) continue
      const text = `no server took an edit of ${label} for ${patienceMs} ms, and ${serving.join(' ')} served`
      this.ledger.report('C11', text)
    }
    this.waited.serviceMs.push(Math.max(...proofs.map(({ tookMs }) => tookMs)))
  }

  /** What was acknowledged until now is on the servers of its receipt, and nothing else is. */
  async #checkServers(servers: readonly string[]): Promise<void> {
    // Between the report and the reads nobody types: what is read was reported.
    await this.#type(false)
    await this.#absorb()
    for (const { server, document, text } of await this.#readAll(servers, this.#open)) {
      this.ledger.readServer(server, document, text)
    }
    for (const server of servers) this.ledger.checkReceipts(server, this.#open)
    await this.#type(true)
  }

  /** Everybody and everything comes to the same. */
  async #converge(): Promise<void> {
    const startedAt = sharedNow()
    await this.#settle(() => this.#unsettled())
    this.waited.convergeMs.push(sharedNow() - startedAt)
    await this.#settle(() => this.#untold())
    await this.#absorb()
    const screens = await this.#screens()
    const reads = await this.#readAll(this.servers, this.#open)
    for (const { server, document, text } of reads) this.ledger.readServer(server, document, text)
    for (const { label, document, text } of screens) this.ledger.readScreen(label, document, text)
    for (const server of this.servers) this.ledger.checkReceipts(server, this.#open)
    for (const document of this.#open) {
      const shown = screens.map((screen) => ({ ...screen, where: `the screen of ${screen.label}` }))
      const stored = reads.map((read) => ({ ...read, where: `server ${read.server}` }))
      const readings = [...stored, ...shown].filter((reading) => reading.document === document)
      this.ledger.checkSame(
        document,
        readings.map(({ where, text }) => ({ where, value: text })),
      )
    }
  }

  /** Why not everything is the same, if so. */
  async #unsettled(): Promise<string | undefined> {
    const standings = (await this.#ask('stand', undefined)).flat()
    const waiting = standings.find((standing) => standing.waiting > 0)
    if (waiting) return `${waiting.waiting} edits of ${waiting.label} wait`
    const screens = screensOf(standings)
    for (const { server, document, text } of await this.#readAll(this.servers, this.#open)) {
      const other = screens.find((screen) => screen.document === document && screen.text !== text)
      if (other) return `${other.label} sees another text of ${document} than server ${server}`
    }
    const digests = await Promise.all(this.#fleet.addresses.map((address) => digestOf(address)))
    return new Set(digests).size === 1 ? undefined : 'the digests of the servers differ'
  }

  /** Looks until there is no trouble; what is left of it in the end is a violation. */
  async #settle(look: () => Promise<string | undefined>): Promise<void> {
    const startedAt = sharedNow()
    const { patienceMs } = this.#options
    for (;;) {
      const trouble = await look()
      if (trouble === undefined) return
      if (sharedNow() - startedAt > patienceMs) {
        this.ledger.report('C2', `${patienceMs} ms after all servers were well ${trouble}`)
        return
      }
      await sleep(lookMs)
    }
  }

  /** What an operator is not shown as it is, if so. */
  async #untold(): Promise<string | undefined> {
    const statuses = await statusOf(this.#fleet.addresses)
    const dead = statuses.find(({ state }) => state !== 'live')
    if (dead) return `server ${dead.id} is shown as ${dead.state}`
    const digests = new Set(statuses.map(({ digest }) => digest ?? 'none'))
    return digests.size === 1 ? undefined : `the digests shown are ${[...digests].join(' ')}`
  }

  /**
   * At the end: every document of the whole siege is the same on all servers, and each of these,
   * started alone after all were killed, has all of it. `allDead` is called between their lives.
   */
  async finish(allDead: () => void = () => {}): Promise<void> {
    await this.#ask('leave', undefined)
    await this.#absorb()
    const texts = new Map<string, string>()
    for (const { server, document, text } of await this.#readAll(this.servers, this.#documents)) {
      const first = texts.get(document)
      if (first === undefined) texts.set(document, text)
      else this.ledger.checkSame(document, comparison(first, `server ${server}`, text))
    }
    for (const [document, text] of texts) this.ledger.checkEnd(document, text)
    await Promise.all(this.servers.map((id) => this.#fleet.kill(id)))
    allDead()
    for (const id of this.servers) {
      await this.#fleet.start(id)
      await this.#fleet.well([id])
      for (const { document, text } of await this.#readAll([id], this.#documents)) {
        const where = `server ${id}, alone`
        this.ledger.checkSame(document, comparison(texts.get(document)!, where, text))
        this.ledger.readServer(id, document, text)
      }
      this.ledger.checkReceipts(id, this.#documents)
      await this.#fleet.kill(id)
    }
  }

  // --------------------------------------------------------------------------------- people

  get #open(): string[] {
    return this.#documents.slice(-this.#options.documents)
  }

  async #join(): Promise<void> {
    const { processes, peopleEach, gapMs, random } = this.#options
    const labels = Array.from({ length: processes * peopleEach }, (_, index) => labelOf(index))
    const servers = this.#fleet.addresses
    await Promise.all(
      this.#typists.map((typists, index) => {
        const own = labels.slice(index * peopleEach, (index + 1) * peopleEach)
        const seed = `${random.below(2 ** 31)}`
        return typists.ask('join', { labels: own, servers, seed, gapMs })
      }),
    )
  }

  async #turnToNewDocuments(): Promise<void> {
    for (let count = 0; count < this.#options.documents; count++) {
      const name = `siege ${this.#documents.length + 1}`
      const { id } = await this.#typists[0]!.ask('create', { name })
      this.#documents.push(id)
    }
    await this.#ask('open', { documents: this.#open })
  }

  async #type(isTyping: boolean): Promise<void> {
    await this.#ask('type', { isTyping })
  }

  async #absorb(): Promise<void> {
    for (const events of await this.#ask('report', undefined)) this.#events.push(...events)
    this.ledger.absorb(this.#events.splice(0))
  }

  async #screens(): Promise<Screen[]> {
    return screensOf((await this.#ask('stand', undefined)).flat())
  }

  #ask<N extends keyof TypistsQuestions>(
    name: N,
    given: TypistsQuestions[N]['given'],
  ): Promise<TypistsQuestions[N]['answer'][]> {
    return Promise.all(this.#typists.map((typists) => typists.ask(name, given)))
  }

  #readAll(servers: readonly string[], documents: readonly string[]): Promise<Read[]> {
    const reads = servers.flatMap((server) =>
      documents.map(async (document) => {
        return { server, document, text: await readFile(this.#fleet.address(server), document) }
      }),
    )
    return Promise.all(reads)
  }
}

interface Read {
  server: string
  document: string
  text: string
}

interface Screen {
  label: string
  document: string
  text: string
}

function screensOf(standings: Standing[]): Screen[] {
  return standings.flatMap(({ label, texts }) =>
    Object.entries(texts).map(([document, text]) => ({ label, document, text })),
  )
}

function comparison(first: string, where: string, text: string) {
  return [
    { where: 'the set', value: first },
    { where, value: text },
  ]
}
