// `fourfold mkdir`, `mv`, `cp`, `rm`, `restore`: the tree is changed.

import { isSubjectId } from '../core/model/ids.ts'
import { Kind, type File } from '../core/model/wire.ts'
import { Code } from '@connectrpc/connect'
import {
  commonReceipt,
  directoryOf,
  isWithin,
  newOperation,
  pathIn,
  receipt,
  sharedPath,
  shellWord,
  shownPath,
  type Receipt,
} from './answer.ts'
import { CommandError, exitCodes, printable, readWords, type Command } from './command.ts'
import { fileAt, listAll } from './listing.ts'
import { AnswerError, type SetClient, setHelp, setOptions, withSet } from './set-client.ts'

export const mkdir: Command = {
  summary: 'make a directory',
  help: `Usage: fourfold mkdir [-p] PATH

Makes a directory. Prints on which servers' disks it is.

  -p                 makes those above it too; one that is there already is no error
${setHelp}`,
  async run(words) {
    const options = { ...setOptions, parents: { type: 'boolean', short: 'p' } } as const
    const { values, positionals } = readWords(words, options, { needs: ['PATH'] })
    const path = sharedPath(positionals[0] ?? '')
    const made = await withSet(values, (set) => makeDirectory(set, path, values.parents ?? false))
    process.stdout.write(`${receipt(made)}\n`)
    return exitCodes.done
  },
}

export const mv: Command = {
  summary: 'move or rename a file or directory',
  help: `Usage: fourfold mv PATH TARGET

Moves a file or directory into the directory TARGET; where there is none, gives it the path TARGET.
What is at TARGET already is not overwritten.

${setHelp}`,
  async run(words) {
    const { values, positionals } = readWords(words, setOptions, { needs: ['PATH', 'TARGET'] })
    const [from = '', to = ''] = positionals.map(sharedPath)
    const operation = newOperation()
    const moved = await withSet(values, async (set) => {
      const file = await fileAt(set, from)
      const path = await targetOf(set, file, to)
      return set.ask(({ folder }, call) =>
        folder.moveFile({ file: file.id, path, operation }, call),
      )
    })
    process.stdout.write(`now ${shownPath(moved.file!)}, ${receipt(moved)}\n`)
    return exitCodes.done
  },
}

export const cp: Command = {
  summary: 'copy a file or directory',
  help: `Usage: fourfold cp [-r] PATH TARGET

Copies a file into the directory TARGET; where there is none, to the path TARGET. What is
at TARGET already is not overwritten.

  -r                 a directory with all that is in it
${setHelp}`,
  async run(words) {
    const options = { ...setOptions, recursive: { type: 'boolean', short: 'r' } } as const
    const { values, positionals } = readWords(words, options, { needs: ['PATH', 'TARGET'] })
    const [from = '', to = ''] = positionals.map(sharedPath)
    const receipts = await withSet(values, async (set) => {
      const source = await fileAt(set, from)
      const path = await targetOf(set, source, to)
      await checkPlace(set, path)
      if (source.kind !== Kind.DIRECTORY) return [await copyFile(set, source, path)]
      if (!values.recursive) {
        throw new CommandError(`${shownPath(source)} is a directory; -r copies it.`)
      }
      if (isWithin(path, source.path)) {
        throw new CommandError('A directory cannot be copied into itself.')
      }
      return copyDirectory(set, source, path)
    })
    process.stdout.write(`${commonReceipt(receipts)}\n`)
    return exitCodes.done
  },
}

export const rm: Command = {
  summary: 'put a file or directory into the trash',
  help: `Usage: fourfold rm [-r] PATH

Puts a file into the trash, from where \`fourfold restore\` takes it back.

  -r                 a directory with all that is in it
${setHelp}`,
  async run(words) {
    const options = { ...setOptions, recursive: { type: 'boolean', short: 'r' } } as const
    const { values, positionals } = readWords(words, options, { needs: ['PATH'] })
    const path = sharedPath(positionals[0] ?? '')
    if (path === '') throw new CommandError('The top of the folder cannot be removed.')
    const operation = newOperation()
    const { file, ...kept } = await withSet(values, async (set) => {
      const found = await fileAt(set, path)
      if (found.kind === Kind.DIRECTORY && !values.recursive) {
        throw new CommandError(`${shownPath(found)} is a directory; -r removes it.`)
      }
      const answer = await set.ask(({ folder }, call) =>
        folder.deleteFile({ file: found.id, operation }, call),
      )
      return { ...answer, file: found }
    })
    const back = `fourfold restore ${shellWord(file)}`
    process.stdout.write(`in the trash, ${receipt(kept)}; back with: ${back}\n`)
    return exitCodes.done
  },
}

export const restore: Command = {
  summary: 'take a file or directory out of the trash',
  help: `Usage: fourfold restore PATH

Takes a file, or a directory with all that is in it, out of the trash. PATH is the path it had, or its
id; of several with one path it is the one removed last. \`fourfold trash\` lists what is there.

${setHelp}`,
  async run(words) {
    const { values, positionals } = readWords(words, setOptions, { needs: ['PATH'] })
    const path = sharedPath(positionals[0] ?? '')
    const operation = newOperation()
    const answer = await withSet(values, (set) =>
      set.ask(({ folder }, call) => folder.restoreFile({ file: path, operation }, call)),
    )
    process.stdout.write(`restored as ${shownPath(answer.file!)}, ${receipt(answer)}\n`)
    return exitCodes.done
  },
}

// -------------------------------------------------------------------------------- directories

/**
 * Directories of a command, each made once. Whoever makes one at a path makes the same, so that a
 * server which has not heard of it yet can be told again.
 */
export class Directories {
  readonly #set: SetClient
  readonly #made = new Map<string, Promise<Receipt>>()

  constructor(set: SetClient) {
    this.#set = set
  }

  /** Makes what is missing of this path. Rejects with AnswerError. */
  make(path: string): Promise<Receipt> {
    const known = this.#made.get(path) ?? makeDirectory(this.#set, path, true)
    this.#made.set(path, known)
    return known
  }

  /** Does something in a directory; at a server that has not heard of that one, after telling it. */
  async within<T>(path: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      const isUnknown = error instanceof AnswerError && error.code === Code.NotFound
      if (!isUnknown || !this.#made.has(path)) throw error
      await makeDirectory(this.#set, path, true)
      return act()
    }
  }
}

function makeDirectory(set: SetClient, path: string, hasParents: boolean): Promise<Receipt> {
  const operation = newOperation()
  return set.ask(({ folder }, call) => folder.makeDirectory({ path, hasParents, operation }, call))
}

// ------------------------------------------------------------------------------------ targets

/** Where a thing comes to lie that is moved or copied to `target`: in it, if that is a directory. */
async function targetOf(set: SetClient, { name }: File, target: string): Promise<string> {
  if (target === '') return name
  const found = await fileIfAny(set, target)
  if (found?.kind === Kind.DIRECTORY) return pathIn(found.path, name)
  if (!found && isSubjectId(target)) throw new CommandError(`Nothing has the id ${target}.`)
  return found?.path ?? target
}

/** Undefined where nothing is. Rejects with AnswerError when that is not known. */
export async function fileIfAny(set: SetClient, path: string): Promise<File | undefined> {
  try {
    return await fileAt(set, path)
  } catch (error) {
    if (error instanceof AnswerError && error.code === Code.NotFound) return undefined
    throw error
  }
}

async function checkPlace(set: SetClient, path: string): Promise<void> {
  const above = directoryOf(path)
  if (above !== '') await fileAt(set, above)
  const found = await fileIfAny(set, path)
  if (!found) return
  throw new CommandError(`"${printable(found.path)}" is here already; choose another name.`)
}

// ------------------------------------------------------------------------------------- copies

async function copyFile(set: SetClient, source: File, path: string): Promise<Receipt> {
  const operation = newOperation()
  const { id, kind, hash, size } = source
  // Nothing is sent: the bytes are there, and are kept once.
  if (kind === Kind.BINARY) {
    const request = { file: path, hash, size, operation }
    return set.ask(({ folder }, call) => folder.saveBinary(request, call))
  }
  const { text } = await set.ask(({ folder }, call) => folder.readFile({ file: id }, call))
  return set.ask(({ folder }, call) => folder.saveFile({ file: path, text, operation }, call))
}

async function copyDirectory(set: SetClient, source: File, target: string): Promise<Receipt[]> {
  const directories = new Directories(set)
  const receipts = [await directories.make(target)]
  for (const file of await listAll(set, { directory: source.id, isRecursive: true })) {
    const path = pathIn(target, file.path.slice(source.path.length + 1))
    const copy =
      file.kind === Kind.DIRECTORY ? () => directories.make(path) : () => copyFile(set, file, path)
    receipts.push(await directories.within(directoryOf(path), copy))
  }
  return receipts
}
