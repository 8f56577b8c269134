// What every command is, and how one reads its words.

import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { hasInvisible } from '../core/model/names.ts'

/** Exit codes: what shells and scripts go by. */
export const exitCodes = { done: 0, failed: 1, usage: 2, store: 3, stopped: 130 } as const

export interface Command {
  /** The whole help, from "Usage:" on. */
  help: string
  /** Resolves with the exit code, or rejects with an error whose message is one sentence. */
  run(words: string[]): Promise<number>
}

/** The command was called wrongly: exit 2. `message` is one sentence. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** A command failed for a reason outside of it: exit 1. `message` is one sentence. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/** Ctrl+C, or another signal, ended a command before it was done: exit 130. */
export class StoppedError extends CommandError {}

/** For `readWords` of commands that go through directories. */
export const recursiveOptions = {
  recursive: { type: 'boolean', short: 'r' },
  // The same, as many type it.
  R: { type: 'boolean', short: 'R' },
} as const

export function isRecursive({ recursive = false, R = false }: Recursive): boolean {
  return recursive || R
}

interface Recursive {
  recursive?: boolean
  R?: boolean
}

interface Words {
  needs?: string[]
  may?: string[]
  more?: boolean
  /** Letters of options that hands type as elsewhere, and that say what is so anyway. */
  anyway?: string
  /** What is to be said of an option that hands type as elsewhere, and that is none: by its letter. */
  instead?: { [letter: string]: string }
}

/**
 * Options and other words of a command. `needs` and `may` name the other words, in order; with
 * `more` there may be any number. Throws UsageError for an unknown option, a missing value, and a
 * word too few or too many.
 */
export function readWords<const T extends ParseArgsOptionsConfig>(
  words: string[],
  options: T,
  { needs = [], may = [], more = false, anyway = '', instead = {} }: Words = {},
) {
  const habits = Object.fromEntries([...anyway].map((short) => [short, { type: 'boolean', short }]))
  const hasNames = needs.length + may.length > 0 || more
  const asName = hasNames ? 'What begins with "-" and is none goes behind "--".' : undefined
  const unknown = (letter: string) => instead[letter] ?? asName
  const read = parsed(words, { ...habits, ...options } as T, unknown)
  const missing = needs[read.positionals.length]
  if (missing !== undefined) throw new UsageError(`${missing} is missing.`)
  const tooMany = read.positionals[needs.length + may.length]
  if (tooMany !== undefined && !more)
    throw new UsageError(`"${printable(tooMany)}" is one word too many.`)
  return read
}

function parsed<const T extends ParseArgsOptionsConfig>(
  words: string[],
  options: T,
  unknown: (letter: string) => string | undefined,
) {
  try {
    return parseArgs({ args: words, options, allowPositionals: true, strict: true })
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    // Node's first sentence names the option; what follows explains Node.
    const text = `${error.message.split(/\. |\n/)[0]!.replace(/\.$/, '')}.`
    const option = /^Unknown option '-(.+)'/.exec(text)?.[1]
    const advice = option === undefined ? undefined : unknown(option)
    throw new UsageError(advice === undefined ? text : `${text} ${advice}`)
  }
}

/**
 * Text of other people as a terminal may show it: no control characters, no changes of direction. What
 * joins the parts of an emoji, or letters, is a part of these.
 */
export function printable(text: string): string {
  const isJoined = !hasInvisible(text)
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) => {
    if (isJoined && (character === '\u200c' || character === '\u200d')) return character
    const code = character.codePointAt(0)!
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
  })
}

/** The text with a full stop, where it has no end of its own. */
export function sentence(text: string): string {
  return /[.!?]\)?$/.test(text) ? text : `${text}.`
}
