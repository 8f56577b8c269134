// Four servers of one machine as processes: what `up` and `demo` start and end.

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConfigurationError } from '../server/configuration.ts'
import { CommandError, exitCodes, UsageError } from './command.ts'

export const localIds = ['a', 'b', 'c', 'd'] as const

/** Everybody's own machine has other things on its disk: it is full later than a server's. */
const diskFreeBytesMin = 256 * 1024 * 1024
/** A server that says neither that it listens nor why not is slow within this, and hangs after it. */
const startMs = 180_000
/** All servers must see each other and serve within this. */
const serveMs = 180_000
/** A server that was told to end is killed after this. */
const endMs = 5000

export interface LocalSetOptions {
  /** Holds one directory for each server. */
  data: string
  /** Of the first server; the others have the next three. */
  port: number
  /** A server's process ended without being told to. */
  ended: (server: LocalServer, how: string) => void
}

export interface LocalServer {
  id: string
  address: string
  process: ChildProcess | undefined
}

export class LocalSet {
  readonly servers: LocalServer[]
  readonly #options: LocalSetOptions
  readonly #file: string
  #isEnding = false

  /** Writes the configuration of the set into its directory. Throws CommandError. */
  constructor(options: LocalSetOptions) {
    this.#options = options
    this.servers = localIds.map((id, index) => ({
      id,
      address: `http://127.0.0.1:${options.port + index}`,
      process: undefined,
    }))
    this.#file = join(resolve(options.data), 'fourfold.json')
    this.#writeConfiguration()
  }

  /** Starts all and waits until they serve. Rejects with a CommandError, after ending what began. */
  async start(): Promise<void> {
    try {
      await Promise.all(this.servers.map((server) => this.startOne(server)))
      await Promise.all(this.servers.map((server) => untilServing(server)))
    } catch (error) {
      await this.end()
      throw error
    }
  }

  /** Starts one; resolves when it listens. Rejects with what it said when it ends before. */
  async startOne(server: LocalServer): Promise<void> {
    // Whoever removed a server's directory may have removed all.
    if (!existsSync(this.#file)) this.#writeConfiguration()
    const child = this.#spawn(server)
    server.process = child
    let said = ''
    let isUp = false
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      if (isUp) process.stderr.write(text)
      else said += text
    })
    const { promise, resolve: listening, reject } = Promise.withResolvers<void>()
    child.once('message', () => listening())
    child.once('close', (code, signal) => {
      server.process = undefined
      const how = signal ?? `exit code ${code}`
      if (isUp && !this.#isEnding) this.#options.ended(server, how)
      const sentence = said.trim() || `Server ${server.id} ended with ${how}.`
      reject(
        code === exitCodes.usage ? new ConfigurationError(sentence) : new CommandError(sentence),
      )
    })
    const tooLate = setTimeout(() => {
      reject(new CommandError(`Server ${server.id} did not start within ${startMs / 1000} s.`))
    }, startMs)
    await promise.finally(() => clearTimeout(tooLate))
    isUp = true
    process.stderr.write(said)
  }

  /** Ends all in good order; kills those that do not. */
  async end(): Promise<void> {
    this.#isEnding = true
    const living = this.servers.flatMap(({ process: child }) => (child ? [child] : []))
    const ends = living.map((child) => once(child, 'close'))
    for (const child of living) child.kill('SIGTERM')
    const killing = setTimeout(() => living.forEach((child) => child.kill('SIGKILL')), endMs)
    await Promise.all(ends)
    clearTimeout(killing)
  }

  #spawn({ id }: LocalServer): ChildProcess {
    // The program itself, from the sources as from the published files.
    const program = process.argv[1]!
    // A channel of messages ends with this process, however it ends: then the servers end too.
    return fork(program, ['serve', '--config', this.#file, '--id', id, '--quiet'], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
  }

  #writeConfiguration(): void {
    const servers = this.servers.map(({ id, address }) => ({ id, address }))
    const configuration = { set: 'local', data: '.', servers, diskFreeBytesMin }
    try {
      mkdirSync(this.#options.data, { recursive: true, mode: 0o700 })
      writeFileSync(this.#file, `${JSON.stringify(configuration, null, 2)}\n`)
    } catch (error) {
      throw new CommandError(`Cannot write ${this.#file}: ${(error as Error).message}.`)
    }
  }
}

async function untilServing({ id, address }: LocalServer): Promise<void> {
  const giveUpAt = performance.now() + serveMs
  while (performance.now() < giveUpAt) {
    const answer = await fetch(`${address}/healthz`).catch(() => undefined)
    if (answer?.ok) return
    await sleep(50)
  }
  throw new CommandError(`Server ${id} at ${address} does not serve after ${serveMs / 1000} s.`)
}

/** The option --port as a number that leaves room for the next three. Throws UsageError. */
export function readPort(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 1 && port + localIds.length - 1 <= 65535) return port
  throw new UsageError(`"${text}" is no port from 1 to 65532.`)
}
