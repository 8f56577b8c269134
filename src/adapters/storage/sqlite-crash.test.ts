// The SQLite store survives kills and full disks: real processes, a real kernel.

import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import type { Origin } from '../../core/model/ids.ts'
import { Random } from '../../../sim/random.ts'
import { onSmallDisk } from '../../../test/small-disk.ts'
import { a, Author, batchOf, note, plan, textOf } from './testing/author.ts'
import { newDirectory, refused, victim, withStore } from './testing/store-folder.ts'

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

test('every batch acknowledged before a SIGKILL is there afterwards', async (t) => {
  const random = new Random('kills')
  const directory = newDirectory()
  const acknowledged = new Map<string, number>()
  let batches = 0
  for (let life = 1; batches < 200; life++) {
    const child = spawn(process.execPath, [victim, 'write', directory, String(life)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    t.after(() => killed(child))
    let left = random.between(10, 70)
    for await (const line of createInterface(child.stdout!)) {
      acknowledged.set(String(life), Number(line))
      batches++
      // What it still says after this was acknowledged too.
      if (--left === 0) child.kill('SIGKILL')
    }
    assert.equal(child.signalCode ?? (await once(child, 'exit'))[1], 'SIGKILL')
    await withStore(directory, (storage) => {
      const text = textOf(storage, note) + textOf(storage, plan)
      const found = new Map<string, number>()
      for (const [mark] of text.matchAll(/<\d+\.\d+>/g)) found.set(mark, (found.get(mark) ?? 0) + 1)
      for (const [name, last] of acknowledged) {
        const origin = `a.${name.padStart(13, '0')}` as Origin
        assert.ok(storage.reader.vector().get(origin)! >= last)
        for (let seq = 1; seq <= last; seq++) {
          assert.equal(found.get(`<${name}.${seq}>`), 1, `${seq} of life ${name}`)
        }
      }
    })
  }
  assert.ok(acknowledged.size > 2, 'it was killed several times')
})

test('on a full disk it stops writing, still answers, and goes on when there is room', async () => {
  const directory = newDirectory()
  const said = onFullDisk('fill', directory)
  // Where nothing may be mounted, files that may not grow are the next best disk.
  if (said === undefined) return outgrown(directory)
  const told = JSON.parse(said)
  assert.deepEqual(told.codes, ['full', 'full'])
  assert.match(told.message, /is full .* make room/)
  assert.ok(told.message.includes(directory), told.message)
  assert.ok(told.acknowledged > 3, `${told.acknowledged} batches`)
  assert.equal(told.readable, told.acknowledged)
  // The batch that failed may have reached the disk; those before did.
  const [whole] = told.reopened
  assert.ok(whole - told.acknowledged === 0 || whole - told.acknowledged === 1, said)
  assert.deepEqual(told.reopened, [whole, whole, whole + 1])
  assert.deepEqual([told.hadReserve, told.keptReserve], [true, false])
})

test('on a full disk nothing is lost that was taken in and stored, and it goes on with room', (t) => {
  const said = onFullDisk('fill', newDirectory(), 'takes')
  if (said === undefined) return t.diagnostic('nothing can be mounted here')
  const told = JSON.parse(said)
  assert.deepEqual(told.codes, ['full', 'full'])
  assert.match(told.message, /is full .* make room/)
  assert.ok(told.acknowledged > 3, `${told.acknowledged} batches`)
  const [whole] = told.reopened
  assert.ok(whole - told.acknowledged === 0 || whole - told.acknowledged === 1, said)
  assert.deepEqual(told.reopened, [whole, whole, whole + 1])
})

test('a store on a disk without a free byte is opened with the room that it keeps', (t) => {
  const said = onFullDisk('brim', newDirectory())
  if (said === undefined) return t.diagnostic('nothing can be mounted here')
  assert.deepEqual(JSON.parse(said), { readable: 1, keptReserve: false })
})

test('a disk that takes no file more is said to be full', (t) => {
  const said = onFullDisk('brim', newDirectory(), 'files', '24m,nr_inodes=40')
  if (said === undefined) return t.diagnostic('nothing can be mounted here')
  assert.match(said, /^"The disk of \S+ is full \(.*\); make room and start again"$/m)
})

/** What the victim says on a small disk of its own; undefined where nothing can be mounted. */
function onFullDisk(role: string, directory: string, life = '', size = '24m'): string | undefined {
  fs.mkdirSync(directory)
  const [command, ...words] = onSmallDisk(size, directory) ?? []
  if (command === undefined) return undefined
  const all = [...words, process.execPath, victim, role, directory, life]
  const { stdout, stderr } = spawnSync(command, all, { encoding: 'utf8' })
  assert.equal(stderr, '')
  return stdout
}

test('when its files may not grow it stops writing, and goes on when they may', () => {
  return outgrown(newDirectory())
})

async function outgrown(directory: string): Promise<void> {
  // 9 MiB: more than the reserve.
  const limited = 'ulimit -f 18432 && exec "$@"'
  const run = ['-c', limited, 'sh', process.execPath, victim, 'outgrow', directory]
  const told = JSON.parse(execFileSync('sh', run, { encoding: 'utf8' }))
  assert.deepEqual(told.codes, ['failed', 'failed'])
  assert.ok(told.message.includes(directory), told.message)
  assert.ok(told.acknowledged > 50, `${told.acknowledged} batches`)
  assert.equal(told.readable, told.acknowledged)
  await withStore(directory, async (storage) => {
    const count = () => textOf(storage, note).length / 100_000
    const whole = count()
    assert.ok(whole - told.acknowledged === 0 || whole - told.acknowledged === 1, `${whole}`)
    const author = new Author(a, () => 'x'.repeat(100_000))
    await storage.write(batchOf({ updates: author.type(note) }))
    assert.equal(count(), whole + 1)
  })
}

test('a directory is used by one process, and free when that is killed', async (t) => {
  const directory = newDirectory()
  const child = spawn(process.execPath, [victim, 'hold', directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => killed(child))
  await once(child.stdout!, 'data')
  await refused(directory, 'in-use', /already in use/)
  await killed(child)
  await withStore(directory, async (storage) => {
    assert.equal(storage.reader.vector().size, 0)
    await refused(directory, 'in-use', /already in use/)
  })
})
