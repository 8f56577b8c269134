// What can be brought into the folder: files and folders that were dropped or chosen on this device.

import type { BytesName } from '../client/api.ts'
import { textBytesMax } from '../core/model/limits.ts'
import type { Dropped } from './tree-drag.ts'

/** What a file is to hold: live text, bytes of this device, or bytes that servers have already. */
export type Held = { text: string } | { blob: Blob } | { bytes: BytesName }

/** Something to bring in. */
export type Source = {
  /** Names from the chosen directory down to it. */
  path: string[]
} & (
  | { kind: 'directory' }
  /** `held` rejects with FourfoldError when it cannot be had. */
  | { kind: 'file'; held: (signal: AbortSignal) => Promise<Held> }
  /** It cannot be brought in, for this reason: a sentence. */
  | { kind: 'refused'; why: string }
)

/** What was dropped, with all that is in its folders. */
export async function* droppedSources(
  items: Dropped[],
  above: string[] = [],
): AsyncGenerator<Source> {
  for (const item of items) {
    const path = [...above, item.name]
    if (item.kind === 'file') {
      yield { path, kind: 'file', held: async () => heldIn(await item.getFile()) }
      continue
    }
    yield { path, kind: 'directory' }
    const inside: Dropped[] = []
    for await (const entry of item.getEntries()) inside.push(entry)
    yield* droppedSources(inside, path)
  }
}

/** Files chosen in the browser's dialog; those of a chosen folder with their path in it. */
export async function* chosenSources(files: Iterable<File>): AsyncGenerator<Source> {
  for (const file of files) {
    const path = file.webkitRelativePath === '' ? [file.name] : file.webkitRelativePath.split('/')
    yield { path, kind: 'file', held: () => heldIn(file) }
  }
}

/** Live text, if it is UTF-8 and not too large; otherwise bytes. */
export async function heldIn(blob: Blob): Promise<Held> {
  const text = await textIn(blob)
  return text === undefined ? { blob } : { text }
}

/** The text in bytes of this device; undefined when they are not UTF-8 text, or too many. */
async function textIn(blob: Blob): Promise<string | undefined> {
  if (blob.size > textBytesMax) return undefined
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      await blob.arrayBuffer(),
    )
    return text.includes('\0') ? undefined : text
  } catch {
    // Not UTF-8, or it cannot be read: whoever reads it next says why.
    return undefined
  }
}
