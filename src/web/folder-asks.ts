// What the page asks servers about files that it does not show: found by words, listed, in the trash.

import { type CallOptions, createClient, type Client as Rpc } from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-web'
import type { Client, FileInfo } from '../client/api.ts'
import { entriesMax } from '../core/model/limits.ts'
import { hasWords } from '../core/model/path-words.ts'
import { type File, FolderService, Kind } from '../core/model/wire.ts'
import { FolderTree, isDirectory } from './folder-tree.ts'
import { addresses } from './versions.ts'

/** One server gets this long before the next is asked. */
const askMs = 4000

const kinds: { [kind: number]: FileInfo['kind'] } = {
  [Kind.TEXT]: 'text',
  [Kind.DIRECTORY]: 'directory',
}

/** Asks one server after the other. Undefined: none answers. */
async function ask<T>(
  client: Client,
  question: (folder: Rpc<typeof FolderService>, options: CallOptions) => Promise<T>,
): Promise<T | undefined> {
  if (client.connection.name === 'offline') return undefined
  for (const address of addresses(client)) {
    const folder = createClient(FolderService, createConnectTransport({ baseUrl: address }))
    try {
      return await question(folder, { timeoutMs: askMs })
    } catch {
      // That server is down, behind, or does not let this page in: the next may answer.
    }
  }
  return undefined
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
  const asked = { inTrash: true, pageSize: limit }
  const answer = await ask(client, (folder, options) => folder.listFiles(asked, options))
  return answer && { entries: answer.files.map(fileInfo), count: answer.count }
}

/** What lies in a directory, the first `limit`. Undefined: no server answers. */
export async function inside(
  client: Client,
  directory: string,
  limit: number,
): Promise<Listing | undefined> {
  const asked = { directory, pageSize: limit }
  const answer = await ask(client, (folder, options) => folder.listFiles(asked, options))
  return answer && { entries: answer.files.map(fileInfo), count: answer.count }
}

/** All that lies in a directory; of one that is not shown it waits for a server, if one answers. */
export async function members(client: Client, directory: string): Promise<readonly FileInfo[]> {
  const end = client.show(directory, 'open')
  try {
    if (client.connection.name !== 'offline') await client.look(directory)
    return new FolderTree(client.files).children(directory)
  } finally {
    end()
  }
}

/** A tree with all that lies below these entries, shown or not, as servers list it. */
export async function treeBelow(client: Client, ids: string[]): Promise<FolderTree> {
  const files = new Map(client.files.map((file) => [file.id, file]))
  const tree = new FolderTree(client.files)
  for (const { id } of tree.outermost(ids).filter(isDirectory)) {
    for (const file of await below(client, id)) files.set(file.id, file)
  }
  return new FolderTree([...files.values()])
}

/** Where no server answers, what is shown of it has to do. */
async function below(client: Client, directory: string): Promise<FileInfo[]> {
  const answer = await ask(client, async (folder, options) => {
    const files: File[] = []
    let page = ''
    do {
      const asked = { directory, isRecursive: true, page }
      const answer = await folder.listFiles(asked, options)
      files.push(...answer.files)
      page = answer.nextPage
    } while (page !== '' && files.length < entriesMax)
    return files
  })
  return (answer ?? []).map(fileInfo)
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
