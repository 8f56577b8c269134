// Downloads entries of the tree: one file as it is, several and directories as a zip archive.

import { downloadZip } from 'client-zip'
import type { Client, FileInfo } from '../client/api.ts'
import { archiveBytesMax } from '../core/model/limits.ts'
import { fileKey, numbered } from '../core/model/names.ts'
import { download, downloadBlob } from './download.ts'
import { sizeWords, streamOf } from './file-bytes.ts'
import { textNow } from './file-actions.ts'
import { type FolderTree, isDirectory } from './folder-tree.ts'
import { saveBytes } from './save-bytes.ts'
import { notify } from './toasts.tsx'

/** Each file comes from a server, one after the other: so many are a large project. */
const filesMax = 5000

interface Zipped {
  /** Its path in the archive; a directory's ends with "/". */
  name: string
  input?: string | Response
  lastModified: Date
}

/** Saves them through the browser's download: all of them, or none, with the reason. */
export async function downloadEntries(
  client: Client,
  tree: FolderTree,
  ids: string[],
): Promise<void> {
  const entries = tree.outermost(ids)
  const [only] = entries
  if (only && entries.length === 1 && only.kind === 'text') {
    const text = await textNow(client, only.id, new AbortController().signal)
    if (text === undefined) notify(notHere(only.name))
    else download(only.name, text)
    return
  }
  if (only && entries.length === 1 && only.bytes) {
    await saveBytes(client, only.name, only.bytes)
    return
  }
  const all = placed(tree, entries)
  if (all.length > filesMax) {
    notify(
      `These are ${all.length.toLocaleString('en')} entries; at most ${filesMax} go into one download.`,
    )
    return
  }
  const size = all.reduce((sum, { entry }) => sum + (entry.bytes?.size ?? 0), 0)
  if (size > archiveBytesMax) {
    const most = sizeWords(archiveBytesMax)
    notify(`These hold ${sizeWords(size)}; at most ${most} go into one download.`)
    return
  }
  const name = only && entries.length === 1 ? `${only.name}.zip` : 'fourfold.zip'
  const stop = new AbortController()
  const action = { label: 'Stop', run: () => stop.abort() }
  const takeBack = notify(`${name} is being made…`, action, { stays: true })
  // Of what breaks off inside, the browser says no more than "Failed to fetch".
  let why = 'The connection to the server broke. Try again in a moment.'
  const parts = zipped(client, all, stop.signal, (problem) => (why = problem))
  try {
    // The browser keeps it where it has room: on the disk, when it is long.
    downloadBlob(name, await downloadZip(parts).blob())
  } catch {
    if (!stop.signal.aborted) notify(`${name} was not made. ${why}`)
  } finally {
    takeBack()
  }
}

interface Within {
  entry: FileInfo
  path: string
}

/** Entries that lie in several directories may have one name: in the archive each has its own. */
function placed(tree: FolderTree, entries: readonly FileInfo[]): Within[] {
  const taken = new Set<string>()
  return entries.flatMap((entry) => {
    const name = numbered(entry.name, (each) => taken.has(fileKey(each)))
    taken.add(fileKey(name))
    return [...within(tree, entry, name)]
  })
}

function* within(tree: FolderTree, entry: FileInfo, path: string): Generator<Within> {
  yield { entry, path }
  if (!isDirectory(entry)) return
  for (const child of tree.children(entry.id)) yield* within(tree, child, `${path}/${child.name}`)
}

/** `tell` hears why it ends early. */
async function* zipped(
  client: Client,
  all: Within[],
  signal: AbortSignal,
  tell: (why: string) => void,
): AsyncGenerator<Zipped> {
  const lastModified = new Date()
  for (const { entry, path } of all) {
    if (isDirectory(entry)) yield { name: `${path}/`, lastModified }
    else {
      try {
        yield { name: path, input: await contentOf(client, entry, path, signal), lastModified }
      } catch (error) {
        tell((error as Error).message)
        throw error
      }
    }
  }
}

async function contentOf(client: Client, entry: FileInfo, path: string, signal: AbortSignal) {
  signal.throwIfAborted()
  if (entry.bytes) return streamOf(client, entry.bytes.hash, signal)
  const text = await textNow(client, entry.id, signal)
  signal.throwIfAborted()
  if (text === undefined) throw new Error(notHere(path))
  return text
}

function notHere(path: string): string {
  return `No server answers, and ${path} is not on this device.`
}
