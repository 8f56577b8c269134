// `fourfold put`: files and directories of this machine, or standard input, go into the folder.

import { readdirSync, type Stats } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { messageBytesMax, textBytesMax } from '../core/model/limits.ts'
import { brokenRule, fileKey } from '../core/model/names.ts'
import { brokenBound, joined, parentOf } from '../core/model/path.ts'
import { Kind } from '../core/model/wire.ts'
import type { Progress } from '../adapters/channel/blob-client.ts'
import { newOperation } from '../adapters/system.ts'
import { changedJsonHelp, sharedPath, shownPath, written } from './answer.ts'
import { ofOneFile, uploadAs } from './blobs.ts'
import {
  CommandError,
  exitCodes,
  printable,
  readWords,
  UsageError,
  type Command,
} from './command.ts'
import { byDepth, Directories } from './directories.ts'
import { untilEnded } from './ending.ts'
import { inLanes, saveLanes } from './lanes.ts'
import { fileIfAny } from './listing.ts'
import { attempt, inputOf, localText, statsIfAny, statsOf } from './local-file.ts'
import { SaveCalls } from './save-calls.ts'
import { ProgressBar } from './progress-bar.ts'
import { Receipts, type Ask, type Kept } from './receipts.ts'
import { each, withProgress } from './several.ts'
import {
  AnswerError,
  NoServerError,
  type SetClient,
  setHelp,
  setJsonOptions,
  withSet,
  type SetJsonValues,
} from './set-client.ts'

export const put: Command = {
  help: `Usage: fourfold put SOURCE [PATH] [--json]
       fourfold put SOURCE… DIRECTORY [--json]
       fourfold put - PATH [--json]

Saves the file SOURCE, or a directory with all that is in it, in the directory PATH or at the top of
the folder; where nothing is at PATH, as PATH. With several the last word is the directory that they
go to, "/" for the top. With - what comes from standard input is saved as PATH. Missing directories
are made. Of a text that is there already only what differs is changed; what is not UTF-8 or larger
than 10 MiB is kept byte for byte, with the 20 versions before it. The last line says on which servers'
disks it is.

Of a directory, links are left out: each is named, and the exit code is 1. Stopped, the same command
goes on.

  ${changedJsonHelp};
                     directories that are made for a SOURCE to lie in are not named
${setHelp}
Examples:
  fourfold put plan.md
  fourfold put *.md notes
  fourfold put docs specs
  date | fourfold put - log/today.txt
`,
  async run(words) {
    const need = { needs: ['SOURCE'], may: ['PATH'], more: true, anyway: 'rR' }
    const { values, positionals } = readWords(words, setJsonOptions, need)
    const asked = positionals.length > 1 ? positionals.pop() : undefined
    const target = sharedPath(asked ?? '')
    const [source = ''] = positionals
    if (source === '-' && asked === undefined) throw new UsageError('PATH is missing.')
    if (positionals.length > 1 && positionals.includes('-')) {
      throw new UsageError('Standard input goes by itself.')
    }
    const isInto = positionals.length > 1 || (asked?.endsWith('/') ?? false)
    if (source === '-') return putInput(values, target, isInto)
    // A mistake here is told before a server is asked.
    if (positionals.length === 1) statsOf(source)
    return withSet(values, async (set) => {
      const into = await intoOf(set, target, isInto)
      if (positionals.length > 1) checkMeant(asked!, into)
      const upload = new Upload(set, values)
      const { code } = await each(positionals, (each) => upload.source(each, into))
      await upload.tell()
      return code === exitCodes.done ? upload.code : code
    })
  },
}

async function putInput(values: SetJsonValues, target: string, isInto: boolean): Promise<number> {
  if (target === '' || isInto) throw new CommandError('PATH must name a file.')
  const input = await inputOf(process.stdin)
  try {
    return await withSet(values, async (set) => {
      const found = await fileIfAny(set, target)
      if (found?.kind === Kind.DIRECTORY) {
        throw new CommandError(`${shownPath(found)} is a directory; PATH must name a file.`)
      }
      const upload = new Upload(set, values)
      await upload.file(input, target)
      await upload.tell()
      return upload.code
    })
  } finally {
    if ('remove' in input) input.remove()
  }
}

/** Where it comes to lie, whatever its name: in the target, if that is a directory or to be one. */
interface Into {
  path: string
  isDirectory: boolean
  /** Whether something is there. */
  isThere: boolean
}

async function intoOf(set: SetClient, target: string, isInto: boolean): Promise<Into> {
  if (target === '') return { path: '', isDirectory: true, isThere: true }
  const found = await fileIfAny(set, target)
  const path = found?.path ?? target
  const isDirectory = isInto || found?.kind === Kind.DIRECTORY
  return { path, isDirectory, isThere: found !== undefined }
}

/** \`put *.md\` without a directory would make one of the last file's name. */
function checkMeant(word: string, { isThere }: Into): void {
  if (isThere || !statsIfAny(word)?.isFile()) return
  const shown = printable(word)
  throw new CommandError(
    `${shown} is a file here: name the directory they go to last, / for the top.`,
  )
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

interface Saving {
  progress?: Progress
  /** Nothing was there a moment ago. */
  isNew?: boolean
}

/** No directory is made for a file that cannot be in it. Throws CommandError. */
function checkPath(path: string): void {
  const shared = path.normalize()
  const names = shared.split('/')
  const broken = names.map(brokenRule).find((rule) => rule !== undefined)
  const rule = broken ?? brokenBound(names.length, Buffer.byteLength(shared))
  if (rule !== undefined) throw new CommandError(rule)
}

class Upload {
  readonly #set: SetClient
  readonly #receipts: Receipts
  readonly #directories: Directories
  readonly #saves: SaveCalls
  readonly #isJson: boolean
  /** Files, and directories of this machine. */
  readonly #kept: Kept[] = []
  #ending: AbortSignal | undefined
  #savedCount = 0
  #isWhole = true
  #isTree = false

  constructor(set: SetClient, { json = false }: SetJsonValues) {
    this.#set = set
    this.#isJson = json
    this.#receipts = new Receipts(set)
    this.#directories = new Directories(set, this.#receipts)
    this.#saves = new SaveCalls(set)
  }

  /** The exit code. */
  get code(): number {
    return this.#isWhole ? exitCodes.done : exitCodes.failed
  }

  /** Says where everything saved is. */
  async tell(): Promise<void> {
    if (this.#isJson) {
      await written(await this.#receipts.toldJson(this.#kept))
      return
    }
    if (this.#savedCount === 0 && !this.#isTree) return
    const isOne = this.#savedCount === 1
    const count = `${this.#savedCount} ${isOne ? 'file' : 'files'}, `
    const where = await this.#receipts.told()
    process.stdout.write(`${isOne && !this.#isTree ? '' : count}${where}\n`)
  }

  /** Saves something of this machine. */
  async source(source: string, into: Into): Promise<void> {
    const stats = statsOf(source)
    if (stats.isSymbolicLink()) {
      const shown = printable(source)
      throw new CommandError(`${shown} is a link; name the file or directory that it leads to.`)
    }
    const name = sharedPath(basename(resolve(source)))
    const path = into.isDirectory ? joined(into.path, name) : into.path
    if (stats.isDirectory()) await this.#directory(source, path)
    else await this.file(contentOf(source, stats), path)
  }

  /** Saves one file. */
  async file(content: Content, path: string): Promise<void> {
    checkPath(path)
    const bar = 'path' in content ? new ProgressBar(content.size ?? 0, 'bytes') : undefined
    bar?.show(path)
    try {
      await this.#save(content, path, { progress: (bytes) => bar?.reach(bytes) })
    } finally {
      bar?.end()
    }
  }

  /** Saves what can be saved, and names the rest. */
  async #directory(source: string, target: string): Promise<void> {
    this.#isTree = true
    const leftOut: string[] = []
    const found = [...walk(source, target, leftOut)]
    const bar = new ProgressBar(found.length)
    for (const why of leftOut) this.#leaveOut(bar, why)
    /** What cannot be a directory here, so that nothing can be in it. */
    const refused: string[] = []
    const isLost = (shared: string) => refused.some((each) => shared.startsWith(`${each}/`))
    const ending = (this.#ending ??= untilEnded())
    const isNew = (await fileIfAny(this.#set, target)) === undefined
    const make = async ({ path, shared }: Local) => {
      bar.show(path)
      if (isLost(shared)) return
      const isMade = await this.#try(bar, path, async () => {
        this.#kept.push(await this.#directories.make(shared))
      })
      if (!isMade) refused.push(shared)
      bar.add()
    }
    const save = async ({ path, shared }: Local) => {
      bar.show(path)
      const content = () => contentOf(path, statsOf(path))
      await this.#try(bar, path, () => this.#save(content(), shared, { isNew }))
      bar.add()
    }
    const directories = found.filter(({ isDirectory }) => isDirectory)
    const files = found.filter(({ isDirectory }) => !isDirectory)
    const before = this.#savedCount
    try {
      for (const group of byDepth(directories, ({ shared }) => shared)) {
        await inLanes(group, make, { lanes: saveLanes, ending })
      }
      const kept = files.filter(({ shared }) => !isLost(shared))
      await inLanes(kept, save, { lanes: saveLanes, ending })
    } catch (error) {
      const saved = `${this.#savedCount - before} of ${files.length} files are saved`
      throw withProgress(error, `${saved}; the same command goes on.`)
    } finally {
      bar.end()
    }
  }

  async #save(content: Content, path: string, { progress, isNew }: Saving): Promise<void> {
    const above = parentOf(path)
    if (above !== '') await this.#directories.make(above)
    await this.#directories.within(above, async () => {
      const text = 'path' in content ? await this.#shortened(content, path) : content.text
      if (text !== undefined) await this.#saveText(text, path, isNew ?? false)
      else if ('path' in content) await this.#saveBytes(content.path, path, progress)
    })
    this.#savedCount++
  }

  /**
   * What shortens a text that servers which were apart have made too long together is text as well;
   * undefined: it is not that.
   */
  async #shortened({ path, size = 0 }: { path: string; size?: number }, shared: string) {
    if (size <= textBytesMax) return undefined
    const file = await fileIfAny(this.#set, shared, { measuresTexts: true })
    const isLonger = file?.kind === Kind.TEXT && size <= (file.textSize ?? 0)
    return isLonger ? localText(path, size) : undefined
  }

  async #saveBytes(local: string, file: string, progress: Progress = () => {}): Promise<void> {
    const operation = newOperation()
    const { hash, size, ...kept } = await uploadAs(this.#set, local, { file, operation, progress })
    const ask: Ask = ({ folder }, call) => folder.saveBinary({ file, hash, size, operation }, call)
    this.#kept.push(this.#receipts.addBytes(kept, ask))
  }

  async #saveText(text: string, file: string, isNew: boolean): Promise<void> {
    const base = isNew ? {} : await this.#baseOf(file, text)
    const request = { file, text, operation: newOperation(), ...base }
    const ask: Ask = ({ folder }, call) => folder.saveFile(request, call)
    this.#kept.push(this.#receipts.add(await this.#saves.save(request), ask))
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
    if (stats?.isDirectory()) yield* walk(below, joined(shared, name), leftOut)
    else if (stats?.isFile())
      yield { path: below, shared: joined(shared, name), isDirectory: false }
    else leftOut.push(`${printable(below)}: ${reasonOf(stats)}.`)
  }
}

function reasonOf(stats: Stats | undefined): string {
  if (!stats) return 'it has gone'
  return stats.isSymbolicLink() ? 'links are not followed' : 'it is no file and no directory'
}
