// A simulated person: a device, pages opened and closed on it, and a plan of what to do.
//
//   away ── opens the page ──> present ── closes it ──> away
//   While present: types, deletes, undoes, makes files; goes offline; closes the lid.

import { assert } from '../src/core/model/errors.ts'
import type { FileInfo } from '../src/client/api.ts'
import type { DocumentId, Edit } from './journal.ts'
import { emptyDevice, Page, type Device, type PageOptions } from './page.ts'
import type { Act } from './plan.ts'
import { Saving } from './saving.ts'
import type { HostName } from './network.ts'
import type { SimulatedServer } from './server.ts'
import { uploadTo } from './uploading.ts'
import { Watching, type TextLog } from './watching.ts'

export interface PersonOptions extends PageOptions {
  servers: ReadonlyMap<HostName, SimulatedServer>
  log: TextLog
}

/** What is written down of one life of the set. */
export type World = Pick<PersonOptions, 'journal' | 'checkers'>

/** So often bytes are uploaded for one file, as by the page. */
const putTriesMax = 4

export class SimulatedPerson {
  readonly name: string
  #options: PersonOptions
  /** The set is in another life than what the device has. */
  #next: World | undefined
  /** Of its tokens. */
  readonly #label: string
  #device: Device = emptyDevice()
  #page: Page | undefined
  #saving: Saving | undefined
  #watching: Watching | undefined
  #pageCount = 0
  readonly #screenNames = new Set<string>()
  #openedAt = 0
  #until = 0
  readonly #unblocks: (() => void)[] = []

  constructor(options: PersonOptions) {
    this.#options = options
    this.name = options.plan.name
    this.#label = this.name[0]!
  }

  /** Opens the page, and plans everything up to `until`. */
  begin(until: number): void {
    const { timeline, plan } = this.#options
    this.#until = until
    const random = this.#options.random.fork('saves')
    const person = this.name
    this.#saving = new Saving({ ...this.#options, random, person, label: this.#label }, until)
    this.#open()
    for (const act of plan.acts) timeline.at(act.at, () => this.#act(act))
  }

  /** Back online, awake, and on the page unless it was left for good. */
  heal(): void {
    this.#online()
    this.#wake()
  }

  end(): void {
    this.#watching?.end()
    this.#page?.end()
  }

  /** The screen name that the page holds, if it is open and let in. */
  get screenName(): string | undefined {
    return this.#page?.screenName
  }

  /** What a program of this person is told of the folder; undefined: none watches. */
  get watching(): Watching | undefined {
    return this.#watching
  }

  /** The page, while it is open. */
  get page(): Page | undefined {
    return this.#page
  }

  /** Closes the page and does not come back. Returns the names under which it ever was open. */
  leaveForGood(): string[] {
    this.#leave()
    return [...this.#screenNames]
  }

  /** Opens the page again, with what the device kept. */
  comeBack(): void {
    this.#open()
  }

  /** Away from all servers, writes in each text that the device has. */
  writeAway(): void {
    if (!this.#options.plan.hasStorage) return
    this.#open()
    this.#page?.write()
    this.#leave()
  }

  /** All disks are lost. Whoever knows the life of before hears of that from a server. */
  reborn(world: World): void {
    this.#next = world
    if ((this.#page?.life ?? this.#device.life) !== '') return
    const wasOpen = this.#page !== undefined
    this.#beginAnew()
    if (wasOpen) this.#open()
  }

  /** Nothing of the life before is taken into this one. */
  #beginAnew(life = ''): void {
    const { network } = this.#options
    assert(this.#next, 'a set whose disks are there lives on')
    this.#options = { ...this.#options, ...this.#next }
    this.#next = undefined
    // Whoever comes back to a name shows by the keys of before that it is the same person.
    this.#device = { ...emptyDevice(), keys: this.#device.keys, life }
    if (!this.#page) return
    this.#page.end()
    this.#page = undefined
    network.kill(this.name)
  }

  #outlived(page: Page, life: string): void {
    if (page !== this.#page) return
    const { trace, timeline } = this.#options
    trace.note(timeline.now, `${this.name} hears of another life`)
    this.#beginAnew(life)
    this.#open()
  }

  /** Lets the checkers see the screen. */
  show(): void {
    this.#page?.show()
  }

  /** The folder as the page shows it; undefined: it shows none. */
  get folder(): FileInfo[] | undefined {
    return this.#page?.folder
  }

  /** What of the folder it shows; undefined: all of it. */
  get shown(): Map<string, 'alone' | 'open'> | undefined {
    return this.#page?.shown
  }

  /** What was typed before is on a page that is closed and kept nothing: nobody offers it again. */
  get keepsSince(): number {
    return this.#options.plan.hasStorage ? -Infinity : this.#openedAt
  }

  /** Edits that no server is known to hold; none while the page is closed. */
  unsaved(): Edit[] {
    return this.#page?.unsaved() ?? []
  }

  /** Why not all is well for this person, if so. */
  unsettled(
    textOf: (document: DocumentId) => string,
    isOrphaned: (document: DocumentId) => boolean,
  ): string | undefined {
    return this.#page?.unsettled(textOf, isOrphaned)
  }

  /** The page says that a server lacks the last edit; undefined: it does not. */
  get shownOnFew(): string | undefined {
    return this.#page?.shownOnFew
  }

  // --------------------------------------------------------------------------------- acts

  #act(act: Act): void {
    const { timeline } = this.#options
    const later = (forMs: number, action: () => void) =>
      timeline.at(Math.min(timeline.now + forMs, this.#until), action)
    switch (act.type) {
      case 'offline':
        this.#offline()
        later(act.forMs, () => this.#online())
        return
      case 'sleep':
        this.#options.network.freeze(this.name)
        later(act.forMs, () => this.#wake())
        return
      case 'leave':
        this.#leave()
        if (act.forMs !== undefined) later(act.forMs, () => this.#open())
        return
      case 'unfollow': {
        const id = this.#options.documentId(act.document)
        const page = this.#page
        if (page?.unfollow(id)) later(act.forMs, () => this.#follow(page, id))
        return
      }
      case 'save':
        this.#saving?.save(act)
        return
      case 'putBytes':
        if (this.#page && timeline.now <= this.#until) this.#put(act, this.#page)
        return
      case 'watch':
        this.#watching ??= new Watching({ ...this.#options, person: this.name })
        this.#watching.begin(act.server)
        return
      default:
        if (timeline.now <= this.#until && !this.#isAsleep) this.#page?.act(act)
    }
  }

  #put({ at, document, size }: Extract<Act, { type: 'putBytes' }>, page: Page): void {
    const { documentId, plan, timeline, servers, network, random } = this.#options
    const bytes = Buffer.alloc(size, `bytes of ${this.name} at ${at} `)
    const others = random.fork(`upload ${at}`).shuffled(plan.servers)
    const order = () => (page.server === undefined ? others : [page.server, ...others])
    const isOver = () => page !== this.#page
    const upload = { timeline, network, servers, person: this.name, bytes, order, isOver }
    const isLate = () => isOver() || timeline.now > this.#until
    let tries = 1
    uploadTo({ ...upload, isOver: isLate }, (name) =>
      page.put(documentId(document), name, (give) => {
        if (tries++ >= putTriesMax) return false
        uploadTo(upload, give)
        return true
      }),
    )
  }

  // In another life nobody has made it yet, and on another page it may be known to no server: there is
  // nothing to write in.
  #follow(page: Page, id: DocumentId): void {
    if (page === this.#page && this.#options.journal.files.has(id)) page.follow(id)
  }

  get #isAsleep(): boolean {
    return this.#options.network.isFrozen(this.name)
  }

  #open(): void {
    if (this.#page) return
    const { plan, random, trace, timeline } = this.#options
    const key = random.bytes(16)
    this.#pageCount++
    this.#openedAt = timeline.now
    // A page without storage is a stranger to the servers when it comes back.
    const screenName =
      this.#pageCount === 1 || plan.hasStorage ? this.name : `${this.name} ${this.#pageCount}`
    this.#screenNames.add(screenName)
    trace.note(timeline.now, `${this.name} opens the page`)
    const page: Page = new Page(this.#options, {
      outlived: (life) => timeline.after(0, () => this.#outlived(page, life)),
      label: this.#label,
      screenName,
      key,
      device: this.#device,
      until: this.#until,
    })
    this.#page = page
    this.#device.keys.push(key)
  }

  #leave(): void {
    const page = this.#page
    if (!page) return
    const { plan, network, checkers, trace, timeline, random } = this.#options
    trace.note(timeline.now, `${this.name} closes the page`)
    this.#page = undefined
    page.show()
    if (random.chance(0.5)) page.stop()
    if (plan.hasStorage) this.#device = page.keep(this.#device.keys)
    else {
      this.#device = emptyDevice()
      checkers.forget({ kind: 'screen', name: this.name })
    }
    page.end()
    network.kill(this.name)
    if (this.#next && this.#device.life === '') this.#beginAnew()
  }

  #offline(): void {
    const { network, plan, random } = this.#options
    // Some systems break every connection at once, others let them hang.
    const isAbrupt = random.chance(0.5)
    for (const server of plan.servers) {
      this.#unblocks.push(network.block(this.name, server), network.block(server, this.name))
      if (isAbrupt) network.cut(this.name, server, true)
    }
  }

  #online(): void {
    for (const unblock of this.#unblocks.splice(0)) unblock()
  }

  #wake(): void {
    this.#options.network.thaw(this.name)
    this.#page?.tick()
  }
}
