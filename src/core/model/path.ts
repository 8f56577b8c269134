// Paths of the folder: names with "/" between them; empty: the top.

import { pathBytesMax, pathNamesMax } from './limits.ts'

/** The path of the directory above; of the top the top. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

/** The last name of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** The path of what has this name in a directory. */
export function joined(parent: string, name: string): string {
  return parent === '' ? name : `${parent}/${name}`
}

/** No name has a colon. */
const idMark = 'id:'

/** A path that leads below a directory wherever that is by then: `id:<its id>/names`. */
export function pathBelow(id: string, names: string): string {
  return `${idMark}${id}/${names}`
}

/** The id that stands in the place of a name; undefined: it is a name. */
export function idInPath(name: string): string | undefined {
  return name.startsWith(idMark) ? name.slice(idMark.length) : undefined
}

/** The bound that a path of so many names and bytes is over, as a sentence. */
export function brokenBound(names: number, bytes: number): string | undefined {
  if (names > pathNamesMax) return `A path has at most ${pathNamesMax} names.`
  if (bytes > pathBytesMax) return `A path has at most ${pathBytesMax} bytes.`
  return undefined
}

/** Whether a path lies in a directory, be it deep; nothing lies in itself. */
export function isBelow(path: string, directory: string): boolean {
  return directory === '' ? path !== '' : path.startsWith(`${directory}/`)
}

/** Whether a path is a directory, or lies in it, be it deep. */
export function isWithin(path: string, directory: string): boolean {
  return path === directory || isBelow(path, directory)
}
