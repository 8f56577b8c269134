// What comes into files that were replaced: it is saved soon, and as often as something comes.

import assert from 'node:assert/strict'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { displacedName, MirrorDirectory } from '../../adapters/mirror/directory.ts'
import { hash } from '../../adapters/mirror/look.ts'
import { MirrorStore } from '../../adapters/mirror/store.ts'
import { DisplacedFiles } from './displaced.ts'
import type { Rescued } from './outgoing.ts'

const read = 'one\ntwo\nthree\n'
const now = `${read}by Bob\n`

/** A file that had what a program read, then what Bob typed, and was replaced once more. */
function made(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), 'fourfold-displaced-'))
  t.after(() => rmSync(root, { recursive: true }))
  mkdirSync(join(root, 'in'))
  const store = new MirrorStore(join(root, 'in'))
  t.after(() => store.close())
  const directory = new MirrorDirectory(join(root, 'in'))
  const rescued: Rescued[] = []
  const rescue = (late: Rescued) => void rescued.push(late)
  const files = new DisplacedFiles({ directory, store, host: 'h', rescue })
  const displaced = (text: string) => {
    for (const each of [read, now, text]) {
      store.addEarlier('i', { version: hash(each), text: each, replacedAt: Date.now() })
    }
    const file = displacedName()
    const at = join(root, 'in', file)
    writeFileSync(at, text)
    const { stamp } = directory.stateAt(file)!
    files.add({ file, id: 'i', path: 'a', version: hash(text), stamp, isRemoval: false })
    return at
  }
  const settled = async (isDone: () => boolean) => {
    while (!isDone()) {
      await sleep(Math.max(5, Math.min(100, files.nextAt - performance.now())))
      files.settle({ isLast: false })
    }
  }
  return { files, displaced, rescued, settled }
}

test('what a program writes is a change of what it read, and what it adds later of that', async (t) => {
  const { files, displaced, rescued, settled } = made(t)
  const at = displaced(now)
  writeFileSync(at, `zero\n${read}`)
  await settled(() => rescued.length > 0)
  assert.deepEqual(rescued.pop()!.change, { base: read, text: `zero\n${read}` })
  appendFileSync(at, 'four\n')
  await settled(() => rescued.length > 0)
  const change = { base: `zero\n${read}`, text: `zero\n${read}four\n` }
  assert.deepEqual(rescued.pop()!.change, change)
  await settled(() => files.all.length === 0)
  assert.deepEqual(rescued, [])
})

test('what comes into an emptied one brings back what was in it; that it is empty means nothing', async (t) => {
  const { files, displaced, rescued, settled } = made(t)
  const at = displaced(now)
  truncateSync(at)
  files.settle({ isLast: false })
  const emptied = displaced('')
  writeFileSync(emptied, `zero\n${read}`)
  await settled(() => rescued.length > 0)
  assert.deepEqual(rescued.pop()!.change, { base: '', text: `zero\n${now}` })
  files.settle({ isLast: true })
  assert.deepEqual([files.all, rescued], [[], []])
})
