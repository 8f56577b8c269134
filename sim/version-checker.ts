// What must hold of named versions: each that was acknowledged is listed once, as its person named it,
// and with the text that was there then.

import type { Violation } from './checkers.ts'
import type { DocumentId, Journal, NamedVersion, Token } from './journal.ts'
import { serverNames } from './plan.ts'
import { wordsOf } from './token.ts'

/** A version as a server lists it, its text decompressed. */
export interface ListedVersion {
  id: string
  name: string
  author: string
  /** Of the clock of the server that carried it out. */
  at: number
  text: string
}

export interface VersionCheck {
  journal: Journal
  document: DocumentId
  listed: readonly ListedVersion[]
  /** Whether the clocks of all servers were right: of two texts under one name the earlier counts. */
  areClocksRight: boolean
  bad: (checker: Violation['checker'], text: string) => void
}

/** The versions of one document, at the very end, as every server lists them. */
export function checkVersions({ journal, document, listed, areClocksRight, bad }: VersionCheck) {
  const named = [...journal.versions.values()].filter((each) => each.document === document)
  const ids = listed.map(({ id }) => id)
  const names = listed.map(({ name }) => name)
  for (const [index, version] of listed.entries()) {
    const { id, name, author } = version
    const asked = journal.versions.get(id)
    if (asked?.document !== document || asked.name !== name || asked.author !== author) {
      bad('C5', `a version "${name}" of "${author}" is listed in ${document}; nobody asked`)
      continue
    }
    if (ids.indexOf(id) < index || names.indexOf(name) < index) {
      bad('C4', `a version "${name}" is listed twice in ${document}`)
    }
    checkText({ journal, asked, text: version.text, areClocksRight, bad })
  }
  for (const version of named) {
    const { id, name, receipt } = version
    if (!ids.includes(id) && journal.mustSurvive(version)) {
      const servers = [...receipt.keys()].sort().join(' ')
      bad('C1', `the version "${name}" was acknowledged by ${servers} and is not listed`)
    }
  }
}

interface TextCheck extends Pick<VersionCheck, 'journal' | 'areClocksRight' | 'bad'> {
  asked: NamedVersion
  text: string
}

function checkText({ journal, asked, text, areClocksRight, bad }: TextCheck): void {
  const { document, name } = asked
  const where = `the version "${name}" of ${document}`
  const { found, rest } = wordsOf(text)
  if (rest !== '') bad('C4', `${where} has a torn token: ${JSON.stringify(rest)}`)
  const { tokens, byName } = journal.document(document)
  const there = new Set<Token>()
  for (const word of found) {
    const token = byName.get(word.name)
    if (!token) bad('C5', `${where} has ${word.name}, which nobody typed there`)
    else if (there.has(token) && !token.isRevived) bad('C4', `${where} has ${word.name} twice`)
    if (token) there.add(token)
  }
  for (const index of asked.seen.beyond()) {
    const token = tokens[index]!
    if (there.has(token) || token.deletions.length > 0 || token.isRevived) continue
    if (!mustBeThere(journal, asked, token) || journal.mayBeLost(token)) continue
    bad('C17', `${where} lacks ${token.name}, which was in sight`)
  }
  for (const index of asked.gone.beyond()) {
    const token = tokens[index]!
    if (there.has(token) && !token.isRevived) {
      bad('C17', `${where} has ${token.name}, which its person had deleted`)
    }
  }
  const toldAt = Math.min(...asked.receipt.values())
  // Another server that carried it out later counts where the first one's disk is lost.
  if (!areClocksRight || journal.wasDestroyedAnywhere(asked)) return
  for (const { name: word, invokedAt } of there) {
    if (invokedAt > toldAt) bad('C17', `${where} has ${word}, which was typed when it was kept`)
  }
}

// The page brings what its person typed. What others typed may be where the server cannot get it from.
function mustBeThere(journal: Journal, asked: NamedVersion, token: Token): boolean {
  const { person, isOfFile, invokedAt, receipt } = token
  if (person === asked.person && !isOfFile && invokedAt >= asked.keepsSince) return true
  const lastAt = Math.max(...receipt.values())
  return lastAt <= asked.invokedAt && journal.wasEverywhere(token, serverNames)
}
