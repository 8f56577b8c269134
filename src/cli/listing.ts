// `fourfold ls`, `trash`, `find`: what there is, by path.

import { fileKey } from '../core/model/names.ts'
import { Kind, type EraseFileResponse, type File } from '../core/model/wire.ts'
import {
  commonReceipt,
  fileJson,
  newOperation,
  sharedPath,
  shownPath,
  shownTime,
  table,
  written,
} from './answer.ts'
import { exitCodes, printable, readWords, UsageError, type Command } from './command.ts'
import { type SetClient, type SetValues, setHelp, setOptions, withSet } from './set-client.ts'

const jsonHelp = `--json             {"files": [{"id", "name", "path", "parent", "kind", "isDeleted",
                     "createdBy", "createdAt", "size", "hash", "hasConflict"}, …]}; size and
                     SHA-256 are null of what is no binary file`

export const ls: Command = {
  summary: 'list files and directories',
  help: `Usage: fourfold ls [-R] [-l] [PATH] [--json]

Lists the top of the folder, or what lies in the directory PATH, by name, one a line; directories end
with a slash. PATH may also be a file, and a path may always be an id.

  -R                 all that lies below it, each with its path
  -l                 kind, who made it, when, and its path
  ${jsonHelp}
${setHelp}`,
  async run(words) {
    const options = {
      ...setOptions,
      json: { type: 'boolean' },
      recursive: { type: 'boolean', short: 'R' },
      long: { type: 'boolean', short: 'l' },
    } as const
    const { values, positionals } = readWords(words, options, { may: ['PATH'] })
    const directory = sharedPath(positionals[0] ?? '')
    const isRecursive = values.recursive ?? false
    const files = await withSet(values, (set) => listed(set, directory, isRecursive))
    if (values.json) await written(asJson({ files: files.map(fileJson) }))
    else if (values.long) await written(table(files.map(longRow)))
    else {
      const isWhole = isRecursive || files[0]?.path === directory
      const shown = files.map(({ path, name, kind }) =>
        shownPath({ path: isWhole ? path : name, kind }),
      )
      await written(shown.map((line) => `${line}\n`).join(''))
    }
    return exitCodes.done
  },
}

export const trash: Command = {
  summary: 'list what lies in the trash, or empty it',
  help: `Usage: fourfold trash [--json]
       fourfold trash --empty [PATH…]

Lists what was put in the trash: who did that, when, its id, and the path it had. \`fourfold restore\`
takes it back by path, or by id where several had one path. What lies in a directory in the trash
goes and comes with it, and is not listed. What has been in the trash for 30 days goes for good.

  --empty            delete for good what is in the trash, or only these: by path, or by id. This
                     cannot be undone.
  --json             as \`fourfold ls --json\`, and of each file "deletedBy" and "deletedAt"
${setHelp}`,
  async run(words) {
    const flags = { json: { type: 'boolean' }, empty: { type: 'boolean' } } as const
    const options = { ...setOptions, ...flags }
    const { values, positionals } = readWords(words, options, { may: words.map(() => 'PATH') })
    if (values.empty && values.json) throw new UsageError('--empty prints no JSON.')
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

async function empty(values: SetValues, paths: string[]): Promise<number> {
  const receipts = await withSet(values, async (set) => {
    const listed = paths.length > 0 ? [] : await listAll(set, { inTrash: true })
    const files = [...paths.map(sharedPath), ...listed.map(({ id }) => id)]
    const erased: EraseFileResponse[] = []
    for (const file of files) {
      const operation = newOperation()
      erased.push(await set.ask(({ folder }, call) => folder.eraseFile({ file, operation }, call)))
    }
    return erased
  })
  const [first] = receipts
  const what = receipts.length === 1 ? shownPath(first!.file!) : `${receipts.length} entries`
  const text = first
    ? `deleted for good: ${what}, ${commonReceipt(receipts)}`
    : 'The trash is empty.'
  process.stdout.write(`${text}\n`)
  return exitCodes.done
}

export const find: Command = {
  summary: 'find files and directories by name',
  help: `Usage: fourfold find PATTERN [PATH] [--json]

Prints the path of every file and directory whose name matches PATTERN, whatever the case: a part of
the name, or with * (anything) and ? (one character) the whole name. With a slash PATTERN is about the
whole path. PATH: only what lies below this directory.

  ${jsonHelp}
${setHelp}`,
  async run(words) {
    const options = { ...setOptions, json: { type: 'boolean' } } as const
    const need = { needs: ['PATTERN'], may: ['PATH'] }
    const { values, positionals } = readWords(words, options, need)
    const [pattern = '', directory = ''] = positionals
    const matches = matcher(pattern)
    const all = await withSet(values, (set) =>
      listAll(set, { directory: sharedPath(directory), isRecursive: true }),
    )
    const files = all.filter(matches)
    if (values.json) await written(asJson({ files: files.map(fileJson) }))
    else await written(files.map((file) => `${shownPath(file)}\n`).join(''))
    return exitCodes.done
  },
}

/** What lies in a directory, or the file itself. Rejects with AnswerError. */
export async function listed(
  set: SetClient,
  directory: string,
  isRecursive: boolean,
): Promise<File[]> {
  if (directory !== '') {
    const file = await fileAt(set, directory)
    if (file.kind !== Kind.DIRECTORY) return [file]
  }
  return listAll(set, { directory, isRecursive })
}

/** What is at this path, or has this id, outside the trash. Rejects with AnswerError. */
export async function fileAt(set: SetClient, file: string): Promise<File> {
  const answer = await set.ask(({ folder }, call) => folder.getFile({ file }, call))
  return answer.file!
}

/** All pages of a listing. */
export function listAll(
  set: SetClient,
  request: { directory?: string; isRecursive?: boolean; inTrash?: boolean },
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

const asJson = (value: object) => `${JSON.stringify(value, null, 2)}\n`

function longRow(file: File): string[] {
  const { kind, createdBy, createdAt } = file
  return [signs[kind] ?? '?', printable(createdBy) || '–', shownTime(createdAt), shownPath(file)]
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
