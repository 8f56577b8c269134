// `fourfold up`: four servers on this machine, kept running until the person ends them.

import { resolve } from 'node:path'
import { openBrowser } from './browser.ts'
import { exitCodes, readWords, type Command } from './command.ts'
import { LocalSet, readPort, type LocalServer } from './local-set.ts'

const help = `Usage: fourfold up [--data DIR] [--port PORT] [--open]

Starts four servers on this machine and keeps them running; one that dies is started again.

  --data DIR   where they keep everything, each in a directory of its own (./data)
  --port PORT  of the first server; the others have the next three (4400)
  --open       opens the page in a browser
`

/** How long a dead server stays dead: twice as long each time, from the first to at most this. */
const restartFirstMs = 1000
const restartMaxMs = 30_000
/** A server that lived this long is well: its next restart is a first one. */
const wellMs = 60_000

export const up: Command = {
  summary: 'start four servers on this machine',
  help,
  async run(words) {
    const { values } = readWords(words, {
      data: { type: 'string', default: 'data' },
      port: { type: 'string', default: '4400' },
      open: { type: 'boolean', default: false },
    })
    const told = untilTold()
    const keeper = new Keeper()
    const set = new LocalSet({
      data: values.data,
      port: readPort(values.port),
      ended: (server, how) => keeper.revive(set, server, how),
    })
    const started = set.start()
    const isUp = await Promise.race([started.then(() => true), told.then(() => false)])
    if (isUp) {
      process.stdout.write(welcome(set, resolve(values.data)))
      if (values.open) openBrowser(set.servers[0]!.address)
      await told
    }
    keeper.stop()
    // Told while it starts: what `start` then says about servers that ended is no news.
    started.catch(() => {})
    await set.end()
    return exitCodes.done
  },
}

function welcome({ servers }: LocalSet, data: string): string {
  const [first, ...others] = servers.map(({ address }) => address)
  return `
  Fourfold is running: four servers, any three of which may die.

    Open    ${first}
    or      ${others.join('  ')}
    Data    ${data}
    Stop    Ctrl+C

`
}

/** Starts servers again that died, at growing distances. */
class Keeper {
  readonly #deaths = new Map<string, { count: number; startedAt: number }>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #isStopped = false

  revive(set: LocalSet, server: LocalServer, how: string): void {
    if (this.#isStopped) return
    const { count, startedAt } = this.#deaths.get(server.id) ?? { count: 0, startedAt: 0 }
    const isFirst = performance.now() - startedAt > wellMs
    const deaths = isFirst ? 1 : count + 1
    const afterMs = Math.min(restartFirstMs * 2 ** (deaths - 1), restartMaxMs)
    process.stderr.write(`Server ${server.id} ended (${how}); again in ${afterMs / 1000} s.\n`)
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.#deaths.set(server.id, { count: deaths, startedAt: performance.now() })
      set.startOne(server).then(
        () => process.stderr.write(`Server ${server.id} is back.\n`),
        (error: Error) => this.revive(set, server, error.message),
      )
    }, afterMs)
    this.#timers.add(timer)
  }

  stop(): void {
    this.#isStopped = true
    for (const timer of this.#timers) clearTimeout(timer)
  }
}

function untilTold(): Promise<void> {
  const { promise, resolve: told } = Promise.withResolvers<void>()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      told()
      process.once(signal, () => process.exit(exitCodes.failed))
    })
  }
  return promise
}
