// A look past the end: the servers merge all they hold, are killed, and each is asked alone. It answers as
// all did before. Then all come back, with those who were away and wrote meanwhile.

import type { SubjectId } from '../src/core/model/ids.ts'
import { lookAtBytes } from './bytes-look.ts'
import { checkTexts, filesOf, wordsOf, type LastLook } from './last-look.ts'
import { everything, Questions } from './questions.ts'
import type { SimulatedServer } from './server.ts'

export interface RestartLook extends LastLook {
  /** Lives until all is the same everywhere; false: it is not. */
  converge: () => boolean
}

/** Whatever is waited for here comes within this. */
const waitedMs = 20_000

/** Everybody has left. */
export function lookPastRestart(look: RestartLook): void {
  const { servers, people, checkers, pass } = look
  const before = answersOf(look, servers)
  if (!compactAll(look)) return
  for (const server of servers) server.crash(false)
  for (const person of people) person.writeAway()
  for (const server of servers) {
    server.start()
    if (!waits(look, `${server.name}, alone, to serve`, () => server.isServing)) return
    for (const [what, [answer]] of answersOf(look, [server])) {
      const [first] = before.get(what) ?? [{ where: 'all', value: 'nothing' }]
      checkers.checkSame(`${what} after a restart`, [first!, answer!])
    }
    lookAtBytes({ ...look, servers: [server], all: servers })
    server.crash(false)
    pass()
  }
  for (const server of servers) server.start()
  for (const person of people) person.comeBack()
  const areIn = () => people.every(({ screenName }) => screenName !== undefined)
  if (!waits(look, 'everybody to be let in', areIn)) return
  // Bytes that nobody has any more are asked for ten seconds.
  const hasAsked = () => !people.some(({ page }) => page?.isAsking)
  if (!waits(look, 'what was asked of the folder', hasAsked) || !look.converge()) return
  checkTexts(look)
  for (const [what, answers] of answersOf(look, servers)) {
    checkers.checkSame(`${what} after a restart of all`, answers)
  }
  if (!waits(look, 'the digests', () => servers.every(({ digest }) => digest !== ''))) return
  const digests = servers.map(({ name, digest }) => ({ where: name, value: digest }))
  checkers.checkSame('the digest', digests)
}

/** False: it takes too long. */
function compactAll(look: RestartLook): boolean {
  for (const server of look.servers) {
    for (const { id } of server.disk.entries()) server.compact(id as SubjectId)
  }
  const loose = () => look.servers.find(({ disk }) => disk.loose() !== undefined)
  return waits(look, 'all to be merged', () => loose() === undefined)
}

function waits({ pass, late }: RestartLook, what: string, isDone: () => boolean): boolean {
  for (let waited = 0; waited < waitedMs && !isDone(); waited += passMs) pass(passMs)
  if (!isDone()) late(`one waits longer than ${waitedMs} ms for ${what}`)
  return isDone()
}

const passMs = 200

/** What these servers answer to every question, by question. */
function answersOf(look: RestartLook, servers: SimulatedServer[]) {
  const questions = new Questions(servers)
  const { answers: heard } = questions
  questions.ask('the listing', { ...everything, inTrash: false })
  questions.ask('the trash', { ...everything, inTrash: true })
  for (const file of look.journal.files.keys()) {
    questions.ask(`the text of ${file}`, { type: 'read', file })
    questions.ask(`the versions of ${file}`, { type: 'versions', file })
  }
  look.pass()
  for (const { entry } of filesOf(heard.get('the trash'))) {
    questions.ask(`what lies in ${entry.id}`, { ...everything, directory: entry.id, inTrash: true })
  }
  look.pass()
  const readings = new Map<string, { where: string; value: string }[]>()
  for (const [what, answers] of heard) {
    if (answers.length < servers.length) look.late(`not every server answers for ${what}`)
    readings.set(
      what,
      answers.map(({ where, answer }) => ({ where, value: wordsOf(answer) })),
    )
  }
  return readings
}
