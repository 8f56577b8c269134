// A set of real server processes on loopback: started, killed, frozen, started again by one command.

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fromJson } from '@bufbuild/protobuf'
import {
  GetStatusResponseSchema,
  ServerState,
  type GetStatusResponse,
} from '../src/core/model/wire.ts'
import { freePorts } from './ports.ts'
import { program } from './tool.ts'
import { patienceMs } from './until.ts'

/** How often a server is asked how it is. */
const askMs = 20
const askGiveUpMs = 2000

export interface FleetOptions {
  ids?: string[]
  /** Further keys of the configuration file. */
  configuration?: Record<string, unknown>
  /** Flags of Node for the servers. */
  nodeFlags?: string[]
  env?: Record<string, string>
  /** The words of a command that starts this server, before those of Node: "sh", "-c", … */
  within?: (id: string, fleet: Fleet) => string[]
  /** What is done with the directories of the servers before they start. */
  prepare?: (fleet: Fleet) => Promise<void>
}

/** How a process came to its end. */
export interface End {
  code: number | null
  signal: NodeJS.Signals | null
}

/** A server ended before it listened. */
export class EndedError extends Error {
  readonly end: End

  constructor(end: End, said: string) {
    super(`the server ended (${end.code ?? end.signal}) before it listened:\n${said}`)
    this.end = end
  }
}

export class Fleet {
  readonly ids: readonly string[]
  readonly directory: string
  readonly #options: FleetOptions
  readonly #ports: Map<string, number>
  readonly #servers = new Map<string, ServerProcess>()
  /** Why the last question had no answer. */
  #unasked = 'all that were asked answered'

  private constructor(options: FleetOptions, ports: Map<string, number>) {
    this.#options = options
    this.#ports = ports
    this.ids = [...ports.keys()]
    this.directory = mkdtempSync(join(tmpdir(), 'fourfold-'))
    for (const id of this.ids) this.route(id, {})
  }

  /** From its next start on this server knows those others by other addresses. */
  route(id: string, addresses: { [other: string]: string }): void {
    const servers = this.ids.map((each) => ({
      id: each,
      address: addresses[each] ?? this.address(each),
    }))
    const configuration = { set: 'test', data: 'data', servers, ...this.#options.configuration }
    writeFileSync(this.#file(id), JSON.stringify(configuration, null, 2))
  }

  /** Chooses ports and a directory; starts nothing. */
  static async create(options: FleetOptions = {}): Promise<Fleet> {
    const ids = options.ids ?? ['a', 'b', 'c', 'd']
    const ports = await freePorts(ids.length)
    return new Fleet(options, new Map(ids.map((id, index) => [id, ports[index]!])))
  }

  /** Starts all, and waits until they serve and see each other. */
  static async start(options: FleetOptions = {}): Promise<Fleet> {
    const fleet = await Fleet.create(options)
    try {
      await options.prepare?.(fleet)
      await fleet.startAll()
      await fleet.well()
    } catch (error) {
      await fleet.end()
      throw error
    }
    return fleet
  }

  address(id: string): string {
    return `http://127.0.0.1:${this.#ports.get(id)}`
  }

  get addresses(): string[] {
    return this.ids.map((id) => this.address(id))
  }

  /** Where a server keeps what it stores. */
  data(id: string): string {
    return join(this.directory, 'data', id)
  }

  #file(id: string): string {
    return join(this.directory, `${id}.json`)
  }

  // ----------------------------------------------------------------------------- processes

  /** Starts a server by the command that is the same whatever happened before. */
  async start(id: string): Promise<void> {
    const before = this.#servers.get(id)
    if (before && !before.isOver) throw new Error(`server ${id} runs already`)
    const { nodeFlags = [], env = {}, within } = this.#options
    const [execPath, ...execArgv] = [...(within?.(id, this) ?? []), process.execPath, ...nodeFlags]
    const words = ['--config', this.#file(id), '--id', id]
    const server = new ServerProcess(words, { execPath: execPath!, execArgv }, env)
    this.#servers.set(id, server)
    await server.listening()
  }

  /** Whether its process is there and was not told to end, be it frozen. */
  isRunning(id: string): boolean {
    const server = this.#servers.get(id)
    return server !== undefined && server.isWanted && !server.isOver
  }

  isFrozen(id: string): boolean {
    return this.#servers.get(id)?.isFrozen === true
  }

  pid(id: string): number {
    return this.#server(id).pid
  }

  /** What it has said so far in this life. */
  said(id: string): string {
    return this.#server(id).said
  }

  /** SIGKILL; at once. Resolves when the process is gone. */
  kill(id: string): Promise<End> {
    return this.#server(id).end('SIGKILL')
  }

  /** All at once. Resolves when the processes are gone. */
  async killAll(ids: readonly string[] = this.ids): Promise<void> {
    await Promise.all(ids.map((id) => this.kill(id)))
  }

  /** All at once. Resolves as `start` does. */
  async startAll(ids: readonly string[] = this.ids): Promise<void> {
    await Promise.all(ids.map((id) => this.start(id)))
  }

  /** SIGTERM: it says goodbye. Resolves when the process is gone. */
  stop(id: string): Promise<End> {
    return this.#server(id).end('SIGTERM')
  }

  /** These servers die at once, and their disks with them; others come in their place. */
  async wipe(ids = this.ids): Promise<void> {
    await this.killAll(ids)
    for (const id of ids) rmSync(this.data(id), { recursive: true })
    await this.startAll(ids)
    await this.well()
  }

  /** Servers that ended though nobody ended them, and their last words; each is named once. */
  takeFallen(): { id: string; said: string }[] {
    const fallen = [...this.#servers].filter(([, server]) => server.takeFall())
    return fallen.map(([id, { said }]) => ({ id, said }))
  }

  /** Resolves when the process of its last life is gone. */
  async gone(id: string): Promise<void> {
    await this.#server(id).ended
  }

  /** SIGSTOP: it is there, and says nothing. */
  freeze(id: string): void {
    this.#server(id).freeze()
  }

  thaw(id: string): void {
    this.#server(id).thaw()
  }

  /** Kills all that is left, and removes what they stored unless it is to be kept. */
  async end(isKept = false): Promise<void> {
    await Promise.all([...this.#servers.values()].map((server) => server.end('SIGKILL')))
    if (!isKept) rmSync(this.directory, { recursive: true, force: true })
  }

  #server(id: string): ServerProcess {
    const server = this.#servers.get(id)
    if (!server) throw new Error(`server ${id} was never started`)
    return server
  }

  // -------------------------------------------------------------------------------- health

  /** Resolves when all these servers take edits, and each that runs knows the others as live. */
  async well(ids: readonly string[] = this.ids, boundMs = patienceMs): Promise<void> {
    const until = performance.now() + boundMs
    for (const id of ids) {
      while (!(await this.isWell(id)) || !(await this.#knows(id, ids))) {
        if (performance.now() > until || !this.isRunning(id)) {
          const said = ids.map((each) => `${each}:\n${this.said(each)}`).join('')
          throw new Error(
            `server ${id} is not well within ${boundMs} ms; ${this.#unasked}\n${said}`,
          )
        }
        await sleep(askMs)
      }
    }
  }

  /** Resolves when all hold the same: so many entries, those in the trash too. */
  async same(boundMs = patienceMs): Promise<number> {
    const until = performance.now() + boundMs
    for (;;) {
      const [first, ...others] = await Promise.all(this.ids.map((id) => this.#status(id)))
      // Empty while a server still works it out.
      const isSame = first !== undefined && first.digest !== ''
      if (isSame && others.every((each) => each?.digest === first.digest)) return first.entries
      if (performance.now() > until) throw new Error(`they hold not the same within ${boundMs} ms`)
      await sleep(askMs)
    }
  }

  /** Whether a server takes edits. */
  async isWell(id: string): Promise<boolean> {
    return (await this.#ask(id, '/healthz'))?.ok ?? false
  }

  async #knows(id: string, others: readonly string[]): Promise<boolean> {
    const response = await this.#askStatus(id)
    // Where people sign in, how the servers are is told to them alone.
    if (!response?.ok) return response?.status === 401
    const { servers } = statusIn(response).servers!
    return servers.every((each) => !others.includes(each.id) || each.state === ServerState.LIVE)
  }

  /** How a server is; undefined while it does not tell. */
  async #status(id: string): Promise<GetStatusResponse | undefined> {
    const response = await this.#askStatus(id)
    return response?.ok ? statusIn(response) : undefined
  }

  #askStatus(id: string) {
    return this.#ask(id, '/fourfold.v1.AdminService/GetStatus', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    })
  }

  /** The answer; undefined while the server does not listen yet, or is frozen. */
  async #ask(
    id: string,
    path: string,
    request: RequestInit = {},
  ): Promise<{ ok: boolean; status: number; body: string } | undefined> {
    try {
      const signal = AbortSignal.timeout(askGiveUpMs)
      const response = await fetch(`${this.address(id)}${path}`, { ...request, signal })
      return { ok: response.ok, status: response.status, body: await response.text() }
    } catch (error) {
      const { cause = error } = error as Error
      this.#unasked = `${id} was asked last in vain for ${path}: ${(cause as Error).message}`
      return undefined
    }
  }
}

function statusIn({ body }: { body: string }): GetStatusResponse {
  return fromJson(GetStatusResponseSchema, JSON.parse(body))
}

/** Processes that must not outlive this one. A frozen server does not notice that nobody is left. */
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** One life of one server. */
class ServerProcess {
  isFrozen = false
  /** Nobody told it to end. */
  isWanted = true
  readonly ended: Promise<End>
  readonly #child: ChildProcess
  readonly #listening: Promise<void>
  #said = ''

  constructor(
    words: string[],
    runtime: { execPath: string; execArgv: string[] },
    env: Record<string, string>,
  ) {
    this.#child = fork(program, ['serve', ...words], {
      ...runtime,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    running.add(this.#child)
    this.#child.once('exit', () => running.delete(this.#child))
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.#say(text))
    }
    this.ended = once(this.#child, 'exit').then(([code, signal]) => ({ code, signal }) as End)
    this.#listening = this.#hear()
    // Whoever waits for it hears; when nobody does, the failed start shows in what comes next.
    this.#listening.catch(() => undefined)
  }

  get pid(): number {
    return this.#child.pid!
  }

  get said(): string {
    return this.#said
  }

  get isOver(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  listening(): Promise<void> {
    return this.#listening
  }

  /** Whether it ended by itself; asked again: no. */
  takeFall(): boolean {
    const hasFallen = this.isOver && this.isWanted
    if (hasFallen) this.isWanted = false
    return hasFallen
  }

  freeze(): void {
    this.isFrozen = true
    this.#child.kill('SIGSTOP')
  }

  thaw(): void {
    this.isFrozen = false
    this.#child.kill('SIGCONT')
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<End> {
    this.isWanted = false
    // A frozen process hears no other signal.
    if (!this.isOver) this.#child.kill(signal)
    return this.ended
  }

  async #hear(): Promise<void> {
    const waiting = new AbortController()
    const { signal } = waiting
    const ended = this.ended.then((end) => {
      throw new EndedError(end, this.#said)
    })
    const late = sleep(patienceMs, undefined, { signal }).then(() => {
      throw new Error(`the server did not listen within ${patienceMs} ms:\n${this.#said}`)
    })
    try {
      await Promise.race([once(this.#child, 'message', { signal }), ended, late])
    } finally {
      waiting.abort()
      late.catch(() => undefined)
      ended.catch(() => undefined)
    }
  }

  #say(text: string): void {
    // The last words are those that explain an end.
    this.#said = (this.#said + text).slice(-20_000)
  }
}
