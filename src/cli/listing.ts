// `fourfold ls`, `trash`, `find`: what there is, by path.

import { joined, nameOf } from '../core/model/path.ts'
import { Code } from '@connectrpc/connect'
import { isSubjectId } from '../core/model/ids.ts'
import { fileKey } from '../core/model/names.ts'
import { Kind, type File } from '../core/model/wire.ts'
import {
  asJson,
  changedJson,
  commonReceipt,
  fileJson,
  sharedPath,
  shownPath,
  shownTime,
  sizeOf,
  table,
  written,
} from './answer.ts'
import { typed } from './called.ts'
import {
  CommandError,
  exitCodes,
  printable,
  readWords,
  UsageError,
  type Command,
} from './command.ts'
import { each } from './several.ts'
import { ChangeCalls, changeLanes } from './change-calls.ts'
import { untilEnded } from './ending.ts'
import {
  AnswerError,
  type SetClient,
  type SetJsonValues,
  setHelp,
  setJsonOptions,
  withSet,
} from './set-client.ts'
import { saysYes } from './yes.ts'

const jsonHelp = `--json             {"files": [{"id", "name", "path", "parent", "kind", "isDeleted",
                     "createdBy", "createdAt", "changedAt", "size", "hash", "hasConflict"}, …]};
                     of what is no binary file hash, its SHA-256, is null, and so are size and
                     changedAt unless \`ls -l\` asks for them`

export const ls: Command = {
  help: `Usage: fourfold ls [-R] [-l] [PATH…] [--json]

Lists the top of the folder, or what lies in the directory PATH, by name, one a line; directories end
with a slash. PATH may also be a file, and a path may always be an id.

  -R                 all that lies below it, each with its path
  -l                 kind, bytes, who made it, when it changed, and its path; the kind is d for a
                     directory, b for a binary file, - for a text
  ${jsonHelp}
${setHelp}
Examples:
  fourfold ls -l specs
  fourfold ls -R --json | jq -r '.files[].path'
`,
  async run(words) {
    const options = {
      ...setJsonOptions,
      recursive: { type: 'boolean', short: 'R' },
      long: { type: 'boolean', short: 'l' },
    } as const
    const instead = {
      h: 'Sizes are told in bytes.',
      t: 'They are in the order of their names; -l shows when each changed.',
    }
    const need = { more: true, anyway: 'aA1', instead }
    const { values, positionals } = readWords(words, options, need)
    const paths = (positionals.length > 0 ? positionals : ['']).map(sharedPath)
    const isRecursive = values.recursive ?? false
    const measuresTexts = values.long ?? false
    return withSet(values, async (set) => {
      const { done, code } = await each(paths, async (path) => {
        const files = await listed(set, path, { isRecursive, measuresTexts })
        return { path, files }
      })
      const all = done.flatMap(({ files }) => files)
      if (values.json) await written(asJson({ files: all.map(fileJson) }))
      else if (values.long) await written(table(all.map(longRow), [1]))
      else {
        // Of several directories each has its path before it.
        const isWhole = isRecursive || paths.length > 1
        const shown = done.flatMap(({ path, files }) =>
          files.map((file) => {
            const isItself = file.path === path
            return isWhole || isItself ? shownPath(file) : shownPath({ ...file, path: file.name })
          }),
        )
        await written(shown.map((line) => `${line}\n`).join(''))
      }
      return code
    })
  },
}

export const trash: Command = {
  help: `Usage: fourfold trash [--json]
       fourfold trash --empty [PATH…] [--json]

Lists what was put in the trash: who did that, when, its id, and the path it had. \`fourfold restore\`
takes it back by path, or by id where several had one path. What lies in a directory in the trash
goes and comes with it, and is not listed. What has been in the trash for 30 days goes for good.

  --empty            delete for good what is in the trash, or only these: by path, or by id. This
                     cannot be undone; at a terminal you are asked before all of it goes.
  --json             as \`fourfold ls --json\`, and of each file "deletedBy" and "deletedAt"; with
                     --empty what is deleted, each with "servers" and "serverCount" as of \`rm\`
${setHelp}
Examples:
  fourfold trash
  fourfold trash --empty drafts/old.md
`,
  async run(words) {
    const options = { ...setJsonOptions, empty: { type: 'boolean' } } as const
    const { values, positionals } = readWords(words, options, { may: words.map(() => 'PATH') })
    if (values.empty) return empty(values, positionals)
    if (positionals.length > 0) throw new UsageError('Only with --empty a PATH is named.')
    const files = await withSet(values, (set) => listAll(set, { inTrash: true }))
    if (values.json) {
      const rows = files.map((file) => {
        return { ...fileJson(file), deletedBy: file.deletedBy, deletedAt: file.deletedAt }
      })
      await written(asJson({ files: rows }))
    } else {
      const rows = files.map((file) => [
        printable(file.deletedBy) || '–',
        shownTime(file.deletedAt),
        file.id,
        shownPath(file),
      ])
      await written(table(rows))
    }
    return exitCodes.done
  },
}

async function empty(values: SetJsonValues, paths: string[]): Promise<number> {
  return withSet(values, async (set) => {
    const inTrash = paths.length > 0 ? [] : await listAll(set, { inTrash: true })
    const count = inTrash.length === 1 ? shownPath(inTrash[0]!) : `${inTrash.length} entries`
    const question = `Delete ${count} for good? This cannot be undone.`
    if (inTrash.length > 0 && !(await saysYes(question))) {
      await written(values.json ? changedJson([]) : 'Nothing is deleted.\n')
      return exitCodes.failed
    }
    const files = [...paths.map(sharedPath), ...inTrash.map(({ id }) => id)]
    const calls = new ChangeCalls(set)
    const erase = (file: string) => named(notInTrash(file), calls.change('erase', file))
    const { done, code } = await each(files, erase, { lanes: changeLanes, ending: untilEnded() })
    if (values.json) {
      await written(changedJson(done))
      return code
    }
    const [first] = done
    const what = done.length === 1 ? shownPath(first!.file!) : `${done.length} entries`
    if (files.length === 0) process.stdout.write('The trash is empty.\n')
    if (first) process.stdout.write(`deleted for good: ${what}, ${commonReceipt(done)}\n`)
    return code
  })
}

/** What to say where nothing in the trash has this path or id. */
export const notInTrash = (path: string) =>
  `Not in the trash: ${printable(path)}; ${typed('trash')} lists what is.`

export const find: Command = {
  help: `Usage: fourfold find PATTERN [PATH] [--json]

Prints the path of every file and directory whose name matches PATTERN, whatever the case: a part of
the name, or with * (anything) and ? (one character) the whole name. With a slash PATTERN is about the
whole path. PATH: only what lies below this directory.

  ${jsonHelp}
${setHelp}
Examples:
  fourfold find '*.md' specs
  fourfold find 'archive/*/plan*'
`,
  async run(words) {
    const alone = 'PATTERN is named without an option, and PATH behind it.'
    const instead = { n: alone, i: alone }
    const need = { needs: ['PATTERN'], may: ['PATH'], instead }
    const { values, positionals } = readWords(words, setJsonOptions, need)
    const [pattern = '', directory = ''] = positionals
    const matches = matcher(pattern)
    const all = await withSet(values, (set) =>
      listed(set, sharedPath(directory), { isRecursive: true }),
    )
    const files = all.filter(matches)
    if (values.json) await written(asJson({ files: files.map(fileJson) }))
    else await written(files.map((file) => `${shownPath(file)}\n`).join(''))
    return exitCodes.done
  },
}

/** What lies in a directory, or the file itself. Rejects with AnswerError. */
async function listed(
  set: SetClient,
  directory: string,
  how: { isRecursive: boolean; measuresTexts?: boolean },
): Promise<File[]> {
  if (directory !== '') {
    const file = await fileAt(set, directory, { measuresTexts: how.measuresTexts ?? false })
    if (file.kind !== Kind.DIRECTORY) return [file]
  }
  return listAll(set, { directory, ...how })
}

/** How a file is asked for. */
interface Asked {
  measuresTexts?: boolean
  inTrash?: boolean
}

/** What is at this path, or has this id, outside the trash or in it. Rejects with AnswerError. */
export async function fileAt(set: SetClient, file: string, how: Asked = {}): Promise<File> {
  const asked = set.ask(({ folder }, call) => folder.getFile({ file, ...how }, call))
  const answer = await named(`No such file or directory: ${printable(file)}.`, asked)
  return answer.file!
}

/** Undefined where nothing is. Rejects with AnswerError when that is not known. */
export async function fileIfAny(
  set: SetClient,
  path: string,
  how: Asked = {},
): Promise<File | undefined> {
  try {
    return await fileAt(set, path, how)
  } catch (error) {
    if (error instanceof AnswerError && error.code === Code.NotFound) return undefined
    throw error
  }
}

/** Rejects with these words where a server answers that it finds nothing: of which name it does not say. */
export async function named<T>(nothingText: string, asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (error) {
    const isNothing = error instanceof AnswerError && error.code === Code.NotFound
    throw isNothing ? new AnswerError(error.code, nothingText) : error
  }
}

/**
 * Where things come to lie that are moved or copied to `target`: in it, if that is a directory, as it
 * must be for more than one. Who is there itself, with its name written otherwise, gets that name.
 */
export async function targetsOf(
  set: SetClient,
  target: string,
  count: number,
): Promise<(source: Pick<File, 'id' | 'name'>) => string> {
  if (target === '') return ({ name }) => name
  const found = await fileIfAny(set, target)
  const path = found?.path ?? target
  const isSpelledSo = nameOf(path) === nameOf(target) || isSubjectId(target)
  const respelled = isSpelledSo ? undefined : found?.id
  if (found?.kind === Kind.DIRECTORY) {
    return ({ id, name }) => (id === respelled ? target : joined(path, name))
  }
  if (count > 1) throw new CommandError(`${printable(target)} is no directory; name one.`)
  if (!found && isSubjectId(target)) throw new CommandError(`Nothing has the id ${target}.`)
  return ({ id }) => (id === respelled ? target : path)
}

/** All pages of a listing. */
export function listAll(
  set: SetClient,
  request: {
    directory?: string
    isRecursive?: boolean
    inTrash?: boolean
    measuresTexts?: boolean
  },
): Promise<File[]> {
  return set.ask(async ({ folder }, call) => {
    const files: File[] = []
    let page = ''
    do {
      const answer = await folder.listFiles({ ...request, page }, call)
      files.push(...answer.files)
      page = answer.nextPage
    } while (page !== '')
    return files
  })
}

function longRow(file: File): string[] {
  const { kind, createdBy, createdAt, changedAt } = file
  const size = sizeOf(file)
  return [
    signs[kind] ?? '?',
    size === undefined ? '–' : String(size),
    printable(createdBy) || '–',
    shownTime(changedAt || createdAt),
    shownPath(file),
  ]
}

const signs: { [kind: number]: string } = {
  [Kind.TEXT]: '-',
  [Kind.DIRECTORY]: 'd',
  [Kind.BINARY]: 'b',
}

/** By the same key that tells whether two names clash. */
function matcher(pattern: string): (file: File) => boolean {
  const key = fileKey(pattern)
  const isGlob = /[*?]/.test(key)
  return ({ name, path }) => {
    const searched = fileKey(key.includes('/') ? path : name)
    return isGlob ? matchesGlob(searched, key) : searched.includes(key)
  }
}

/** Goes back at most to the last star: its time is bounded by the product of the lengths. */
export function matchesGlob(text: string, glob: string): boolean {
  const letters = [...text]
  const signs = [...glob]
  let at = 0
  let sign = 0
  let star = -1
  let starAt = 0
  while (at < letters.length) {
    if (signs[sign] === '*') {
      star = sign++
      starAt = at
    } else if (signs[sign] === '?' || signs[sign] === letters[at]) {
      sign++
      at++
    } else if (star >= 0) {
      sign = star + 1
      at = ++starAt
    } else return false
  }
  while (signs[sign] === '*') sign++
  return sign === signs.length
}
