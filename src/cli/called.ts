// What a person types where they are to run this program again.

import { existsSync, realpathSync } from 'node:fs'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { parseArgs } from 'node:util'
import { fitted } from './fitted.ts'

let found: string | undefined

/** Stands before the name of a command in all that is printed for people to type. */
export function fourfold(): string {
  // Few commands print it: none looks for it before it does.
  found ??= calledFrom(
    here(),
    process.env['PATH'] ?? '',
    join(dirname(process.argv[1]!), '../../bin/fourfold.mjs'),
  )
  return found
}

function here(): string {
  try {
    return process.cwd()
  } catch {
    // It was removed since its shell went there: nothing is found from it.
    return '/'
  }
}

/** `command`: the file that runs this program, wherever it is called from. */
export function calledFrom(directory: string, path: string, command: string): string {
  // As npx looks, which runs what a clone, or a project that has the package, holds.
  for (let at = directory; ; at = dirname(at)) {
    if (existsSync(join(at, 'node_modules/.bin/fourfold'))) return 'npx fourfold'
    if (at === dirname(at)) break
  }
  // npm puts directories of its own there for what it runs: the person's shell has not got them.
  const places = path.split(delimiter).filter((place) => {
    return isAbsolute(place) && !place.includes('node_modules')
  })
  const isOurs = (place: string) => isSame(join(place, 'fourfold'), command)
  return places.some(isOurs) ? 'fourfold' : `node ${quoted(command)}`
}

function isSame(file: string, other: string): boolean {
  return existsSync(file) && existsSync(other) && realpathSync(file) === realpathSync(other)
}

/** A command as a person types it here, for the set that this one was called for. */
export function typed(command: string, ...words: string[]): string {
  return [fourfold(), command, ...serversNamed(), ...words].join(' ')
}

/** The option that names the servers, if this command has it. */
function serversNamed(): string[] {
  const options = { servers: { type: 'string' } } as const
  // What else is among the words is judged where they are read.
  const { values } = parseArgs({ options, strict: false, allowPositionals: true })
  return typeof values.servers === 'string' ? ['--servers', quoted(values.servers)] : []
}

/** As one word for a shell. */
export function quoted(text: string): string {
  return /^[\w./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/** Of a small terminal; longer lines than the helps are written in are hard to read. */
const helpColumns = { usual: 80, max: 100 }

/** A help as it is to be typed here, and as it fits the terminal. */
export function asTypedHere(help: string): string {
  const columns = Math.min(process.stdout.columns || helpColumns.usual, helpColumns.max)
  return fitted(help.replaceAll(/\bfourfold (?=[a-zA-Z])/g, `${fourfold()} `), columns)
}
