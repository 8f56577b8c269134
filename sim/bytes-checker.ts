// What must hold of the bytes of files: those that were acknowledged are among what the file holds, and
// every server has, whole and right, what entries name.

import type { Violation } from './checkers.ts'
import type { DocumentId, Journal } from './journal.ts'
import { hashOf, type BytesName } from './shelf.ts'

/** What an entry says that it holds, or held. */
export interface NamedBytes extends BytesName {
  author: string
}

export interface BytesCheck {
  journal: Journal
  bad: (checker: Violation['checker'], text: string) => void
}

/** What a file holds and held, at the very end, as every server lists it; none: it is not listed. */
export function checkContents(
  { journal, bad }: BytesCheck,
  document: DocumentId,
  contents: readonly NamedBytes[],
): void {
  for (const { hash, size, author } of contents) {
    const put = journal.bytes.get(hash)
    if (put?.document !== document || put.size !== size || put.author !== author) {
      bad('C5', `${document} holds ${short(hash)} of "${author}"; nobody put it there`)
    }
  }
  const hashes = new Set(contents.map(({ hash }) => hash))
  for (const put of journal.bytes.values()) {
    if (put.document !== document || hashes.has(put.hash) || !journal.mustSurvive(put)) continue
    const servers = [...put.receipt.keys()].sort().join(' ')
    bad('C1', `${short(put.hash)} was acknowledged by ${servers}; ${document} does not hold it`)
  }
}

/** What one server has of bytes that an entry names. */
export interface HeldBytes extends BytesName {
  server: string
  /** Undefined: nothing. */
  bytes: Uint8Array | undefined
  /** No server has them: every disk on which they were burnt, or let them go while nothing named them. */
  areLost: boolean
}

export function checkBytes({ bad }: Pick<BytesCheck, 'bad'>, held: HeldBytes): void {
  const { server, hash, size, bytes, areLost } = held
  if (!bytes) {
    if (!areLost) bad('C18', `${server} lacks the bytes ${short(hash)}, which an entry names`)
  } else if (bytes.length !== size || hashOf(bytes) !== hash) {
    bad('C18', `${server} has other bytes than those of ${short(hash)}`)
  }
}

function short(hash: string): string {
  return `"${hash.slice(0, 8)}"`
}
