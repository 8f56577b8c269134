// Finding files and directories by words of their paths: one walk through the names, without the paths.

import type { Listed } from '../model/directory.ts'
import { FourfoldError } from '../model/errors.ts'
import type { Folder } from '../model/folder.ts'
import { findWordsMax } from '../model/limits.ts'
import { fileKey } from '../model/names.ts'
import { wordsOf } from '../model/path-words.ts'
import { isDirectory } from '../model/tree.ts'
import type { Entry } from '../model/wire.ts'

export interface Wanted {
  words: string
  /** The id of the directory to look in; empty: the top. */
  directory: string
  kinds: 'files' | 'directories' | 'both'
  /** At most so many are told. */
  limit: number
}

export interface Finding {
  /** Those with all words in their name first, then those with the shortest path. */
  best: Entry[]
  found: number
  looked: number
}

/**
 * Outside the trash.
 * @throws FourfoldError too-large
 */
export function find(folder: Folder, wanted: Wanted): Finding {
  const walk = new Walk(folder, wanted)
  const path = fileKey(folder.pathOf(wanted.directory))
  walk.through(wanted.directory, path === '' ? '' : `${path}/`, walk.missing(walk.words, path))
  return { best: walk.best.map(({ entry }) => entry), found: walk.found, looked: walk.looked }
}

class Walk {
  readonly #folder: Folder
  readonly #wanted: Wanted
  readonly words: readonly string[]
  readonly best: { entry: Entry; isNamed: boolean; length: number }[] = []
  found = 0
  looked = 0

  constructor(folder: Folder, wanted: Wanted) {
    this.#folder = folder
    this.#wanted = wanted
    this.words = wordsOf(wanted.words)
    if (this.words.length > findWordsMax) {
      throw new FourfoldError('too-large', `At most ${findWordsMax} words are found together.`)
    }
  }

  /** Words of these that are not in a path or name. */
  missing(words: readonly string[], key: string): readonly string[] {
    if (words.every((word) => !key.includes(word))) return words
    return words.filter((word) => !key.includes(word))
  }

  /** `above`: the path of a directory with its last slash; `words`: those that are not in it. */
  through(directory: string, above: string, words: readonly string[]): void {
    for (const each of this.#folder.members(directory)) {
      this.looked++
      const left = this.missing(words, hasSlash(words) ? above + each.key : each.key)
      if (left.length === 0) this.#add(each, above)
      if (isDirectory(each.entry)) this.through(each.id, `${above}${each.key}/`, left)
    }
  }

  #add({ entry, key }: Listed, above: string): void {
    const { kinds, limit } = this.#wanted
    if (kinds !== 'both' && isDirectory(entry) !== (kinds === 'directories')) return
    this.found++
    const isNamed = this.words.every((word) => key.includes(word))
    const each = { entry, isNamed, length: above.length + key.length }
    const { best } = this
    const last = best.length < limit ? undefined : best.at(-1)
    if (last && !isBetter(each, last)) return
    // A few are kept of what may be 100,000.
    const place = best.findIndex((other) => isBetter(each, other))
    best.splice(place < 0 ? best.length : place, 0, each)
    if (best.length > limit) best.pop()
  }
}

type Rank = { isNamed: boolean; length: number }

function isBetter(a: Rank, b: Rank): boolean {
  return a.isNamed === b.isNamed ? a.length < b.length : a.isNamed
}

function hasSlash(words: readonly string[]): boolean {
  return words.some((word) => word.includes('/'))
}
