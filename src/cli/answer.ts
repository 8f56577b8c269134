// What commands on the folder have in common: paths, and what an answer looks like.

import { Kind, type File } from '../core/model/wire.ts'
import { quoted } from './called.ts'
import { CommandError, printable } from './command.ts'

// -------------------------------------------------------------------------------------- paths

/** A path as the servers know it: "/specs/./launch.md/" is "specs/launch.md"; the top is "". */
export function sharedPath(word: string): string {
  // What Node makes of bytes that are not UTF-8: not the name that was meant.
  if (word.includes('\ufffd')) {
    throw new CommandError('A name must be valid Unicode; give another.')
  }
  return word
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .join('/')
}

// ------------------------------------------------------------------------------------ answers

export interface Receipt {
  servers: string[]
  serverCount: number
}

export function receipt({ servers, serverCount }: Receipt): string {
  return `stored on ${servers.length} of ${serverCount} servers: ${servers.join(' ')}`
}

/** Where all of several things are; where there is no such server, on how many each is. */
export function commonReceipt(receipts: Receipt[]): string {
  const [first, ...others] = receipts
  if (!first) return 'nothing to store'
  const servers = first.servers.filter((id) => others.every((each) => each.servers.includes(id)))
  if (servers.length > 0) return receipt({ servers, serverCount: first.serverCount })
  const least = Math.min(...receipts.map((each) => each.servers.length))
  return `each stored on ${least} of ${first.serverCount} servers or more`
}

const kinds: Record<Kind, string> = {
  [Kind.UNSPECIFIED]: 'unknown',
  [Kind.TEXT]: 'text',
  [Kind.DIRECTORY]: 'directory',
  [Kind.BINARY]: 'binary',
}

/** Something that a command changed. */
export interface Changed extends Receipt {
  /** As it is now; of one that is deleted for good, as it was. */
  file?: File
}

/** For `readWords` of commands that say so in their help. */
export const nothingOverwritten = { f: 'Nothing is overwritten: remove first what is at TARGET.' }

/** For the help of a command that prints `changedJson`. */
export const changedJsonHelp = `--json             {"files": [{…, "servers", "serverCount"}, …]}: each as \`fourfold ls --json\`
                     shows it, with the ids of the servers on whose disks it is, and how many
                     servers the set has`

/** What a command changed, and where it is. */
export function changedJson(changed: Changed[]): string {
  const files = changed.map(({ file, servers, serverCount }) => {
    return { ...fileJson(file!), servers, serverCount }
  })
  return asJson({ files })
}

export const asJson = (value: object) => `${JSON.stringify(value, null, 2)}\n`

export function fileJson({ id, name, path, parent, kind, ...file }: File) {
  const { isDeleted, createdBy, createdAt, hash, hasConflict, changedAt } = file
  const isBinary = kind === Kind.BINARY
  return {
    id,
    name,
    path,
    parent,
    kind: kinds[kind] ?? 'unknown',
    isDeleted,
    createdBy,
    createdAt,
    changedAt: changedAt || null,
    size: sizeOf({ kind, ...file }) ?? null,
    hash: isBinary ? hash : null,
    hasConflict,
  }
}

/** In bytes; undefined of a directory, and of a text that was not measured. */
export function sizeOf({ kind, size, textSize }: Pick<File, 'kind' | 'size' | 'textSize'>) {
  return kind === Kind.BINARY ? size : textSize
}

/** A path for a terminal; that of a directory ends with a slash. */
export function shownPath({ path, kind }: Pick<File, 'path' | 'kind'>): string {
  return `${printable(path)}${kind === Kind.DIRECTORY ? '/' : ''}`
}

/** For people, in their time: "2026-11-26 14:05". */
export function shownTime(at: number): string {
  if (at === 0) return '–'
  const date = new Date(at)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}

/** What a command called by a person is to be given for this path or id. */
export function shellWord({ path, id }: Pick<File, 'path' | 'id'>): string {
  if (path.startsWith('-') || printable(path) !== path) return id
  return quoted(path)
}

/** Rows whose columns stand under each other; those of numbers, from 0, at their right. */
export function table(rows: string[][], numbers: readonly number[] = []): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => [...row[column]!].length)),
  )
  const lines = rows.map((row) =>
    row
      .map((cell, column) => {
        const space = ' '.repeat(widths[column]! - [...cell].length)
        return numbers.includes(column) ? space + cell : cell + space
      })
      .join('  ')
      .trimEnd(),
  )
  return lines.map((line) => `${line}\n`).join('')
}

/** Resolves when standard output has taken all: a pipe may be slow. */
export function written(text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()))
  })
}
