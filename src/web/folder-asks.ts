// What the page asks servers about files that it does not show: found by words, listed, in the trash.

import type { Client, FileInfo } from '../client/api.ts'
import { entriesMax } from '../core/model/limits.ts'
import { hasWords } from '../core/model/path-words.ts'
import { type File, Kind, type ListFilesRequest } from '../core/model/wire.ts'
import { ask } from './asking.ts'
import { FolderTree, isDirectory } from './folder-tree.ts'
import { waitFor } from './waiting.ts'

const kinds: { [kind: number]: FileInfo['kind'] } = {
  [Kind.TEXT]: 'text',
  [Kind.DIRECTORY]: 'directory',
}

export interface Finding {
  /** The best first. */
  entries: FileInfo[]
  /** How many have the words. */
  found: number
  /** Among how many was looked. */
  looked: number
  /** No server answers: only what this device has was looked through. */
  isOfDevice: boolean
}

export type Only = 'files' | 'directories' | 'both'

/** What of the folder has these words in its path; at most `limit`. */
export async function find(
  client: Client,
  words: string,
  only: Only,
  limit: number,
): Promise<Finding> {
  const asked = {
    words,
    limit,
    onlyFiles: only === 'files',
    onlyDirectories: only === 'directories',
  }
  const answer = await ask(client, (folder, options) => folder.findFiles(asked, options))
  if (!answer) return findHere(client, words, only, limit)
  const { files, found, looked } = answer
  return { entries: files.map(fileInfo), found, looked, isOfDevice: false }
}

function findHere(client: Client, words: string, only: Only, limit: number): Finding {
  const isWanted = hasWords(words)
  const present = client.files.filter((file) => !file.isDeleted)
  const found = present.filter(
    (file) =>
      isWanted(file.path) && (only === 'both' || isDirectory(file) === (only === 'directories')),
  )
  const rank = (file: FileInfo) => (isWanted(file.name) ? 0 : 1)
  const best = found.toSorted((a, b) => rank(a) - rank(b) || a.path.length - b.path.length)
  const entries = best.slice(0, limit)
  return { entries, found: found.length, looked: present.length, isOfDevice: true }
}

/** The first of a listing. */
export interface Listing {
  entries: FileInfo[]
  /** How many it has in all. */
  count: number
}

/** What was put in the trash, by name, the first `limit`. Undefined: no server answers. */
export async function trashed(client: Client, limit: number): Promise<Listing | undefined> {
  return first(client, { inTrash: true, pageSize: limit })
}

/** All that was put in the trash. Undefined: no server answers. */
export async function allTrashed(client: Client): Promise<FileInfo[] | undefined> {
  return all(client, { inTrash: true })
}

/** What lies in a directory, the first `limit`. Undefined: no server answers. */
export async function inside(
  client: Client,
  directory: string,
  limit: number,
): Promise<Listing | undefined> {
  return first(client, { directory, pageSize: limit })
}

/** All that lies in a directory; of one that is not shown it waits for a server, if one answers. */
export async function members(client: Client, directory: string): Promise<readonly FileInfo[]> {
  const end = client.show(directory, 'open')
  try {
    await looked(client, directory)
    return new FolderTree(client.files).children(directory)
  } finally {
    end()
  }
}

/** Resolves when a server has told of an entry that is shown, or when none answers. */
export async function looked(client: Client, id: string): Promise<void> {
  const alone = waitFor(client, () => client.connection.name === 'offline')
  await Promise.race([client.look(id), alone.promise]).finally(alone.end)
}

/** A folder with all that lies below some entries. */
export interface TreeBelow {
  tree: FolderTree
  /** False: no server answers, and of some only that is in it which is known here. */
  isWhole: boolean
}

/** All that lies below these entries, shown or not, as a server lists it. */
export async function treeBelow(client: Client, ids: string[]): Promise<TreeBelow> {
  const files = new Map(client.files.map((file) => [file.id, file]))
  const shown = new FolderTree(client.files)
  let isWhole = true
  for (const { id } of shown.outermost(ids).filter(isDirectory)) {
    const below = await all(client, { directory: id, isRecursive: true })
    for (const file of below ?? []) files.set(file.id, file)
    isWhole &&= below !== undefined || isWholeBelow(client, shown, id)
  }
  return { tree: new FolderTree([...files.values()]), isWhole }
}

function isWholeBelow(client: Client, tree: FolderTree, directory: string): boolean {
  const isWhole = ({ id }: FileInfo) => isWholeBelow(client, tree, id)
  return client.isWhole(directory) && tree.children(directory).filter(isDirectory).every(isWhole)
}

type Asked = Partial<Omit<ListFilesRequest, '$typeName' | '$unknown'>>

async function first(client: Client, asked: Asked): Promise<Listing | undefined> {
  const answer = await ask(client, (folder, options) => folder.listFiles(asked, options))
  return answer && { entries: answer.files.map(fileInfo), count: answer.count }
}

/** From one server, page for page: another may have another order of things. */
async function all(client: Client, asked: Asked): Promise<FileInfo[] | undefined> {
  return ask(client, async (folder, options) => {
    const files: FileInfo[] = []
    let page = ''
    do {
      const answer = await folder.listFiles({ ...asked, page }, options)
      files.push(...answer.files.map(fileInfo))
      page = answer.nextPage
    } while (page !== '' && files.length < entriesMax)
    return files
  })
}

function fileInfo(file: File): FileInfo {
  const { id, name, parent, path, isDeleted, deletedBy, createdBy, createdAt } = file
  const { hash, size, hasConflict } = file
  return {
    id,
    kind: kinds[file.kind] ?? 'binary',
    name,
    givenName: name,
    parent,
    path,
    isDeleted,
    // Of those in the trash only these are asked for.
    isInTrashItself: isDeleted,
    deletedBy,
    createdBy,
    createdAt,
    ...(hash !== '' && { bytes: { hash, size, hasConflict } }),
  }
}
