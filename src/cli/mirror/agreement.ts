// A person's word to a mirror that is running and waits for it: a file in the mirror's own directory,
// bound to the question as it stood, so that it answers no later one.

import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Held } from '../../core/mirror/messages.ts'
import { errorCodeOf } from '../../adapters/error-code.ts'
import { ownDirectory } from '../../adapters/mirror/store.ts'
import { CommandError } from '../command.ts'
import { standingOf } from './report.ts'

/** How often a mirror that waits looks for it. */
export const agreementLookMs = 1000
/** A mirror that is at work takes it within this. */
const takenMs = 20_000
const askMs = 50
/** For so long a word holds for what is deleted after it: that belongs to what it was asked about. */
const holdsMs = 10_000

/** Agrees to the deletions that wait. Resolves with what was agreed to. Rejects with CommandError. */
export async function agree(root: string): Promise<Held | undefined> {
  const held = standingOf(root)?.held
  if (!held) return undefined
  const file = fileIn(root)
  writeFileSync(`${file}.new`, JSON.stringify(held), { mode: 0o600 })
  renameSync(`${file}.new`, file)
  const end = performance.now() + takenMs
  while (existsSync(file)) {
    if (performance.now() > end) {
      rmSync(file, { force: true })
      throw new CommandError(`The mirror of ${root} does not listen; stop it, and try again.`)
    }
    await sleep(askMs)
  }
  return held
}

/** The other end: a person's word as a mirror hears it while it runs. */
export class Agreement {
  readonly #root: string
  #until = -Infinity

  constructor(root: string) {
    this.#root = root
    // A word that nobody took answers no question of this life.
    this.#take()
  }

  get holds(): boolean {
    return performance.now() < this.#until
  }

  /** Takes a word that was given since, when it is for all that waits; whether there was one. */
  hear(held: Held): boolean {
    const agreed = this.#take()
    if (!agreed || agreed.inFolder < held.inFolder || agreed.onDisk < held.onDisk) return false
    this.#until = performance.now() + holdsMs
    return true
  }

  #take(): Held | undefined {
    const file = fileIn(this.#root)
    try {
      const held = JSON.parse(readFileSync(file, 'utf8')) as Held
      rmSync(file)
      return held
    } catch (error) {
      if (errorCodeOf(error) === 'ENOENT') return undefined
      throw error
    }
  }
}

function fileIn(root: string): string {
  return join(root, ownDirectory, 'agreed.json')
}
