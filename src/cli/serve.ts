// `fourfold serve`: one server, until it is told to stop.

import { flushCompileCache } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  ConfigurationError,
  isLoopback,
  listenText,
  readConfiguration,
  type Configuration,
} from '../server/configuration.ts'
import { startServer, type Server } from '../server/server.ts'
import { Tokens } from '../server/tokens.ts'
import { StorageError } from '../adapters/storage/storage-error.ts'
import { errorCodeOf } from '../adapters/error-code.ts'
import { now } from '../adapters/system.ts'
import { exitCodes, readWords, UsageError, type Command } from './command.ts'
import { endNow } from './ending.ts'
import { KeptMirror } from './kept-mirror.ts'

/** A server that was told to end is done after this, or its disk hangs. */
const endMs = 10_000

const help = `Usage: fourfold serve --config FILE [--id ID] [--first] [--quiet]

Runs one server of a set until it is told to stop. The same file may lie on every machine.

  --config FILE  JSON: {"set": "notes", "data": "data", "servers": [
                   {"id": "a", "address": "https://a.example.org:4400"}, …]}
                 and where wanted "id", "listen", "safe", "tls": {"cert", "key",
                 "ca"}, "auth": {"password"}, "reflection", "origins",
                 "diskFreeBytesMin", "sessionsPerAddress", "proxies", "mirror":
                 a directory where the folder is kept as plain files, and of one
                 client "rates": {"pushesPerSecond", "pushBurst",
                 "caretsPerSecond"}
  --id ID        which of the file's servers this is
  --first        this server's empty disk is the beginning of a new set; without it, a server
                 with an empty disk waits for another that has something, or for all others
  --quiet        log errors only

Exit codes: 2 the configuration or its surroundings must be changed, 3 the store is broken or can
no longer be written.

Example:
  fourfold serve --config fourfold.json --id a
`

export const serve: Command = {
  help,
  async run(words) {
    const { values } = readWords(words, {
      config: { type: 'string' },
      id: { type: 'string' },
      first: { type: 'boolean' },
      quiet: { type: 'boolean' },
    })
    if (!values.config) throw new UsageError('--config FILE is missing.')
    const configuration = readConfiguration(
      values.config,
      values.id === undefined ? {} : { id: values.id },
    )
    const failed = Promise.withResolvers<number>()
    const log = logOf(configuration, values.quiet ?? false)
    const server = await start(configuration, {
      isFirst: values.first ?? false,
      log,
      failed: () => failed.resolve(exitCodes.store),
    })
    process.send?.({ type: 'listening', port: server.port })
    // A server may end without a word: what the next start can use is kept now.
    flushCompileCache()
    const mirror = mirrorOf(configuration, server, log)
    mirror?.start()
    const code = await Promise.race([failed.promise, untilTold()])
    if (code !== exitCodes.done) endNow(code)
    const end = async () => {
      await mirror?.end()
      await server.stop()
      return true
    }
    if (await Promise.race([end(), sleep(endMs)])) process.exit(code)
    log(
      'error',
      `the disk of ${configuration.directory} hangs: ended without it; all that was told to be stored is on it`,
    )
    endNow(exitCodes.store)
  },
}

type Log = (level: 'info' | 'error', text: string) => void

function logOf({ id }: Configuration, isQuiet: boolean): Log {
  return (level, text) => {
    if (isQuiet && level === 'info') return
    process.stderr.write(`${new Date().toISOString()} ${level} ${id}: ${text}\n`)
  }
}

/** The plain files beside this server, where it is to keep any. */
function mirrorOf(configuration: Configuration, server: Server, log: Log): KeptMirror | undefined {
  const { id, set, mirror, servers, password, listen, tls } = configuration
  if (!mirror) return undefined
  const own = servers.find((each) => each.id === id)!.address
  // Where it listens on this machine no name and no proxy is needed to find it.
  const isNear = !tls && 'host' in listen && isLoopback(listen)
  const near = isNear ? `http://${listenText({ host: listen.host, port: server.port })}` : own
  const others = servers.flatMap(({ address }) => (address === own ? [] : [address]))
  const tokens = password === undefined ? undefined : new Tokens(set, password)
  return new KeptMirror({
    ...mirror,
    servers: [near, ...others],
    ca: tls?.ca,
    token: tokens && ((name) => tokens.make(name, now()).token),
    say: (text, level) => log(level, text),
  })
}

interface Start {
  isFirst: boolean
  log: Log
  failed: () => void
}

async function start(configuration: Configuration, options: Start): Promise<Server> {
  try {
    return await startServer({ configuration, ...options })
  } catch (error) {
    throw startError(error, configuration)
  }
}

function startError(error: unknown, { listen }: Configuration): unknown {
  if (error instanceof StorageError) return error
  const why = ('path' in listen ? pathErrors : hostErrors).get(errorCodeOf(error) ?? '')
  return why ? new ConfigurationError(`Cannot listen on ${listenText(listen)}: ${why}`) : error
}

const noAddress = 'this machine has no such address. Set "listen" to one it has.'
const hostErrors = new Map([
  ['EADDRINUSE', 'another program does. End it, or choose another port.'],
  ['EADDRNOTAVAIL', noAddress],
  ['ENOTFOUND', noAddress],
  ['EAI_AGAIN', noAddress],
  ['EACCES', 'this user may not. Choose a port from 1024 on.'],
])

/** The same where it is a Unix socket. */
const pathErrors = new Map([
  ['EADDRINUSE', 'another program does, or what lies there is no socket. Choose another path.'],
  ['EACCES', 'its directory is not there, or not for this user to write. Choose another path.'],
  ['EINVAL', 'it is too long for a Unix socket. Choose a path of at most 100 bytes.'],
])

/** Resolves when a person, the system or a parent process ends this one. */
function untilTold(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      resolve(exitCodes.done)
      // Told twice: at once.
      process.once(signal, () => endNow(exitCodes.failed))
    })
  }
  // Nobody is left who could end us.
  if (process.connected) process.once('disconnect', () => resolve(exitCodes.done))
  return promise
}
