// A mirror beside servers: a process of its own, so that its end is nobody else's. It is started again
// whenever it ends, and it ends with the process that keeps it, however that one ends.
//
//   keeper ── words, environment ──> mirror
//          <─ sign-in: a name ─────        where the set asks for a password that nobody typed
//          ── token ──────────────>
//          <─ JSON lines ──────────        of which people are told what they must know

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { printable, sentence } from './command.ts'
import { keptAlready, notCurrent, sameKey } from './mirror/told.ts'
import { Revival } from './revival.ts'

/** Set for a process that is kept. */
const keptKey = 'FOURFOLD_KEPT'
/** The screen name under which its changes appear, with the name of the machine. */
const mirrorName = 'files'
/** A mirror that was told to end is killed after this: it understands that as well. */
const endMs = 3000
/** Of what a mirror says when it fails. */
const saidMax = 2000
/** Of the warnings of a mirror those that nobody else gives; the rest is in its status. */
const isTold: ReadonlySet<unknown> = new Set([...notCurrent, 'watch', 'lost'])

type ToKeeper = { type: 'sign-in'; name: string }
type FromKeeper = { type: 'token'; token: string }

export interface KeptMirrorOptions {
  directory: string
  /** The directory of the folder that is mirrored instead of all of it. */
  folder?: string | undefined
  /** The first that answers will do. */
  servers: string[]
  /** A file in PEM: whoever signed the servers' certificates. */
  ca?: string | undefined
  /** Lets a process of this name in without a password. */
  token?: ((name: string) => string) | undefined
  /** A sentence for whoever runs the servers: something is to be done, or all is well again. */
  say: (text: string, level: 'error' | 'info') => void
}

export class KeptMirror {
  readonly #options: KeptMirrorOptions
  readonly #revival = new Revival()
  #child: ChildProcess | undefined
  #timer: NodeJS.Timeout | undefined
  #isEnding = false
  /** Why it ended last: said once, however often it is tried. */
  #why = ''
  /** It was not said that the files are not current, or said since that they are. */
  #isCurrent = true

  constructor(options: KeptMirrorOptions) {
    this.#options = options
  }

  get directory(): string {
    return this.#options.directory
  }

  start(): void {
    if (this.#isEnding) return
    const child = this.#fork()
    this.#child = child
    this.#revival.started()
    let said = ''
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-saidMax)
    })
    createInterface({ input: child.stdout! }).on('line', (line) => this.#heard(line))
    child.on('message', (message) => this.#answer(child, message as ToKeeper))
    // What cannot be started says so, and has no other end.
    child.once('error', (error) => {
      if (child.pid === undefined) this.#ended(child, error.message)
    })
    child.once('close', (code, signal) => {
      this.#ended(child, said.trim() || `The mirror ended (${signal ?? `exit code ${code}`}).`)
    })
  }

  /** Ends it in good order, or kills it. */
  async end(): Promise<void> {
    this.#isEnding = true
    clearTimeout(this.#timer)
    const child = this.#child
    if (!child) return
    const closed = once(child, 'close')
    child.kill('SIGTERM')
    const killing = setTimeout(() => child.kill('SIGKILL'), endMs)
    await closed
    clearTimeout(killing)
  }

  #fork(): ChildProcess {
    const { directory, folder, servers, ca } = this.#options
    const words = ['mirror', directory, '--json', '--name', mirrorName]
    words.push('--servers', servers.join(','))
    if (folder !== undefined) words.push('--folder', folder)
    const authority = ca === undefined ? {} : { NODE_EXTRA_CA_CERTS: ca }
    const env = { ...process.env, ...authority, [keptKey]: 'yes' }
    // A channel of messages ends with this process, however it ends: then the mirror ends, too.
    return fork(process.argv[1]!, words, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], env })
  }

  #ended(child: ChildProcess, why: string): void {
    if (this.#child !== child) return
    this.#child = undefined
    if (this.#isEnding) return
    if (this.#revival.wasWell) this.#why = ''
    const afterMs = this.#revival.died()
    if (why !== this.#why && why.includes(keptAlready)) {
      this.#say(`${keptAlready}.`, 'info')
    } else if (why !== this.#why) {
      const again = `Tried again in ${afterMs / 1000} s, and later.`
      this.#say(`not kept current at the moment. ${sentence(why)} ${again}`)
      this.#isCurrent = false
    }
    this.#why = why
    this.#timer = setTimeout(() => this.start(), afterMs)
  }

  #heard(line: string): void {
    const { warning, about } = saidIn(line)
    if (warning !== undefined && isTold.has(about)) {
      this.#say(warning)
      if (notCurrent.has(about)) this.#isCurrent = false
    } else if (about === sameKey && !this.#isCurrent) {
      this.#say('current again.', 'info')
      this.#isCurrent = true
      this.#why = ''
    }
  }

  #say(text: string, level: 'error' | 'info' = 'error'): void {
    this.#options.say(`${printable(this.#options.directory)}: ${text}`, level)
  }

  #answer(child: ChildProcess, { type, name }: ToKeeper): void {
    if (type !== 'sign-in') return
    const answer: FromKeeper = { type: 'token', token: this.#options.token?.(name) ?? '' }
    // It may have ended meanwhile: that is told by its end.
    child.send(answer, () => {})
  }
}

function saidIn(line: string): { warning?: string; about?: string } {
  try {
    return JSON.parse(line) as { warning?: string; about?: string }
  } catch {
    // Killed in the middle of a line, it said half of it: that is no end of who keeps it.
    return {}
  }
}

// ------------------------------------------------------------------------ in the kept process

/** The process that keeps this one. */
export interface Keeper {
  /** A token for this name; undefined: sign in as everybody does. */
  token: (name: string) => Promise<string | undefined>
  /** Calls when it is gone. */
  onceGone: (then: () => void) => void
}

/** Undefined: a person started this process. */
export function keeperOfThis(): Keeper | undefined {
  const { channel } = process
  if (process.env[keptKey] === undefined || !channel) return undefined
  return {
    async token(name) {
      const asked: ToKeeper = { type: 'sign-in', name }
      channel.ref()
      const answered = once(process, 'message')
      process.send!(asked)
      const [{ token }] = (await answered) as [FromKeeper]
      channel.unref()
      return token === '' ? undefined : token
    },
    onceGone(then) {
      process.once('disconnect', then)
      // Waiting for it is no reason to stay.
      channel.unref()
    },
  }
}
