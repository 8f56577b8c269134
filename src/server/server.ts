// One server, assembled: storage, the two minds, the loop around them, the port.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { originOf, type Origin, type ReplicaId } from '../core/model/ids.ts'
import { dialPeerMs, diskFreeBytesMin, diskFreePartMin } from '../core/model/limits.ts'
import { Code, ServerState, type Hello } from '../core/model/wire.ts'
import { FourfoldError } from '../core/model/errors.ts'
import { Replica } from '../core/replica/replica.ts'
import { Replication } from '../core/replication/replication.ts'
import { BlobPeer } from '../adapters/channel/blob-peer.ts'
import { dialPeer } from '../adapters/channel/grpc-peer.ts'
import { ReplicaSetEngine } from '../adapters/engine/replica-set.ts'
import { diskSpace } from '../adapters/disk.ts'
import { BlobStore } from '../adapters/storage/blob-store.ts'
import { openSqliteStorage, type SqliteStorage } from '../adapters/storage/sqlite.ts'
import { now, random, wallNow } from '../adapters/system.ts'
import { Addresses } from './addresses.ts'
import { BlobDoor } from './blobs.ts'
import { listenText, type Configuration } from './configuration.ts'
import { DavDoor } from './dav/door.ts'
import { Incoming } from './dav/incoming.ts'
import { HeldBlobs } from './held-blobs.ts'
import { Origins } from './origins.ts'
import { builtPage, packageRoot, Page } from './page.ts'
import { openPort, type Port } from './port.ts'
import { Runtime } from './runtime.ts'
import type { Status } from './services/admin.ts'
import { callerBy } from './services/caller.ts'
import { answerPeers, proofHeader } from './services/replication.ts'
import { routes } from './services/routes.ts'
import { SignInFailures } from './services/sign-in-failures.ts'
import { Tokens } from './tokens.ts'

export interface ServerOptions {
  configuration: Configuration
  /** An operator says that this server's empty disk is the beginning of a new set. */
  isFirst: boolean
  log: (level: 'info' | 'error', text: string) => void
  /** It can save no more and has told its clients: end the process. */
  failed: () => void
}

export interface Server {
  /** The number of its port; 0 on a Unix socket. */
  readonly port: number
  /** Asks clients to move, then ends everything. */
  stop(): Promise<void>
}

/** The program's version, for people to read. */
export const version: string = (
  JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }
).version

/**
 * Starts a server. Rejects with a StorageError when the store cannot be used, and with the system's
 * error when the port cannot.
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { configuration, log } = options
  const { directory, set, id } = configuration
  const storage = await openSqliteStorage({ directory, set, replica: id }, now, (text) =>
    log('error', text),
  )
  let assembled: Assembled
  try {
    const store = await BlobStore.open(directory)
    // From here on what is there has to stay.
    await storage.checkPlace()
    assembled = new Assembled(options, storage, store)
  } catch (error) {
    await storage.close()
    throw error
  }
  try {
    const port = await assembled.openPort()
    log('info', `listening on ${listenText(configuration.listen)}`)
    assembled.runtime.start()
    assembled.blobs.start()
    return {
      port: port.number,
      async stop() {
        await assembled.runtime.stop()
        await port.close()
        await assembled.blobs.close()
      },
    }
  } catch (error) {
    await assembled.runtime.stop()
    await assembled.blobs.close()
    throw error
  }
}

class Assembled {
  readonly runtime: Runtime
  readonly blobs: HeldBlobs
  readonly #options: ServerOptions
  readonly #configuration: Configuration
  readonly #tokens: Tokens
  readonly #tls: TlsFiles | undefined
  readonly #replica: Replica
  readonly #engine: ReplicaSetEngine
  readonly #startedAt = now()
  /** Files that come in by WebDAV, once the port is open. */
  #incoming: Incoming | undefined

  constructor(options: ServerOptions, storage: SqliteStorage, store: BlobStore) {
    const { id, set, password, tls } = options.configuration
    const origin = originOf(id, random(10))
    this.#options = options
    this.#configuration = options.configuration
    this.#tokens = new Tokens(set, password)
    this.#tls = tls && readTls(tls)
    this.#engine = this.#makeEngine(storage, origin)
    this.#replica = this.#makeReplica(origin)
    this.blobs = new HeldBlobs({
      self: id,
      store,
      peers: this.#blobPeers(),
      hasRoom: this.#hasRoom,
      named: () => this.#replica.named(),
      isWell: () => this.runtime.health === 'ok',
      log: options.log,
    })
    this.runtime = this.#makeRuntime(storage)
  }

  #makeEngine(storage: SqliteStorage, origin: Origin): ReplicaSetEngine {
    const { isFirst, log } = this.#options
    const { id, set, servers } = this.#configuration
    const replication = new Replication({
      now: this.#startedAt,
      replica: id,
      set,
      origin,
      reader: storage.reader,
      servers,
      isFirst,
    })
    const dial = (peer: ReplicaId) => this.#dial(peer)
    return new ReplicaSetEngine({ replication, storage, origin, now, dial, log })
  }

  #makeReplica(origin: Origin): Replica {
    const { id, set, safe, rates } = this.#configuration
    return new Replica({
      now: this.#startedAt,
      replica: id,
      set,
      version,
      origin,
      reader: this.#engine.reader,
      safeCount: safe,
      rates,
      random: Math.random,
      seal: (document, update) => this.#tokens.seal(document, update),
      hash: (text) => createHash('sha256').update(text).digest('hex'),
      deflate: (text) => deflateRawSync(text),
    })
  }

  #makeRuntime(storage: SqliteStorage): Runtime {
    const { log, failed } = this.#options
    return new Runtime({
      replica: this.#replica,
      engine: this.#engine,
      now,
      isDiskFull: async () => {
        await storage.checkPlace()
        return !(await hasRoom(this.#configuration, 0))
      },
      turnsAway: (hello) => this.#turnsAway(hello),
      sessionsPerAddress: this.#configuration.sessionsPerAddress,
      hasBytes: (name) => this.blobs.store.claim(name),
      named: (contents) => this.blobs.named(contents),
      heard: (servers) => this.blobs.fetching.heard(servers),
      log,
      failed,
    })
  }

  async openPort(): Promise<Port> {
    const { runtime } = this
    const { id, set, listen, servers, origins: others, proxies, directory } = this.#configuration
    const addresses = servers.map(({ address }) => address)
    const origins = new Origins([...addresses, ...others])
    const { store, fetching, care } = this.blobs
    const shared = { store, fetching, care, tokens: this.#tokens }
    const blobs = new BlobDoor({
      ...shared,
      now: wallNow,
      needsCertificate: this.#tls?.ca !== undefined,
      hasRoom: this.#hasRoom,
      refusal: () => this.#takesNothing(),
    })
    const incoming = await Incoming.open({ directory, store, hasRoom: this.#hasRoom })
    this.#incoming = incoming
    // One count of tries, whichever door they are made at.
    const failures = new SignInFailures()
    const dav = new DavDoor({ ...shared, failures, runtime, origins, incoming, now })
    return openPort({
      listen,
      ...(this.#tls && { tls: { ...this.#tls, asksForCertificate: this.#tls.ca !== undefined } }),
      routes: routes(this.#configuration, {
        runtime,
        tokens: this.#tokens,
        failures,
        blobs: {
          has: (name) => store.claim(name),
          holders: (...asked) => fetching.holders(...asked),
        },
        status: () => this.#status(),
        engine: this.#engine,
      }),
      isSignedIn: (authorization) => this.#isSignedIn(authorization),
      answerPeer: answerPeers({
        tokens: this.#tokens,
        needsCertificate: this.#tls?.ca !== undefined,
        now: wallNow,
        accept: (channel) => this.#engine.addPeer(channel),
      }),
      answerBlob: (...call) => blobs.answer(...call),
      answerDav: (...call) => dav.answer(...call),
      page: new Page(builtPage(), addresses),
      origins,
      addresses: new Addresses(proxies),
      health: () => ({
        isWell: runtime.health === 'ok',
        body: { status: runtime.health, id, set, version },
      }),
      accept: (channel, address) => runtime.addClient(channel, address),
      log: (text) => this.#options.log('error', text),
    })
  }

  #dial(peer: ReplicaId) {
    const { servers } = this.#configuration
    const { address } = servers.find((server) => server.id === peer)!
    return dialPeer(address, {
      deadlineMs: dialPeerMs,
      headers: this.#proof(),
      ...(this.#tls && { tls: this.#tls }),
    })
  }

  #proof(): { [name: string]: string } {
    return { [proofHeader]: this.#tokens.proof(this.#configuration.id, wallNow()) }
  }

  #blobPeers(): Map<ReplicaId, BlobPeer> {
    const tls = this.#tls && { tls: this.#tls }
    const others = this.#configuration.servers.filter(({ id }) => id !== this.#configuration.id)
    return new Map(
      others.map(({ id, address }) => [
        id,
        new BlobPeer({ address, headers: () => this.#proof(), ...tls }),
      ]),
    )
  }

  // What others were promised is as good as written.
  readonly #hasRoom = (bytes: number): Promise<boolean> => {
    const awaitedBytes = this.blobs.store.awaitedBytes + (this.#incoming?.awaitedBytes ?? 0)
    return hasRoom(this.#configuration, bytes + awaitedBytes)
  }

  #takesNothing(): string | undefined {
    const { health } = this.runtime
    if (health === 'ok' || health === 'recovering') return undefined
    return 'This server takes nothing now. Try another.'
  }

  #turnsAway(hello: Hello): { code: Code; text: string } | undefined {
    if (!this.#tokens.areRequired) return undefined
    try {
      this.#tokens.check(hello.token, wallNow())
      return undefined
    } catch (error) {
      if (!(error instanceof FourfoldError)) throw error
      return { code: Code.UNAUTHENTICATED, text: error.message }
    }
  }

  #isSignedIn(authorization: string | undefined): boolean {
    try {
      callerBy(authorization ?? null, this.#tokens)
      return true
    } catch {
      // Why is told when it calls something.
      return false
    }
  }

  #status(): Status {
    const { id, set } = this.#configuration
    const { health } = this.runtime
    // What it could not store it holds all the same, and nothing waits for the disk any more.
    if (health === 'failed') throw new FourfoldError('unavailable', 'This server cannot save.')
    const servers = this.#engine.servers(now())
    const own = servers.find((server) => server.id === id)!
    const states = { ok: ServerState.LIVE, recovering: ServerState.BEHIND }
    return {
      ...this.#replica.status(),
      id,
      set,
      version,
      address: own.address,
      pid: process.pid,
      state: health === 'ok' || health === 'recovering' ? states[health] : ServerState.DOWN,
      digest: this.#replica.digest(),
      servers: {
        servers: servers.map((server) => ({ ...server })),
        life: this.#engine.reader.life(),
      },
      isWritable: health === 'ok' || health === 'recovering',
      memoryBytes: process.memoryUsage.rss(),
      uptimeMs: now() - this.#startedAt,
      warnings: this.#engine.warnings(now()),
    }
  }
}

interface TlsFiles {
  cert: Buffer
  key: Buffer
  ca?: Buffer
}

function readTls({ cert, key, ca }: { cert: string; key: string; ca?: string }): TlsFiles {
  return {
    cert: readFileSync(cert),
    key: readFileSync(key),
    ...(ca !== undefined && { ca: readFileSync(ca) }),
  }
}

/** Whether so many further bytes leave the disk what must be free. */
async function hasRoom(configuration: Configuration, bytes: number): Promise<boolean> {
  const { freeBytes, totalBytes } = await diskSpace(configuration.directory)
  const usualMin = Math.max(diskFreeBytesMin, totalBytes * diskFreePartMin)
  return freeBytes - bytes >= (configuration.diskFreeBytesMin ?? usualMin)
}
