// A tree of 10,000 files comes into an empty set, and a change goes from one mirror to another.

import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { Fleet } from '../test/fleet.ts'
import { Mirrored, same } from '../test/mirror/mirrors.ts'
import { seeded } from '../test/mirror/kills.ts'
import { program } from '../test/tool.ts'
import type { Row, Section } from './report.ts'
import { median, quantile, timed } from './statistics.ts'

/** A smaller tree, of as large files, for a look in between: BENCH_FILES=1500. */
const files = Number(process.env['BENCH_FILES'] ?? 10_000)
const directories = Math.ceil(files / 40)
const treeBytes = files * 20_000
/** Every so many files one is no text. */
const binaryEvery = 10
const servers = 4
/** So many, but none that begins after this: all of it takes less than eight minutes. */
const roundsMax = 3
const roundsMs = 240_000
const timesMax = 3
const memoryMax = 300e6
const againMsMax = 2000
const changes = 60
const changeMsMax = 500
const changeGiveUpMs = 20_000
const lookMs = 20

interface Found {
  rsync: number[]
  mirror: number[]
  again: number[]
  clientBytes: number[]
  serverBytes: number[]
  changeMs: number[]
}

export async function mirror(): Promise<Section> {
  const none: Found = {
    rsync: [],
    mirror: [],
    again: [],
    clientBytes: [],
    serverBytes: [],
    changeMs: [],
  }
  const directory = mkdtempSync(join(tmpdir(), 'fourfold-bench-'))
  try {
    if (spawnSync('rsync', ['--version']).error) {
      throw new Error('There is no rsync here to compare with: apt-get install rsync')
    }
    const endAt = performance.now() + roundsMs
    for (let round = 0; round < roundsMax && performance.now() < endAt; round++) {
      const source = join(directory, `tree${round}`)
      makeTree(source, round)
      await rsyncRound(directory, source, none)
      await mirrorRound(source, none)
      rmSync(source, { recursive: true })
      const times = [none.rsync, none.mirror, none.again]
      const [bare, ours, again] = times.map((all) => all.at(-1)!.toFixed(0))
      const [client, server] = [none.clientBytes, none.serverBytes].map((all) => all.at(-1)! / 1e6)
      console.log(
        `  rsync ${bare} ms, mirror ${ours} ms, again ${again} ms; ` +
          `client ${client!.toFixed(0)} MB, server ${server!.toFixed(0)} MB`,
      )
    }
    await changeRound(directory, none)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  return section(none)
}

/** Files of very different sizes: half of them have a twentieth of the bytes. */
function makeTree(source: string, round: number): void {
  const dice = seeded(round + 1)
  const weights = Array.from({ length: files }, () => Math.exp(4 * dice()))
  const all = weights.reduce((sum, weight) => sum + weight, 0)
  const words = Array.from({ length: 2000 }, () => randomBytes(2 + dice() * 6).toString('hex'))
  weights.forEach((weight, index) => {
    const inside = join(source, `d${index % 10}`, `d${index % directories}`)
    mkdirSync(inside, { recursive: true })
    const size = Math.round((weight / all) * treeBytes)
    const isBinary = index % binaryEvery === 0
    const name = join(inside, `${index}${isBinary ? '.png' : '.md'}`)
    writeFileSync(name, isBinary ? randomBytes(size) : textOf(size, words, dice))
  })
  spawnSync('sync')
}

function textOf(size: number, words: string[], dice: () => number): string {
  let text = ''
  while (text.length < size) {
    for (let count = 0; count < 10; count++) text += `${words[Math.floor(dice() * words.length)]!} `
    text += '\n'
  }
  return text.slice(0, size)
}

// --------------------------------------------------------------------------------------- rsync

async function rsyncRound(directory: string, source: string, found: Found): Promise<void> {
  const targets = Array.from({ length: servers }, (_, index) => join(directory, `copy${index}`))
  found.rsync.push(
    await timed(async () => {
      await Promise.all(targets.map((to) => ended('rsync', ['-a', '--fsync', `${source}/`, to])))
    }),
  )
  for (const each of targets) rmSync(each, { recursive: true })
}

async function ended(command: string, words: string[]): Promise<void> {
  const child = spawn(command, words, { stdio: 'inherit' })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`${command} ended with ${code}`)
}

// -------------------------------------------------------------------------------------- the set

async function mirrorRound(source: string, found: Found): Promise<void> {
  const fleet = await Fleet.start({ configuration: { diskFreeBytesMin: 0 } })
  const words = ['mirror', source, '--once', '--servers', fleet.addresses.join(',')]
  try {
    let memory = 0
    found.mirror.push(
      await timed(async () => {
        memory = await runOnce(words)
      }),
    )
    found.again.push(
      await timed(async () => {
        memory = Math.max(memory, await runOnce(words))
      }),
    )
    found.clientBytes.push(memory)
    found.serverBytes.push(Math.max(...fleet.ids.map((id) => peakBytes(fleet.pid(id)))))
  } finally {
    await fleet.end()
  }
}

/** Runs the command to its end; the most memory that it had. */
async function runOnce(words: string[]): Promise<number> {
  const child = spawn(process.execPath, [program, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)))
  let most = 0
  const timer = setInterval(() => (most = Math.max(most, peakBytes(child.pid!))), lookMs)
  const [code] = (await once(child, 'exit')) as [number | null]
  clearInterval(timer)
  if (code !== 0) throw new Error(`the mirror ended with ${code}:\n${said}`)
  return most
}

/** The most that a process ever had in memory; 0 when it is gone. */
function peakBytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
}

// ------------------------------------------------------------------------------- disk to disk

async function changeRound(directory: string, found: Found): Promise<void> {
  const fleet = await Fleet.start({ configuration: { diskFreeBytesMin: 0 } })
  const [first, second] = ['first', 'second'].map((name) => {
    mkdirSync(join(directory, name))
    return new Mirrored(join(directory, name), fleet.addresses.join(','))
  }) as [Mirrored, Mirrored]
  try {
    const names = Array.from({ length: 100 }, (_, index) => `file ${index}.md`)
    for (const name of names) writeFileSync(first.path(name), `${name}\n`.repeat(50))
    for (const each of [first, second]) each.start()
    await same([first, second], changeGiveUpMs * 3)
    for (let count = 0; count < changes; count++) {
      const name = names[count % names.length]!
      const text = `change ${count}\n${readFileSync(first.path(name), 'utf8')}`
      const startedAt = performance.now()
      writeFlushed(first.path(name), text)
      while (textIfAny(second.path(name)) !== text) {
        if (performance.now() - startedAt > changeGiveUpMs) throw new Error(`${name} did not come`)
        await sleep(2)
      }
      found.changeMs.push(performance.now() - startedAt)
      // So that no change profits from the looks that follow another.
      await sleep(500 + (count % 7) * 100)
    }
  } finally {
    await Promise.all([first.end('SIGTERM'), second.end('SIGTERM')])
    await fleet.end()
  }
}

function writeFlushed(path: string, text: string): void {
  const file = openSync(path, 'w')
  writeFileSync(file, text)
  fsyncSync(file)
  closeSync(file)
}

/** While the mirror replaces it, there is nothing for a moment. */
function textIfAny(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

// --------------------------------------------------------------------------------------- report

function section({ rsync, mirror, again, clientBytes, serverBytes, changeMs }: Found): Section {
  const ratio = median(mirror.map((ms, round) => ms / rsync[round]!))
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
  const memory = (figure: string, all: number[]): Row => {
    const most = Math.max(...all)
    return {
      figure,
      measured: `${(most / 1e6).toFixed(0)} MB`,
      baseline: '',
      ratio: '',
      bar: `≤ ${memoryMax / 1e6} MB`,
      isMet: most <= memoryMax,
    }
  }
  const change = median(changeMs)
  return {
    name: 'mirror',
    title: 'A mirror of a large tree, and from disk to disk',
    method:
      `${files.toLocaleString('en')} files with ${treeBytes / 1e6} MB in all, every tenth no text, by ` +
      '`fourfold mirror --once` into an empty set of four; baseline `rsync -a --fsync` of the same ' +
      `tree to four local directories at once. Median of ${mirror.length} rounds. Again: the same command ` +
      `when nothing has changed, the start of Node included. From disk to disk: ${changes} changes ` +
      'of one file each in a tree of 100, two mirrors running, from before the write until the other ' +
      'disk has it.',
    rows: [
      {
        figure: 'into the set, on four disks',
        measured: seconds(median(mirror)),
        baseline: seconds(median(rsync)),
        ratio: ratio.toFixed(2),
        bar: `≤ ${timesMax.toFixed(2)}`,
        isMet: ratio <= timesMax,
      },
      {
        figure: 'again, nothing changed',
        measured: seconds(median(again)),
        baseline: '',
        ratio: '',
        bar: `≤ ${seconds(againMsMax)}`,
        isMet: median(again) <= againMsMax,
      },
      memory('most memory of the client', clientBytes),
      memory('most memory of a server', serverBytes),
      {
        figure: 'change from disk to disk, median',
        measured: `${change.toFixed(0)} ms`,
        baseline: '',
        ratio: '',
        bar: `≤ ${changeMsMax} ms`,
        isMet: change <= changeMsMax,
      },
      {
        figure: 'change from disk to disk, 90 of 100',
        measured: `${quantile(changeMs, 0.9).toFixed(0)} ms`,
        baseline: '',
        ratio: '',
        bar: '',
      },
    ],
  }
}
