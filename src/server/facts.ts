// How files are to be shown: how long they are, which bytes, and since when.

import { blobOf } from '../core/model/contents.ts'
import { Kind } from '../core/model/wire.ts'
import type { FileView, Measure } from '../core/replica/messages.ts'

export interface Facts {
  /** The SHA-256 of its bytes. */
  version: string
  bytes: number
  changedAt: number
}

/**
 * Facts of files by id; not of directories, nor of what cannot be read here. `measure` tells those of
 * the first of these texts, of one at least.
 */
export async function factsOf(
  files: Iterable<FileView>,
  measure: (texts: string[]) => Promise<(Measure | undefined)[]>,
): Promise<Map<string, Facts>> {
  const facts = new Map<string, Facts>()
  let texts: FileView[] = []
  for (const file of files) {
    const blob = blobOf(file.entry)
    if (blob) {
      const { hash: version, size, at: changedAt } = blob
      facts.set(file.entry.id, { version, bytes: size, changedAt })
    } else if (file.entry.kind !== Kind.DIRECTORY) texts.push(file)
  }
  while (texts.length > 0) {
    const measures = await measure(texts.map(({ entry }) => entry.id))
    measures.forEach((found, index) => {
      const { entry } = texts[index]!
      const changedAt = Math.max(found?.changedAt ?? 0, entry.createdAt)
      if (found) facts.set(entry.id, { ...found, changedAt })
    })
    texts = texts.slice(measures.length)
  }
  return facts
}
