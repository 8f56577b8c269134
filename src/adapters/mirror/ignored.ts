// What a mirror leaves alone: Git's own things, its own, what editors drop, and what people say.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ignore, { type Ignore } from 'ignore'
import { parkedDirectory } from '../../core/mirror/paths.ts'
import { errorCodeOf } from '../error-code.ts'

/** In the mirrored directory; written like a .gitignore, for the whole tree. Not shared. */
export const ignoreFile = '.fourfoldignore'

/** Always. */
const fixed = ['.git', '.fourfold*']
/** Unless people say otherwise ("!*~"): copies and locks that editors and offices keep beside a file. */
export const usuallyIgnored = [
  ...['.*.sw?', '*~', '.#*', '\\#*#', '.~lock.*#', '~$*'],
  ...['.DS_Store', 'Thumbs.db'],
]

const inParked = `${parkedDirectory}/`

/** A larger one is a mistake. */
const ignoreBytesMax = 1024 * 1024

export interface Ignoring {
  readonly isIgnored: (path: string, isDirectory: boolean) => boolean
  /** Reads again what people say; true: it changed. */
  refresh(): boolean
}

export class Ignored implements Ignoring {
  readonly #root: string
  readonly #fixed: Ignore = ignore({ allowRelativePaths: true }).add(fixed)
  #people: Ignore = ignore({ allowRelativePaths: true }).add(usuallyIgnored)
  #text: string | undefined

  constructor(root: string) {
    this.#root = root
    this.refresh()
  }

  refresh(): boolean {
    const text = this.#read()
    if (text === this.#text) return false
    this.#text = text
    this.#people = ignore({ allowRelativePaths: true }).add(usuallyIgnored).add(text)
    return true
  }

  readonly isIgnored = (path: string, isDirectory: boolean): boolean => {
    // What is parked is shared, only not where people see it: unseen it would count as deleted.
    const own = path.startsWith(inParked) ? path.slice(inParked.length) : path
    const named = isDirectory ? `${own}/` : own
    return this.#fixed.ignores(named) || this.#people.ignores(named)
  }

  #read(): string {
    try {
      const text = readFileSync(join(this.#root, ignoreFile), 'utf8')
      return text.length > ignoreBytesMax ? '' : text
    } catch (error) {
      if (errorCodeOf(error) === 'ENOENT') return ''
      throw error
    }
  }
}
