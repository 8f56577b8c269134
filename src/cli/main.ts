#!/usr/bin/env node
// The command line: finds the command, runs it, and turns its end into an exit code.

import { ConfigurationError } from '../server/configuration.ts'
import { StorageError } from '../adapters/storage/storage-error.ts'
import { asTypedHere, fourfold } from './called.ts'
import {
  CommandError,
  exitCodes,
  printable,
  sentence,
  StoppedError,
  UsageError,
  type Command,
} from './command.ts'
import { keepHeapLean } from './lean-heap.ts'
import { meant } from './meant.ts'
import { heedOutput } from './output.ts'
import { FourfoldError } from '../core/model/errors.ts'

interface Listed {
  /** One line for the list of commands. */
  summary: string
  load: () => Promise<Command>
}

// Only what is called is loaded: `fourfold ls` starts faster without a server in it.
const commands: { [name: string]: Listed } = {
  up: {
    summary: 'start four servers on this machine',
    load: async () => (await import('./up.ts')).up,
  },
  demo: {
    summary: 'watch a robot type while you kill servers',
    load: async () => (await import('./demo.ts')).demo,
  },
  serve: {
    summary: 'run one server from a configuration file',
    load: async () => {
      keepHeapLean()
      return (await import('./serve.ts')).serve
    },
  },
  status: {
    summary: 'show how the servers are',
    load: async () => (await import('./status.ts')).status,
  },
  ls: {
    summary: 'list files and directories',
    load: async () => (await import('./listing.ts')).ls,
  },
  cat: {
    summary: 'print files',
    load: async () => (await import('./download.ts')).cat,
  },
  get: {
    summary: 'save files or directories on this machine',
    load: async () => (await import('./download.ts')).get,
  },
  put: {
    summary: 'save files or directories of this machine, or standard input',
    load: async () => (await import('./upload.ts')).put,
  },
  mkdir: {
    summary: 'make directories',
    load: async () => (await import('./arranging.ts')).mkdir,
  },
  mv: {
    summary: 'move or rename files or directories',
    load: async () => (await import('./arranging.ts')).mv,
  },
  cp: {
    summary: 'copy files or directories',
    load: async () => (await import('./copying.ts')).cp,
  },
  rm: {
    summary: 'put files or directories into the trash',
    load: async () => (await import('./arranging.ts')).rm,
  },
  trash: {
    summary: 'list what lies in the trash, or empty it',
    load: async () => (await import('./listing.ts')).trash,
  },
  restore: {
    summary: 'take files or directories out of the trash',
    load: async () => (await import('./arranging.ts')).restore,
  },
  find: {
    summary: 'find files and directories by name',
    load: async () => (await import('./listing.ts')).find,
  },
  grep: {
    summary: 'find lines in the text of all files',
    load: async () => (await import('./searching.ts')).grep,
  },
  watch: {
    summary: 'tell each change as it happens',
    load: async () => (await import('./watching.ts')).watch,
  },
  edit: {
    summary: 'open a file in your editor, live',
    load: async () => (await import('./edit.ts')).edit,
  },
  mirror: {
    summary: 'keep a directory of this machine and the folder the same',
    load: async () => {
      keepHeapLean()
      return (await import('./mirror.ts')).mirror
    },
  },
  reseed: {
    summary: 'fill an empty set again from the directory of a mirror',
    load: async () => (await import('./reseed.ts')).reseed,
  },
}

async function main([name, ...words]: string[]): Promise<number> {
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    const asked = words[0] !== undefined ? await find(words[0]) : undefined
    process.stdout.write(asTypedHere(asked ? asked.help : overview()))
    return name === undefined ? exitCodes.usage : exitCodes.done
  }
  if (name === '--version' || name === '-V' || name === '-v') {
    const { version } = await import('../server/server.ts')
    process.stdout.write(`${version}\n`)
    return exitCodes.done
  }
  const command = await find(name)
  if (asksForHelp(words)) {
    process.stdout.write(asTypedHere(command.help))
    return exitCodes.done
  }
  try {
    return await command.run(words)
  } catch (error) {
    if (error instanceof UsageError) {
      throw new UsageError(`${error.message} Try: ${fourfold()} ${name} --help`)
    }
    throw error
  }
}

/** What stands behind "--" is a name, or words that are looked for. */
function asksForHelp(words: string[]): boolean {
  const end = words.indexOf('--')
  const options = end === -1 ? words : words.slice(0, end)
  return options.includes('--help') || options.includes('-h')
}

async function find(name: string): Promise<Command> {
  const listed = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (listed) return listed.load()
  const known = Object.keys(commands)
  const near = meant(name, known)
  const advice = near === undefined ? `there are ${known.join(', ')}` : `did you mean "${near}"?`
  throw new UsageError(sentence(`There is no command "${printable(name)}"; ${advice}`))
}

function overview(): string {
  const lines = Object.entries(commands).map(
    ([name, { summary }]) => `  ${name.padEnd(9)}${summary}`,
  )
  return `Usage: fourfold COMMAND …

${lines.join('\n')}

fourfold COMMAND --help tells more.
`
}

/** Errors that are no mistakes of ours carry one sentence for the person. */
function isExpected(error: unknown): error is Error {
  return [UsageError, ConfigurationError, CommandError, StorageError, FourfoldError].some(
    (kind) => error instanceof kind,
  )
}

function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError || error instanceof ConfigurationError) return exitCodes.usage
  if (error instanceof StoppedError) return exitCodes.stopped
  if (!(error instanceof StorageError)) return exitCodes.failed
  const isBroken = error.code === 'corrupt' || error.code === 'full' || error.code === 'failed'
  return isBroken ? exitCodes.store : exitCodes.usage
}

heedOutput()
try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  // Of a mistake of ours it shows where it happened.
  const trace = error instanceof Error ? error.stack : undefined
  const text = isExpected(error) ? sentence(error.message) : (trace ?? String(error))
  process.stderr.write(`${text}\n`)
  process.exitCode = exitCodeOf(error)
}
