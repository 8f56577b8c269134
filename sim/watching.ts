// How a simulated person watches files, as `fourfold watch` does: asks one server to tell each change,
// and goes on at another when that one dies or cannot be reached.
//
// What the watcher was told is written down as what somebody would have who reads a text only when it
// is told of. Two such copies are kept, for nobody knows exactly what a server had read: one with all
// that may have been read, which must be the text in the end, and one with only what was told, which
// each change must add to.

import * as Y from 'yjs'
import { Watched, type Heard, type News } from '../src/client/watched.ts'
import { blobOf } from '../src/core/model/contents.ts'
import type { Origin, SubjectId } from '../src/core/model/ids.ts'
import { integrate } from '../src/core/model/integration.ts'
import { textRoot } from '../src/core/model/snapshot.ts'
import type { VersionVector } from '../src/core/model/version-vector.ts'
import { Kind, type Update } from '../src/core/model/wire.ts'
import type { Answer } from '../src/core/replica/messages.ts'
import type { Checkers } from './checkers.ts'
import type { Watch } from './life.ts'
import type { HostName, Network } from './network.ts'
import { serverNames } from './plan.ts'
import type { SimulatedServer } from './server.ts'
import type { Timeline } from './timeline.ts'
import type { Trace } from './trace.ts'

/** How often it looks whether its server still lives. */
const lookMs = 40

interface File {
  id: string
  name: string
  parent: string
  isDeleted: boolean
  hash: string
  kind: Kind
}

/** Every update of a text that ever became durable. */
export class TextLog {
  readonly #bySubject = new Map<string, Map<string, Update>>()

  kept(update: Update): void {
    if (update.body.case !== 'text') return
    const known = this.#bySubject.get(update.subject) ?? new Map<string, Update>()
    this.#bySubject.set(update.subject, known.set(`${update.origin}/${update.seq}`, update))
  }

  /**
   * Names for those within a version vector: the same wherever an operation was carried out. What a page
   * offers to one server and then to another nobody knows again.
   */
  namesOf(subject: string, vector: VersionVector): string[] {
    return this.#within(subject, vector).map(({ origin, seq, operation, body }) => {
      const bytes = body.case === 'text' ? Buffer.from(body.value).toString('hex') : ''
      return operation === '' ? `${origin}/${seq}` : bytes
    })
  }

  /** Those within a version vector. */
  within(subject: string, vector: VersionVector): Uint8Array[] {
    const all = this.#within(subject, vector)
    return all.flatMap(({ body }) => (body.case === 'text' ? [body.value] : []))
  }

  #within(subject: string, vector: VersionVector): Update[] {
    const all = [...(this.#bySubject.get(subject)?.values() ?? [])]
    return all.filter(({ origin, seq }) => seq <= (vector.get(origin as Origin) ?? 0))
  }
}

export interface WatchingOptions {
  timeline: Timeline
  trace: Trace
  checkers: Checkers
  network: Network
  servers: ReadonlyMap<HostName, SimulatedServer>
  log: TextLog
  person: string
}

export class Watching {
  readonly #options: WatchingOptions
  readonly #watched = new Watched<File>()
  /** Of each file what may have been read when it was told of, and what was told of it. */
  readonly #read = new Map<string, Y.Doc>()
  readonly #told = new Map<string, Y.Doc>()
  /** Of each file the updates of its text that were told. */
  readonly #named = new Map<string, Set<string>>()
  /** Texts that were damaged there when they were to be read. */
  readonly #unread = new Set<string>()
  /** Whether it went last or came, as it was told. */
  readonly #isGone = new Map<string, boolean>()
  /** Whether anything was ever told to have gone: what lay in it may come back by itself. */
  #hasGone = false
  #server: HostName | undefined
  #watch: Watch | undefined
  #isReady = false
  #isOver = false

  constructor(options: WatchingOptions) {
    this.#options = options
  }

  /** Begins at a server, or goes there from another. */
  begin(server: HostName): void {
    const isFirst = this.#server === undefined
    this.#ask(server)
    if (isFirst) this.#look()
  }

  end(): void {
    this.#isOver = true
  }

  /** Whether it was told all that its server knew when it came there. */
  get isReady(): boolean {
    return this.#isReady && !this.#isBroken
  }

  get watched(): Watched<File> {
    return this.#watched
  }

  /** The text as somebody has it who reads it whenever it is told of; undefined: it could not be read once. */
  textOf(id: string): Y.Doc | undefined {
    return this.#unread.has(id) ? undefined : docOf(this.#read, id)
  }

  get #isBroken(): boolean {
    return this.#watch === undefined || this.#watch.isBroken || !this.#canReach(this.#server!)
  }

  #look(): void {
    const { timeline } = this.#options
    timeline.after(lookMs, () => {
      if (this.#isOver) return
      if (this.#isBroken) this.#ask(this.#next())
      this.#look()
    })
  }

  #next(): HostName {
    const index = serverNames.indexOf(this.#server as (typeof serverNames)[number])
    return serverNames[(index + 1) % serverNames.length]!
  }

  #ask(name: HostName): void {
    this.#lose()
    this.#isReady = false
    this.#server = name
    if (!this.#canReach(name)) return
    this.#watched.begin()
    const { since, listsAll } = this.#watched
    this.#note(`asks ${name}${since ? ' for what lies beyond' : ''}${listsAll ? ', and all' : ''}`)
    const extent = since ? { since: new Map(since), listsAll } : {}
    const watch = this.#options.servers.get(name)!.watch(extent, (answer) => {
      if (watch !== this.#watch) return
      // A channel is whole or it ends: what comes after something that was lost is not told either.
      if (this.#isBroken) this.#lose()
      else this.#heard(answer)
    })
    this.#watch = watch
  }

  #lose(): void {
    this.#watch?.end()
    this.#watch = undefined
  }

  #canReach(name: HostName): boolean {
    const { network, person } = this.#options
    return !network.isCut(person, name) && !network.isFrozen(person) && !network.isFrozen(name)
  }

  #heard(answer: Answer): void {
    if (answer.type !== 'watched') {
      this.#watch = undefined
      return
    }
    const heard = heardOf(answer)
    const isFirst = this.#watched.since === undefined
    const wasReady = this.#isReady
    const news = this.#watched.take(heard)
    if (answer.event === 'ready') this.#isReady = true
    if (isFirst && this.#isReady) this.#listed(heard.seen)
    for (const each of news) {
      this.#note(`is told: ${each.event} ${each.file.id} "${each.file.name}"`)
      this.#checkPlace(each)
      if (wasReady && each.event === 'changed') this.#changed(each.file, heard)
      else if (each.event === 'changed') this.#readNow(each.file.id, [this.#read, this.#told])
      if (each.event === 'created') this.#came(each.file)
    }
  }

  /** All that is there, at first. */
  #listed(seen: VersionVector): void {
    for (const id of this.#watched.known.keys()) {
      this.#readNow(id, [this.#read])
      this.#add(this.#told, id, this.#options.log.within(id, seen))
    }
  }

  #changed({ id, hash }: File, { seen }: Heard<File>): void {
    if (hash !== '') return
    if (seen.size === 0) {
      // A whole text: what in it is new is not told.
      this.#readNow(id, [this.#read])
      return
    }
    const updates = this.#options.log.within(id, seen)
    const named = this.#named.get(id) ?? new Set<string>()
    this.#named.set(id, named)
    const before = named.size
    for (const name of this.#options.log.namesOf(id, seen)) named.add(name)
    this.#add(this.#read, id, updates)
    if (this.#add(this.#told, id, updates) || named.size > before) return
    this.#bad(`is told twice by ${this.#server} that ${id} changed`)
  }

  /** What is new comes with its text, and a directory with all that is in it. */
  #came({ id, kind }: File): void {
    const { since } = this.#watched
    const { disk } = this.#options.servers.get(this.#server!)!
    const ids = kind === Kind.DIRECTORY ? disk.subjects() : [id]
    for (const each of ids) this.#readNow(each, [this.#read])
    if (kind === Kind.TEXT) this.#add(this.#told, id, this.#options.log.within(id, since!))
  }

  /** What is there goes and what is not comes; only what is there changes. */
  #checkPlace({ event, file: { id } }: News<File>): void {
    const wasGone = this.#isGone.get(id)
    if (event === 'deleted' && wasGone === true) this.#bad(`is told twice that ${id} was deleted`)
    if (event === 'created' && wasGone === false && !this.#hasGone) {
      this.#bad(`is told twice that ${id} was made`)
    }
    this.#hasGone ||= event === 'deleted'
    if (event === 'deleted') this.#isGone.set(id, true)
    if (event !== 'created') return
    this.#isGone.set(id, false)
    // What lies in a directory may have come back with it, and goes again when it is deleted there.
    for (const each of this.#isGone.keys()) if (this.#liesIn(each, id)) this.#isGone.delete(each)
  }

  #liesIn(id: string, directory: string): boolean {
    const above = new Set<string>()
    for (let at = id; at !== '' && !above.has(at);) {
      above.add(at)
      at = this.#watched.known.get(at)?.parent ?? ''
    }
    return above.delete(id) && above.has(directory)
  }

  /** Reads a text at the server that tells of it. */
  #readNow(id: string, copies: Map<string, Y.Doc>[]): void {
    const doc = this.#options.servers.get(this.#server!)!.disk.doc(id as SubjectId)
    if (!doc) {
      this.#unread.add(id)
      return
    }
    const update = Y.encodeStateAsUpdate(doc)
    for (const copy of copies) this.#add(copy, id, [update])
  }

  /** False: all of it was in that copy already. */
  #add(copies: Map<string, Y.Doc>, id: string, updates: Uint8Array[]): boolean {
    const doc = docOf(copies, id)
    const before = Y.snapshot(doc)
    for (const update of updates) integrate(doc, update)
    return !Y.equalSnapshots(before, Y.snapshot(doc))
  }

  #bad(text: string): void {
    this.#options.checkers.checkWatch(`who watches at ${this.#options.person} ${text}`)
  }

  #note(text: string): void {
    const { trace, timeline, person } = this.#options
    trace.note(timeline.now, `${person}, watching: ${text}`)
  }
}

function heardOf({
  event,
  file,
  seen = new Map(),
  operation = '',
}: Extract<Answer, { type: 'watched' }>): Heard<File> {
  if (!file) return { event, file: undefined, seen, operation }
  const { entry, name, parent, isDeleted } = file
  const hash = blobOf(entry)?.hash ?? ''
  const told = { id: entry.id, kind: entry.kind, name, parent, isDeleted, hash }
  return { event, file: told, seen, operation }
}

function docOf(docs: Map<string, Y.Doc>, id: string): Y.Doc {
  let doc = docs.get(id)
  if (!doc) {
    doc = new Y.Doc({ guid: '' })
    doc.getText(textRoot)
    docs.set(id, doc)
  }
  return doc
}
