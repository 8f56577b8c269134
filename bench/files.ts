// A file of a gigabyte goes up to four servers' disks, and comes down.

import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import * as http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'

import { downloadBlob, nameOfFile, uploadBlob } from '../src/adapters/channel/blob-client.ts'
import type { BlobName } from '../src/adapters/storage/blob.ts'
import { Companion } from '../test/companion.ts'
import { Fleet } from '../test/fleet.ts'
import type { BareFilesQuestions } from './bare-files.ts'
import type { Row, Section } from './report.ts'
import { median, timed } from './statistics.ts'

const fileBytes = 1e9
const pieceBytes = 1e6
const servers = 4
const rounds = 3
const part = 0.5
const lookMs = 50
const headers = {}

interface Found {
  bareUp: number[]
  up: number[]
  bareDown: number[]
  down: number[]
  /** How much the memory of the largest server grew. */
  grownBytes: number[]
}

export async function files(): Promise<Section> {
  const directory = mkdtempSync(join(tmpdir(), 'fourfold-bench-'))
  const found: Found = { bareUp: [], up: [], bareDown: [], down: [], grownBytes: [] }
  try {
    for (let round = 0; round < rounds; round++) {
      // Fresh bytes: what a set has already, it does not take again.
      const file = join(directory, `file${round}`)
      await makeFile(file)
      await bareRound(directory, file, found)
      await setRound(directory, file, found)
      rmSync(file)
      const times = [found.bareUp, found.up, found.bareDown, found.down]
      const ms = times.map((all) => all.at(-1)!.toFixed(0))
      console.log(`  up ${ms[0]} ${ms[1]} ms, down ${ms[2]} ${ms[3]} ms`)
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  return section(found)
}

async function makeFile(path: string): Promise<void> {
  const file = await open(path, 'w')
  for (let at = 0; at < fileBytes; at += pieceBytes) await file.write(randomBytes(pieceBytes))
  await file.sync()
  await file.close()
}

async function flushed(path: string): Promise<void> {
  const file = await open(path, 'r+')
  await file.sync()
  await file.close()
}

// ----------------------------------------------------------------------------------- plain HTTP

async function bareRound(directory: string, file: string, found: Found): Promise<void> {
  const target = new URL('./bare-files.ts', import.meta.url)
  const bares = Array.from({ length: servers }, () => new Companion<BareFilesQuestions>(target))
  const back = join(directory, 'bare-back')
  const copies = bares.map((_, index) => join(directory, `bare${index}`))
  try {
    const asked = bares.map((bare, index) => bare.ask('listen', { file: copies[index]! }))
    const addresses = (await Promise.all(asked)).map(({ address }) => address)
    found.bareUp.push(
      await timed(async () => void (await Promise.all(addresses.map((to) => bareUp(to, file))))),
    )
    found.bareDown.push(
      await timed(async () => {
        const [response] = await once(http.get(addresses[0]!), 'response')
        await pipeline(response, createWriteStream(back, { flush: true }))
      }),
    )
  } finally {
    await Promise.all(bares.map((bare) => bare.end()))
    for (const path of [back, ...copies]) rmSync(path, { force: true })
  }
}

async function bareUp(address: string, file: string): Promise<void> {
  const request = http.request(address, { method: 'PUT', headers: { 'content-length': fileBytes } })
  const answered = once(request, 'response')
  await pipeline(createReadStream(file), request)
  const [response] = await answered
  response.resume()
  await once(response, 'end')
}

// -------------------------------------------------------------------------------------- the set

async function setRound(directory: string, file: string, found: Found): Promise<void> {
  const fleet = await Fleet.start({ configuration: { diskFreeBytesMin: 0 } })
  const back = join(directory, 'back')
  const pids = fleet.ids.map((id) => fleet.pid(id))
  const before = pids.map(memoryBytes)
  const line = { address: fleet.address('a'), headers, signal: new AbortController().signal }
  let grown = 0
  const timer = setInterval(() => {
    grown = Math.max(grown, ...pids.map((pid, index) => memoryBytes(pid) - before[index]!))
  }, lookMs)
  try {
    let name: BlobName = { hash: '', size: 0 }
    found.up.push(
      await timed(async () => {
        name = await nameOfFile(file)
        await uploadBlob(line, file, name, () => {})
        while ((await holders(line.address, name)) < servers) await sleep(lookMs)
      }),
    )
    found.down.push(
      await timed(async () => {
        await downloadBlob(line, back, name, () => {})
        await flushed(back)
      }),
    )
    await checkSame(back, name)
  } finally {
    clearInterval(timer)
    await fleet.end()
    rmSync(back, { force: true })
  }
  found.grownBytes.push(grown)
}

async function holders(address: string, { hash, size }: BlobName): Promise<number> {
  const url = `${address}/blobs/${hash}?size=${size}&servers=1`
  const response = await fetch(url, { method: 'HEAD' })
  return (response.headers.get('blob-servers') ?? '').split(', ').filter(Boolean).length
}

function memoryBytes(pid: number): number {
  const [, kilobytes] =
    /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) * 1024
}

async function checkSame(path: string, { hash }: BlobName): Promise<void> {
  const digest = createHash('sha256')
  for await (const chunk of createReadStream(path)) digest.update(chunk as Buffer)
  if (digest.digest('hex') !== hash) throw new Error('other bytes came back')
}

// --------------------------------------------------------------------------------------- report

function section({ bareUp, up, bareDown, down, grownBytes }: Found): Section {
  const rate = (ms: number) => fileBytes / 1e3 / ms
  const row = (figure: string, ours: number[], bare: number[]): Row => {
    // Round by round: what disturbed one disturbed the other.
    const ratio = median(ours.map((ms, round) => bare[round]! / ms))
    return {
      figure,
      measured: `${rate(median(ours)).toFixed(0)} MB/s`,
      baseline: `${rate(median(bare)).toFixed(0)} MB/s`,
      ratio: ratio.toFixed(2),
      bar: `≥ ${part.toFixed(2)}`,
      isMet: ratio >= part,
    }
  }
  return {
    name: 'files',
    title: 'A file of any bytes up and down',
    method:
      `${fileBytes / 1e9} GB of random bytes, median of ${rounds} rounds. Up: until all ` +
      `${servers} servers hold it, verified and flushed, the hash that the client makes first ` +
      'included. Baseline: the same file to four bare HTTP servers at once, each of which puts it ' +
      'into a file and flushes that. Down: from one server into a file, verified and flushed; ' +
      'baseline the same from a bare HTTP server, not verified.',
    rows: [
      row('up, on four disks', up, bareUp),
      row('down', down, bareDown),
      {
        figure: 'most that the memory of a server grew',
        measured: `${(Math.max(...grownBytes) / 2 ** 20).toFixed(0)} MiB`,
        baseline: '',
        ratio: '',
        bar: '',
      },
    ],
  }
}
