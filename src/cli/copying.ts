// `fourfold cp`: files and directories of the folder once more, at another path of it.

import { isWithin, joined, parentOf } from '../core/model/path.ts'
import { Kind, type File } from '../core/model/wire.ts'
import { newOperation } from '../adapters/system.ts'
import {
  changedJsonHelp,
  nothingOverwritten,
  sharedPath,
  shellWord,
  shownPath,
  written,
} from './answer.ts'
import { typed } from './called.ts'
import {
  CommandError,
  isRecursive,
  printable,
  readWords,
  recursiveOptions,
  type Command,
} from './command.ts'
import { byDepth, Directories } from './directories.ts'
import { untilEnded } from './ending.ts'
import { inLanes, saveLanes } from './lanes.ts'
import { fileAt, fileIfAny, listAll, targetsOf } from './listing.ts'
import { SaveCalls } from './save-calls.ts'
import { ProgressBar } from './progress-bar.ts'
import { Receipts, type Ask, type Kept } from './receipts.ts'
import { type SetClient, setHelp, setJsonOptions, withSet } from './set-client.ts'
import { each, withProgress } from './several.ts'

export const cp: Command = {
  help: `Usage: fourfold cp [-r] PATH… TARGET [--json]

Copies a file into the directory TARGET; where there is none, to the path TARGET. What is at TARGET
already is not overwritten. With several PATHs TARGET must be a directory.

  -r                 a directory with all that is in it
  ${changedJsonHelp}
${setHelp}
Examples:
  fourfold cp plan.md plan-2.md
  fourfold cp -r specs archive
`,
  async run(words) {
    const options = { ...setJsonOptions, ...recursiveOptions } as const
    const instead = { ...nothingOverwritten, a: '-r copies a directory.' }
    const need = { needs: ['PATH', 'TARGET'], more: true, anyway: 'ni', instead }
    const { values, positionals } = readWords(words, options, need)
    const paths = positionals.map(sharedPath)
    const to = paths.pop()!
    return withSet(values, async (set) => {
      const targetOf = await targetsOf(set, to, paths.length)
      const copy = new Copy(set)
      const { done, code } = await each(paths, async (path) => {
        const source = await fileAt(set, path)
        const target = targetOf(source)
        await checkPlace(set, target)
        if (source.kind !== Kind.DIRECTORY) await copy.file(source, target)
        else if (!isRecursive(values)) {
          throw new CommandError(`${shownPath(source)} is a directory; -r copies it.`)
        } else if (isWithin(target, source.path)) {
          throw new CommandError('A directory cannot be copied into itself.')
        } else await copy.directory(source, target)
      })
      if (values.json) await written(await copy.receipts.toldJson(copy.kept))
      else if (done.length > 0) await written(`${await copy.receipts.told()}\n`)
      return code
    })
  },
}

async function checkPlace(set: SetClient, path: string): Promise<void> {
  const above = parentOf(path)
  if (above !== '') await fileAt(set, above)
  const found = await fileIfAny(set, path)
  if (!found) return
  throw new CommandError(`"${printable(found.path)}" is here already; choose another name.`)
}

class Copy {
  readonly receipts: Receipts
  /** The copies. */
  readonly kept: Kept[] = []
  readonly #set: SetClient
  readonly #directories: Directories
  readonly #saves: SaveCalls
  #ending: AbortSignal | undefined

  constructor(set: SetClient) {
    this.#set = set
    this.receipts = new Receipts(set)
    this.#directories = new Directories(set, this.receipts)
    this.#saves = new SaveCalls(set)
  }

  async file(source: File, path: string): Promise<void> {
    const { id, kind, hash, size } = source
    const operation = newOperation()
    const isNew = true
    // Nothing is sent: the bytes are there, and are kept once.
    if (kind === Kind.BINARY) {
      const request = { file: path, hash, size, operation, isNew }
      const ask: Ask = ({ folder }, call) => folder.saveBinary(request, call)
      this.kept.push(this.receipts.addBytes(await this.#set.ask(ask), ask))
      return
    }
    const { text } = await this.#set.ask(({ folder }, call) => folder.readFile({ file: id }, call))
    const request = { file: path, text, operation, isNew }
    const ask: Ask = ({ folder }, call) => folder.saveFile(request, call)
    this.kept.push(this.receipts.add(await this.#saves.save(request), ask))
  }

  /** Rejects with how much of it is there. */
  async directory(source: File, target: string): Promise<void> {
    const files = await listAll(this.#set, { directory: source.id, isRecursive: true })
    const pathOf = (file: File) => joined(target, file.path.slice(source.path.length + 1))
    const bar = new ProgressBar(files.length)
    let copiedCount = 0
    const copied = (file: File) => {
      copiedCount++
      bar.show(file.path)
      bar.add()
    }
    const isDirectory = ({ kind }: File) => kind === Kind.DIRECTORY
    const make = async (file: File) => {
      const path = pathOf(file)
      const made = () => this.#directories.make(path)
      this.kept.push(await this.#directories.within(parentOf(path), made))
      copied(file)
    }
    const save = async (file: File) => {
      const path = pathOf(file)
      await this.#directories.within(parentOf(path), () => this.file(file, path))
      copied(file)
    }
    const options = { lanes: saveLanes, ending: (this.#ending ??= untilEnded()) }
    this.kept.push(await this.#directories.make(target))
    try {
      for (const group of byDepth(files.filter(isDirectory), pathOf)) {
        await inLanes(group, make, options)
      }
      await inLanes(
        files.filter((file) => !isDirectory(file)),
        save,
        options,
      )
    } catch (error) {
      const there = shownPath({ path: target, kind: Kind.DIRECTORY })
      const word = shellWord({ path: target, id: printable(target) })
      const count = `${copiedCount} of ${files.length} are in ${there}`
      const soFar = `${count}; to remove them: ${typed('rm', '-r', word)}`
      throw withProgress(error, soFar)
    } finally {
      bar.end()
    }
  }
}
