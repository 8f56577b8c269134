// How commands ask a set: any living server will do, the next one when one does not answer.

import { Code, ConnectError, createClient, type Client, type Transport } from '@connectrpc/connect'
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node'
import { messageBytesMax } from '../core/model/limits.ts'
import { AdminService, FolderService } from '../core/model/wire.ts'
import { compressMinBytes } from '../adapters/channel/grpc.ts'
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from '../gen/grpc/health/v1/health_pb.ts'
import { CommandError, sentence, UsageError } from './command.ts'

/** A frozen server accepts connections: it must answer something within this. */
const aliveMs = 1000
/** A save waits for the other disks; this is far beyond. */
const answerMs = 20_000

const localServers = [4400, 4401, 4402, 4403].map((port) => `http://127.0.0.1:${port}`)

/** For `readWords`: the words that all commands which ask a set understand. */
export const setOptions = {
  servers: { type: 'string' },
  name: { type: 'string' },
} as const

export const setHelp = `  --servers URL,URL  servers of the set; one that lives is enough. Also FOURFOLD_SERVERS;
                     without either the four of \`fourfold up\`
  --name NAME        who you are, for the others to read. Also FOURFOLD_NAME; the set's password,
                     where it has one, comes from FOURFOLD_PASSWORD
`

/** The servers that --servers, FOURFOLD_SERVERS or neither names. Throws UsageError. */
export function addressesOf(servers: string | undefined): string[] {
  const text = servers ?? process.env['FOURFOLD_SERVERS']
  if (text === undefined || text.trim() === '') return localServers
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

/** One server, for as long as the command needs it. */
export class ServerLine {
  readonly address: string
  readonly clients: ServerClients
  readonly #manager: Http2SessionManager

  constructor(address: string) {
    this.address = address
    this.#manager = new Http2SessionManager(address)
    const transport: Transport = createGrpcTransport({
      baseUrl: address,
      sessionManager: this.#manager,
      readMaxBytes: messageBytesMax,
      compressMinBytes,
    })
    this.clients = {
      folder: createClient(FolderService, transport),
      admin: createClient(AdminService, transport),
      health: createClient(Health, transport),
    }
  }

  close(): void {
    this.#manager.abort()
  }
}

/** A set of which any living server answers. */
export class SetClient {
  readonly #addresses: string[]
  readonly #person: Person | undefined
  #token: string | undefined

  constructor(values: { servers?: string; name?: string }) {
    this.#addresses = addressesOf(values.servers)
    this.#person = personOf(values.name)
  }

  /**
   * Asks one server after the other until one answers. `ask` may reach several: what it changes must
   * carry an operation id. Rejects with CommandError.
   */
  async ask<T>(ask: (clients: ServerClients, options: CallHeaders) => Promise<T>): Promise<T> {
    let last = ''
    for (const address of this.#addresses) {
      const line = new ServerLine(address)
      try {
        const { status } = await line.clients.health.check({}, { timeoutMs: aliveMs })
        if (status !== Status.SERVING) {
          last = 'the last is not ready'
          continue
        }
        const headers = await this.headers(line.clients)
        return await ask(line.clients, { headers, timeoutMs: answerMs })
      } catch (error) {
        const { code, rawMessage } = ConnectError.from(error)
        if (!mayWorkElsewhere(code)) throw new CommandError(sentence(rawMessage))
        last = `the last said: ${rawMessage.replace(/\.$/, '')}`
      } finally {
        line.close()
      }
    }
    const tried = this.#addresses.join(', ')
    throw new CommandError(sentence(`No server answers; tried ${tried} (${last})`))
  }

  /** What shows who calls; signs in when that is needed first. */
  async headers({ folder }: ServerClients): Promise<{ [name: string]: string }> {
    if (!this.#person) return {}
    this.#token ??= (await folder.signIn(this.#person, { timeoutMs: answerMs })).token
    return { authorization: `Bearer ${this.#token}` }
  }
}

export interface CallHeaders {
  headers: { [name: string]: string }
  timeoutMs: number
}

interface Person {
  name: string
  password: string
}

/** Nobody, where the person said nothing: a server that asks for no sign-in takes a guest. */
function personOf(asked: string | undefined): Person | undefined {
  const password = process.env['FOURFOLD_PASSWORD']
  const name = asked ?? process.env['FOURFOLD_NAME']
  if (name === undefined && password === undefined) return undefined
  return { name: name ?? process.env['USER'] ?? 'guest', password: password ?? '' }
}

/** Whether this says something of the server and nothing of what was asked. */
function mayWorkElsewhere(code: Code): boolean {
  return [Code.Unavailable, Code.DeadlineExceeded, Code.Canceled, Code.Aborted, Code.Internal].some(
    (each) => each === code,
  )
}
