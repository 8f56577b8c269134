#!/usr/bin/env node
// The command line: finds the command, runs it, and turns its end into an exit code.

import { ConfigurationError } from '../server/configuration.ts'
import { StorageError } from '../adapters/storage/storage-error.ts'
import {
  CommandError,
  exitCodes,
  printable,
  sentence,
  StoppedError,
  UsageError,
  type Command,
} from './command.ts'
import { meant } from './meant.ts'
import { FourfoldError } from '../core/model/errors.ts'

// Only what is called is loaded: `fourfold ls` starts faster without a server in it.
const commands: { [name: string]: () => Promise<Command> } = {
  up: async () => (await import('./up.ts')).up,
  demo: async () => (await import('./demo.ts')).demo,
  serve: async () => (await import('./serve.ts')).serve,
  status: async () => (await import('./status.ts')).status,
  ls: async () => (await import('./listing.ts')).ls,
  cat: async () => (await import('./download.ts')).cat,
  get: async () => (await import('./download.ts')).get,
  put: async () => (await import('./upload.ts')).put,
  mkdir: async () => (await import('./arranging.ts')).mkdir,
  mv: async () => (await import('./arranging.ts')).mv,
  cp: async () => (await import('./copying.ts')).cp,
  rm: async () => (await import('./arranging.ts')).rm,
  trash: async () => (await import('./listing.ts')).trash,
  restore: async () => (await import('./arranging.ts')).restore,
  find: async () => (await import('./listing.ts')).find,
  grep: async () => (await import('./searching.ts')).grep,
  watch: async () => (await import('./watching.ts')).watch,
  edit: async () => (await import('./edit.ts')).edit,
  mirror: async () => (await import('./mirror.ts')).mirror,
  reseed: async () => (await import('./reseed.ts')).reseed,
}

async function main([name, ...words]: string[]): Promise<number> {
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    const asked = words[0] !== undefined ? await find(words[0]) : undefined
    process.stdout.write(asked ? asked.help : await overview())
    return name === undefined ? exitCodes.usage : exitCodes.done
  }
  if (name === '--version' || name === '-V') {
    const { version } = await import('../server/server.ts')
    process.stdout.write(`${version}\n`)
    return exitCodes.done
  }
  const command = await find(name)
  if (words.includes('--help') || words.includes('-h')) {
    process.stdout.write(command.help)
    return exitCodes.done
  }
  try {
    return await command.run(words)
  } catch (error) {
    if (error instanceof UsageError) {
      throw new UsageError(`${error.message} Try: fourfold ${name} --help`)
    }
    throw error
  }
}

async function find(name: string): Promise<Command> {
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (load) return load()
  const known = Object.keys(commands)
  const near = meant(name, known)
  const advice = near === undefined ? `there are ${known.join(', ')}` : `did you mean "${near}"?`
  throw new UsageError(sentence(`There is no command "${printable(name)}"; ${advice}`))
}

async function overview(): Promise<string> {
  const lines = await Promise.all(
    Object.entries(commands).map(async ([name, load]) => {
      const { summary } = await load()
      return `  ${name.padEnd(9)}${summary}`
    }),
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

// Who reads the output has seen enough, like `head`: nothing that follows would be read.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(exitCodes.done)
})

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  // Of a mistake of ours it shows where it happened.
  const trace = error instanceof Error ? error.stack : undefined
  const text = isExpected(error) ? sentence(error.message) : (trace ?? String(error))
  process.stderr.write(`${text}\n`)
  process.exitCode = exitCodeOf(error)
}
