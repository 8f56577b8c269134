// A page that a simulated person has open: the real mind of a client and live documents, from its
// opening to its closing.

import * as Y from 'yjs'
import type { FileInfo } from '../src/client/api.ts'
import { Files } from '../src/client/files.ts'
import { waitingOf } from '../src/client/foreseen.ts'
import { Shown } from '../src/client/shown.ts'
import { subjectId, writerOf, type SubjectId } from '../src/core/model/ids.ts'
import { earlierKeysMax } from '../src/core/model/limits.ts'
import { offer } from '../src/core/model/text-update.ts'
import { Kind, type ServerMessage } from '../src/core/model/wire.ts'
import type { Channel } from '../src/core/ports.ts'
import type { OperationBody } from '../src/core/session/parcel.ts'
import type { SessionInput, SessionOutput } from '../src/core/session/messages.ts'
import { relayOf, Relays, type Relay } from '../src/core/session/relays.ts'
import { Session } from '../src/core/session/session.ts'
import { Carets } from './carets.ts'
import type { Checkers } from './checkers.ts'
import { Filing, isFiling, type FilingAct } from './filing.ts'
import type { DocumentId, Edit, Journal } from './journal.ts'
import { addressOf, epochMs } from './life.ts'
import type { HostName, Network } from './network.ts'
import { Paper } from './paper.ts'
import { serverNames, sharedDocuments, type Act, type PersonPlan } from './plan.ts'
import { Putting } from './putting.ts'
import type { Random } from './random.ts'
import { Receipts, type Written } from './receipts.ts'
import type { BytesName } from './shelf.ts'
import type { Timeline } from './timeline.ts'
import type { Trace } from './trace.ts'

export interface PageOptions {
  plan: PersonPlan
  timeline: Timeline
  trace: Trace
  journal: Journal
  network: Network
  checkers: Checkers
  random: Random
  /** The id of a document that a plan numbers. */
  documentId: (number: number) => SubjectId
}

/** What a device keeps when the page is closed. */
export interface Device {
  keys: Uint8Array[]
  texts: Map<DocumentId, Uint8Array>
  /** Others' edits in them, as servers sealed them. */
  relays: readonly Relay[]
  /** Edits that no server was known to hold. */
  written: Map<DocumentId, Written[]>
  /** What was asked of the folder and was not certain to stay, in order. */
  asked: { operation: OperationBody; edits: Edit[] }[]
  /** Name of the life of the set that all of it belongs to. */
  life: string
}

export function emptyDevice(): Device {
  return { keys: [], texts: new Map(), relays: [], written: new Map(), asked: [], life: '' }
}

export interface PageOpening {
  label: string
  screenName: string
  key: Uint8Array
  device: Device
  until: number
  /** The set is in another life than what the page has: it is to be closed. */
  outlived: (life: string) => void
}

type EditAct = Exclude<
  Act,
  { type: 'offline' | 'sleep' | 'leave' | 'unfollow' | 'save' | 'watch' | 'putBytes' }
>

/** From the opening of the page to its closing. */
export class Page {
  /** How often it came to a server, another than the one before. */
  moves = 0
  #last = ''
  readonly #options: PageOptions
  readonly #label: string
  readonly #screenName: string
  /** When it was opened. */
  readonly #since: number
  readonly #files: Files
  /** By id; empty: the top. */
  readonly #shown = new Map<string, { extent: 'alone' | 'open'; end: () => void }>()
  readonly #showing = new Shown((entry, extent) => {
    this.#files.show(entry, extent)
    this.#step({ type: 'show', entry, extent })
  })
  readonly #filing: Filing
  readonly #putting: Putting
  readonly #writer: number
  /** Those under which this person's unsafe edits may stand. */
  readonly #writers: ReadonlySet<number>
  readonly #device: Device
  readonly #relays = new Relays()
  readonly #outlived: (life: string) => void
  #life: string
  /** After this nothing is typed. */
  readonly #until: number
  readonly #session: Session
  readonly #channels = new Map<number, Channel<object, object>>()
  readonly #papers = new Map<DocumentId, Paper>()
  readonly #followed = new Set<DocumentId>()
  readonly #caughtUp = new Set<DocumentId>()
  readonly #receipts: Receipts
  readonly #carets: Carets
  readonly #inputs: SessionInput[] = []
  /** Ids of what is shown as if it were done. */
  #waiting = ''
  /** The next tick that is planned; −1: none. */
  #wakeAt = -1
  #isOver = false

  constructor(options: PageOptions, page: PageOpening) {
    const { plan, random } = options
    this.#options = options
    this.#label = page.label
    this.#screenName = page.screenName
    this.#since = options.timeline.now
    this.#writer = writerOf(page.key)
    this.#carets = new Carets(this.#writer)
    this.#device = page.device
    this.#life = page.device.life
    this.#outlived = page.outlived
    this.#until = page.until
    const { journal, timeline, trace } = options
    const earlier = page.device.written
    this.#receipts = new Receipts({ person: plan.name, journal, timeline, trace, earlier })
    this.#files = new Files({ isOfAll: plan.showsPart !== true })
    this.#filing = new Filing({
      journal: options.journal,
      person: plan.name,
      label: page.label,
      files: this.#files,
      isOpen: (document) => this.#followed.has(document),
      documentId: options.documentId,
    })
    this.#putting = new Putting({
      journal,
      timeline,
      person: plan.name,
      author: page.screenName,
      files: this.#files,
      random,
      operate: (operation, edits) => {
        if (!this.#isOver) this.#operate(operation, edits)
      },
    })
    const earlierKeys = page.device.keys.toReversed().slice(0, earlierKeysMax)
    this.#writers = new Set([page.key, ...earlierKeys].map(writerOf))
    for (const relay of page.device.relays) this.#relays.keep({ ...relay, at: this.#now() })
    this.#session = new Session({
      key: page.key,
      earlierKeys,
      device: new Uint8Array(),
      name: page.screenName,
      agent: 'simulated',
      token: '',
      showsDirectories: plan.showsPart === true,
      life: page.device.life,
      addresses: plan.servers.map(addressOf),
      hasStandby: true,
      random: () => random.next(),
      documents: {
        stateVector: (document) => Y.encodeStateVector(this.#paper(document).doc),
        offer: (document, stateVector, deletes) =>
          offer(this.#paper(document).doc, stateVector, deletes, this.#writers),
        relays: (document) => this.#relays.of(document),
      },
    })
    this.#show('', 'open')
    for (const document of page.device.texts.keys()) this.follow(document)
    this.#step({ type: 'started' })
    for (const { operation, edits } of page.device.asked) this.#operate(operation, edits)
  }

  /** The screen name that it holds; undefined: none, for it is not let in. */
  get screenName(): string | undefined {
    return this.#session.state.name === 'online' ? this.#session.name : undefined
  }

  /** The id under which it writes, and is seen. */
  get writer(): number {
    return this.#writer
  }

  /** Where this person is in each text that is open. */
  get carets(): Map<DocumentId, string> {
    const open = [...this.#followed].map((id) => [id, this.#carets.own(id)] as const)
    return new Map(open.filter((each): each is [string, string] => each[1] !== undefined))
  }

  /** Where the page shows others in a text, by writer; undefined: it is not open. */
  caretsIn(document: DocumentId): Map<number, string> | undefined {
    if (!this.#caughtUp.has(document)) return undefined
    return this.#carets.shown(this.#options.timeline.now, document)
  }

  /** The life that it knows the set to be in; empty: none. */
  get life(): string {
    return this.#life
  }

  /** The page has a moment to say goodbye. */
  stop(): void {
    this.#step({ type: 'stopped' })
  }

  end(): void {
    this.#isOver = true
    for (const paper of this.#papers.values()) paper.destroy()
  }

  /** What the device has of it after the page is closed. */
  keep(keys: Uint8Array[]): Device {
    const texts = new Map<DocumentId, Uint8Array>()
    for (const [id, { doc }] of this.#papers) texts.set(id, Y.encodeStateAsUpdate(doc))
    const lasting = this.#session.operations.filter(({ operation }) => isLasting(operation))
    const asked = lasting.map(({ operation }) => {
      return { operation, edits: this.#receipts.editsOf(operation.id) }
    })
    const relays = [...texts.keys()].flatMap((id) => this.#relays.of(id))
    return { keys, texts, relays, written: this.#receipts.written, asked, life: this.#life }
  }

  show(): void {
    for (const paper of this.#papers.values()) paper.show()
  }

  /** The folder as this person sees it; undefined: not told yet. */
  get folder(): FileInfo[] | undefined {
    return this.#files.areCurrent ? this.#files.list : undefined
  }

  /** What this person shows of the folder, by id; empty: the top. Undefined: all of it. */
  get shown(): Map<string, 'alone' | 'open'> | undefined {
    if (this.#options.plan.showsPart !== true) return undefined
    return new Map([...this.#shown].map(([id, { extent }]) => [id, extent]))
  }

  /** Edits that no server is known to hold. */
  unsaved(): Edit[] {
    return this.#receipts.unsaved()
  }

  /** Whether something that was asked of the folder has neither taken effect nor failed. */
  get isAsking(): boolean {
    return this.#session.operations.some(({ hasEffect }) => !hasEffect)
  }

  /** What is not as it has to be in the end, if anything. */
  unsettled(
    textOf: (document: DocumentId) => string,
    isOrphaned: (document: DocumentId) => boolean,
  ): string | undefined {
    const { name } = this.#options.plan
    if (this.#receipts.hasUnsafe(isOrphaned)) return `an edit of ${name} is not safe`
    if (this.isAsking) return `${name} waits for what was asked of the folder`
    for (const id of this.#shown.keys()) {
      if (!this.#files.isAnswered(id)) return `${name} waits to be told of ${id || 'the top'}`
    }
    for (const document of this.#followed) {
      if (isOrphaned(document)) continue
      if (!this.#caughtUp.has(document)) return `${name} waits for ${document}`
      const here = this.#paper(document).text.toString()
      const there = textOf(document)
      if (here !== there) return `${name} sees "${here}" in ${document}, the servers "${there}"`
    }
    return undefined
  }

  /** On fewer servers than all, as the page says, though all have everything; undefined: it does not. */
  get shownOnFew(): string | undefined {
    const { save } = this.#session
    if (save.name !== 'saved' || save.servers.length >= serverNames.length) return undefined
    return `${this.#options.plan.name} still reads "Saved · ${save.servers.length}/${save.of}"`
  }

  // --------------------------------------------------------------------------------- acts

  act(act: EditAct): void {
    if (isFiling(act)) {
      this.#file(act)
      return
    }
    const id = this.#options.documentId(act.document)
    if (act.type === 'show') {
      this.#show(id, act.extent)
      return
    }
    if (!this.#followed.has(id)) return
    if (act.type === 'nameVersion') {
      this.#nameVersion(id)
      return
    }
    this.#edit(this.#paper(id), act, this.#options.timeline.now)
    this.#moveTo(id, String(act.at))
  }

  /** A word more in each text that is open. */
  write(): void {
    for (const id of this.#followed) {
      this.#paper(id).type(this.#options.timeline.now, this.#label, 1)
    }
  }

  /** Gives the present text of each that is open a name. */
  nameVersions(): void {
    for (const document of this.#followed) this.#nameVersion(document)
  }

  #nameVersion(document: DocumentId): void {
    const { random, journal, timeline, plan } = this.#options
    const seen = this.#paper(document).look()
    const id = subjectId(random.bytes(16))
    const made = {
      at: timeline.now,
      person: plan.name,
      author: this.#screenName,
      since: this.#since,
      keepsSince: plan.hasStorage ? -Infinity : this.#since,
    }
    const version = journal.named({ ...made, document, id, seen })
    const { name } = version
    const value = { $typeName: 'fourfold.v1.NameVersion' as const, document, name }
    this.#operate({ id, operation: { case: 'nameVersion', value } }, [version])
  }

  /** The server that it talks to; undefined: none. */
  get server(): string | undefined {
    const { state } = this.#session
    return state.name === 'online' ? state.server : undefined
  }

  /** Bytes that a server has and the page may ask it to give to a file. */
  isPutting(hash: string): boolean {
    return this.#putting.isPutting(hash)
  }

  /** Puts bytes that are uploaded into a file, or makes one of them; `upload` brings them once more. */
  put(document: SubjectId, name: BytesName, upload: (done: () => void) => boolean): void {
    if (!this.#isOver) this.#putting.put(document, name, upload)
  }

  isOpen(document: DocumentId): boolean {
    return this.#caughtUp.has(document)
  }

  /** Brings an earlier text of what is open back. */
  restore(document: DocumentId, text: string): void {
    this.#paper(document).restore(this.#options.timeline.now, text)
  }

  #moveTo(document: DocumentId, state: string): void {
    if (this.#options.plan.hasCarets !== true) return
    this.#carets.move(document, state)
    this.#step({ type: 'caret', document, state })
  }

  #show(id: string, extent: 'not' | 'alone' | 'open'): void {
    if (this.#options.plan.showsPart !== true) return
    const before = this.#shown.get(id)
    if (extent === 'not') this.#shown.delete(id)
    else this.#shown.set(id, { extent, end: this.#showing.show(id, extent) })
    before?.end()
  }

  #edit(
    paper: Paper,
    act: Exclude<EditAct, FilingAct | { type: 'show' | 'nameVersion' }>,
    at: number,
  ): void {
    switch (act.type) {
      case 'type':
        paper.type(at, this.#label, act.where)
        this.#goOn(paper, act.words - 1, act.gapMs)
        return
      case 'continue':
        this.#goOn(paper, act.words, act.gapMs)
        return
      case 'delete':
        paper.delete(at, this.#label, act.which, act.isOwn)
        return
      case 'undo':
        paper.undo(at)
    }
  }

  /** Types the rest of a run, one word each `gapMs`. */
  #goOn(paper: Paper, words: number, gapMs: number): void {
    const { timeline, network, plan } = this.#options
    for (let word = 0; word < words; word++) {
      timeline.after(word * gapMs, () => {
        if (this.#isOver || network.isFrozen(plan.name) || timeline.now > this.#until) return
        paper.continue(timeline.now, this.#label)
      })
    }
  }

  #file(act: FilingAct): void {
    const { timeline, random } = this.#options
    const filed = this.#filing.file(timeline.now, act)
    if (filed) {
      const { id = subjectId(random.bytes(16)), operation, edits } = filed
      this.#operate({ id, operation }, edits)
    }
  }

  #operate(operation: OperationBody, edits: Edit[]): void {
    this.#receipts.operated(operation.id, edits)
    this.#step({ type: 'operate', operation })
    // Without a server nobody waits for one: the file is opened, and one may write in it.
    if (this.#session.state.name !== 'online') this.#noticed([operation.id])
  }

  // --------------------------------------------------------------------------- documents

  follow(document: DocumentId): void {
    if (this.#isOver || this.#followed.has(document)) return
    this.#followed.add(document)
    this.#paper(document)
    this.#step({ type: 'follow', document })
  }

  /** False: it was not followed. */
  unfollow(document: DocumentId): boolean {
    if (!this.#followed.delete(document)) return false
    this.#caughtUp.delete(document)
    this.#carets.forget(document)
    this.#step({ type: 'unfollow', document })
    return true
  }

  #paper(document: DocumentId): Paper {
    let paper = this.#papers.get(document)
    if (!paper) {
      const { journal, checkers, plan } = this.#options
      paper = new Paper({
        journal,
        checkers,
        document,
        person: plan.name,
        writer: this.#writer,
        kept: this.#device.texts.get(document),
        edited: (update, edits) => this.#edited(document, update, edits),
      })
      this.#papers.set(document, paper)
    }
    return paper
  }

  #edited(document: DocumentId, update: Uint8Array, edits: Edit[]): void {
    this.#receipts.edited(document, edits)
    this.#step({ type: 'edited', document, update })
  }

  /** Everybody follows the documents that all share, and what they made themselves. */
  #noticed(ids: string[]): void {
    const { journal, plan, documentId } = this.#options
    for (const id of ids) {
      const file = journal.files.get(id)
      const isShared = sharedDocuments.some((number) => documentId(number) === id)
      if (file?.kind !== Kind.TEXT) continue
      if (isShared || file.creation.person === plan.name) this.follow(id)
    }
  }

  // ---------------------------------------------------------------------------- the loop

  #now(): number {
    return epochMs + this.#options.timeline.now
  }

  tick(): void {
    const { network, plan } = this.#options
    if (!this.#isOver && !network.isFrozen(plan.name)) this.#step({ type: 'tick' })
  }

  /** What an output makes happen waits until the outputs before it are performed. */
  #step(input: SessionInput): void {
    this.#inputs.push(input)
    if (this.#inputs.length > 1) return
    for (; this.#inputs.length > 0 && !this.#isOver; this.#inputs.shift()) {
      const input = this.#inputs[0]!
      for (const output of this.#session.step(this.#now(), input)) this.#perform(output)
      if (input.type === 'received') {
        this.#receipts.count((...edit) => this.#session.holders(...edit))
      }
      this.#receipts.shown(this.#session.save)
      this.#showWaiting()
      if (this.server !== undefined && this.server !== this.#last) {
        this.#last = this.server
        this.moves++
      }
    }
    this.#wakeLater()
  }

  #showWaiting(): void {
    const waiting = waitingOf(this.#session.operations, (id) => this.#files.isTold(id))
    const shown = waiting.map(({ id }) => id).join()
    if (shown !== this.#waiting) this.#files.wait(waiting)
    this.#waiting = shown
  }

  #wakeLater(): void {
    const { timeline } = this.#options
    const wakeAt = Math.max(this.#session.wakeAt - epochMs, timeline.now)
    if (wakeAt === Infinity || (this.#wakeAt >= timeline.now && this.#wakeAt <= wakeAt)) return
    this.#wakeAt = wakeAt
    timeline.at(wakeAt, () => {
      if (this.#wakeAt === wakeAt) {
        this.#wakeAt = -1
        this.tick()
      }
    })
  }

  #perform(output: SessionOutput): void {
    const { trace, timeline, plan } = this.#options
    switch (output.type) {
      case 'dial':
        this.#dial(output.connection, output.address.replace('http://', ''))
        return
      case 'hangUp':
        this.#channels.get(output.connection)?.close('hung up')
        return
      case 'send':
        this.#channels.get(output.connection)?.send(output.message)
        return
      case 'integrate':
        this.#integrate(output)
        return
      case 'unsealed':
        this.#relays.forget(output.document)
        return
      case 'caughtUp':
        this.#caughtUp.add(output.document)
        return
      case 'entries':
        this.#files.apply(output)
        this.#noticed(output.entries.map(({ id }) => id))
        return
      case 'done':
        this.#receipts.undone(output.operation, new Set(output.undone.map(({ entry }) => entry)))
        for (const edit of this.#receipts.editsOf(output.operation)) {
          this.#receipts.told(edit, output.servers)
        }
        return
      case 'failed':
        trace.note(timeline.now, `${plan.name} is told: ${output.error.message}`)
        if (this.#putting.failed(output.operation, output.error.code)) return
        // What was not made is closed: there is nothing to write in.
        this.#receipts.failed(output.operation)
        this.unfollow(output.operation)
        return
      case 'life':
        this.#life = output.life
        return
      case 'caret':
        this.#carets.heard(timeline.now, output.caret)
        return
      case 'changed':
        if (this.#session.state.name === 'outlived') this.#outlived(this.#session.state.life)
        if (this.#session.save.name === 'local') this.#carets.forgetOthers()
        return
      case 'turnedDown':
        trace.note(timeline.now, `${plan.name} is turned down: ${output.error.message}`)
        return
      default:
        return
    }
  }

  #integrate({ document, update, seal }: Extract<SessionOutput, { type: 'integrate' }>): void {
    const paper = this.#paper(document)
    if (seal) {
      const came = { document, at: this.#now(), update, seal }
      this.#relays.keep(relayOf(came, paper.doc, this.#writers))
    }
    paper.integrate(update)
  }

  #dial(connection: number, server: HostName): void {
    const { network, plan } = this.#options
    const channel = network.dial(plan.name, server, 'session', {
      opened: () => this.#step({ type: 'opened', connection }),
      received: (received) => {
        const message = received as ServerMessage
        this.#step({ type: 'received', connection, message, bytes: 100 })
      },
      closed: (why) => {
        this.#channels.delete(connection)
        this.#step({ type: 'closed', connection, why })
      },
    })
    this.#channels.set(connection, channel)
  }
}

/** As on a real device: what is named is the text at that moment, which cannot wait for another life. */
function isLasting({ operation }: OperationBody): boolean {
  return operation.case !== 'nameVersion'
}
