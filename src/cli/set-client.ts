// How commands ask a set: any living server will do, the next one when one does not answer.

import { Code, ConnectError, createClient, type Client, type Transport } from '@connectrpc/connect'
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node'
import { setTimeout as pause } from 'node:timers/promises'
import { answerBytesMax } from '../core/model/limits.ts'
import { AdminService, FolderService } from '../core/model/wire.ts'
import { compressMinBytes } from '../adapters/channel/grpc.ts'
import { isOfUnknownAuthority } from '../adapters/error-code.ts'
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from '../gen/grpc/health/v1/health_pb.ts'
import { fourfold } from './called.ts'
import { CommandError, printable, sentence, UsageError } from './command.ts'
import { whyNotReady } from './not-ready.ts'

/** A frozen server accepts connections: it must answer something within this. */
const aliveMs = 1000
/** Where no server answered within that, those that accepted have so long: the machine is busy. */
const slowMs = 5000
/** A server at work that says nothing is asked so often, and must answer within this. */
const silentMs = 2000
/** A save waits for the other disks; this is far beyond. */
export const answerMs = 20_000
/** A command that was under way goes on asking for so long: a server flushes a large file, or starts. */
const goOnMs = 30_000
const askAgainMs = 500

/**
 * These say something of the server and nothing of what was asked: another may do it. While a set is
 * brought to another version one server may not know what the next one does.
 */
const elsewhere: ReadonlySet<Code> = new Set([
  Code.Unavailable,
  Code.DeadlineExceeded,
  Code.Canceled,
  Code.Aborted,
  Code.Internal,
  Code.Unimplemented,
])

/**
 * Megabytes of calls and answers on their way on one line. Node takes no answer while more than this waits
 * to be sent, and 10 are its own choice: one long text.
 */
const maxSessionMemory = 1000

const signInFirst = 'The set asks for its password: put it into FOURFOLD_PASSWORD.'

const localServers = [4400, 4401, 4402, 4403].map((port) => `http://127.0.0.1:${port}`)

/** For `readWords`: the words that all commands which ask a set understand. */
export const setOptions = {
  servers: { type: 'string' },
  name: { type: 'string' },
} as const

/** The same, for commands that print JSON, too. */
export const setJsonOptions = { ...setOptions, json: { type: 'boolean' } } as const

export const setHelp = `  --servers URL,URL  servers of the set; one that lives is enough. Also FOURFOLD_SERVERS;
                     without either the four of \`fourfold up\`
  --name NAME        who you are, for the others to read. Also FOURFOLD_NAME; the set's password,
                     where it has one, comes from FOURFOLD_PASSWORD
`

/** The servers that --servers, FOURFOLD_SERVERS or neither names. Throws UsageError. */
export function addressesOf(servers: string | undefined): string[] {
  // An empty variable is none; an empty word is one that a script lacks, and names no other set.
  const text = servers ?? (process.env['FOURFOLD_SERVERS']?.trim() || undefined)
  if (text === undefined) return localServers
  return text.split(',').map((each) => {
    const address = each.trim().replace(/\/$/, '')
    if (/^https?:\/\/[^/]+$/.test(address) && URL.canParse(address)) return address
    throw new UsageError(`"${address}" is not an address like "http://127.0.0.1:4400".`)
  })
}

export interface ServerClients {
  folder: Client<typeof FolderService>
  admin: Client<typeof AdminService>
  health: Client<typeof Health>
}

/** A call of one server. */
export type Ask<T> = (clients: ServerClients, options: CallOptions) => Promise<T>

/** One server, for as long as the command needs it. */
export class ServerLine {
  readonly address: string
  readonly clients: ServerClients
  readonly #manager: Http2SessionManager
  /** What goes on here; all of it is told when the server falls silent. */
  readonly #acts = new Set<AbortController>()
  #asking: NodeJS.Timeout | undefined

  constructor(address: string) {
    this.address = address
    this.#manager = new HeardSessions(address, {}, { maxSessionMemory })
    const transport: Transport = createGrpcTransport({
      baseUrl: address,
      sessionManager: this.#manager,
      readMaxBytes: answerBytesMax,
      compressMinBytes,
    })
    this.clients = {
      folder: createClient(FolderService, transport),
      admin: createClient(AdminService, transport),
      health: createClient(Health, transport),
    }
  }

  /** Acts while the server shows life; after that `signal` says that it does not. */
  async whileAlive<T>(act: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const silence = new AbortController()
    this.#acts.add(silence)
    this.#asking ??= setInterval(() => this.#ask(), silentMs)
    try {
      return await act(silence.signal)
    } finally {
      this.#acts.delete(silence)
      if (this.#acts.size === 0) {
        clearInterval(this.#asking)
        this.#asking = undefined
      }
    }
  }

  #ask(): void {
    const asked = [...this.#acts]
    this.clients.health.check({}, { timeoutMs: silentMs }).catch(() => {
      for (const silence of asked) silence.abort()
    })
  }

  close(): void {
    this.#manager.abort()
  }
}

/**
 * The manager hears a session no longer once it was told to let go of it. One that has just broken says
 * so a moment later, when its socket is closed; where nobody hears that, Node ends the process.
 */
class HeardSessions extends Http2SessionManager {
  override async request(...words: Parameters<Http2SessionManager['request']>) {
    const stream = await super.request(...words)
    const { session } = stream
    if (session?.listeners('error').includes(toldByItsCalls) === false) {
      session.on('error', toldByItsCalls)
    }
    return stream
  }
}

function toldByItsCalls(): void {}

/** No server of the set answers. */
export class NoServerError extends CommandError {}

/** A server answered that what was asked cannot be had. */
export class AnswerError extends CommandError {
  readonly code: Code

  /** `message` may name what other people named. */
  constructor(code: Code, message: string) {
    super(printable(message))
    this.code = code
  }
}

/** Whether a server gave up what grew too large or too slow for it: asked anew it may go better. */
export const isTooMuch = (error: unknown) =>
  error instanceof AnswerError && error.code === Code.ResourceExhausted

/** Works with a set, and lets go of it at the end. */
export async function withSet<T>(
  values: SetValues,
  act: (set: SetClient) => Promise<T>,
): Promise<T> {
  const set = new SetClient({ goOnMs, ...values })
  try {
    return await act(set)
  } finally {
    set.close()
  }
}

export interface SetValues {
  servers?: string
  name?: string
  /**
   * For how long all servers are asked again after one has answered before; 0, or undefined: whoever
   * calls does that.
   */
  goOnMs?: number
  /** Gives a token for this name to who need not sign in with a password; undefined: signs in. */
  token?: (name: string) => Promise<string | undefined>
}

export interface SetJsonValues extends SetValues {
  json?: boolean
}

/** A set of which any living server answers. Stays with one for as long as it does. */
export class SetClient {
  readonly #addresses: string[]
  readonly #person: Person | undefined
  readonly #values: SetValues
  readonly #given: SetValues['token']
  #token: string | undefined
  #line: Promise<ServerLine> | undefined
  /** Which address is tried first when there is no line. */
  #next = 0
  #hasMet = false
  #isClosed = false

  constructor(values: SetValues) {
    this.#values = values
    this.#addresses = addressesOf(values.servers)
    this.#person = personOf(values.name)
    this.#given = values.token
  }

  /** One of the same set with lines of its own: what fails for it closes none of these. */
  another(): SetClient {
    return new SetClient(this.#values)
  }

  /** One server of the same set, by itself. */
  only(address: string): SetClient {
    return new SetClient({ ...this.#values, servers: address })
  }

  /** Nothing is asked any more. */
  close(): void {
    this.#isClosed = true
    this.#line?.then(
      (line) => line.close(),
      () => {}, // There was none.
    )
    this.#line = undefined
  }

  /**
   * Asks one server after the other until one answers. `ask` may reach several: what it changes must
   * carry an operation id. Rejects with CommandError.
   */
  ask<T>(ask: Ask<T>): Promise<T> {
    return this.#anywhere((line) =>
      line.whileAlive((signal) => this.#called(line, signal, { timeoutMs: answerMs }, ask)),
    )
  }

  /**
   * Reads a stream to its end, from the next server when its own dies: then `open` is called again,
   * and has to see to it that nothing is taken twice. Rejects with CommandError.
   */
  read<T>(
    open: (clients: ServerClients, options: CallOptions) => AsyncIterable<T>,
    take: (message: T) => void | Promise<void>,
  ): Promise<void> {
    return this.#anywhere((line) =>
      line.whileAlive((signal) =>
        this.#called(line, signal, {}, async (clients, options) => {
          for await (const message of open(clients, options)) await take(message)
        }),
      ),
    )
  }

  /**
   * Does something with one server for as long as it takes; all of it again with the next when that
   * one dies. Rejects with CommandError.
   */
  talk<T>(
    act: (clients: ServerClients, options: CallOptions, address: string) => Promise<T>,
  ): Promise<T> {
    return this.#anywhere((line) =>
      line.whileAlive((signal) =>
        this.#called(line, signal, {}, (clients, options) => act(clients, options, line.address)),
      ),
    )
  }

  async #called<T>(
    line: ServerLine,
    signal: AbortSignal,
    bounds: { timeoutMs?: number },
    call: Ask<T>,
  ): Promise<T> {
    const before = this.#token
    const made = async () => {
      const headers = await this.headers(line.clients)
      return call(line.clients, { headers, signal, ...bounds })
    }
    try {
      return await made()
    } catch (error) {
      // A token lasts as long as it lasts; what works for months signs in again.
      const isOver = error instanceof ConnectError && error.code === Code.Unauthenticated
      if (!isOver || before === undefined) throw error
      if (this.#token === before) this.#token = undefined
      return made()
    }
  }

  async #anywhere<T>(act: (line: ServerLine) => Promise<T>): Promise<T> {
    let last = ''
    // Once more than there are servers: the first may be one that has just died.
    for (let tries = 0; tries <= this.#addresses.length && !this.#isClosed;) {
      const dialled = (this.#line ??= this.#dial())
      const line = await dialled.catch((error: unknown) => {
        if (this.#line === dialled) this.#line = undefined
        throw error
      })
      try {
        return await act(line)
      } catch (error) {
        // What the command itself says, or its mistakes, are nobody else's matter.
        if (!(error instanceof ConnectError)) throw error
        const { code, rawMessage } = error
        if (code === Code.Unauthenticated && !this.#person) throw new AnswerError(code, signInFirst)
        if (!elsewhere.has(code)) throw new AnswerError(code, sentence(rawMessage))
        last = lastWords(rawMessage)
        // What another call found out of this line is no try of this one.
        if (this.#line === dialled) {
          tries++
          this.#line = undefined
          this.#next = (this.#addresses.indexOf(line.address) + 1) % this.#addresses.length
        }
        line.close()
      }
    }
    throw this.#noServer(last)
  }

  async #dial(): Promise<ServerLine> {
    const giveUpAt = performance.now() + (this.#hasMet ? (this.#values.goOnMs ?? 0) : 0)
    for (;;) {
      try {
        const line = await this.#dialOnce()
        this.#hasMet = true
        return line
      } catch (error) {
        if (this.#isClosed || performance.now() >= giveUpAt) throw error
      }
      await pause(askAgainMs)
    }
  }

  /** The first server, once round, that is ready; after that, those that may only be slow. */
  async #dialOnce(): Promise<ServerLine> {
    const { length } = this.#addresses
    const round = this.#addresses.map((_, index) => this.#addresses[(this.#next + index) % length]!)
    const silent: string[] = []
    let last = ''
    const tries = async (addresses: string[], timeoutMs: number) => {
      for (const address of addresses) {
        const line = new ServerLine(address)
        try {
          const { status } = await line.clients.health.check({}, { timeoutMs })
          if (status === Status.SERVING) return line
          last = await whyNotReady(address, timeoutMs)
        } catch (error) {
          const { code, rawMessage } = ConnectError.from(error)
          if (code === Code.DeadlineExceeded) silent.push(address)
          last = lastWords(rawMessage)
        }
        line.close()
      }
      return undefined
    }
    const line = (await tries(round, aliveMs)) ?? (await tries([...silent], slowMs))
    if (line) return line
    throw this.#noServer(last)
  }

  #noServer(last: string): NoServerError {
    const tried = this.#addresses.join(', ')
    const isLocal = this.#addresses === localServers
    const advice = isLocal
      ? `start some: ${fourfold()} up`
      : 'name those of your set with --servers'
    return new NoServerError(`No server answers; tried ${tried} (${last}); ${advice}.`)
  }

  /** What shows who calls; signs in when that is needed first. */
  async headers({ folder }: ServerClients): Promise<{ [name: string]: string }> {
    if (!this.#person) return {}
    this.#token ??= (await this.#given?.(this.#person.name)) ?? (await this.#signedIn(folder))
    return { authorization: `Bearer ${this.#token}` }
  }

  async #signedIn(folder: ServerClients['folder']): Promise<string> {
    return (await folder.signIn(this.#person!, { timeoutMs: answerMs })).token
  }
}

export interface CallOptions {
  headers: { [name: string]: string }
  timeoutMs?: number
  /** The server was found to be silent. */
  signal: AbortSignal
}

interface Person {
  name: string
  password: string
}

/** Nobody, where the person said nothing: a server that asks for no sign-in takes a guest. */
function personOf(asked: string | undefined): Person | undefined {
  const password = variable('FOURFOLD_PASSWORD')
  if ((asked ?? variable('FOURFOLD_NAME') ?? password) === undefined) return undefined
  return { name: screenNameOf(asked), password: password ?? '' }
}

/** Who a person is: by --name, or what their environment says. */
export function screenNameOf(asked: string | undefined): string {
  return asked ?? variable('FOURFOLD_NAME') ?? variable('USER') ?? 'guest'
}

/** Of the environment; an empty one is not set, as everywhere. */
function variable(name: string): string | undefined {
  const text = process.env[name]
  return text === '' ? undefined : text
}

function lastWords(said: string): string {
  if (said.includes('ECONNREFUSED')) return 'nothing listens there'
  // OpenSSL's words are of its inside, and two lines.
  if (said.includes('wrong version number')) return 'there is no TLS: write http://'
  if (/^Protocol error|error code (CANCEL|PROTOCOL_ERROR)/.test(said)) {
    return 'what answers speaks no HTTP/2; if it has TLS, write https://'
  }
  if (isOfUnknownAuthority(said)) {
    return 'its certificate is of an authority unknown here: see NODE_EXTRA_CA_CERTS'
  }
  return `the last said: ${said.trim().replace(/\.$/, '')}`
}
