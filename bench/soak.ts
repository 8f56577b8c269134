// What stays in servers when people have gone: memory, descriptors and handles after many rounds of all
// that people do, against those after the first few (promise.md, C12).

import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { createClient } from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-node'

import { connect, type Client } from '../src/client/index.ts'
import { FolderService } from '../src/gen/fourfold/v1/folder_pb.ts'
import { blobOf, named, patch } from '../test/blob-requests.ts'
import { Fleet } from '../test/fleet.ts'
import { ask, call } from '../test/requests.ts'
import type { Row, Section } from './report.ts'
import { memoryOf, type Memory } from './server-memory.ts'

/** In the first ones pools fill and the runtime compiles. */
const warmRounds = 10
const rounds = 40
const people = 8
const edits = 30
const pictureBytes = 200_000
/** Until what was set off by a round has come to rest. */
const restMs = 3000
/** promise.md: within so much of the start. */
const barRatio = 1.2

interface State extends Memory {
  descriptors: number
}

export async function soak(): Promise<Section> {
  const probe = fileURLToPath(new URL('./memory-probe.ts', import.meta.url))
  const fleet = await Fleet.start({ nodeFlags: ['--expose-gc', '--import', probe] })
  try {
    const keeper = connect({ servers: fleet.addresses, name: 'Keeper', agent: 'bench' })
    await keeper.joined()
    const { id: shared } = await keeper.create('shared.md', 'A text.\n')
    keeper.close()
    const states: State[][] = []
    for (let number = 1; number <= rounds; number++) {
      await round(fleet, shared, number)
      if (number === warmRounds || number === rounds) {
        await sleep(restMs)
        states.push(await Promise.all(fleet.ids.map((id) => stateOf(fleet, id))))
      }
    }
    const [before, after] = states as [State[], State[]]
    return section(before, after)
  } finally {
    await fleet.end()
  }
}

function section(before: State[], after: State[]): Section {
  const row = (figure: string, key: keyof State, unit: string, per: number): Row => {
    const pairs = after.map((state, index) => [state[key], before[index]![key]] as const)
    const [now, then] = pairs.reduce((worst, pair) => {
      return pair[0] / pair[1] > worst[0] / worst[1] ? pair : worst
    })
    const ratio = now / then
    const shown = (value: number) => `${(value / per).toFixed(per > 1 ? 1 : 0)}${unit}`
    return {
      figure,
      measured: shown(now),
      baseline: shown(then),
      ratio: ratio.toFixed(2),
      bar: `≤ ${barRatio.toFixed(2)}`,
      isMet: ratio <= barRatio,
    }
  }
  const mebibyte = 2 ** 20
  return {
    name: 'soak',
    title: 'What people leave behind',
    method:
      `Four servers; in each of ${rounds} rounds ${people} people come, each to another server, open a ` +
      `shared file and one of their own, type ${edits} times in both and take it back, name a ` +
      'version, rename, save, list, watch, upload a picture, put a file by WebDAV, delete all of ' +
      `theirs for good, and go. Memory after garbage collection ${restMs / 1000} s later, of the server ` +
      `that grew most since round ${warmRounds}.`,
    rows: [
      row('heap', 'heapUsed', ' MiB', mebibyte),
      row('resident memory', 'rss', ' MiB', mebibyte),
      row('memory outside of the heap', 'external', ' MiB', mebibyte),
      row('open descriptors', 'descriptors', '', 1),
      row('timers and other handles', 'handles', '', 1),
    ],
  }
}

async function stateOf(fleet: Fleet, id: string): Promise<State> {
  const descriptors = readdirSync(`/proc/${fleet.pid(id)}/fd`).length
  return { ...(await memoryOf(fleet, id)), descriptors }
}

async function round(fleet: Fleet, shared: string, number: number): Promise<void> {
  const clients = Array.from({ length: people }, (_, index) => {
    const servers = fleet.addresses.map((_each, at, all) => all[(at + index) % all.length]!)
    return connect({ servers, name: `Person ${number} ${index}`, agent: 'bench' })
  })
  try {
    await Promise.all(clients.map((client, index) => visit(client, fleet, shared, index)))
  } finally {
    for (const client of clients) client.close()
  }
}

/** All that a person does, at one server; in the end nothing is left of it but that it is gone for good. */
async function visit(client: Client, fleet: Fleet, shared: string, index: number): Promise<void> {
  await client.joined()
  const address = fleet.address(fleet.ids[index % fleet.ids.length]!)
  const own = await client.create(`${client.name}.md`, 'Mine.\n')
  for (const id of [shared, own.id]) await writes(client, id)
  await client.nameVersion(own.id, 'One')
  await client.rename(own.id, `${client.name} again.md`)
  const watch = new AbortController()
  const watched = watches(address, watch.signal)
  await call(address, 'SaveFile', { file: own.id, text: `Saved by ${client.name}.\n` })
  await call(address, 'ReadFile', { file: own.id })
  await call(address, 'ListFiles', {})
  const picture = blobOf(Buffer.alloc(pictureBytes, client.name))
  await patch(address, picture)
  const file = `${client.name}.png`
  const { body } = await call(address, 'SaveBinary', { file, ...named(picture) })
  const note = `${client.name}.txt`
  const path = `${address}/dav/${encodeURIComponent(note)}`
  await ask(path, 'PUT', {}, Buffer.from('By WebDAV.\n'))
  await ask(path, 'GET')
  const { body: noted } = await call(address, 'GetFile', { file: note })
  watch.abort()
  await watched
  const gone = [own.id, body.file.id as string, noted.file.id as string]
  await client.changeSeveral(gone, { name: 'remove' })
  await client.changeSeveral(gone, { name: 'erase' })
}

async function writes(client: Client, id: string): Promise<void> {
  const live = client.open(id)
  await live.loaded
  for (let count = 0; count < edits; count++) live.text.insert(0, 'x')
  await live.stored()
  live.text.delete(0, edits)
  await live.stored()
  live.close()
}

/** Hears of changes until it has enough; over HTTP/1.1, as a browser does. */
async function watches(baseUrl: string, signal: AbortSignal): Promise<void> {
  const transport = createConnectTransport({ baseUrl, httpVersion: '1.1' })
  try {
    for await (const _ of createClient(FolderService, transport).watch({}, { signal })) continue
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
