// `fourfold mirror`: a directory of this machine and the shared folder are kept the same.

import { realpathSync } from 'node:fs'
import { hostname } from 'node:os'
import { join, relative, resolve, sep } from 'node:path'
import { screenNameMax } from '../core/model/limits.ts'
import { makeDirectory } from '../adapters/disk.ts'
import { MirrorDirectory } from '../adapters/mirror/directory.ts'
import { Ignored, usuallyIgnored } from '../adapters/mirror/ignored.ts'
import {
  MirrorLockedError,
  MirrorStore,
  MirrorVersionError,
  ownDirectory,
} from '../adapters/mirror/store.ts'
import { DirectoryWatcher } from '../adapters/mirror/watcher.ts'
import { isDamage } from '../adapters/storage/storage-error.ts'
import { newOperation } from '../adapters/system.ts'
import { asJson } from './answer.ts'
import { CommandError, exitCodes, printable, readWords, type Command } from './command.ts'
import { keeperOfThis } from './kept-mirror.ts'
import { agree } from './mirror/agreement.ts'
import { Mirror } from './mirror/mirror.ts'
import { Report, standingOf } from './mirror/report.ts'
import { keptAlready } from './mirror/told.ts'
import { goOnUnheard } from './output.ts'
import { screenNameOf, SetClient, setHelp, setJsonOptions } from './set-client.ts'

const help = `Usage: fourfold mirror DIR [--folder PATH] [--once] [--accept-deletes] [--json]
       fourfold mirror DIR --status [--json]

Keeps the directory DIR and the shared folder the same, both ways, until it is stopped. Any program
may change the files; what others type meanwhile is merged. The first time nothing is deleted: what
only one side has comes to the other, and where both have different files of one name, yours is kept
as "NAME (${shortHost()}).EXT".

What is not UTF-8, or larger than 10 MiB, is kept byte for byte: when two change such a file at once
the newer is on the disk, and both are among the file's versions. Left alone: .git, .fourfold*, links,
pipes and devices, and what .fourfoldignore names (written like .gitignore); also, unless it says
otherwise ("!*~"), what editors and systems leave: ${usuallyIgnored.slice(0, -1).join(' ')} and ${usuallyIgnored.at(-1)!}.

  --folder PATH      mirrors this directory of the folder instead of all of it
  --once             ends when both sides are the same; exit code 1 when something is left
  --accept-deletes   deletes however many files are missing on one side; without it, more than 100
                     at once or more than half of all wait for you to say so; to a mirror that is
                     running, it says so
  --status           tells how the mirror of DIR stands
  --json             one JSON object a line
${setHelp}
Examples:
  fourfold mirror ~/notes
  fourfold mirror ~/specs --folder specs --once
`

export const mirror: Command = {
  help,
  async run(words) {
    const options = {
      ...setJsonOptions,
      folder: { type: 'string' },
      once: { type: 'boolean' },
      'accept-deletes': { type: 'boolean' },
      status: { type: 'boolean' },
    } as const
    const { values, positionals } = readWords(words, options, { needs: ['DIR'] })
    const directory = resolve(positionals[0]!)
    const isJson = values.json ?? false
    if (values.status) return tellStatus(directory, isJson)
    const isSame = await keepSame(directory, {
      ...values,
      isOnce: values.once ?? false,
      acceptsDeletes: values['accept-deletes'] ?? false,
      isJson,
    })
    return isSame ? exitCodes.done : exitCodes.failed
  },
}

export interface KeepOptions {
  servers?: string
  name?: string
  folder?: string
  isOnce: boolean
  acceptsDeletes: boolean
  isJson: boolean
}

/** Mirrors until it is told to stop. Resolves with whether nothing is left. Rejects with CommandError. */
async function keepSame(asked: string, options: KeepOptions): Promise<boolean> {
  const root = opened(asked)
  const store = lockedStore(root)
  if (!store) {
    if (options.acceptsDeletes && !options.isOnce) return agreed(root)
    throw new CommandError(`${root} ${keptAlready}.`)
  }
  const { servers } = options
  const keeper = keeperOfThis()
  const set = new SetClient({
    name: authorOf(screenNameOf(options.name)),
    ...(servers !== undefined && { servers }),
    ...(keeper && { token: keeper.token }),
  })
  let stop = (): void => process.exit(exitCodes.done)
  keeper?.onceGone(() => stop())
  try {
    const place = await placeOf(store, set, options.folder)
    const ignored = new Ignored(root)
    const write = (text: string) => process.stdout.write(text)
    const report = new Report(root, { isJson: options.isJson, write })
    const work = new Mirror({
      directory: new MirrorDirectory(root),
      store,
      set,
      ignored,
      report,
      root: place,
      host: shortHost(),
      acceptsDeletes: options.acceptsDeletes,
      // Nobody sits before a mirror that is kept by servers, and what it has is theirs.
      followsTrash: keeper !== undefined,
    })
    if (!options.isOnce) goOnUnheard()
    const watcher = options.isOnce ? undefined : watch(root, ignored, work, report)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => work.stop())
    }
    stop = () => work.stop()
    try {
      return await work.run({ isOnce: options.isOnce })
    } finally {
      await watcher?.close()
    }
  } catch (error) {
    throw ofTheDisk(error, root)
  } finally {
    set.close()
    store.close()
  }
}

async function agreed(root: string): Promise<boolean> {
  const held = await agree(root)
  const count = held && Math.max(held.inFolder, held.onDisk)
  const said = count
    ? `${count} ${count === 1 ? 'deletion goes' : 'deletions go'} on.`
    : 'Nothing waits for your word.'
  process.stdout.write(`${said}\n`)
  return true
}

/** What the disk says, full, broken or not to be written, as a sentence. */
function ofTheDisk(error: unknown, root: string): unknown {
  if (!(error instanceof Error) || !('code' in error) || error instanceof CommandError) return error
  if (isDamage(error)) return damagedNotes(root, error)
  const isOfDisk = 'syscall' in error || error.code === 'ERR_SQLITE_ERROR'
  return isOfDisk ? new CommandError(`Cannot mirror in ${root}: ${error.message}.`) : error
}

/** Without them it is as if the directory had never been mirrored. */
function damagedNotes(root: string, error: unknown): CommandError {
  return new CommandError(
    `What is noted in ${join(root, ownDirectory)} is damaged (${(error as Error).message}): check ` +
      'the disk, move that directory away and start again. It joins as for the first time then: ' +
      'nothing is deleted, and what differs is kept twice.',
  )
}

function watch(root: string, ignored: Ignored, work: Mirror, report: Report): DirectoryWatcher {
  return new DirectoryWatcher(root, ignored.isIgnored, {
    changed: () => work.diskChanged(),
    failed: (why) => {
      report.warn('watch', `Changes here may be noticed late, within half a minute: ${why}`)
    },
  })
}

/** The directory without links on the way to it; made when it is not there. */
function opened(directory: string): string {
  try {
    makeDirectory(directory)
    return realpathSync(directory)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why = code === 'EEXIST' ? 'it is no directory' : message
    throw new CommandError(`Cannot mirror ${directory}: ${why}.`)
  }
}

/** Undefined: another process mirrors it. */
function lockedStore(root: string): MirrorStore | undefined {
  try {
    return new MirrorStore(root)
  } catch (error) {
    if (error instanceof MirrorLockedError) return undefined
    if (error instanceof MirrorVersionError) {
      throw new CommandError(`${root} was mirrored by a later version of Fourfold; use that one.`)
    }
    if (isDamage(error)) throw damagedNotes(root, error)
    throw new CommandError(`Cannot keep notes in ${root}: ${(error as Error).message}.`)
  }
}

/** The id of the mirrored directory of the folder; empty: the top. */
async function placeOf(
  store: MirrorStore,
  set: SetClient,
  folder: string | undefined,
): Promise<string> {
  const path = folder?.replace(/^\/+|\/+$/g, '')
  const known = store.meta('root')
  const knownPath = store.meta('root path')
  if (known !== undefined) {
    if (path === undefined || path === knownPath) return known
    const what = knownPath === '' ? 'the whole folder' : `"${printable(knownPath ?? '')}"`
    throw new CommandError(`This directory mirrors ${what}; another one is needed for "${path}".`)
  }
  let id = ''
  if (path !== undefined && path !== '') {
    const asked = { path, hasParents: true, operation: newOperation() }
    const answer = await set.ask(({ folder: calls }, call) => calls.makeDirectory(asked, call))
    id = answer.file!.id
  }
  store.together(() => {
    store.setMeta('root', id)
    store.setMeta('root path', path ?? '')
  })
  return id
}

function authorOf(who: string): string {
  const suffix = ' (mirror)'
  const most = screenNameMax - suffix.length
  return `${[...`${who}@${shortHost()}`].slice(0, most).join('')}${suffix}`
}

function shortHost(): string {
  const name = hostname()
    .split('.')[0]!
    .replace(/[^\p{L}\p{N}_-]/gu, '')
  return name === '' ? 'here' : name.slice(0, 32)
}

function tellStatus(directory: string, isJson: boolean): number {
  const standing = standingOf(directory)
  if (!standing) throw new CommandError(`${directory} has no mirror.`)
  if (isJson) {
    process.stdout.write(asJson(standing))
    return exitCodes.done
  }
  const { state, files, skipped, held, why } = standing
  const states: Record<typeof state, string> = {
    starting: 'starts',
    working: 'at work',
    same: 'the same as the folder',
    offline: 'waits for a server',
    full: 'waits for room on the disk',
    ended: 'not running',
  }
  const place = relative(process.cwd(), directory).split(sep).join('/') || '.'
  const others = held ? 'waits' : skipped.length > 0 ? 'is left alone' : undefined
  const but = others !== undefined && state === 'same' ? ` but for what ${others}` : ''
  const stands = states[state] + but
  const lines = [`${printable(place)}: ${stands}, ${files} files and directories`]
  if (why !== undefined) lines.push(why)
  if (held) {
    const { inFolder, onDisk } = held
    if (inFolder > 0) lines.push(`${inFolder} deletions here wait for --accept-deletes`)
    if (onDisk > 0) lines.push(`${onDisk} deletions by others wait for --accept-deletes`)
  }
  for (const { path, why: reason } of skipped) lines.push(`left alone: ${path} (${reason})`)
  process.stdout.write(`${lines.map(printable).join('\n')}\n`)
  return exitCodes.done
}
