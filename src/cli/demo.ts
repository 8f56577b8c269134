// `fourfold demo`: the promise in one minute. A robot types, the visitor kills servers.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type Client, type LiveDocument } from '../client/index.ts'
import { openBrowser } from './browser.ts'
import { exitCodes, readWords, type Command } from './command.ts'
import { LocalSet, readPort, type LocalServer } from './local-set.ts'

const help = `Usage: fourfold demo [--port PORT] [--data DIR] [--no-open]

Starts four servers, opens the page, and lets a robot type into "demo.md". The keys 1 to 4 kill and
revive the servers a to d; q ends it. One line shows what the robot notices of it.

  --port PORT  of the first server; the others have the next three (4410)
  --data DIR   where the servers keep everything; otherwise in a directory that goes with the demo
  --no-open    only print where the page is

Example:
  fourfold demo --port 4500
`

/** Beside a set of `fourfold up`; a browser keeps what it stores of the two apart as well. */
const demoPort = '4410'
/** A fast typist. */
const keystrokeMs = 120
/** How often the robot looks whether its edits are acknowledged: what it measures is that exact. */
const lookMs = 5
/** The line on a terminal, and where it goes into a file. */
const terminalMs = 100
const fileMs = 1000

const sentences = [
  'Any three of the four servers may die; whoever types goes on typing. ',
  'Kill one with the keys 1 to 4 and watch the numbers. ',
  'What was acknowledged is on the disks that the line counts. ',
  'A server that comes back fetches what it missed, by itself.\n',
]

export const demo: Command = {
  help,
  async run(words) {
    const { values } = readWords(words, {
      port: { type: 'string', default: demoPort },
      data: { type: 'string' },
      'no-open': { type: 'boolean', default: false },
    })
    const port = readPort(values.port)
    const data = values.data ?? mkdtempSync(join(tmpdir(), 'fourfold-demo-'))
    try {
      await show(data, port, !values['no-open'])
    } finally {
      if (values.data === undefined) rmSync(data, { recursive: true, force: true })
    }
    return exitCodes.done
  },
}

async function show(data: string, port: number, opens: boolean): Promise<void> {
  const stage = new Stage()
  const set = new LocalSet({ data, port, ended: ({ id }) => stage.states.set(id, 'dead') })
  process.stdout.write('Starting four servers …\n')
  const ended = untilEnded((key) => stage.press(set, key))
  const robot = new Robot(set.servers.map(({ address }) => address))
  try {
    await set.start()
    for (const { id, process: child } of set.servers) stage.states.set(id, child ? 'live' : 'dead')
    const page = set.servers[0]!.address
    const isOpened = opens && openBrowser(page)
    process.stdout.write(`
  The page ${isOpened ? 'opens' : 'is'} at ${page} – open "demo.md" and type along.
  Keys: 1 2 3 4 kill and revive the servers a b c d · q ends the demo
  ● lives, ◌ starts, ✕ is dead · max: the longest that an edit waited for a disk

`)
    await robot.start()
    const stopLine = showLine(() => line(stage, robot))
    await ended
    stopLine()
  } finally {
    robot.stop()
    await set.end()
  }
}

/** Which servers live, as far as we made them. */
class Stage {
  readonly states = new Map<string, 'live' | 'dead' | 'starting'>()

  press(set: LocalSet, key: string): void {
    const server = set.servers[Number(key) - 1]
    if (!server) return
    if (this.states.get(server.id) === 'live') this.#kill(server)
    else if (this.states.get(server.id) === 'dead') this.#revive(set, server)
  }

  #kill(server: LocalServer): void {
    server.process?.kill('SIGKILL')
  }

  #revive(set: LocalSet, server: LocalServer): void {
    this.states.set(server.id, 'starting')
    set.startOne(server).then(
      () => this.states.set(server.id, 'live'),
      (error: Error) => {
        this.states.set(server.id, 'dead')
        process.stderr.write(`\n${error.message}\n`)
      },
    )
  }
}

/** Types without end, and takes the time until each edit is acknowledged. */
class Robot {
  readonly client: Client
  #document: LiveDocument | undefined
  #timers: NodeJS.Timeout[] = []
  #typed = 0
  /** When the edits were made that nobody has acknowledged yet. */
  #waiting: number[] = []
  acknowledged = 0
  longestMs = 0

  constructor(servers: string[]) {
    this.client = connect({ servers, name: 'Robot', agent: 'demo' })
  }

  async start(): Promise<void> {
    await this.client.joined()
    const { id } =
      this.client.files.find(({ name, isDeleted }) => name === 'demo.md' && !isDeleted) ??
      (await this.client.create('demo.md', '# A robot types here\n\n'))
    this.#document = this.client.open(id)
    await this.#document.loaded
    this.#timers = [
      setInterval(() => this.#type(), keystrokeMs),
      setInterval(() => this.#count(), lookMs),
    ]
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer)
    this.client.close()
  }

  /** How long the oldest edit without an answer waits; 0 when there is none. */
  waitsMs(): number {
    return this.#waiting.length > 0 ? performance.now() - this.#waiting[0]! : 0
  }

  #type(): void {
    const { text } = this.#document!
    const all = sentences.join('')
    this.#waiting.push(performance.now())
    text.insert(text.length, all[this.#typed++ % all.length]!)
  }

  #count(): void {
    const holders = this.#document!.receipt().servers
    if (this.#waiting.length === 0 || holders.length === 0) return
    const now = performance.now()
    for (const at of this.#waiting) this.longestMs = Math.max(this.longestMs, now - at)
    this.acknowledged += this.#waiting.length
    this.#waiting = []
  }
}

const signs = { live: '●', starting: '◌', dead: '✕' }

function line(stage: Stage, robot: Robot): string {
  const { client } = robot
  const servers = [...stage.states].map(([id, state]) => `${id} ${signs[state]}`)
  const { connection } = client
  const at = connection.name === 'online' ? `on ${connection.server}` : connection.name
  const longest = span(Math.max(robot.longestMs, robot.waitsMs()))
  const moved = client.moves.at(-1)
  const move = moved ? ` · moved in ${span(moved.tookMs)}` : ''
  const { save } = client
  const saved = save.name === 'saved' ? `saved ${save.servers.length}/${save.of}` : save.name
  // What it is about comes to stand within the 80 columns of a small terminal.
  const edits = `${robot.acknowledged} edits, max ${longest}`
  return `${servers.join(' ')} │ ${at} · ${saved} · ${edits}${move}`
}

/** "280 ms", "2.2 s": six characters for all that takes less than a hundred seconds. */
function span(ms: number): string {
  const whole = Math.round(ms)
  return whole < 1000 ? `${whole} ms` : `${(whole / 1000).toFixed(1)} s`
}

/** Shows a line that changes in place; where there is no terminal, one after the other. */
function showLine(text: () => string): () => void {
  const { stdout } = process
  const draw = () => {
    if (!stdout.isTTY) stdout.write(`${text()}\n`)
    else stdout.write(`\r\u001b[K${text().slice(0, (stdout.columns || 80) - 1)}`)
  }
  const timer = setInterval(draw, stdout.isTTY ? terminalMs : fileMs)
  return () => {
    clearInterval(timer)
    stdout.write('\n')
  }
}

/** Hands on each key; resolves when the person, or a signal, ends the demo. */
function untilEnded(press: (key: string) => void): Promise<void> {
  const { stdin } = process
  const { promise, resolve } = Promise.withResolvers<void>()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, resolve)
  if (stdin.isTTY) stdin.setRawMode(true)
  stdin.setEncoding('utf8').on('data', (text: string) => {
    for (const key of text) {
      // Without its usual meaning for the terminal, Ctrl+C is a key like others.
      if (key === 'q' || key === '\u0003') resolve()
      else press(key)
    }
  })
  return promise.finally(() => {
    if (stdin.isTTY) stdin.setRawMode(false)
    stdin.pause()
  })
}
