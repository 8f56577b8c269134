// Mirrors as processes, the directories they keep, and what is in them.

import { isUtf8 } from 'node:buffer'
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { errorCodeOf } from '../../src/adapters/error-code.ts'
import { MirrorDirectory } from '../../src/adapters/mirror/directory.ts'
import { Ignored } from '../../src/adapters/mirror/ignored.ts'
import type { MirrorStore } from '../../src/adapters/mirror/store.ts'
import { Mirror } from '../../src/cli/mirror/mirror.ts'
import { Report } from '../../src/cli/mirror/report.ts'
import { SetClient } from '../../src/cli/set-client.ts'
import { textBytesMax } from '../../src/core/model/limits.ts'
import { Fleet, type FleetOptions } from '../fleet.ts'
import { program } from '../tool.ts'
import { until } from '../until.ts'

/** All that two sides may take to become the same. */
const sameMs = 120_000

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Runs a command to its end. */
export async function fourfold(
  words: string[],
  servers: string,
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawned(words, servers)
  const said = { out: '', err: '' }
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (said.out += text))
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (said.err += text))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, ...said }
}

function spawned(words: string[], servers: string, runtime = process.execPath): ChildProcess {
  const env = { ...process.env, FOURFOLD_SERVERS: servers }
  const child = spawn(runtime, [program, ...words], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

/** One mirrored directory, and the process that mirrors it, if any. */
export class Mirrored {
  readonly directory: string
  readonly #servers: string
  readonly #words: string[]
  #child: ChildProcess | undefined
  said = ''

  constructor(directory: string, servers: string, words: string[] = []) {
    this.directory = directory
    this.#servers = servers
    this.#words = words
  }

  start(...words: string[]): void {
    this.startBy(process.execPath, ...words)
  }

  /** By another program than this Node. */
  startBy(runtime: string, ...words: string[]): void {
    const all = ['mirror', this.directory, ...this.#words, ...words]
    const child = spawned(all, this.#servers, runtime)
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.said = (this.said + text).slice(-20_000)
      })
    }
    this.#child = child
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const child = this.#child
    if (!child) return null
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal)
      await once(child, 'exit')
    }
    this.#child = undefined
    return child.exitCode
  }

  path(...names: string[]): string {
    return join(this.directory, ...names)
  }

  read(path: string): string {
    return readFileSync(this.path(path), 'utf8')
  }

  /** Runs a shell in the directory. */
  shell(script: string): string {
    // Behind a socket it would read what its user set up for logins, which may take seconds.
    const words = ['--norc', '-c', script]
    return execFileSync('/bin/bash', words, { cwd: this.directory, encoding: 'utf8' })
  }
}

/** In this process, with a store that fails, or tells when. Nothing but its own looks tells it of changes. */
export function mirrorHere(options: {
  root: string
  store: MirrorStore
  servers: string
  told?: (line: string) => void
}): Mirror {
  const { root, store, servers, told = () => {} } = options
  return new Mirror({
    directory: new MirrorDirectory(root),
    store,
    set: new SetClient({ servers }),
    ignored: new Ignored(root),
    report: new Report(root, { isJson: false, write: told }),
    root: '',
    host: 'here',
    acceptsDeletes: false,
    followsTrash: false,
  })
}

/**
 * What is in a directory, without Git's and the mirror's own: path → text, or of what is none its hash;
 * null is a directory.
 */
export function tree(directory: string): Map<string, string | null> {
  const found = new Map<string, string | null>()
  const look = (inside: string) => {
    for (const name of readdirSync(join(directory, inside)).sort()) {
      if (name === '.git' || name.startsWith('.fourfold')) continue
      const path = inside === '' ? name : `${inside}/${name}`
      const stat = lstatSync(join(directory, path), { throwIfNoEntry: false })
      if (stat?.isDirectory()) {
        found.set(path, null)
        look(path)
      } else if (stat?.isFile()) {
        const text = shown(join(directory, path))
        if (text !== undefined) found.set(path, text)
      }
    }
  }
  look('')
  return found
}

/** Undefined: it is being replaced in this moment. */
function shown(path: string): string | undefined {
  const bytes = bytesAt(path)
  if (!bytes) return undefined
  const isText = bytes.length <= textBytesMax && isUtf8(bytes) && !bytes.includes(0)
  return isText ? bytes.toString() : hashOf(bytes)
}

function bytesAt(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** For tests whose servers die, or are named. */
export const four: FleetOptions = { ids: ['a', 'b', 'c', 'd'] }
/** Mirrors at different servers need no more of them, each of which takes half a second to start. */
const two: FleetOptions = { ids: ['a', 'b'] }

/** A set and mirrors of it, all gone when the test ends. */
export async function stage(
  t: TestContext,
  count: number,
  options = two,
): Promise<{ fleet: Fleet; mirrors: Mirrored[]; servers: string; folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'fourfold-mirror-'))
  const fleet = await Fleet.start(options)
  const servers = fleet.addresses.join(',')
  const mirrors = Array.from(
    { length: count },
    (_, index) => new Mirrored(join(folder, `m${index}`), servers),
  )
  for (const { directory } of mirrors) mkdirSync(directory)
  t.after(async () => {
    await Promise.all(mirrors.map((mirror) => mirror.end('SIGKILL')))
    await fleet.end()
    rmSync(folder, { recursive: true, force: true })
  })
  return { fleet, mirrors, servers, folder }
}

/** Resolves when all directories hold the same, and have for a while. */
export async function same(
  mirrors: Mirrored[],
  boundMs = sameMs,
): Promise<Map<string, string | null>> {
  let last = ''
  let sinceAt = 0
  const shown = (mirror: Mirrored) => {
    try {
      return JSON.stringify([...tree(mirror.directory)])
    } catch {
      // It changes while it is read: not the same yet.
      return `${Math.random()}`
    }
  }
  await until(
    () => {
      const trees = mirrors.map(shown)
      const now = performance.now()
      if (trees.some((each) => each !== trees[0]) || trees[0] !== last) sinceAt = now
      last = trees[0]!
      return now - sinceAt >= 1500
    },
    () =>
      mirrors
        .map((each) => `${each.directory}: ${shown(each)}\n${each.said.slice(-3000)}`)
        .join('\n'),
    boundMs,
  )
  return tree(mirrors[0]!.directory)
}
