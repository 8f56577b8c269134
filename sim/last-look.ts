// The last look at a schedule that has healed: every disk, every memory and every screen shows the
// same, and what was acknowledged is in it.

import * as Y from 'yjs'
import type { FileInfo } from '../src/client/api.ts'
import type { SubjectId } from '../src/core/model/ids.ts'
import { presenceLifeMs } from '../src/core/model/limits.ts'
import { textRoot } from '../src/core/model/snapshot.ts'
import { Kind, type Entry, type Version } from '../src/core/model/wire.ts'
import { CorruptError } from '../src/core/ports.ts'
import type { Answer, FileView } from '../src/core/replica/messages.ts'
import { lookAtBytes } from './bytes-look.ts'
import { checkCarets } from './caret-look.ts'
import type { Checkers } from './checkers.ts'
import { expectedOf, expectedTree, type Expected } from './folder-model.ts'
import type { Journal } from './journal.ts'
import type { SimulatedPerson } from './person.ts'
import { everything, Questions } from './questions.ts'
import type { SimulatedServer } from './server.ts'
import { wordsOf as foundIn } from './token.ts'
import { lookAtVersions } from './version-look.ts'
import { checkWatches } from './watch-look.ts'

export interface LastLook {
  servers: SimulatedServer[]
  people: SimulatedPerson[]
  journal: Journal
  checkers: Checkers
  /** Lets so much time pass, or so much that every server has answered. */
  pass: (forMs?: number) => void
  /** Lets the servers find which of their channels are only half open. */
  probe: () => void
  /** Whether a disk was lost or put back. */
  isBurnt: boolean
  /** Whether the clocks of all servers were right. */
  areClocksRight: boolean
  /** Every change of an entry that was ever on a disk. */
  archive: Entry[]
  /** Whether what is in the trash goes by itself. */
  isErasing: boolean
  /** A server did not answer. */
  late: (text: string) => void
}

export function lookLast(look: LastLook): void {
  const { servers, people } = look
  checkTexts(look)
  for (const person of people) person.show()
  checkAnswers(look)
  const subjects = [...subjectsOf(servers)].filter((id) => !isMarked(servers, id))
  checkWatches({ ...look, subjects, tree: expectedTree(changesOf(look)) })
  checkCarets({ ...look, subjects })
  lookAtVersions({ ...look, subjects })
  lookAtBytes({ ...look, all: servers })
  checkNames(look)
}

/** The texts on every disk, as they were written and as they are read. */
export function checkTexts(look: LastLook): void {
  const { servers, checkers } = look
  checkSameTexts(checkers, 'in the end', servers)
  for (const subject of subjectsOf(servers)) {
    if (isMarked(servers, subject)) continue
    const text = textOf(servers[0]!.disk.doc(subject)!)
    checkers.checkEnd(subject, text)
    checkStored(look, subject, text)
  }
}

/** Who is here has the name alone, at every server; a while after everybody left whoever asks has any. */
function checkNames({ servers, people, checkers, pass, probe }: LastLook): void {
  const ask = (
    names: Iterable<string>,
    heard: (at: string, name: string, isFree: boolean) => void,
  ) => {
    for (const server of servers) {
      for (const name of names) {
        const request = { type: 'signIn' as const, name, key: new Uint8Array(16) }
        const answered = (answer: Answer) => heard(server.name, name, answer.type === 'signedIn')
        server.call(request, { answered })
      }
    }
    pass()
  }
  const present = people.flatMap(({ screenName }) => screenName ?? [])
  ask(present, (server, name, isFree) => checkers.checkName(server, name, isFree, true))
  const names = new Set(people.flatMap((person) => person.leaveForGood()))
  probe()
  pass()
  const held = new Set<string>()
  ask(names, (_server, name, isFree) => isFree || held.add(name))
  if (held.size === 0) return
  // Who left while two servers had no channel is known to both this long after they have one.
  pass(presenceLifeMs)
  ask(names, (server, name, isFree) => checkers.checkName(server, name, isFree, false))
}

/** The durable texts of these servers, subject by subject. */
export function checkSameTexts(checkers: Checkers, when: string, servers: SimulatedServer[]): void {
  for (const subject of subjectsOf(servers)) {
    // What goes for good goes from one disk after the other.
    if (isMarked(servers, subject)) continue
    const docs = servers.map(({ disk }) => disk.doc(subject))
    // What is damaged is to be fetched again; the end waits for it.
    if (docs.includes(undefined)) continue
    checkers.checkSame(
      `text ${subject} on disks ${when}`,
      servers.map(({ name }, index) => ({ where: name, value: textOf(docs[index]!) })),
    )
  }
}

export function textOf(doc: Y.Doc): string {
  return doc.getText(textRoot).toString()
}

function isMarked(servers: SimulatedServer[], subject: SubjectId): boolean {
  return servers.some(({ disk }) => disk.isMarked(subject))
}

function subjectsOf(servers: SimulatedServer[]): Set<SubjectId> {
  return new Set(servers.flatMap(({ disk }) => disk.subjects()))
}

/** Save, load, compare: what a starting server would read is what was written. */
function checkStored({ servers, checkers }: LastLook, subject: SubjectId, text: string): void {
  const readings = [{ where: 'what was written', value: text }]
  for (const { name, disk } of servers) {
    try {
      const loaded = disk.loaded(subject)
      readings.push({ where: `what ${name} loads`, value: textOf(loaded) })
      readings.push({ where: `what ${name} saves and loads`, value: textOf(reloaded(loaded)) })
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error
      readings.push({ where: `what ${name} loads`, value: `damaged: ${error.message}` })
    }
  }
  checkers.checkSame(`stored text ${subject}`, readings)
  const [first, ...others] = servers.map(({ name, disk }) => {
    return { where: name, snapshot: Y.snapshot(disk.doc(subject)!) }
  })
  for (const { where, snapshot } of others) {
    const value = Y.equalSnapshots(snapshot, first!.snapshot) ? 'the same' : 'another'
    checkers.checkSame(`state vector and deletes of ${subject}`, [
      { where: first!.where, value: 'the same' },
      { where, value },
    ])
  }
}

/** What each server answers from its memory: the listing, the trash, every text. */
function checkAnswers(look: LastLook): void {
  const { servers, journal, checkers, pass, late } = look
  const questions = new Questions(servers)
  const { answers: heard } = questions
  questions.ask('list', { ...everything, inTrash: false })
  questions.ask('trash', { ...everything, inTrash: true })
  for (const file of journal.files.keys()) questions.ask(`text of ${file}`, { type: 'read', file })
  pass()
  // What lies in the trash with a directory is listed by that.
  for (const { entry } of filesOf(heard.get('trash'))) {
    if (entry.kind !== Kind.DIRECTORY) continue
    questions.ask(`trashed ${entry.id}`, { ...everything, directory: entry.id, inTrash: true })
  }
  const texts = listedTexts(heard)
  const searched = new Map(searchedWords(texts).map((word) => [`search for ${word}`, word]))
  for (const [what, text] of searched) {
    const pattern = { text, ignoresCase: false, isRegex: false }
    questions.ask(what, { type: 'search', pattern, directory: '' })
  }
  pass()
  for (const [what, answers] of heard) {
    if (answers.length < servers.length) {
      late(`"${what}" is answered by ${answers.length} of ${servers.length} servers`)
    }
    const readings = answers.map(({ where, answer }) => ({ where, value: wordsOf(answer) }))
    const word = searched.get(what)
    if (word !== undefined) {
      const found = texts.filter(({ text }) => text.includes(word)).map(({ id }) => id)
      readings.unshift({ where: 'the folder', value: found.sort().join(' ') })
    }
    checkers.checkSame(what, readings)
  }
  const trashed = filesOf(heard.get('trash'))
  const buried = trashed.flatMap(({ entry }) => filesOf(heard.get(`trashed ${entry.id}`)))
  const listed = [...filesOf(heard.get('list')), ...buried]
  checkers.checkFiles(listed, trashed, erasedOf(look))
  checkTrees(look, [...listed, ...trashed])
}

/** The texts that are listed, and not in the trash, as the first server answers. */
function listedTexts(heard: Map<string, { answer: Answer }[]>): { id: string; text: string }[] {
  return filesOf(heard.get('list')).flatMap(({ entry: { id } }) => {
    const answer = heard.get(`text of ${id}`)?.[0]?.answer
    return answer?.type === 'read' ? [{ id, text: answer.text }] : []
  })
}

/** The last word of each text. */
function searchedWords(texts: { text: string }[]): string[] {
  const words = texts.flatMap(({ text }) => foundIn(text).found.at(-1)?.name ?? [])
  return [...new Set(words)]
}

/** The tree that people see, on servers and on screens, against one made anew from the disks. */
function checkTrees(look: LastLook, views: FileView[]): void {
  const { people, checkers, isBurnt } = look
  const changes = changesOf(look)
  const tree = expectedTree(changes)
  const expected = places(tree)
  const listed = views.map(({ entry, path, isDeleted }): [string, string] => [
    entry.id,
    placeWords(path, isDeleted),
  ])
  checkers.checkTree('the listing', new Map(listed), expected)
  // What burnt on every server may still be on a screen.
  if (isBurnt) return
  for (const { name, folder, shown } of people) {
    if (!folder) continue
    const wanted = shown ? expectedOf(tree, shown) : tree
    const seen = shown ? folder.filter(isOnScreen(shown, wanted)) : folder
    const screen = new Map(seen.map((file) => [file.id, file]))
    checkers.checkTree(`the screen of ${name}`, places(screen), places(wanted))
  }
}

/** What was ever said of entries; where disks burnt, what is left of that. */
function changesOf({ servers, archive, isBurnt }: LastLook): Entry[] {
  if (isBurnt) return servers.flatMap(({ disk }) => disk.entries())
  // That nothing is left of something is no news: it follows, or should not be so.
  return archive.filter(({ purged }) => !purged?.isDone)
}

/** The ids of what is deleted for good, because somebody asked for it, or it was in the trash long. */
function erasedOf(look: LastLook): Set<string> {
  const { journal, isErasing } = look
  const changes = changesOf(look)
  const expected = expectedTree(changes)
  const isAsked = (root: string) => {
    const file = journal.files.get(root)
    if (!file || file.deletions.length === 0) return false
    return isErasing || file.erasures.length > 0
  }
  const erased = changes.filter(({ id, purged }) => {
    return purged && !expected.has(id) && isAsked(purged.root)
  })
  return new Set(erased.map(({ id }) => id))
}

/** What was put in the trash while its directory was open may be held still; it is seen nowhere. */
function isOnScreen(shown: Map<string, 'alone' | 'open'>, wanted: Map<string, Expected>) {
  return ({ id, parent, isInTrashItself }: FileInfo) =>
    !isInTrashItself || shown.get(parent) !== 'open' || wanted.has(id)
}

function places(files: Map<string, { path: string; isDeleted: boolean }>): Map<string, string> {
  return new Map([...files].map(([id, { path, isDeleted }]) => [id, placeWords(path, isDeleted)]))
}

function placeWords(path: string, isDeleted: boolean): string {
  return `${JSON.stringify(path)}${isDeleted ? ' in the trash' : ''}`
}

export function filesOf(heard: { answer: Answer }[] | undefined): FileView[] {
  const answer = heard?.[0]?.answer
  return answer?.type === 'list' ? answer.files : []
}

export function wordsOf(answer: Answer): string {
  switch (answer.type) {
    case 'list':
      return answer.files.map(fileWords).sort().join(' ')
    case 'read':
      return answer.text
    case 'versions':
      return answer.versions.map(versionWords).join(' ')
    case 'found':
      return [...new Set(answer.lines.map(({ file }) => file.entry.id))].sort().join(' ')
    case 'failed':
      return `failed: ${answer.error.message}`
    default:
      return answer.type
  }
}

function versionWords({ id, name, author, at, text }: Version): string {
  return `${id}=${name} of ${author} at ${at} ${Buffer.from(text).toString('base64')}`
}

function fileWords({ entry, path }: FileView): string {
  return `${entry.id}=${JSON.stringify(path)}`
}

function reloaded(doc: Y.Doc): Y.Doc {
  const other = new Y.Doc({ guid: '' })
  Y.applyUpdate(other, Y.encodeStateAsUpdate(doc))
  return other
}
