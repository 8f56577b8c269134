// Paths inside a mirrored directory: relative, with "/" between names, no name empty, "." or "..".

import { utf8ByteLength } from 'lib0/string'
import { nameBytesMax } from '../model/limits.ts'
import { withWords } from '../model/names.ts'
import { idInPath, isBelow, joined, nameOf, parentOf } from '../model/path.ts'

/** Where things wait whose place is not free yet, below the mirrored directory. */
export const parkedDirectory = '.fourfold/parked'

/** Where an entry waits; with the name that it had, which nothing else may know by then. */
export function parkedPath(id: string, name: string): string {
  const named = `${id} ${name}`
  return joined(parkedDirectory, utf8ByteLength(named) > nameBytesMax ? id : named)
}

/** The name for something parked of which nobody knows any more what it is. */
export function nameOfParked(path: string): string {
  const name = nameOf(path)
  return name.slice(name.indexOf(' ') + 1)
}

/** The path that something has after the directory `from` above it, or itself, moved to `to`. */
export function moved(path: string, from: string, to: string): string {
  if (path === from) return to
  return isBelow(path, from) ? to + path.slice(from.length) : path
}

/**
 * Where on the disk something is that was asked to be made below a directory: that may have moved since.
 * Undefined: it was to be at the top, or in what is not known.
 */
export function pathNow(
  place: string,
  common: ReadonlyMap<string, { path: string }>,
): string | undefined {
  const [first = '', ...names] = place.split('/')
  const directory = common.get(idInPath(first) ?? '')
  return directory && joined(directory.path, names.join('/'))
}

/** A free name for what must make place: "plan (my-laptop).md", then "plan (my-laptop 2).md" … */
export function asidePath(path: string, host: string, isTaken: (path: string) => boolean): string {
  const name = nameOf(path)
  for (let number = 1; ; number++) {
    const label = number === 1 ? host : `${host} ${number}`
    const aside = joined(parentOf(path), withWords(name, ` (${label})`))
    if (!isTaken(aside)) return aside
  }
}
