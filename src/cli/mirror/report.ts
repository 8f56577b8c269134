// What a mirror tells: one line for each thing done, and a page of how it stands for `--status`.

import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Held, Skipped } from '../../core/mirror/messages.ts'
import { errorCodeOf } from '../../adapters/error-code.ts'
import { ownDirectory } from '../../adapters/mirror/store.ts'
import { printable } from '../command.ts'
import { isDiskFull } from './refusals.ts'
import { notCurrent, sameKey } from './told.ts'

export interface Standing {
  pid: number
  /** Milliseconds since 1970. */
  at: number
  state: 'starting' | 'working' | 'same' | 'offline' | 'full' | 'ended'
  files: number
  skipped: Skipped[]
  held: Held | undefined
  /** Why it waits, or ended. */
  why: string | undefined
}

const bothAreSame = 'Directory and folder are the same.'

export class Report {
  readonly #file: string
  readonly #write: (text: string) => void
  readonly #isJson: boolean
  readonly #warned = new Map<string, string>()
  #isSame = false
  #last = ''

  constructor(directory: string, options: { isJson: boolean; write: (text: string) => void }) {
    this.#file = join(directory, ownDirectory, 'status.json')
    this.#isJson = options.isJson
    this.#write = options.write
  }

  /** Something was done: "saved", "notes.md". */
  done(what: string, path: string, more: { to?: string } = {}): void {
    const to = more.to === undefined ? '' : ` → ${printable(more.to)}`
    this.#tell({ done: what, path, ...more }, `${what.padEnd(11)}${printable(path)}${to}\n`)
  }

  /** Something people should know, once. */
  warn(about: string, text: string): void {
    if (this.#warned.get(about) === text) return
    this.#warned.set(about, text)
    if (notCurrent.has(about)) this.#isSame = false
    this.#tell({ warning: text, about }, `${printable(text)}\n`)
  }

  /** It is not so any more: when it is again, it is said again. */
  over(about: string): void {
    this.#warned.delete(about)
  }

  /** Both sides are the same: said once, and again after a warning that they are not. */
  same(): void {
    if (this.#isSame) return
    this.#isSame = true
    this.over('disk')
    this.#tell({ says: bothAreSame, about: sameKey }, `${bothAreSame}\n`)
  }

  say(text: string): void {
    this.#tell({ says: text }, `${text}\n`)
  }

  #tell(value: object, line: string): void {
    this.#write(this.#isJson ? `${JSON.stringify(value)}\n` : line)
  }

  /** For whoever asks how it stands. */
  stand(standing: Standing): void {
    for (const { path, why } of standing.skipped) this.warn(path, `${path} is left alone. ${why}`)
    const { at: _, ...rest } = standing
    const text = JSON.stringify(rest)
    if (text === this.#last) return
    this.#last = text
    const beside = `${this.#file}.new`
    try {
      writeFileSync(beside, JSON.stringify(standing), { mode: 0o600 })
      renameSync(beside, this.#file)
    } catch (error) {
      // On a full disk the standing before it stays; it was said as well.
      if (!isDiskFull(error)) throw error
      this.#last = ''
    }
  }
}

/** How the mirror of a directory stands; undefined: it has none. */
export function standingOf(directory: string): Standing | undefined {
  try {
    const text = readFileSync(join(directory, ownDirectory, 'status.json'), 'utf8')
    const standing = JSON.parse(text) as Standing
    return isAlive(standing.pid) ? standing : { ...standing, state: 'ended' }
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    // No such process, or another person's.
    return false
  }
}
