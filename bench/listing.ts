// Whether listing, opening and searching stay as fast when a folder grows from 100 to 100,000 entries.

import { createClient, type Client as Rpc } from '@connectrpc/connect'
import { createGrpcTransport } from '@connectrpc/connect-node'

import { connect, type Client } from '../src/client/index.ts'
import type { ReplicaId } from '../src/core/model/ids.ts'
import { FolderService } from '../src/core/model/wire.ts'
import { fillStore, freshId, type Planted } from '../test/filled-store.ts'
import { Fleet } from '../test/fleet.ts'
import { untilShown } from '../test/until.ts'
import type { Row, Section } from './report.ts'
import { median, timed } from './statistics.ts'

const sizes = [100, 100_000] as const
const rounds = 15
/** Entries of one directory, where they lie in directories. */
const inDirectory = 1000
/** Bars of issue 3. */
const flatMs = 50
const flatRatio = 2

/** A word that is in one file alone, and a name that one file alone has. */
const rareWord = 'xylophone'
const searches = {
  word: { text: rareWord },
  regex: { text: '^xylo(ph|f)on(e|s) ', isRegex: true },
  unknown: { text: '[x][y]l?o?p?', isRegex: true },
}
/** What reads every text is known to take its time: told, without a bar. */
const isBarred = (name: Measured) => name !== 'unknown' && name !== 'first'
const rareName = 'needle in the haystack.md'

const figures = {
  page: 'ListFiles, the first page of 100 of the top',
  nested: `A session joins, until the first directory of at most ${inDirectory} is whole`,
  screen: 'A session joins, until 100 of the top are there',
  flat: 'A session joins, until 500 of the top are there, or all',
  open: 'A file is opened by its path, until its text is there',
  find: 'FindFiles, by a word of one name',
  word: 'SearchFiles, for a word that is in one file',
  regex: 'SearchFiles, for a regular expression that matches in one file',
  unknown: 'SearchFiles, for an expression without any fixed character: it reads all texts',
  first: 'SearchFiles, the first since the server started: it reads all texts',
}

type Measured = keyof typeof figures

type Times = Record<Measured, number[]>

export async function listing(): Promise<Section> {
  const found = new Map<number, Times>()
  for (const size of sizes) {
    const names = Object.keys(figures) as Measured[]
    const times = Object.fromEntries(names.map((name): [string, number[]] => [name, []])) as Times
    await measure(planted(size, Infinity), (set) => flatRounds(set, times))
    await measure(planted(size, inDirectory), (set) => nestedRounds(set, times))
    found.set(size, times)
  }
  const [few, many] = sizes.map((size) => found.get(size)!)
  return {
    name: 'listing',
    title: 'Listing, opening, searching',
    method:
      `One server with ${sizes[0]} and with ${sizes[1].toLocaleString('en')} entries on its disk, ` +
      `in one directory or in directories of at most ${inDirectory}, each file of two short lines; ` +
      `every figure is the median of ${rounds} rounds (one of searches that read all texts), each ` +
      `joining with a session that shows directories, or by gRPC. The bar is ` +
      `${flatMs} ms at both sizes, or at most ${flatRatio} times as long with the larger one.`,
    rows: (Object.keys(figures) as Measured[]).map((name) => row(name, few![name], many![name])),
  }
}

function row(name: Measured, few: number[], many: number[]): Row {
  const [one, other] = [median(few), median(many)]
  const measured = {
    figure: figures[name],
    measured: `${other.toFixed(1)} ms with ${sizes[1].toLocaleString('en')}`,
    baseline: `${one.toFixed(1)} ms with ${sizes[0]}`,
    ratio: `${(other / one).toFixed(1)}×`,
  }
  if (!isBarred(name)) return { ...measured, bar: '' }
  const bar = `≤ ${flatMs} ms at both, or ≤ ${flatRatio}×`
  const isMet = Math.max(one, other) <= flatMs || other / one <= flatRatio
  return { ...measured, bar, isMet }
}

/** So many entries, the directories among them. */
function planted(size: number, perDirectory: number): Planted[] {
  const all: Planted[] = []
  let parent = ''
  for (let count = 0; count < size; count++) {
    if (perDirectory < Infinity && count % perDirectory === 0) {
      parent = freshId()
      const name = `directory ${String(count / perDirectory).padStart(3, '0')}`
      all.push({ id: parent, name, parent: '' })
      continue
    }
    const isRare = count === size - 1
    const name = isRare ? rareName : `file ${String(count).padStart(6, '0')}.md`
    const text = `Line one of ${count}.\n${isRare ? rareWord : 'Another'} line.\n`
    all.push({ id: freshId(), name, parent, text })
  }
  return all
}

interface Set {
  address: string
  rpc: Rpc<typeof FolderService>
  planted: Planted[]
}

async function measure(entries: Planted[], rounds: (set: Set) => Promise<void>): Promise<void> {
  const fleet = await Fleet.create({ ids: ['a'] })
  try {
    const owner = { directory: fleet.data('a'), set: 'test', replica: 'a' as ReplicaId }
    await fillStore(owner, entries)
    await fleet.start('a')
    await fleet.well()
    const address = fleet.address('a')
    const rpc = createClient(FolderService, createGrpcTransport({ baseUrl: address }))
    await rounds({ address, rpc, planted: entries })
  } finally {
    await fleet.end()
  }
}

// One figure after the other: what a session that ends leaves to be done is no part of another figure.

async function flatRounds(set: Set, times: Times): Promise<void> {
  const { rpc, planted } = set
  const until = (count: number) => (client: Client) => {
    return client.isWhole('') || client.files.length >= Math.min(count, planted.length)
  }
  await repeated(times.page, () => timed(() => rpc.listFiles({ pageSize: 100 })))
  await repeated(times.find, () => timed(() => rpc.findFiles({ words: 'needle', limit: 100 })))
  await repeated(times.screen, (round) => joined(set, round, '', until(100)))
  await repeated(times.flat, (round) => joined(set, round, '', until(500)))
}

async function nestedRounds(set: Set, times: Times): Promise<void> {
  const { planted } = set
  const { id } = planted[0]!
  const names = new Map(planted.map((each) => [each.id, each.name]))
  const last = planted.at(-1)!
  const path = `${names.get(last.parent)}/${last.name}`
  times.first.push(await searched(set, searches.word))
  times.unknown.push(await searched(set, searches.unknown))
  await repeated(times.word, () => searched(set, searches.word))
  await repeated(times.regex, () => searched(set, searches.regex))
  await repeated(times.nested, (round) => joined(set, round, id, (client) => client.isWhole(id)))
  await repeated(times.open, (round) => opened(set, round, path))
}

async function repeated(times: number[], take: (round: number) => Promise<number>): Promise<void> {
  for (let round = 0; round < rounds; round++) times.push(await take(round))
}

/** It is in one file. */
function searched({ rpc }: Set, request: { text: string; isRegex?: boolean }): Promise<number> {
  return timed(async () => {
    let lines = 0
    for await (const { file } of rpc.searchFiles(request)) lines += file ? 1 : 0
    if (lines !== 1) throw new Error(`${lines} lines were found`)
  })
}

/** From nothing until a session sees enough of a directory. */
async function joined(
  { address }: Set,
  round: number,
  directory: string,
  isEnough: (client: Client) => boolean,
): Promise<number> {
  const client = session(address, round)
  try {
    return await timed(() => {
      client.show('', 'open')
      client.show(directory, 'open')
      return untilShown(client, () => isEnough(client))
    })
  } finally {
    client.close()
  }
}

async function opened({ address, rpc }: Set, round: number, path: string): Promise<number> {
  const client = session(address, round)
  await client.joined()
  try {
    return await timed(async () => {
      const { file } = await rpc.getFile({ file: path })
      const live = client.open(file!.id)
      await live.loaded
      if (live.text.length === 0) throw new Error(`${path} is empty`)
    })
  } finally {
    client.close()
  }
}

let sessions = 0

function session(address: string, round: number): Client {
  const name = `reader ${round} ${++sessions}`
  return connect({ servers: [address], name, agent: 'bench', folder: 'shown', hasStandby: false })
}
