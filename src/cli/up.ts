// `fourfold up`: four servers on this machine, kept running until the person ends them.

import { join, resolve } from 'node:path'
import { openBrowser } from './browser.ts'
import { exitCodes, readWords, type Command } from './command.ts'
import { KeptMirror } from './kept-mirror.ts'
import { LocalSet, readPort, type LocalServer } from './local-set.ts'
import { goOnUnheard } from './output.ts'
import { Revival } from './revival.ts'
import { addressesOf } from './set-client.ts'

const help = `Usage: fourfold up [--data DIR] [--port PORT] [--open] [--no-files]

Starts four servers on this machine and keeps them running; one that dies is started again. The
folder is kept as plain files, too, in DIR/files: any program may read and change them there.

  --data DIR   where they keep everything, each in a directory of its own (./data)
  --port PORT  of the first server; the others have the next three (4400)
  --open       opens the page in a browser
  --no-files   keeps no plain files

Examples:
  fourfold up --open
  fourfold up --data ~/notes --port 4500
`

export const up: Command = {
  help,
  async run(words) {
    const { values } = readWords(words, {
      data: { type: 'string', default: 'data' },
      port: { type: 'string', default: '4400' },
      open: { type: 'boolean', default: false },
      'no-files': { type: 'boolean', default: false },
    })
    goOnUnheard()
    const told = untilTold()
    const keeper = new Keeper()
    const set = new LocalSet({
      data: values.data,
      port: readPort(values.port),
      ended: (server, how) => keeper.revive(set, server, how),
    })
    const files = values['no-files'] ? undefined : filesOf(set, join(resolve(values.data), 'files'))
    const started = set.start()
    const isUp = await Promise.race([started.then(() => true), told.then(() => false)])
    if (isUp) {
      process.stdout.write(welcome(set, resolve(values.data), files?.directory))
      files?.start()
      if (values.open) openBrowser(set.servers[0]!.address)
      await told
    }
    keeper.stop()
    // Told while it starts: what `start` then says about servers that ended is no news.
    started.catch(() => {})
    // First what asks, then those that answer.
    await files?.end()
    await set.end()
    return exitCodes.done
  },
}

function filesOf({ servers }: LocalSet, directory: string): KeptMirror {
  return new KeptMirror({
    directory,
    servers: servers.map(({ address }) => address),
    say: (text) => process.stderr.write(`${text}\n`),
  })
}

function welcome({ servers }: LocalSet, data: string, files: string | undefined): string {
  const [first, ...others] = servers.map(({ address }) => address)
  const filesLine = files === undefined ? '' : `\n    Files   ${files}`
  const isFound = addressesOf(undefined).includes(first!)
  const promptLine = isFound
    ? ''
    : `\n    Prompt  export FOURFOLD_SERVERS=${[first, ...others].join()}`
  return `
  Fourfold is running: four servers, any three of which may die.

    Open    ${first}
    or      ${others.join('  ')}
    Data    ${data}${filesLine}${promptLine}
    Stop    Ctrl+C

`
}

/** Starts servers again that died, at growing distances. */
class Keeper {
  readonly #revivals = new Map<string, Revival>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #isStopped = false

  revive(set: LocalSet, server: LocalServer, how: string): void {
    if (this.#isStopped) return
    const revival = this.#revivals.get(server.id) ?? new Revival()
    this.#revivals.set(server.id, revival)
    const afterMs = revival.died()
    process.stderr.write(`Server ${server.id} ended (${how}); again in ${afterMs / 1000} s.\n`)
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      revival.started()
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
