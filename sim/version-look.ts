// A look at what people named: every server lists the same versions, and one that is brought back is the
// text that it named, everywhere.

import { inflateRawSync } from 'node:zlib'
import type { SubjectId } from '../src/core/model/ids.ts'
import { textRoot } from '../src/core/model/snapshot.ts'
import type { Answer } from '../src/core/replica/messages.ts'
import type { Checkers } from './checkers.ts'
import type { Journal } from './journal.ts'
import type { SimulatedPerson } from './person.ts'
import { Questions } from './questions.ts'
import type { SimulatedServer } from './server.ts'
import type { ListedVersion } from './version-checker.ts'

export interface VersionLook {
  servers: SimulatedServer[]
  people: SimulatedPerson[]
  journal: Journal
  checkers: Checkers
  areClocksRight: boolean
  /** Lets so much time pass that every server has answered. */
  pass: () => void
  /** A server did not answer. */
  late: (text: string) => void
}

/** A text that somebody brought back. */
export interface Restored {
  document: SubjectId
  text: string
}

/** `subjects`: what is not deleted for good; that goes with its versions. */
export function lookAtVersions(look: VersionLook & { subjects: SubjectId[] }): void {
  const { servers, subjects, journal, checkers, areClocksRight, pass, late } = look
  const named = new Set([...journal.versions.values()].map(({ document }) => document))
  const questions = new Questions(servers)
  for (const file of subjects) if (named.has(file)) questions.ask(file, { type: 'versions', file })
  if (questions.answers.size > 0) pass()
  for (const [file, answers] of questions.answers) {
    if (answers.length < servers.length) late(`not every server lists the versions of ${file}`)
    const readings = answers.map(({ where, answer }) => ({
      where,
      value: JSON.stringify(listedIn(answer)),
    }))
    checkers.checkSame(`the versions of ${file}`, readings)
    checkers.checkVersions(file, listedIn(answers[0]?.answer), areClocksRight)
  }
}

/** Somebody who is here brings back the first version of a text; undefined: there is none. */
export function restoreVersion({
  servers,
  people,
  journal,
  pass,
}: VersionLook): Restored | undefined {
  for (const { document } of journal.versions.values()) {
    const page = people.find((person) => person.page?.isOpen(document))?.page
    if (!page) continue
    const questions = new Questions(servers.slice(0, 1))
    questions.ask(document, { type: 'versions', file: document })
    pass()
    const [version] = listedIn(questions.answers.get(document)![0]?.answer)
    if (!version) continue
    page.restore(document, version.text)
    return { document: document as SubjectId, text: version.text }
  }
  return undefined
}

/** What was brought back is the text on every disk. */
export function checkRestored(
  { servers, checkers }: VersionLook,
  { document, text }: Restored,
): void {
  const readings = servers.map(({ name, disk }) => {
    return { where: name, value: disk.doc(document)!.getText(textRoot).toString() }
  })
  checkers.checkSame(`the restored text of ${document}`, [
    { where: 'the version', value: text },
    ...readings,
  ])
}

/** None where the document itself burnt. */
function listedIn(answer: Answer | undefined): ListedVersion[] {
  if (answer?.type !== 'versions') return []
  return answer.versions.map(({ id, name, author, at, text }) => {
    return { id, name, author, at, text: inflateRawSync(text).toString() }
  })
}
