// Some devices and two real servers, and everything that a bad day has, drawn from a seed: in the end all
// have the same texts, and every word that was to stay stands there once.
//
//   FOURFOLD_SEED=7 FOURFOLD_ACTS=500 npm test -- test/devices/devices.test.ts

import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import * as Y from 'yjs'

import { MemoryDevice } from '../../src/adapters/storage/local-memory.ts'
import { textRoot } from '../../src/core/model/text-update.ts'
import { FourfoldError } from '../../src/client/index.ts'
import { Random } from '../../sim/random.ts'
import { Fleet } from '../fleet.ts'
import { call } from '../requests.ts'
import { until } from '../until.ts'
import { Tab, type Network } from './tab.ts'
import { Words } from './words.ts'

const seed = process.env['FOURFOLD_SEED'] ?? '1'
const actCount = Number(process.env['FOURFOLD_ACTS'] ?? 200)

const deviceCount = 3
const tabsMax = 2
const fileCount = 3
/** A client that says "Saved" for so long after the last letter means it. */
const calmMs = 5000
const toldMax = 400
/** Retries on devices come every 5 s. */
const settleMs = 60_000

interface Device {
  memory: MemoryDevice
  network: Network
  tabs: Tab[]
}

/** How often each comes. */
const shares = {
  type: 30,
  take: 5,
  undo: 3,
  redo: 2,
  open: 8,
  close: 5,
  reopen: 3,
  network: 8,
  cut: 3,
  begin: 6,
  end: 4,
  kill: 4,
  full: 2,
  make: 3,
  rename: 2,
  remove: 2,
  restore: 3,
  killServer: 2,
  startServer: 3,
  freezeServer: 1,
  thawServer: 3,
}
type Act = keyof typeof shares

const acts = Object.entries(shares).flatMap(([act, count]) =>
  Array.from({ length: count }, () => act as Act),
)

test(`${actCount} acts of a bad day leave every word where it belongs, once`, async (t) => {
  const fleet = await Fleet.start({ ids: ['a', 'b'] })
  t.after(() => fleet.end())
  const day = new Day(fleet)
  t.after(() => day.end())
  try {
    await day.begin()
    for (let act = 0; act < actCount; act++) await day.act()
    await day.calm()
    await day.check()
  } catch (error) {
    throw new Error(`seed ${seed}\n${day.told.slice(-toldMax).join('\n')}`, { cause: error })
  }
})

class Day {
  readonly #random = new Random(`devices ${seed}`)
  readonly #fleet: Fleet
  readonly #words = new Words()
  readonly #devices: Device[] = Array.from({ length: deviceCount }, () => ({
    memory: new MemoryDevice(),
    network: { isThere: true },
    tabs: [],
  }))
  readonly #files: string[] = []
  readonly #beganAt = performance.now()
  readonly told: string[] = []
  #tabCount = 0

  constructor(fleet: Fleet) {
    this.#fleet = fleet
  }

  get #now(): number {
    return Math.round(performance.now() - this.#beganAt)
  }

  #tell(...words: unknown[]): void {
    this.told.push([this.#now, ...words].join(' '))
  }

  async begin(): Promise<void> {
    const { client } = this.#tab(this.#devices[0]!)
    for (let index = 0; index < fileCount; index++) {
      this.#files.push((await client.create(`${index}.md`, '')).id)
    }
    this.#open(this.#devices[0]!.tabs[0]!, this.#files[0]!)
  }

  async act(): Promise<void> {
    await sleep(this.#random.pick([0, 0, 1, 3, 10, 40, 100]))
    this.#look()
    const device = this.#random.pick(this.#devices)
    if (device.tabs.length === 0) this.#tab(device)
    const tab = this.#random.pick(device.tabs)
    const act = this.#random.pick(acts)
    const server = this.#random.pick(this.#fleet.ids)
    if (act.endsWith('Server')) await this.#serverAct(act, server)
    else this.#deviceAct(act, device, tab)
  }

  async #serverAct(act: Act, server: string): Promise<void> {
    const fleet = this.#fleet
    const isUp = fleet.isRunning(server) && !fleet.isFrozen(server)
    this.#tell(act, server)
    if (act === 'killServer' && fleet.isRunning(server)) {
      fleet.thaw(server)
      await fleet.kill(server)
    }
    if (act === 'startServer') {
      const [dead] = fleet.ids.filter((id) => !fleet.isRunning(id))
      if (dead) await fleet.start(dead)
    }
    if (act === 'freezeServer' && isUp) fleet.freeze(server)
    if (act === 'thawServer' && fleet.isFrozen(server)) fleet.thaw(server)
  }

  #deviceAct(act: Act, device: Device, tab: Tab): void {
    const random = this.#random
    const file = random.pick(this.#files)
    const held = [...tab.files.keys()]
    const mine = held.length > 0 ? random.pick(held) : undefined
    const opened = mine === undefined ? undefined : tab.files.get(mine)!
    switch (act) {
      case 'type':
        if (opened) this.#written(() => this.#typed(tab, opened.live))
        return
      case 'take':
        if (opened)
          this.#written(() =>
            this.#tell(tab.name, 'takes', this.#words.take(random, opened.live)?.text),
          )
        return
      case 'undo':
      case 'redo': {
        if (!opened) return
        const before = opened.live.text.toString()
        opened.undo[act]()
        this.#words.changed(before, opened.live.text.toString())
        this.#tell(tab.name, act, before, '->', opened.live.text.toString())
        return
      }
      case 'open':
        this.#open(tab, file)
        return
      case 'close':
      case 'reopen':
        if (mine === undefined) return
        this.#tell(tab.name, act, mine)
        tab.close(mine)
        if (act === 'reopen') tab.open(mine)
        return
      case 'network':
        device.network.isThere = !device.network.isThere
        this.#tell('network', this.#devices.indexOf(device), device.network.isThere)
        if (!device.network.isThere) for (const each of device.tabs) each.cut()
        return
      case 'cut':
        for (const each of device.tabs) each.cut()
        return
      case 'begin':
        if (device.tabs.length < tabsMax) this.#tab(device)
        return
      case 'end':
      case 'kill':
        this.#over(device, tab, act)
        return
      case 'full':
        device.memory.failure = device.memory.failure === undefined ? 'full' : undefined
        this.#tell('device', this.#devices.indexOf(device), device.memory.failure)
        return
      default:
        this.#filing(act, tab, file)
    }
  }

  #filing(act: Act, tab: Tab, file: string): void {
    const { client } = tab
    this.#tell(tab.name, act, file)
    const done = (): Promise<unknown> => {
      switch (act) {
        case 'make':
          return this.#make(tab)
        case 'rename':
          return client.rename(file, `${this.#words.next()}.md`)
        case 'remove':
          return client.remove(file)
        default:
          return client.restore(file)
      }
    }
    // What is refused, or not done while the program runs, is nobody's loss.
    done().catch((error: unknown) => {
      if (!(error instanceof FourfoldError)) throw error
      this.#tell(tab.name, act, file, error.message)
    })
  }

  async #make({ client, name }: Tab): Promise<void> {
    const text = this.#words.next()
    const { id } = await client.create(`${text}.md`, text)
    this.#tell(name, 'made', id, text)
    this.#files.push(id)
    this.#words.made(text, id, name, this.#now)
  }

  #typed(tab: Tab, live: Parameters<Words['type']>[2]): void {
    const { text } = this.#words.type(this.#random, tab.name, live, this.#now)
    this.#tell(tab.name, 'types', text, 'in', live.id)
  }

  // What is not here yet takes no letters.
  #written(write: () => void): void {
    try {
      write()
    } catch (error) {
      if (!(error instanceof FourfoldError) || error.code !== 'unavailable') throw error
    }
  }

  #tab(device: Device): Tab {
    const name = `tab ${++this.#tabCount}`
    this.#tell(name, 'begins on', this.#devices.indexOf(device))
    const tab = new Tab(name, device.memory, device.network, this.#fleet.addresses)
    device.tabs.push(tab)
    return tab
  }

  #open(tab: Tab, file: string): void {
    this.#tell(tab.name, 'opens', file)
    tab.open(file)
  }

  #over(device: Device, tab: Tab, how: 'end' | 'kill'): void {
    this.#tell(tab.name, how)
    device.tabs.splice(device.tabs.indexOf(tab), 1)
    if (how === 'end' && device.memory.failure === undefined) {
      tab.end()
      return
    }
    void this.#forgive(device, tab)
    if (how === 'end') tab.end()
    else tab.kill()
  }

  /** What is neither on a server nor on its device dies with a program. */
  async #forgive({ memory }: Device, { name }: Tab): Promise<void> {
    const atRisk = this.#words.all.filter(({ tab, isStored }) => tab === name && !isStored)
    const { failure } = memory
    memory.failure = undefined
    const storage = memory.open()
    const kept = atRisk.map(({ file }) => storage.load(file))
    memory.failure = failure
    for (const [index, word] of atRisk.entries()) {
      const doc = new Y.Doc()
      for (const update of (await kept[index]!).updates) Y.applyUpdate(doc, update)
      word.isLost = !doc.getText(textRoot).toString().includes(word.text)
      if (word.isLost) this.#tell(word.text, 'dies with', name)
    }
  }

  /** What programs say of their words is held against them. */
  #look(): void {
    for (const tab of this.#devices.flatMap(({ tabs }) => tabs)) {
      const own = this.#words.all.filter((word) => word.tab === tab.name)
      const { save } = tab.client
      const isSaved = save.name === 'saved' && save.servers.length > 0
      for (const word of own) {
        const receipt = tab.files.get(word.file)?.live.receipt()
        const isCalm = word.at < this.#now - calmMs
        if ((isSaved && isCalm) || (receipt && receipt.servers.length > 0)) word.isStored = true
      }
    }
  }

  /** Everything is well again. */
  async calm(): Promise<void> {
    this.#tell('calm')
    const fleet = this.#fleet
    for (const id of fleet.ids) {
      if (fleet.isFrozen(id)) fleet.thaw(id)
      else if (!fleet.isRunning(id)) await fleet.start(id)
    }
    for (const device of this.#devices) {
      device.memory.failure = undefined
      device.network.isThere = true
      if (device.tabs.length === 0) this.#tab(device)
      for (const tab of device.tabs) tab.client.retry()
    }
    await fleet.well()
    const clients = this.#devices.flatMap(({ tabs }) => tabs.map(({ client }) => client))
    for (const client of clients) {
      const isSaved = () => client.save.name === 'saved' && client.save.servers.length === 2
      await until(
        isSaved,
        () => `${client.name}: ${JSON.stringify([client.save, client.connection])}`,
      )
    }
  }

  /** All come to have the same, and what they are to have. */
  async check(): Promise<void> {
    this.#tell('check')
    const tabs = this.#devices.flatMap((device) => device.tabs)
    for (const tab of tabs) for (const file of this.#files) tab.open(file)
    let wrong: string[] = []
    // What sessions left may still be on its way.
    await until(
      async () => (wrong = await this.#wrong(tabs)).length === 0,
      () => wrong.join('\n'),
      settleMs,
    )
  }

  async #wrong(tabs: readonly Tab[]): Promise<string[]> {
    const wrong: string[] = []
    const { client } = tabs[0]!
    for (const { id, isDeleted } of client.files) if (isDeleted) await client.restore(id)
    for (const file of this.#files) {
      const [text, other] = [await this.#read('a', file), await this.#read('b', file)]
      wrong.push(...this.#words.wrong(file, text))
      if (other !== text) wrong.push(`${file} on a: ${text}, on b: ${other}`)
      for (const { name, files } of tabs) {
        const seen = files.get(file)!.live.text.toString()
        if (seen !== text) wrong.push(`${file} in ${name}: ${seen}, on a: ${text}`)
      }
    }
    const listed = ({ client }: Tab) =>
      client.files.map(({ id, path, isDeleted }) => `${id} ${path} ${isDeleted}`).toSorted()
    const [first, ...others] = tabs.map((tab) => listed(tab).join('\n'))
    for (const other of others) if (other !== first) wrong.push(`${first}\nand\n${other}`)
    for (const file of this.#files) if (!first!.includes(file)) wrong.push(`${file} is not listed`)
    return wrong
  }

  async #read(server: string, file: string): Promise<string | undefined> {
    const { status, body } = await call(this.#fleet.address(server), 'ReadFile', { file })
    return status === 200 ? (body.text ?? '') : undefined
  }

  end(): void {
    for (const tab of this.#devices.flatMap(({ tabs }) => tabs)) tab.end()
  }
}
