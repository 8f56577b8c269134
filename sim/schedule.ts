// One schedule: a set of servers, their people and everything that goes wrong, from the first start
// until all has healed and every place shows the same; or until a checker finds that it does not.

import { subjectId, type SubjectId } from '../src/core/model/ids.ts'
import { caretLifeMs, operationGiveUpMs } from '../src/core/model/limits.ts'
import { covers, type VersionVector } from '../src/core/model/version-vector.ts'
import { Kind, type Entry } from '../src/core/model/wire.ts'
import type { TrashTimes } from '../src/core/replica/trash.ts'
import { Checkers, type Violation } from './checkers.ts'
import { SimulatedDisk } from './disk.ts'
import { expectedTree } from './folder-model.ts'
import { Journal, type Edit } from './journal.ts'
import { checkSameTexts, lookLast, textOf } from './last-look.ts'
import type { Keeper } from './keeper.ts'
import { Nemesis } from './nemesis.ts'
import { Network } from './network.ts'
import { Once } from './once.ts'
import { SimulatedPerson } from './person.ts'
import { serverNames, type Plan } from './plan.ts'
import { plants, type Plant, type PlantName } from './plants.ts'
import { Random } from './random.ts'
import { lookPastRestart } from './restart-look.ts'
import { checkRestored, restoreVersion } from './version-look.ts'
import { SimulatedServer } from './server.ts'
import { Timeline } from './timeline.ts'
import { Trace } from './trace.ts'
import { TextLog } from './watching.ts'
import { recoded, wordingOf } from './wording.ts'

/** After everything heals: every edit is saved within this, and all places show the same. */
const savedWithinMs = 5000
const convergedWithinMs = 10_000
/** Bytes that no server has which is asked are uploaded again only when it was asked for that long. */
const bytesSavedWithinMs = operationGiveUpMs + 2 * savedWithinMs
/** How often the checkers look at what nothing else makes them look at. */
const probeMs = 200
/** After all is equal: what is still on its way may not change it. */
const afterglowMs = 300
const afterBurningMs = 1500
/** Longer than anybody whose page is at odds with every server stays at one. */
const restMs = 5000
/** What one page alone has, and no server takes, it offers to each of them once, and then seldom. */
const restWithinMs = 5 * convergedWithinMs

export interface Outcome {
  plan: Plan
  /** Empty: good. */
  violations: Violation[]
  /** The same for two runs of one plan. */
  hash: string
  edits: number
  messages: number
  /** How long after healing every edit was saved, and every place the same. */
  savedMs: number
  convergedMs: number
}

export interface LiveOptions {
  plant?: PlantName | ((random: Random) => Plant)
  /** Gets every line of the conversation. */
  show?: (line: string) => void
  /** Gets the minds of all servers when everybody has left for good, and a caret's life is over. */
  left?: (minds: object[]) => void
}

/** Lives through a plan. */
export function live(plan: Plan, options: LiveOptions = {}): Outcome {
  return new Schedule(plan, options).live()
}

class Schedule {
  readonly #plan: Plan
  readonly #random: Random
  readonly #timeline = new Timeline()
  readonly #trace: Trace
  #journal = new Journal()
  #checkers: Checkers
  readonly #network: Network
  readonly #servers = new Map<string, SimulatedServer>()
  readonly #people: SimulatedPerson[]
  readonly #nemesis: Nemesis
  readonly #violations: Violation[] = []
  /** Every change of an entry that was ever on a disk. */
  readonly #archive: Entry[] = []
  readonly #once = new Once()
  readonly #log = new TextLog()
  /** When what is in the trash goes for good. */
  readonly #trash: TrashTimes
  readonly #documentIds = new Map<number, SubjectId>()
  readonly #wasRolledBack: boolean
  /** Whether a disk was lost or put back. */
  readonly #isBurnt: boolean
  readonly #left: ((minds: object[]) => void) | undefined
  #savedMs = 0
  #convergedMs = 0

  constructor(plan: Plan, { plant, show, left }: LiveOptions) {
    this.#plan = plan
    this.#left = left
    this.#trash = { ...(plan.trash ?? { stepMs: Infinity, steps: 1, lookMs: trashLookMs }) }
    this.#wasRolledBack = plan.faults.some(({ type }) => type === 'rollback')
    this.#isBurnt =
      this.#wasRolledBack || plan.faults.some(({ type }) => type === 'wipe' || type === 'rebirth')
    this.#random = new Random(`schedule ${plan.seed}`)
    this.#trace = new Trace(show)
    const timeline = this.#timeline
    const trace = this.#trace
    const journal = this.#journal
    this.#checkers = this.#checkersOf(journal)
    this.#network = new Network({
      timeline,
      trace,
      random: this.#random.fork('network'),
      latencyMs: () => plan.latencyMs,
      carry: plan.isEncoded ? recoded : (message) => message,
      describe: wordingOf,
    })
    for (const name of serverNames) this.#servers.set(name, this.#makeServer(name, plant))
    this.#people = plan.people.map(
      (person) =>
        new SimulatedPerson({
          plan: person,
          timeline,
          trace,
          journal,
          network: this.#network,
          checkers: this.#checkers,
          servers: this.#servers,
          log: this.#log,
          random: this.#random.fork(person.name),
          documentId: (number) => this.#documentId(number),
        }),
    )
    const world = () => ({ journal: this.#journal, checkers: this.#checkers })
    this.#nemesis = new Nemesis({
      timeline,
      trace,
      network: this.#network,
      world,
      reborn: () => this.#reborn(),
      servers: this.#servers,
      documentId: (number) => this.#documentId(number),
    })
  }

  #checkersOf(journal: Journal): Checkers {
    return new Checkers({
      journal,
      now: () => this.#timeline.now,
      report: (violation) => this.#bad(violation),
      canReach: (from, to) => this.#nemesis.canReach(from, to),
    })
  }

  /** What was written down before counts no more: a word of it on a disk is one that nobody typed. */
  #reborn(): void {
    this.#journal = new Journal(this.#journal)
    this.#checkers = this.#checkersOf(this.#journal)
    this.#archive.length = 0
    const world = { journal: this.#journal, checkers: this.#checkers }
    for (const person of this.#people) person.reborn(world)
  }

  #makeServer(name: string, plant: LiveOptions['plant']): SimulatedServer {
    const random = this.#random.fork(`server ${name}`)
    const plantIn = typeof plant === 'string' ? plants[plant] : plant
    const planted: Plant = plantIn?.(random.fork('plant')) ?? {}
    const takes = this.#plan.takes === true && !planted.isHasty
    const disk = new SimulatedDisk({
      timeline: this.#timeline,
      random: random.fork('disk'),
      flushMs: this.#plan.flushMs,
      archived: (change) => this.#archive.push(change),
      kept: (update) => {
        this.#once.kept(update)
        this.#log.kept(update)
      },
      committed: (subjects) => this.#committed(name, subjects),
      isHasty: planted.isHasty ?? false,
      takes,
    })
    return new SimulatedServer({
      name,
      disk,
      random,
      set: serverNames,
      timeline: this.#timeline,
      network: this.#network,
      trace: this.#trace,
      plant: planted,
      takes,
      trash: this.#trash,
      latencyMs: this.#plan.latencyMs,
      keepers: () => this.#keepers(),
      isExpected: (hash) => this.#people.some(({ page }) => page?.isPutting(hash) === true),
      swept: (hashes) => this.#swept(name, hashes),
      asked: (operation) => this.#asked(name, operation, disk.vector()),
      repeated: (operation) => this.#repeated(name, operation, 'was on its way to its disk'),
      alarmed: (text) => this.#alarmed(name, text),
    })
  }

  #keepers(): Map<string, Keeper> {
    const up = [...this.#servers].filter(([name]) => !this.#nemesis.isOld(name))
    return new Map(up.flatMap(([name, { keeper }]) => (keeper ? [[name, keeper] as const] : [])))
  }

  /** What nothing on that disk names may go. */
  #swept(server: string, hashes: string[]): void {
    const entries = this.#servers.get(server)!.disk.entries()
    const named = new Set(entries.flatMap(({ contents }) => contents.map(({ hash }) => hash)))
    const hash = hashes.find((each) => named.has(each))
    if (hash === undefined) return
    const text = `${server} removes the bytes "${hash.slice(0, 8)}", which an entry names`
    this.#bad({ checker: 'C18', at: this.#timeline.now, text })
  }

  /** A server that is to fetch bytes which another has; undefined: none is. */
  #lackingBytes(): string | undefined {
    const { bytes } = this.#journal
    if (bytes.size === 0) return undefined
    const servers = [...this.#servers.values()]
    const isAnywhere = (hash: string) => servers.some(({ disk }) => disk.shelf.has(hash))
    const lacking = servers.find(({ disk, namedBytes }) =>
      namedBytes?.some(({ hash }) => !disk.shelf.has(hash) && isAnywhere(hash)),
    )
    return lacking?.name
  }

  #asked(server: string, operation: string, held: VersionVector): void {
    if (operation === '' || !this.#once.isDone(operation, held)) return
    this.#repeated(server, operation, 'its disk has')
  }

  #repeated(server: string, operation: string, why: string): void {
    const text = `${server} carries out the operation ${operation} again, which ${why}`
    this.#bad({ checker: 'C4', at: this.#timeline.now, text })
  }

  // Servers compare digests themselves. Where no bit was flipped, a difference is a bug.
  #alarmed(server: string, text: string): void {
    const isDamaged = this.#plan.faults.some(({ type }) => type === 'flip')
    if (isDamaged || !text.startsWith('differs from')) return
    this.#bad({ checker: 'C2', at: this.#timeline.now, text: `${server} says that it ${text}` })
  }

  live(): Outcome {
    try {
      this.#run()
    } catch (error) {
      // Whatever a mind throws ends its process: here it ends the schedule.
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
      this.#bad({ checker: 'C0', at: this.#timeline.now, text })
    }
    for (const person of this.#people) person.end()
    return {
      plan: this.#plan,
      violations: this.#violations,
      hash: this.#trace.hash,
      edits: this.#journal.tokenCount,
      messages: this.#trace.count,
      savedMs: this.#savedMs,
      convergedMs: this.#convergedMs,
    }
  }

  #run(): void {
    const { runMs, faults } = this.#plan
    for (const server of this.#servers.values()) {
      this.#timeline.at(this.#random.between(0, 300), () => server.start())
    }
    for (const person of this.#people) person.begin(runMs)
    for (const fault of faults) this.#nemesis.expect(fault)
    if (!this.#runUntil(runMs, () => false)) return
    this.#nemesis.heal()
    for (const person of this.#people) person.heal()
    const isOfBytes = ({ document }: Edit) =>
      this.#journal.files.get(document)?.kind === Kind.BINARY
    if (!this.#save(runMs + savedWithinMs, (edit) => !isOfBytes(edit))) return
    this.#savedMs = this.#timeline.now - runMs
    if (!this.#save(runMs + bytesSavedWithinMs, isOfBytes)) return
    const lateMs = Math.max(0, this.#timeline.now - runMs - savedWithinMs)
    if (!this.#converge(runMs + lateMs)) return
    this.#convergedMs = this.#timeline.now - runMs
    // What is still on its way: more where disks burnt, for people offer again what was on them.
    const isBurnt = this.#isBurnt
    const afterMs = isBurnt ? afterBurningMs : afterglowMs
    if (!this.#runUntil(this.#timeline.now + afterMs, () => false)) return
    if (!this.#converge(runMs + lateMs + afterMs)) return
    // From here on nothing goes by itself.
    this.#trash.stepMs = Infinity
    if (!this.#runUntil(this.#timeline.now + afterMs, () => false)) return
    if (!this.#runUntil(this.#timeline.now + convergedWithinMs, () => !this.#leftover())) return
    const leftover = this.#leftover()
    if (leftover) return this.#isLate(`${convergedWithinMs} ms after healing ${leftover}`)
    if (!this.#rest()) return
    if (this.#plan.restarts) {
      for (const { page } of this.#people) page?.nameVersions()
      // That of a text that burnt is given up by then.
      if (!this.#converge(this.#timeline.now + operationGiveUpMs)) return
    }
    const look = {
      servers: [...this.#servers.values()],
      people: this.#people,
      journal: this.#journal,
      checkers: this.#checkers,
      isBurnt,
      areClocksRight: this.#plan.faults.every(({ type }) => type !== 'clock'),
      archive: this.#archive,
      isErasing: this.#plan.trash !== undefined,
      probe: () => this.#network.probe(),
      pass: (forMs = afterglowMs) => this.#timeline.run(this.#timeline.now + forMs),
      late: (text: string) => this.#isLate(text),
    }
    if (this.#plan.restoresVersion) {
      const restored = restoreVersion(look)
      if (!this.#converge(this.#timeline.now)) return
      if (restored) checkRestored(look, restored)
    }
    lookLast(look)
    if (this.#left) {
      // By then nobody's last words about a caret are kept any more.
      look.pass(caretLifeMs)
      this.#left([...this.#servers.values()].flatMap(({ minds }) => minds))
    }
    if (this.#violations.length > 0 || !this.#plan.restarts) return
    lookPastRestart({ ...look, converge: () => this.#converge(this.#timeline.now) })
  }

  /** Everybody stays with their servers, in time, where all is well; false: a violation. */
  #rest(): boolean {
    const moves = () => this.#people.map(({ page }) => page?.moves ?? 0)
    const until = this.#timeline.now + restWithinMs
    for (;;) {
      const before = moves()
      if (!this.#runUntil(this.#timeline.now + restMs, () => false)) return false
      const after = moves()
      const mover = this.#people.find((_, index) => after[index]! > before[index]!)
      if (!mover) return true
      if (this.#timeline.now < until) continue
      this.#isLate(`${mover.name} goes from server to server though all is well`)
      return false
    }
  }

  /** Lives until all edits of this kind are saved; false: too late, or a violation. */
  #save(until: number, isOfKind: (edit: Edit) => boolean): boolean {
    const unsaved = () => this.#unsaved().find(isOfKind)
    if (!this.#runUntil(until, () => unsaved() === undefined)) return false
    const late = unsaved()
    if (!late) return true
    const { person, document, invokedAt } = late
    const edit = `an edit of ${person} in ${document} at ${Math.round(invokedAt)} ms`
    this.#isLate(`${until - this.#plan.runMs} ms after healing ${edit} is saved nowhere`)
    return false
  }

  /** Lives until all is the same everywhere; false: too late, or a violation. */
  #converge(from: number): boolean {
    // What is asked of a text that burnt is given up so long after a server was found.
    const withinMs = convergedWithinMs + (this.#isBurnt ? savedWithinMs : 0)
    const isDone = () => this.#difference() === undefined
    if (!this.#runUntil(from + withinMs, isDone)) return false
    const difference = this.#difference()
    if (difference !== undefined) this.#isLate(`${withinMs} ms after healing ${difference}`)
    return difference === undefined
  }

  #isLate(text: string): void {
    this.#bad({ checker: 'C11', at: this.#timeline.now, text })
  }

  /** Runs in small steps, looking around after each, until a time or a goal; false: a violation. */
  #runUntil(until: number, isDone: () => boolean): boolean {
    while (this.#violations.length === 0 && this.#timeline.now < until && !isDone()) {
      this.#timeline.run(Math.min(until, this.#timeline.now + probeMs))
      this.#probe()
    }
    return this.#violations.length === 0
  }

  #bad(violation: Violation): void {
    this.#trace.note(violation.at, `${violation.checker}: ${violation.text}`)
    this.#violations.push(violation)
  }

  #documentId(number: number): SubjectId {
    let id = this.#documentIds.get(number)
    if (id === undefined) {
      id = subjectId(new Random(`document ${this.#plan.seed}/${number}`).bytes(16))
      this.#documentIds.set(number, id)
    }
    return id
  }

  // ------------------------------------------------------------------------ looking around

  #committed(server: string, subjects: Set<SubjectId>): void {
    if (this.#nemesis.isOld(server)) return
    const { disk } = this.#servers.get(server)!
    for (const subject of subjects) {
      const doc = disk.doc(subject)
      if (!doc) continue
      // What goes for good goes from one disk after the other.
      if (this.#isErased(subject)) this.#checkers.readGoing(server, subject, textOf(doc))
      else this.#checkers.read({ kind: 'disk', name: server }, subject, textOf(doc))
    }
  }

  #probe(): void {
    for (const [name, server] of this.#servers) {
      if (this.#nemesis.isOld(name)) {
        if (server.isServing) this.#isLate(`${name} serves with a disk of an earlier life`)
        continue
      }
      const isReadable = (id: string) => {
        return !server.disk.isDamaged(id as SubjectId) && !this.#isErased(id)
      }
      this.#checkers.checkReceipts(name, isReadable)
      // A server cannot know that the one it fills itself from was put back to a backup.
      if (server.isServing && !this.#wasRolledBack) {
        this.#checkers.checkServing(name, serverNames, isReadable)
      }
    }
    for (const person of this.#people) person.show()
    this.#checkEqualVectors()
  }

  /** Whether somebody deletes it for good: it goes from one disk after the other, or comes back. */
  #isErased(id: string): boolean {
    return [...this.#servers.values()].some(({ disk }) => disk.isMarked(id as SubjectId))
  }

  // Invariant 5: equal version vectors, equal documents.
  #checkEqualVectors(): void {
    const servers = [...this.#servers.values()].filter(
      ({ name, disk }) => !disk.isAhead && !this.#nemesis.isOld(name),
    )
    for (const [index, one] of servers.entries()) {
      const other = servers
        .slice(index + 1)
        .find(({ disk }) => isSame(disk.vector(), one.disk.vector()))
      if (other) checkSameTexts(this.#checkers, 'with equal vectors', [one, other])
    }
  }

  /** Edits of present people that no server is known to hold. */
  #unsaved(): Edit[] {
    return this.#people.flatMap((person) =>
      person.unsaved().filter(({ document }) => !this.#isOrphaned(person, document)),
    )
  }

  /**
   * Whether a person has text of others, or of an own whole file or earlier page that kept nothing, in a
   * document that burnt with every disk that held it, or a file that did: what is written there builds
   * on what no server can have.
   */
  #isOrphaned(person: SimulatedPerson, document: string): boolean {
    const disks = [...this.#servers.values()].map(({ disk }) => disk)
    if (this.#isErased(document) && !expectedTree(this.#said()).has(document)) return true
    const creation = this.#journal.files.get(document)?.creation
    const wasStored = creation !== undefined && creation.receipt.size > 0
    const isStored = disks.some((disk) => disk.has(document as SubjectId))
    if (wasStored && !isStored && this.#journal.mayBeLost(creation)) return true
    // A deletion builds on what it deletes.
    const stored = [...this.#servers.keys()].map((name) =>
      this.#checkers.everShownAt({ kind: 'disk', name }, document),
    )
    const onScreen = this.#checkers.everShownAt({ kind: 'screen', name: person.name }, document)
    const { tokens } = this.#journal.document(document)
    return onScreen.beyond(...stored).some((index) => {
      const token = tokens[index]!
      const isTyped = token.person === person.name && !token.isOfFile
      const isOwn = isTyped && token.invokedAt >= person.keepsSince
      return !isOwn && this.#journal.mayBeLost(token)
    })
  }

  /** Something that is deleted for good, and of which a disk has more than that. */
  #leftover(): string | undefined {
    const servers = [...this.#servers.values()]
    // Who has dialled through a half cut line tries again when that one was silent for long enough.
    const lonely = servers.find((one) =>
      servers.some((each) => each !== one && !one.knowsDiskOf(each)),
    )
    if (lonely) return `${lonely.name} has no channel to one of the others`
    const said = this.#said()
    const marked = said.filter(({ purged }) => purged)
    if (marked.length === 0) return undefined
    const expected = expectedTree(said)
    const gone = new Set(marked.map(({ id }) => id).filter((id) => !expected.has(id)))
    for (const { name, disk } of servers) {
      const left = disk.leftOf(gone)
      if (left) return `${name} has not removed ${left}, which is deleted for good`
    }
    return undefined
  }

  /** What was said of entries: it may be lost with all disks that had it (G1). */
  #said(): Entry[] {
    const disks = [...this.#servers.values()].map(({ disk }) => disk)
    return this.#isBurnt ? disks.flatMap((disk) => disk.entries()) : this.#archive
  }

  /** The first reason why not all is the same everywhere; undefined: it is. */
  #difference(): string | undefined {
    const servers = [...this.#servers.values()]
    const [first, ...rest] = servers
    const lacking = rest.find(({ disk }) => !isSame(disk.vector(), first!.disk.vector()))
    if (lacking) return `${lacking.name} and ${first!.name} hold different updates`
    // What a program saved nobody waits for, and a slow disk may be long at it.
    const writing = servers.find(({ disk }) => disk.isBusy || disk.isWaitedFor)
    if (writing) return `${writing.name} is writing`
    // A filled disk is not enough: who starts with one waits a second for another of its life.
    const idle = servers.find(({ isServing }) => !isServing)
    if (idle) return `${idle.name} serves nobody`
    const lackingBytes = this.#lackingBytes()
    if (lackingBytes) return `${lackingBytes} lacks bytes that an entry names`
    const damaged = servers.find(({ disk }) => disk.damaged().length > 0)
    if (damaged) {
      // Whoever reads it makes the server see the damage, and fetch it from another.
      for (const file of damaged.disk.damaged())
        damaged.call({ type: 'read', file }, { answered: () => {} })
      return `${damaged.name} has a damaged document`
    }
    for (const person of this.#people) {
      const reason = person.unsettled(
        (id) => textOf(first!.disk.doc(id as SubjectId)!),
        (id) => this.#isOrphaned(person, id),
      )
      if (reason !== undefined) return reason
      // What burnt with all who had it is where the page says, and nowhere.
      const few = this.#isBurnt ? undefined : person.shownOnFew
      if (few !== undefined) return few
    }
    return undefined
  }
}

/** How often servers look after the trash. */
const trashLookMs = 50

function isSame(one: VersionVector, other: VersionVector): boolean {
  return covers(one, other) && covers(other, one)
}
