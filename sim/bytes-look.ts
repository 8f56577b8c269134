// A look at the files of bytes: what every server lists, and what it has of that.

import type { Answer } from '../src/core/replica/messages.ts'
import type { NamedBytes } from './bytes-checker.ts'
import type { Checkers } from './checkers.ts'
import type { Journal } from './journal.ts'
import { everything, Questions } from './questions.ts'
import type { SimulatedServer } from './server.ts'

export interface BytesLook {
  servers: SimulatedServer[]
  /** Those, and the ones that are down. */
  all: SimulatedServer[]
  journal: Journal
  checkers: Checkers
  /** Lets so much time pass that every server has answered. */
  pass: () => void
  /** A server did not answer. */
  late: (text: string) => void
}

export function lookAtBytes({ servers, all, journal, checkers, pass, late }: BytesLook): void {
  const documents = new Set([...journal.bytes.values()].map(({ document }) => document))
  if (documents.size === 0) return
  const questions = new Questions(servers)
  questions.ask('list', { ...everything, inTrash: false })
  pass()
  const answers = questions.answers.get('list')!
  if (answers.length < servers.length) late('not every server lists the files of bytes')
  const shelves = all.map(({ disk }) => disk.shelf)
  const areLost = (hash: string) => !shelves.some((each) => each.has(hash) || each.owes(hash))
  for (const document of documents) {
    const readings = answers.map(({ where, answer }) => {
      return { where, value: JSON.stringify(contentsOf(answer, document)) }
    })
    checkers.checkSame(`what ${document} holds`, readings)
    const contents = contentsOf(answers[0]?.answer, document)
    checkers.checkContents(document, contents)
    for (const { name, disk } of servers) {
      for (const each of contents) {
        const bytes = disk.shelf.read(each.hash)
        checkers.checkBytes({ ...each, server: name, bytes, areLost: areLost(each.hash) })
      }
    }
  }
}

/** None where it is not listed. */
function contentsOf(answer: Answer | undefined, document: string): NamedBytes[] {
  if (answer?.type !== 'list') return []
  const { entry } = answer.files.find((view) => view.entry.id === document) ?? {}
  return (entry?.contents ?? []).map(({ hash, size, author }) => ({ hash, size, author }))
}
