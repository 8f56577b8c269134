// A mirror that is killed at random moments while both sides change, and servers die meanwhile.

import assert from 'node:assert/strict'
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fleet } from '../fleet.ts'
import { same, tree, type Mirrored } from './mirrors.ts'

/** The longest life of a mirror here: it is up after about half a second. */
const lifeMs = 1600

export interface Kills {
  fleet: Fleet
  /** The one that is killed, and one that lives. */
  victim: Mirrored
  other: Mirrored
  rounds: number
  dice: () => number
  told?: (line: string) => void
}

/** Resolves when all is the same again, and all that was written is there once. Else rejects. */
export async function killRounds({
  fleet,
  victim,
  other,
  rounds,
  dice,
  told,
}: Kills): Promise<void> {
  const marks: string[] = []
  const removed = new Set<string>()
  let isOver = false
  const pick = <T>(items: T[]) => items[Math.floor(dice() * items.length)]!
  const changing = async (mirror: Mirrored, name: string) => {
    for (let count = 0; !isOver; count++) {
      change(mirror, `${name}${count};`)
      await sleep(40 + dice() * 120)
    }
  }
  // Names tell what happens to a file: "e" is edited in both ways, "m" is moved and appended to, "t"
  // is deleted some day. A file that is moved and written by rename, unseen in between, is a new one.
  const change = ({ directory }: Mirrored, mark: string) => {
    const found = [...tree(directory)]
    const directories = ['', ...found.flatMap(([path, text]) => (text === null ? [path] : []))]
    const files = found.flatMap(([path, text]) => (text === null ? [] : [path]))
    const some = (kinds: string) =>
      pick(files.filter((path) => kinds.includes(basename(path)[0]!)) as (string | undefined)[])
    const name = mark.slice(0, -1)
    const die = dice()
    try {
      if (die < 0.2) {
        const fresh = join(directory, pick(directories), `${pick(['e', 'm', 't'])} ${name}.md`)
        writeFileSync(fresh, `${mark}\n`, { flag: 'wx' })
        marks.push(mark)
      } else if (die < 0.25) mkdirSync(join(directory, pick(directories), `d ${name}`))
      else if (die < 0.35) {
        const path = some('m')
        if (path === undefined) return
        renameSync(join(directory, path), join(directory, pick(directories), `m ${name}.md`))
      } else if (die < 0.38) {
        const path = some('t')
        if (path === undefined) return
        const text = readFileSync(join(directory, path), 'utf8')
        rmSync(join(directory, path))
        for (const gone of marks) if (text.includes(gone)) removed.add(gone)
      } else if (die < 0.7) {
        const path = some('em')
        if (path === undefined) return
        // In place, as a shell does.
        const file = openSync(join(directory, path), constants.O_WRONLY | constants.O_APPEND)
        writeSync(file, `${mark}\n`)
        closeSync(file)
        marks.push(mark)
      } else {
        const path = some('e')
        if (path === undefined) return
        // By rename, as an editor does.
        const at = join(directory, path)
        writeFileSync(`${at}~`, `${mark}\n${readFileSync(at, 'utf8')}`)
        renameSync(`${at}~`, at)
        marks.push(mark)
      }
    } catch (error) {
      // The mirror was quicker: it moved the file, or replaces it just now.
      if (!/ENOENT|EEXIST|ENOTDIR/.test((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
  const dying = async () => {
    while (!isOver) {
      const id = pick([...fleet.ids])
      await fleet.kill(id)
      await sleep(300 + dice() * 700)
      await fleet.start(id)
      await sleep(1000 + dice() * 1500)
    }
  }
  other.start()
  const busy = [changing(victim, 'v'), changing(other, 'o'), dying()]
  for (let round = 0; round < rounds; round++) {
    victim.start()
    await sleep(dice() * lifeMs)
    await victim.end('SIGKILL')
    if (round % 20 === 19) told?.(`${round + 1} kills, ${marks.length} edits`)
  }
  isOver = true
  await Promise.all(busy)
  await fleet.well()
  victim.start('--accept-deletes')
  const found = await same([victim, other])
  const live = [...found.values()].join('')
  const lost = marks.filter((mark) => !removed.has(mark) && !live.includes(mark))
  const doubled = marks.filter((mark) => !removed.has(mark) && live.split(mark).length > 2)
  told?.(`${rounds} kills, ${marks.length} edits, ${found.size} files and directories`)
  for (const mark of doubled) {
    const paths = [...found].flatMap(([path, text]) => (text?.includes(mark) ? [path] : []))
    told?.(`${mark} is in ${paths.map((path) => `"${path}"`).join(', ')}`)
  }
  assert.deepEqual({ lost, doubled }, { lost: [], doubled: [] })
}

/** The same for one seed (mulberry32): 0 ≤ x < 1. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
