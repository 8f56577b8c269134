// Four servers of one machine as processes: what `up` and `demo` start and end.

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeDirectory } from '../adapters/disk.ts'
import { lockDirectory } from '../adapters/storage/sqlite-directory.ts'
import { StorageError } from '../adapters/storage/storage-error.ts'
import { ConfigurationError } from '../server/configuration.ts'
import { isUnsafePort } from '../server/unsafe-ports.ts'
import { CommandError, exitCodes, UsageError } from './command.ts'

const localIds = ['a', 'b', 'c', 'd'] as const

/** Everybody's own machine has other things on its disk: it is full later than a server's. */
const diskFreeBytesMin = 256 * 1024 * 1024
/** A server that says neither that it listens nor why not is slow within this, and hangs after it. */
const startMs = 180_000
/** All servers must see each other and serve within this. */
const serveMs = 180_000
/** A server that was told to end is killed after this. */
const endMs = 5000
/** Whoever listens on one of the ports before us and is one of ours answers within this. */
const strangerMs = 1000

export interface LocalSetOptions {
  /** Holds one directory for each server. */
  data: string
  /** Of the first server; the others have the next three. */
  port: number
  /** A server's process ended without being told to, or could not start while others did. */
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
  #release = () => {}
  #isEnding = false

  constructor(options: LocalSetOptions) {
    this.#options = options
    this.servers = localIds.map((id, index) => ({
      id,
      address: `http://127.0.0.1:${options.port + index}`,
      process: undefined,
    }))
    this.#file = join(resolve(options.data), 'fourfold.json')
  }

  /**
   * Starts all and waits until they serve; one whose disk is damaged or full is left to `ended`, for
   * others live. Rejects after ending what began: with ConfigurationError when a set runs already on
   * this directory or these ports, else with CommandError.
   */
  async start(): Promise<void> {
    this.#claim()
    try {
      await Promise.all(this.servers.map(({ address }) => checkFree(address, this.#options.port)))
      this.#writeConfiguration()
      const ills = await Promise.all(this.servers.map((server) => this.#startOrIll(server)))
      const standing = this.servers.filter((_, index) => !ills[index])
      if (standing.length === 0 && ills[0]) throw ills[0]
      await Promise.all(standing.map((server) => untilServing(server)))
      for (const [index, server] of this.servers.entries()) {
        const ill = ills[index]
        if (ill) this.#options.ended(server, ill.message.replace(/\.$/, ''))
      }
    } catch (error) {
      await this.end()
      throw error
    }
  }

  /** Why this one alone cannot start; undefined: it listens. Rejects with what is wrong with all. */
  async #startOrIll(server: LocalServer): Promise<DiskError | undefined> {
    try {
      await this.startOne(server)
      return undefined
    } catch (error) {
      if (error instanceof DiskError) return error
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
      reject(startError(code, sentence))
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
    this.#release()
  }

  #spawn({ id }: LocalServer): ChildProcess {
    // The program itself, from the sources as from the published files.
    const program = process.argv[1]!
    // A channel of messages ends with this process, however it ends: then the servers end too.
    return fork(program, ['serve', '--config', this.#file, '--id', id, '--quiet'], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
  }

  /** Servers that run find their configuration in the directory when they start again: it is theirs. */
  #claim(): void {
    const data = resolve(this.#options.data)
    this.#writing(() => makeDirectory(data, 0o700))
    try {
      this.#release = lockDirectory(data)
    } catch (error) {
      if (!(error instanceof StorageError) || error.code !== 'in-use') throw error
      const page = firstAddress(this.#file)
      throw new ConfigurationError(
        `Fourfold is running already on ${data}: open ${page}, or end it there with Ctrl+C. ` +
          'A second set needs a --data and a --port of its own.',
      )
    }
  }

  #writeConfiguration(): void {
    const servers = this.servers.map(({ id, address }) => ({ id, address }))
    const configuration = { set: 'local', data: '.', servers, diskFreeBytesMin }
    this.#writing(() => {
      makeDirectory(this.#options.data, 0o700)
      writeFileSync(this.#file, `${JSON.stringify(configuration, null, 2)}\n`)
    })
  }

  #writing(act: () => void): void {
    try {
      act()
    } catch (error) {
      throw new CommandError(`Cannot write ${this.#file}: ${(error as Error).message}.`)
    }
  }
}

/** The disk of one server does not bear it. */
class DiskError extends CommandError {}

function startError(code: number | null, sentence: string): Error {
  if (code === exitCodes.usage) return new ConfigurationError(sentence)
  return code === exitCodes.store ? new DiskError(sentence) : new CommandError(sentence)
}

/** Where the set of a configuration has its page, as far as the file tells. */
function firstAddress(file: string): string {
  try {
    const { servers } = JSON.parse(readFileSync(file, 'utf8')) as { servers: LocalServer[] }
    return servers[0]!.address
  } catch {
    // It is only just starting, or somebody removed the file under it.
    return 'its page'
  }
}

/** Rejects with ConfigurationError when another set has this address. */
async function checkFree(address: string, port: number): Promise<void> {
  const signal = AbortSignal.timeout(strangerMs)
  // Who does not answer so is a matter of who listens next.
  const answer = await fetch(`${address}/healthz`, { signal }).catch(() => undefined)
  const told = (await answer?.json().catch(() => undefined)) as { set?: string } | undefined
  if (told?.set === undefined) return
  throw new ConfigurationError(
    `Another set of Fourfold runs at ${address}: open it, or start this one beside it with ` +
      `--port ${port + 10}.`,
  )
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
  const last = port + localIds.length - 1
  if (!Number.isInteger(port) || port < 1 || last > 65535) {
    throw new UsageError(`"${text}" is no port from 1 to 65532.`)
  }
  const unsafe = localIds.map((_, index) => port + index).find(isUnsafePort)
  if (unsafe === undefined) return port
  throw new UsageError(
    `Browsers open no page at port ${unsafe}: choose others than ${port} to ${last}.`,
  )
}
