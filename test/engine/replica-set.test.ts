// The default engine keeps the engine port, on disks in memory and on SQLite.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { MemoryDisk, MemoryStorage } from '../../src/adapters/storage/memory.ts'
import { openSqliteStorage } from '../../src/adapters/storage/sqlite.ts'
import { subjectId, type ReplicaId } from '../../src/core/model/ids.ts'
import { conforms } from './conformance.ts'
import { World, type Disk } from './world.ts'

class DiskInMemory implements Disk {
  #disk = new MemoryDisk()
  flush: () => Promise<void> = () => new Promise((resolve) => setImmediate(resolve))

  open() {
    return Promise.resolve(new MemoryStorage(this.#disk, { flush: () => this.flush() }))
  }

  lose() {
    this.#disk = new MemoryDisk()
    return Promise.resolve()
  }
}

class DiskInSqlite implements Disk {
  readonly #directory: string
  readonly #replica: ReplicaId

  constructor(directory: string, replica: ReplicaId) {
    this.#directory = directory
    this.#replica = replica
  }

  open() {
    const directory = this.#directory
    return openSqliteStorage({ directory, set: 'world', replica: this.#replica }, Date.now)
  }

  lose() {
    return rm(this.#directory, { recursive: true })
  }
}

const root = await mkdtemp(join(tmpdir(), 'fourfold-engine-'))
after(() => rm(root, { recursive: true, force: true }))
let worlds = 0

conforms('replica set in memory', () => Promise.resolve(new World(() => new DiskInMemory())))
conforms('replica set on SQLite', () => {
  const world = ++worlds
  return Promise.resolve(
    new World((name) => new DiskInSqlite(join(root, `${world}-${name}`), name)),
  )
})

test('a failed write ends the engine: nothing is acknowledged after it', async () => {
  const disks = new Map<ReplicaId, DiskInMemory>()
  const world = new World((name) => {
    const disk = new DiskInMemory()
    disks.set(name, disk)
    return disk
  })
  const [first, second] = await world.startAll()
  const subject = subjectId(new Uint8Array(16))
  await first!.append(subject, 'x')
  disks.get('a' as ReplicaId)!.flush = () => Promise.reject(new Error('no space left'))
  await assert.rejects(first!.append(subject, 'y'), /no space left/)
  const answers = first!.events.filter(({ type }) => type === 'appended').length
  assert.equal(answers, 1)
  await second!.holds(subject, ['x'])
  await world.end()
})
