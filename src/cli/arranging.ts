// `fourfold mkdir`, `mv`, `rm`, `restore`: the tree is changed.

import { parentOf } from '../core/model/path.ts'
import { Kind, type File } from '../core/model/wire.ts'
import { newOperation } from '../adapters/system.ts'
import {
  changedJson,
  changedJsonHelp,
  commonReceipt,
  nothingOverwritten,
  receipt,
  sharedPath,
  shellWord,
  shownPath,
  written,
  type Changed,
} from './answer.ts'
import { typed } from './called.ts'
import { ChangeCalls, changeLanes } from './change-calls.ts'
import {
  CommandError,
  isRecursive,
  printable,
  readWords,
  recursiveOptions,
  type Command,
} from './command.ts'
import { untilEnded } from './ending.ts'
import { fileAt, fileIfAny, named, notInTrash, targetsOf } from './listing.ts'
import { each } from './several.ts'
import { type SetClient, setHelp, setJsonOptions, withSet } from './set-client.ts'

/** So many things are named one by one; of more a command would be too long to be repeated. */
const namedMax = 20

export const mkdir: Command = {
  help: `Usage: fourfold mkdir [-p] PATH… [--json]

Makes directories. Prints on which servers' disks they are.

  -p                 makes those above it too; one that is there already is no error
  ${changedJsonHelp}
${setHelp}
Example:
  fourfold mkdir -p specs/2026/drafts
`,
  async run(words) {
    const options = {
      ...setJsonOptions,
      parents: { type: 'boolean', short: 'p' },
    } as const
    const { values, positionals } = readWords(words, options, { needs: ['PATH'], more: true })
    const hasParents = values.parents ?? false
    return withSet(values, async (set) => {
      const { done, code } = await each(positionals.map(sharedPath), (path) => {
        if (path === '') throw new CommandError('The top of the folder is there already.')
        const request = { path, hasParents, operation: newOperation() }
        const asked = set.ask(({ folder }, call) => folder.makeDirectory(request, call))
        const above = printable(parentOf(path))
        return named(`No such directory: ${above}; -p makes it too.`, asked)
      })
      if (values.json) await written(changedJson(done))
      else if (done.length > 0) await written(`${commonReceipt(done)}\n`)
      return code
    })
  },
}

export const mv: Command = {
  help: `Usage: fourfold mv PATH… TARGET [--json]

Moves files and directories into the directory TARGET; where there is none, gives the only one the path
TARGET. What is at TARGET already is not overwritten. PATH may be an id, too, and lie in the trash with
a directory: then it comes out of that.

  ${changedJsonHelp}
${setHelp}
Examples:
  fourfold mv plan.md plan-2026.md
  fourfold mv plan-2026.md notes.md archive
`,
  async run(words) {
    const instead = nothingOverwritten
    const need = { needs: ['PATH', 'TARGET'], more: true, anyway: 'ni', instead }
    const { values, positionals } = readWords(words, setJsonOptions, need)
    const paths = positionals.map(sharedPath)
    const to = paths.pop()!
    return withSet(values, async (set) => {
      const targetOf = await targetsOf(set, to, paths.length)
      const { done, code } = await each(paths, async (from): Promise<Changed> => {
        const file = await movable(set, from)
        const path = targetOf(file)
        const request = { file: file.id, path, operation: newOperation() }
        const asked = set.ask(({ folder }, call) => folder.moveFile(request, call))
        const above = printable(parentOf(path))
        const moved = await named(`No such directory: ${above}.`, asked)
        const still = moved.file!.isDeleted ? ' in the trash' : ''
        const line = `now ${shownPath(moved.file!)}${still}, ${receipt(moved)}\n`
        if (!values.json) await written(line)
        return moved
      })
      if (values.json) await written(changedJson(done))
      return code
    })
  },
}

/** What is at a path outside the trash, or lies in it with a directory. Rejects with AnswerError. */
async function movable(set: SetClient, path: string): Promise<File> {
  const there = await fileIfAny(set, path)
  if (there) return there
  const file = await fileAt(set, path, { inTrash: true })
  const isWithin = file.parent !== '' && !(await fileIfAny(set, file.parent))
  if (isWithin) return file
  const back = typed('restore', shellWord(file))
  throw new CommandError(`${shownPath(file)} is in the trash; back with: ${back}.`)
}

export const rm: Command = {
  help: `Usage: fourfold rm [-r] [-f] PATH… [--json]

Puts files into the trash, from where \`fourfold restore\` takes them back. Asks nothing.

  -r                 directories with all that is in them, too
  -f                 what is not there is no error
  ${changedJsonHelp}
${setHelp}
Examples:
  fourfold rm draft.md notes.md
  fourfold rm -r specs && fourfold restore specs
`,
  async run(words) {
    const options = {
      ...setJsonOptions,
      ...recursiveOptions,
      force: { type: 'boolean', short: 'f' },
    } as const
    const instead = { i: 'Nothing is asked: what is removed is in the trash.' }
    const need = { needs: ['PATH'], more: true, instead }
    const { values, positionals } = readWords(words, options, need)
    const { force = false } = values
    return withSet(values, async (set) => {
      const paths = positionals.map(sharedPath)
      const calls = new ChangeCalls(set)
      const removal = async (path: string): Promise<Removed[]> => {
        if (path === '') throw new CommandError('The top of the folder cannot be removed.')
        const file = force ? await fileIfAny(set, path) : await fileAt(set, path)
        return file ? [await remove(calls, file, isRecursive(values))] : []
      }
      const how = { lanes: changeLanes, ending: untilEnded() }
      const { done, code } = await each(paths, removal, how)
      const all = done.flat()
      if (values.json) await written(changedJson(all))
      else if (all.length > 0) await written(`${removed(all)}\n`)
      return code
    })
  },
}

interface Removed extends Changed {
  before: File
}

async function remove(calls: ChangeCalls, file: File, mayBeDirectory: boolean): Promise<Removed> {
  if (file.kind === Kind.DIRECTORY && !mayBeDirectory) {
    throw new CommandError(`${shownPath(file)} is a directory; -r removes it.`)
  }
  return { ...(await calls.change('delete', file.id)), before: file }
}

function removed(done: Removed[]): string {
  const count = done.length === 1 ? '' : `${done.length} entries `
  const where = `${count}in the trash, ${commonReceipt(done)}`
  if (done.length > namedMax) {
    return `${where}; ${typed('trash')} lists them, ${typed('restore')} takes them back`
  }
  return `${where}; back with: ${typed('restore', ...done.map((each) => wordOf(each, done)))}`
}

/** What takes it back: its path, where that is the one it has in the trash, and no other one's. */
function wordOf({ before, file }: Removed, done: Removed[]): string {
  const hasPath = (each: Removed) => each.file?.path === before.path
  const isPlain = file?.path === before.path && done.filter(hasPath).length === 1
  return isPlain ? shellWord(before) : before.id
}

export const restore: Command = {
  help: `Usage: fourfold restore PATH… [--json]

Takes files, and directories with all that is in them, out of the trash. PATH is the path that one had,
or its id; of several with one path it is the one removed last. \`fourfold trash\` lists what is there.

  ${changedJsonHelp}
${setHelp}
Example:
  fourfold restore specs/plan.md
`,
  async run(words) {
    const { values, positionals } = readWords(words, setJsonOptions, {
      needs: ['PATH'],
      more: true,
    })
    return withSet(values, async (set) => {
      const calls = new ChangeCalls(set)
      const restored = (path: string) => named(notInTrash(path), calls.change('restore', path))
      const how = { lanes: changeLanes, ending: untilEnded() }
      const { done, code } = await each(positionals.map(sharedPath), restored, how)
      if (values.json) {
        await written(changedJson(done))
        return code
      }
      const lines = done.map((answer) => {
        return `restored as ${shownPath(answer.file!)}, ${receipt(answer)}\n`
      })
      await written(lines.join(''))
      return code
    })
  },
}
