// A large file goes up while three of four servers are killed: it goes on with the fourth, the others
// catch up when they are back, and the bytes are the same on four disks.

import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Random } from '../../sim/random.ts'
import { Fleet } from '../fleet.ts'
import { program } from '../tool.ts'
import { until } from '../until.ts'

const pieceBytes = 1024 * 1024
/** How long a step may take beyond what the bytes take at a crawl, on a busy machine. */
const patienceMs = 120_000
const crawlBytesPerMs = 2000

export interface UploadReport {
  bytes: number
  /** The one that was left. */
  survivor: string
  /** How much of it the survivor had on its disk when the others were killed. */
  bytesAtKill: number
  /** From the kill to the end of the upload. */
  goneOnMs: number
  /** From the start of the killed ones until all four have it. */
  caughtUpMs: number
  /** The last words of `fourfold put`. */
  said: string
}

/** Rejects when it did not go on, did not arrive, or is not the same everywhere. */
export async function uploadUnderFire(options: {
  bytes: number
  random: Random
  note: (line: string) => void
}): Promise<UploadReport> {
  const { bytes, random, note } = options
  const directory = mkdtempSync(join(tmpdir(), 'fourfold-upload-'))
  const fleet = await Fleet.start({ configuration: { diskFreeBytesMin: 0 } })
  try {
    const path = join(directory, 'film.bin')
    const hash = await write(path, bytes)
    note(`${bytes / 1e6} MB, ${hash.slice(0, 12)}…`)
    return await besieged(fleet, { path, hash, bytes }, random, note)
  } finally {
    await fleet.end()
    rmSync(directory, { recursive: true, force: true })
  }
}

interface LocalFile {
  path: string
  hash: string
  bytes: number
}

async function besieged(
  fleet: Fleet,
  file: LocalFile,
  random: Random,
  note: (line: string) => void,
): Promise<UploadReport> {
  const { bytes } = file
  const stepMs = patienceMs + bytes / crawlBytesPerMs
  // The program uploads to the first that answers: that one is never the one that is left.
  const [first, ...others] = fleet.ids
  const survivor = random.pick(others)
  const victims = [first!, ...others.filter((id) => id !== survivor)]
  const upload = put(fleet, file.path)
  const killAt = Math.floor(bytes * (0.1 + 0.4 * random.next()))
  const isUnderWay = () => {
    if (upload.isOver()) throw new Error(`put ended early: ${upload.said()}`)
    return flushedBytes(fleet, survivor, file) >= killAt
  }
  await until(isUnderWay, 'the upload gets under way', stepMs)
  // A short file would be up before three processes are gone.
  upload.pause()
  const bytesAtKill = flushedBytes(fleet, survivor, file)
  const killedAt = performance.now()
  await Promise.all(victims.map((id) => fleet.kill(id)))
  upload.goOn()
  if (upload.isOver() || isThere(fleet, survivor, file))
    throw new Error('put was done before the servers were killed')
  note(`SIGKILL for ${victims.join(', ')}: ${survivor} has ${bytesAtKill / 1e6} MB on its disk`)
  const said = await upload.ended(stepMs)
  const goneOnMs = performance.now() - killedAt
  note(`put goes on with ${survivor} and ends ${seconds(goneOnMs)} after the kill: ${said}`)
  await checkDisk(fleet, survivor, file)
  const startedAt = performance.now()
  await Promise.all(victims.map((id) => fleet.start(id)))
  for (const id of victims) {
    await until(() => isThere(fleet, id, file), `${id} catches up`, stepMs)
  }
  const caughtUpMs = performance.now() - startedAt
  note(`${victims.join(', ')} started again: all four have it after ${seconds(caughtUpMs)}`)
  for (const id of fleet.ids) await checkDisk(fleet, id, file)
  note('the SHA-256 is right on four disks')
  return { bytes, survivor, bytesAtKill, goneOnMs, caughtUpMs, said }
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`

/** Bytes that nobody had before; their SHA-256. */
async function write(path: string, bytes: number): Promise<string> {
  const hash = createHash('sha256')
  const file = await open(path, 'w')
  try {
    for (let at = 0; at < bytes; at += pieceBytes) {
      const piece = randomBytes(Math.min(pieceBytes, bytes - at))
      hash.update(piece)
      await file.write(piece)
    }
  } finally {
    await file.close()
  }
  return hash.digest('hex')
}

/** `fourfold put`, as a person runs it. */
function put(fleet: Fleet, path: string) {
  const args = [program, 'put', path]
  const env = { ...process.env, FOURFOLD_SERVERS: fleet.addresses.join(',') }
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  const hear = (chunk: Buffer) => (said += chunk.toString())
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  const end = once(child, 'close') as Promise<[number | null]>
  return {
    isOver: () => child.exitCode !== null || child.signalCode !== null,
    said: () => said,
    pause: () => child.kill('SIGSTOP'),
    goOn: () => child.kill('SIGCONT'),
    async ended(boundMs: number): Promise<string> {
      const timer = setTimeout(() => child.kill('SIGKILL'), boundMs)
      const [code] = await end
      clearTimeout(timer)
      if (code !== 0) throw new Error(`put ended with ${code} within ${boundMs} ms: ${said}`)
      return said.trim()
    },
  }
}

/** How much of an upload a server would still have after a crash. */
function flushedBytes(fleet: Fleet, id: string, { hash, bytes }: LocalFile): number {
  const partial = join(fleet.data(id), 'blobs', 'partial', `${hash}-${bytes}`)
  try {
    return Number(readFileSync(`${partial}.synced`, 'utf8'))
  } catch {
    // Not begun, or whole already.
    return 0
  }
}

function placeOf(fleet: Fleet, id: string, { hash }: LocalFile): string {
  return join(fleet.data(id), 'blobs', hash.slice(0, 2), hash.slice(2))
}

function isThere(fleet: Fleet, id: string, file: LocalFile): boolean {
  return statSync(placeOf(fleet, id, file), { throwIfNoEntry: false })?.size === file.bytes
}

async function checkDisk(fleet: Fleet, id: string, file: LocalFile): Promise<void> {
  const hash = createHash('sha256')
  const stream = createReadStream(placeOf(fleet, id, file), { highWaterMark: pieceBytes })
  for await (const chunk of stream) hash.update(chunk as Buffer)
  if (hash.digest('hex') !== file.hash) throw new Error(`${id} holds other bytes`)
}
