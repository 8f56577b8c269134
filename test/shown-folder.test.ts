// A client that holds only what it shows of a folder, against servers that change under it, in every
// order: what it shows is what a server has, and it holds nothing else.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { Files } from '../src/client/files.ts'
import { Shown } from '../src/client/shown.ts'
import { Folder } from '../src/core/model/folder.ts'
import { made, stamp } from '../src/core/model/testing/entries.ts'
import {
  DeleteSchema,
  EntrySchema,
  EraseSchema,
  HelloSchema,
  Kind,
  MoveSchema,
  RenameSchema,
  RestoreSchema,
  type Entry,
  type Operation,
} from '../src/core/model/wire.ts'
import type { ClientMessage, ServerMessage } from '../src/core/model/wire.ts'
import { Showings } from '../src/core/replica/showings.ts'
import { Visitor } from '../src/core/replica/visitor.ts'
import { Voice } from '../src/core/replica/voice.ts'
import type { OperationBody } from '../src/core/session/parcel.ts'
import { Outlet } from '../src/core/session/outlet.ts'
import { Shows } from '../src/core/session/shows.ts'
import { Random } from '../sim/random.ts'

const schedules = Number(process.env['FOURFOLD_SCHEDULES'] ?? 1000)
const firstSeed = Number(process.env['FOURFOLD_SEED'] ?? 1)

const rates = { pushesPerSecond: 1, pushBurst: 1, caretsPerSecond: 1 }

/** One server's folder, and what it tells one client. */
class Server {
  readonly folder = new Folder()
  readonly #voice = new Voice()
  readonly #showings = new Showings(this.folder, this.#voice, { perMessage: 1 })
  readonly #waiting: Entry[] = []
  #visitor: Visitor | undefined
  #channel = 0

  greet(): void {
    if (this.#visitor) this.#showings.left(this.#visitor)
    const own = { key: new Uint8Array(16), name: 'ada', protocol: 1 }
    const asked = create(HelloSchema, { ...own, showsDirectories: true })
    this.#visitor = new Visitor(0, ++this.#channel, asked, rates)
  }

  said({ message }: ClientMessage): ServerMessage[] {
    if (message.case === 'show') this.#showings.show(this.#visitor!, message.value)
    if (message.case === 'more') this.#showings.more(this.#visitor!, message.value.entry)
    return this.#told()
  }

  comes(change: Entry): void {
    this.#waiting.push(change)
  }

  /** Takes in the next of what has come. */
  take(): ServerMessage[] {
    const change = this.#waiting.shift()
    if (!change) return []
    const changes = this.folder.apply(change)
    this.#showings.changed(changes)
    this.#showings.gone([...this.folder.takeHidden().keys()])
    const known = new Set(changes.map(({ entry }) => entry.id))
    this.#showings.renumbered(
      this.folder.takeRenumbered().filter(({ entry }) => !known.has(entry.id)),
    )
    return this.#told()
  }

  get isBehind(): boolean {
    return this.#waiting.length > 0
  }

  #told(): ServerMessage[] {
    return this.#voice.take().flatMap((output) => {
      const isForIt = output.type === 'send' && output.channels.includes(this.#channel)
      return isForIt ? [output.message] : []
    })
  }
}

/** A client and the way to the server it talks to, in order, both ways. */
class Client {
  readonly files = new Files({ isOfAll: false })
  readonly shown = new Shown((entry, extent) => {
    this.files.show(entry, extent)
    this.#shows.show(entry, extent)
    this.#send()
  })
  readonly #outlet = new Outlet()
  readonly #shows = new Shows(this.#outlet)
  readonly #up: ClientMessage[] = []
  readonly #down: ServerMessage[] = []
  #server: Server | undefined

  /** To this server from here on; what was on its way is lost. */
  goTo(server: Server): void {
    this.#up.length = 0
    this.#down.length = 0
    this.#server = server
    server.greet()
    this.#shows.restart(1)
    this.#send()
  }

  arrives(messages: ServerMessage[], from: Server): void {
    if (from === this.#server) this.#down.push(...messages)
  }

  /** One message comes through, one way. */
  pass(random: Random): void {
    if (random.chance(0.5)) {
      const up = this.#up.shift()
      if (up && this.#server) this.#down.push(...this.#server.said(up))
      return
    }
    const down = this.#down.shift()
    if (down?.message.case !== 'entries') return
    this.#shows.told(down.message.value)
    this.#send()
  }

  get isAtRest(): boolean {
    return this.#up.length === 0 && this.#down.length === 0
  }

  #send(): void {
    for (const output of this.#outlet.take()) {
      if (output.type === 'send') this.#up.push(output.message)
      if (output.type === 'entries') this.files.apply(output)
    }
  }
}

function changed(random: Random, ids: string[], count: number): Entry {
  const [id, at] = [random.pick(ids), stamp(random.between(2, 30), `c${count}`)]
  switch (random.below(4)) {
    case 0: {
      const value = random.pick(['plan', 'Plan', 'plan (2)', 'map'])
      return create(EntrySchema, { id, name: { value, stamp: at } })
    }
    case 1: {
      return create(EntrySchema, { id, deleted: { value: random.chance(0.4), stamp: at } })
    }
    default:
      return create(EntrySchema, {
        id,
        parent: { value: random.pick(['', ...ids]), stamp: at },
      })
  }
}

/** What a person asks for, and no server carries out. */
function asked(random: Random, ids: string[]): OperationBody {
  const entry = random.pick(ids)
  const parent = random.pick(['', ...ids])
  const operation = random.pick<Operation['operation']>([
    { case: 'move', value: create(MoveSchema, { entry, parent }) },
    { case: 'rename', value: create(RenameSchema, { entry, name: random.pick(['plan', 'map']) }) },
    { case: 'delete', value: create(DeleteSchema, { entry }) },
    { case: 'restore', value: create(RestoreSchema, { entry }) },
    { case: 'erase', value: create(EraseSchema, { entry }) },
  ])
  return { id: 'asked', operation }
}

/** What makes entries final that may have been in the trash with one of them, or never were. */
function purges(random: Random, changes: readonly Entry[]): Entry[] {
  const places = changes.filter(({ parent }) => parent)
  return changes.flatMap(({ id: root, deleted }) => {
    const deletion = deleted?.stamp
    if (!deletion || !deleted.value || random.chance(0.3)) return []
    const inIt = random.shuffled(places).filter(({ id }) => id === root || random.chance(0.4))
    return inIt.map(({ id, parent }) => {
      const isDone = random.chance(0.01)
      const purged = { root, deletion, place: parent!.stamp!, isKnown: isDone, isDone }
      return create(EntrySchema, { id, purged })
    })
  })
}

/** What a folder has of what is shown: a line for each entry. */
function expected(folder: Folder, shown: Map<string, 'alone' | 'open'>): string[] {
  const ids = new Set<string>()
  for (const [id, extent] of shown) {
    for (let at = id; at !== '' && folder.get(at); at = folder.parentOf(at)) ids.add(at)
    if (extent === 'alone') continue
    for (const each of folder.members(id)) ids.add(each.id)
  }
  return [...ids].map((id) => line(id, folder.pathOf(id), folder.isTrashed(id))).toSorted()
}

function held(files: Files, shown: Map<string, 'alone' | 'open'>): string[] {
  // What was put in the trash while it was shown may still be here; it is in no listing.
  return files.list
    .filter(({ id, parent, isInTrashItself }) => {
      return !isInTrashItself || shown.get(parent) !== 'open' || isNeeded(files, id, shown)
    })
    .map(({ id, path, isDeleted }) => line(id, path, isDeleted))
    .toSorted()
}

function isNeeded(files: Files, id: string, shown: Map<string, unknown>): boolean {
  return [...shown.keys()].some((each) => {
    for (let at = each; at !== ''; at = files.get(at)?.parent ?? '') if (at === id) return true
    return false
  })
}

const line = (id: string, path: string, isDeleted: boolean) =>
  `${id} ${JSON.stringify(path)}${isDeleted ? ' in the trash' : ''}`

function live(seed: number): void {
  const random = new Random(seed)
  const ids = Array.from({ length: 10 }, (_, index) => `E${index}`)
  const changes = ids.map((id, index) =>
    made(id, index + 1, { kind: random.chance(0.6) ? Kind.DIRECTORY : Kind.TEXT, origin: id }),
  )
  for (let count = 0; count < 60; count++) changes.push(changed(random, ids, count))
  if (random.chance(0.7)) changes.push(...purges(random, changes))
  const servers = [new Server(), new Server()]
  const client = new Client()
  const shown = new Map<string, 'alone' | 'open'>()
  const ends = new Map<string, () => void>()
  const left = servers.map(() => random.shuffled(changes))
  client.goTo(servers[0]!)

  const settle = () => {
    while (!client.isAtRest) client.pass(random)
  }
  for (let step = 0; step < 400; step++) {
    const at = random.below(servers.length)
    const server = servers[at]!
    const act = random.below(20)
    if (act < 6) {
      const next = left[at]!.pop()
      if (next) server.comes(next)
    } else if (act < 10) client.arrives(server.take(), server)
    else if (act < 17) client.pass(random)
    else if (act < 19) {
      const id = random.pick(['', ...ids])
      ends.get(id)?.()
      ends.delete(id)
      shown.delete(id)
      if (random.chance(0.4)) continue
      const extent = random.pick(['alone', 'open'] as const)
      ends.set(id, client.shown.show(id, extent))
      shown.set(id, extent)
    } else if (random.chance(0.2)) client.goTo(server)
    else if (random.chance(0.5)) client.files.wait(random.chance(0.5) ? [asked(random, ids)] : [])
  }
  for (const [at, server] of servers.entries()) {
    for (const change of left[at]!) server.comes(change)
    while (server.isBehind) client.arrives(server.take(), server)
  }
  settle()
  // Nothing comes of what waits.
  client.files.wait([])
  const wanted = expected(servers[0]!.folder, shown)
  const about = `seed ${seed}, shown ${JSON.stringify([...shown])}`
  assert.deepEqual(held(client.files, shown), wanted, about)
  for (const id of shown.keys())
    assert.ok(client.files.isAnswered(id), `${about}: ${id} is not told`)

  // Nothing shown, nothing held.
  for (const end of ends.values()) end()
  settle()
  assert.deepEqual(client.files.list, [], about)
}

test('a client that shows a part of the folder sees that part, whatever the order of things', () => {
  for (let seed = firstSeed; seed < firstSeed + schedules; seed++) live(seed)
})
