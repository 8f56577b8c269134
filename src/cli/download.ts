// `fourfold cat`, `get`: files of the folder come to this machine.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { brokenRule, checkFileName } from '../core/model/names.ts'
import { Kind, type File } from '../core/model/wire.ts'
import type { Progress } from '../adapters/channel/blob-client.ts'
import { isDirectory } from '../adapters/disk.ts'
import { sharedPath, shellWord, shownPath, written } from './answer.ts'
import { getBytes, printBytes } from './blobs.ts'
import { typed } from './called.ts'
import { CommandError, exitCodes, printable, readWords, type Command } from './command.ts'
import { untilEnded } from './ending.ts'
import { fileAt, listAll } from './listing.ts'
import { inLanes } from './lanes.ts'
import { attempt, isThere, statsIfAny, writeWhole } from './local-file.ts'
import { ProgressBar } from './progress-bar.ts'
import { each, withProgress } from './several.ts'
import { AnswerError, type SetClient, setHelp, setOptions, withSet } from './set-client.ts'

export const cat: Command = {
  help: `Usage: fourfold cat PATH…

Prints what files hold, as it is, one after the other.

${setHelp}
Example:
  fourfold cat specs/promise.md | less
`,
  async run(words) {
    const { values, positionals } = readWords(words, setOptions, { needs: ['PATH'], more: true })
    return withSet(values, async (set) => {
      const { code } = await each(positionals.map(sharedPath), (path) => print(set, path))
      return code
    })
  },
}

export const get: Command = {
  help: `Usage: fourfold get [-f] PATH [TARGET]
       fourfold get [-f] PATH… DIR
       fourfold get PATH -

Saves a file, or a directory with all that is in it, here or in the directory TARGET; where there is
none, as TARGET. With several PATHs the last word is the directory that they go to. With - a file goes
to standard output. Each file appears whole or not at all. The path "/" is the whole folder.

  -f, --force        overwrites files that are here already; without it nothing is overwritten
${setHelp}
Examples:
  fourfold get specs
  fourfold get plan.md notes.md ~/desk
  fourfold get / backup-2026-11-26
`,
  async run(words) {
    const options = { ...setOptions, force: { type: 'boolean', short: 'f' } } as const
    const need = { needs: ['PATH'], may: ['TARGET'], more: true, anyway: 'rR' }
    const { values, positionals } = readWords(words, options, need)
    const target = positionals.length > 1 ? positionals.pop()! : ''
    const paths = positionals.map(sharedPath)
    // As of cp: what is no directory cannot hold several.
    if (paths.length > 1 && !canHold(target)) {
      throw new CommandError(`${printable(target)} is no directory; name one that is there.`)
    }
    return withSet(values, async (set) => {
      const download = new Download(set, values.force ?? false)
      const { done, code } = await each(paths, async (path) => {
        if (target !== '-') return download.save(path, target)
        await print(set, path)
        return true
      })
      return done.every(Boolean) ? code : exitCodes.failed
    })
  },
}

async function print(set: SetClient, path: string): Promise<void> {
  const file = path === '' ? undefined : await fileAt(set, path)
  if (!file || file.kind === Kind.DIRECTORY) {
    const shown = file ? shownPath(file) : '/'
    const word = file ? shellWord(file) : '/'
    throw new CommandError(`${shown} is a directory; to see what is in it: ${typed('ls', word)}`)
  }
  checkOutput(file, process.stdout.isTTY)
  if (file.kind === Kind.BINARY) await printBytes(set, file)
  else await written(await textAt(set, file.id))
}

/** A terminal takes some bytes for orders. Throws CommandError. */
export function checkOutput(file: Pick<File, 'kind' | 'path' | 'id'>, isTerminal: boolean): void {
  if (file.kind !== Kind.BINARY || !isTerminal) return
  const word = shellWord(file)
  const advice = `Save it: ${typed('get', word)}; or send it on: ${typed('cat', word)} | …`
  throw new CommandError(`${shownPath(file)} is no text. ${advice}`)
}

async function textAt(set: SetClient, file: string): Promise<string> {
  const { text } = await set.ask(({ folder }, call) => folder.readFile({ file }, call))
  return text
}

class Download {
  readonly #set: SetClient
  readonly #overwrites: boolean
  #ending: AbortSignal | undefined

  constructor(set: SetClient, overwrites: boolean) {
    this.#set = set
    this.#overwrites = overwrites
  }

  /** Whether all of it is here. Rejects with CommandError when nothing could be saved. */
  async save(path: string, target: string): Promise<boolean> {
    const source = path === '' ? undefined : await fileAt(this.#set, path)
    const stats = target === '' ? undefined : statsIfAny(target)
    // A target may be a link to a directory: the person named it.
    const isInto = target === '' || target.endsWith('/') || canHold(target)
    const name = () => (source ? safeName(source.name) : 'fourfold')
    const place = isInto ? join(target || '.', name()) : target
    if (isInto && target !== '' && !stats)
      attempt(`make ${printable(target)}`, () => mkdirSync(target))
    if (source?.kind === Kind.DIRECTORY || !source) return this.#saveDirectory(source, place)
    if (statsIfAny(place) && !this.#overwrites) throw isThere(place)
    const isBinary = source.kind === Kind.BINARY
    const bar = isBinary ? new ProgressBar(source.size, 'bytes') : undefined
    bar?.show(shownPath(source))
    try {
      await this.#saveFile(source, place, (bytes) => bar?.reach(bytes))
    } finally {
      bar?.end()
    }
    return true
  }

  async #saveFile(file: File, place: string, progress: Progress = () => {}): Promise<void> {
    if (file.kind === Kind.BINARY) {
      await getBytes(this.#set, file, place, this.#overwrites, progress)
    } else writeWhole(place, await textAt(this.#set, file.id), this.#overwrites)
  }

  async #saveDirectory(source: File | undefined, place: string): Promise<boolean> {
    if (statsIfAny(place) && !this.#overwrites) {
      throw new CommandError(`${printable(place)} is here already; --force writes into it.`)
    }
    const prefix = source ? source.path.length + 1 : 0
    const directory = source?.id ?? ''
    const all = await listAll(this.#set, { directory, isRecursive: true })
    makeDirectory(place)
    const namesOf = (file: File) => file.path.slice(prefix).split('/')
    const pathOf = (file: File) => join(place, ...namesOf(file).map(safeName))
    const bar = new ProgressBar(all.filter(isContent).length)
    let isWhole = true
    const leaveOut = (file: File, why: string) => {
      isWhole = false
      bar.say(`Left out: ${shownPath(file)}: ${why}`)
    }
    // A number behind a name makes it longer than any that somebody may give.
    const files = all.filter((file) => {
      const rule = namesOf(file).map(brokenRule).find(Boolean)
      if (rule !== undefined) leaveOut(file, rule)
      return rule === undefined
    })
    // All of them first: nothing is written below one that cannot be made.
    for (const file of files) if (file.kind === Kind.DIRECTORY) makeDirectory(pathOf(file))
    const contents = files.filter(isContent)
    const ending = (this.#ending ??= untilEnded())
    let count = 0
    try {
      const save = async (file: File) => {
        bar.show(shownPath(file))
        try {
          await this.#saveFile(file, pathOf(file))
          count++
        } catch (error) {
          if (!(error instanceof AnswerError)) throw error
          leaveOut(file, error.message)
        }
        bar.add()
      }
      await inLanes(contents, save, { ending })
    } catch (error) {
      throw withProgress(error, `${count} of ${contents.length} files are in ${printable(place)}.`)
    } finally {
      bar.end()
    }
    return isWhole
  }
}

function canHold(target: string): boolean {
  return attempt(`write ${printable(target)}`, () => isDirectory(target))
}

/** A directory that is there may stay; a link to one would lead out of the target. */
function makeDirectory(path: string): void {
  const stats = statsIfAny(path)
  if (stats?.isDirectory()) return
  if (stats) throw new CommandError(`Cannot make ${printable(path)}: something else is here.`)
  attempt(`make ${printable(path)}`, () => mkdirSync(path))
}

const isContent = ({ kind }: File) => kind !== Kind.DIRECTORY

/** A server that is not one of ours might name files outside of the target. */
function safeName(name: string): string {
  checkFileName(name)
  return name
}
