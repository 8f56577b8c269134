// `fourfold put`: files and directories of this machine, or standard input, go into the folder.

import { readdirSync, type Stats } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { messageBytesMax } from '../core/model/limits.ts'
import { fileKey } from '../core/model/names.ts'
import { Kind } from '../core/model/wire.ts'
import type { Progress } from '../adapters/channel/blob-client.ts'
import {
  commonReceipt,
  directoryOf,
  newOperation,
  pathIn,
  receipt,
  sharedPath,
  type Receipt,
} from './answer.ts'
import { Directories, fileIfAny } from './arranging.ts'
import { ofOneFile, saveBytes } from './blobs.ts'
import {
  CommandError,
  exitCodes,
  printable,
  readWords,
  UsageError,
  type Command,
} from './command.ts'
import { inLanes } from './lanes.ts'
import { attempt, inputOf, localText, statsIfAny, statsOf } from './local-file.ts'
import { ProgressBar } from './progress-bar.ts'
import {
  AnswerError,
  NoServerError,
  type SetClient,
  setHelp,
  setOptions,
  withSet,
} from './set-client.ts'

export const put: Command = {
  summary: 'save files or directories of this machine, or standard input',
  help: `Usage: fourfold put SOURCE [PATH]
       fourfold put - PATH

Saves the file SOURCE, or a directory with all that is in it, in the directory PATH or at the top of
the folder; where nothing is at PATH, as PATH. With - what comes from standard input is saved as PATH.
Missing directories are made. Of a text that is there already only what differs is changed; what is
not UTF-8 or larger than 10 MiB is kept byte for byte, with the 20 versions before it. The last line
says on which servers' disks it is.

Of a directory, links are left out: each is named, and the exit code is 1.

${setHelp}`,
  async run(words) {
    const need = { needs: ['SOURCE'], may: ['PATH'] }
    const { values, positionals } = readWords(words, setOptions, need)
    const [source = '', asked] = positionals
    if (source === '-' && asked === undefined) throw new UsageError('PATH is missing.')
    const target = sharedPath(asked ?? '')
    const isInto = asked?.endsWith('/') ?? false
    if (source === '-') {
      if (target === '' || isInto) throw new CommandError('PATH must name a file.')
      const input = await inputOf(process.stdin)
      try {
        return await withSet(values, (set) => new Upload(set).file(input, target))
      } finally {
        if ('remove' in input) input.remove()
      }
    }
    // A mistake here is told before a server is asked.
    const stats = statsOf(source)
    if (stats.isSymbolicLink()) {
      const shown = printable(source)
      throw new CommandError(`${shown} is a link; name the file or directory that it leads to.`)
    }
    const content = stats.isDirectory() ? undefined : contentOf(source, stats)
    const name = sharedPath(basename(resolve(source)))
    return withSet(values, async (set) => {
      const path = await placeOf(set, name, target, isInto)
      const upload = new Upload(set)
      return content ? upload.file(content, path) : upload.directory(source, path)
    })
  },
}

/** Where it comes to lie: in the target, if that is a directory or to be one. */
async function placeOf(
  set: SetClient,
  name: string,
  target: string,
  isInto: boolean,
): Promise<string> {
  if (target === '') return name
  const found = await fileIfAny(set, target)
  const into = found?.path ?? target
  return isInto || found?.kind === Kind.DIRECTORY ? pathIn(into, name) : into
}

/** What a file is to hold: text, or the bytes of a file of this machine. */
type Content = { text: string } | { path: string; size?: number }

function contentOf(path: string, { size }: Stats): Content {
  const text = localText(path)
  return text === undefined ? { path, size } : { text }
}

/** Something of a directory; the directory itself comes before what is in it. */
interface Local {
  path: string
  /** Where it goes. */
  shared: string
  isDirectory: boolean
}

class Upload {
  readonly #set: SetClient
  readonly #directories: Directories
  readonly #receipts: Receipt[] = []
  #savedCount = 0
  #isWhole = true

  constructor(set: SetClient) {
    this.#set = set
    this.#directories = new Directories(set)
  }

  /** Saves one file, and tells where it is. */
  async file(content: Content, path: string): Promise<number> {
    const bar = 'path' in content ? new ProgressBar(content.size ?? 0, 'bytes') : undefined
    bar?.show(path)
    try {
      await this.#save(content, path, (bytes) => bar?.reach(bytes))
    } finally {
      bar?.end()
    }
    process.stdout.write(`${receipt(this.#receipts.at(-1)!)}\n`)
    return exitCodes.done
  }

  /** Saves what can be saved, names the rest, and tells where everything saved is. */
  async directory(source: string, target: string): Promise<number> {
    const leftOut: string[] = []
    const found = [...walk(source, target, leftOut)]
    const bar = new ProgressBar(found.length)
    for (const why of leftOut) this.#leaveOut(bar, why)
    /** What cannot be a directory here, so that nothing can be in it. */
    const refused: string[] = []
    const isLost = (shared: string) => refused.some((each) => shared.startsWith(`${each}/`))
    try {
      for (const { path, shared } of found.filter(({ isDirectory }) => isDirectory)) {
        bar.show(path)
        if (isLost(shared)) continue
        const make = async () => void this.#receipts.push(await this.#directories.make(shared))
        if (!(await this.#try(bar, path, make))) refused.push(shared)
        bar.add()
      }
      await inLanes(
        found.filter(({ isDirectory, shared }) => !isDirectory && !isLost(shared)),
        async ({ path, shared }) => {
          bar.show(path)
          await this.#try(bar, path, () => this.#save(contentOf(path, statsOf(path)), shared))
          bar.add()
        },
      )
    } finally {
      bar.end()
    }
    const count = `${this.#savedCount} ${this.#savedCount === 1 ? 'file' : 'files'}`
    process.stdout.write(`${count}, ${commonReceipt(this.#receipts)}\n`)
    return this.#isWhole ? exitCodes.done : exitCodes.failed
  }

  async #save(content: Content, path: string, progress: Progress = () => {}): Promise<void> {
    const operation = newOperation()
    const above = directoryOf(path)
    if (above !== '') await this.#directories.make(above)
    const kept = await this.#directories.within(above, async () => {
      if ('path' in content) return saveBytes(this.#set, content.path, path, progress)
      const { text } = content
      const base = await this.#baseOf(path, text)
      return this.#set.ask(({ folder }, call) =>
        folder.saveFile({ file: path, text, operation, ...base }, call),
      )
    })
    this.#receipts.push(kept)
    this.#savedCount++
  }

  /**
   * What the file holds now, which the save is made from: so it has one effect, should it reach two
   * servers while others type. Nothing where that is no text, or too long to be sent along.
   */
  async #baseOf(file: string, text: string) {
    try {
      const read = await this.#set.ask(({ folder }, call) => folder.readFile({ file }, call))
      const bytes = Buffer.byteLength(text) + Buffer.byteLength(read.text) + read.state.length
      if (read.state.length === 0 || bytes > basedBytesMax) return {}
      return { baseVersion: read.version, baseText: read.text, baseState: read.state }
    } catch (error) {
      // Whatever stands in the way of a save is told by the save.
      if (error instanceof AnswerError) return {}
      throw error
    }
  }

  /** False: it was left out. Rejects where everything else would fail as well. */
  async #try(bar: ProgressBar, path: string, act: () => Promise<void>): Promise<boolean> {
    try {
      await act()
      return true
    } catch (error) {
      const isAnswer = error instanceof AnswerError
      const isLocal = error instanceof CommandError && !isAnswer
      if (error instanceof NoServerError || (!isLocal && !isAnswer)) throw error
      if (isAnswer && !ofOneFile.includes(error.code)) throw error
      this.#leaveOut(bar, isAnswer ? `${printable(path)}: ${error.message}` : error.message)
      return false
    }
  }

  #leaveOut(bar: ProgressBar, why: string): void {
    this.#isWhole = false
    bar.say(`Left out: ${why}`)
  }
}

/** Two texts and a state fit into one message. */
const basedBytesMax = messageBytesMax - 64 * 1024

/** A directory and all in it, by name. What cannot go along is named in `leftOut`, as a sentence. */
function* walk(path: string, shared: string, leftOut: string[]): Iterable<Local> {
  const shown = printable(path)
  let names: string[]
  try {
    names = attempt(`read ${shown}`, () => readdirSync(path).sort())
  } catch (error) {
    leftOut.push((error as Error).message)
    return
  }
  yield { path, shared, isDirectory: true }
  /** By what tells names apart in the folder. */
  const first = new Map<string, string>()
  for (const name of names) {
    const below = join(path, name)
    const key = fileKey(name)
    const twin = first.get(key)
    const why = name.includes('\ufffd')
      ? 'its name is not valid Unicode'
      : twin !== undefined && `its name differs from "${printable(twin)}" only in case or form`
    if (why) {
      leftOut.push(`${printable(below)}: ${why}.`)
      continue
    }
    first.set(key, name)
    const stats = statsIfAny(below)
    if (stats?.isDirectory()) yield* walk(below, pathIn(shared, name), leftOut)
    else if (stats?.isFile())
      yield { path: below, shared: pathIn(shared, name), isDirectory: false }
    else leftOut.push(`${printable(below)}: ${reasonOf(stats)}.`)
  }
}

function reasonOf(stats: Stats | undefined): string {
  if (!stats) return 'it has gone'
  return stats.isSymbolicLink() ? 'links are not followed' : 'it is no file and no directory'
}
