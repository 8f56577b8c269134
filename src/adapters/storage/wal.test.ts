// A damaged frame in SQLite's log takes all commits after it along: that is told.

import assert from 'node:assert/strict'
import * as fs from 'node:fs'
import { test } from 'node:test'
import { openSqliteStorage } from './sqlite.ts'
import { storeFile } from './sqlite-directory.ts'
import { a, Author, batchOf, note, plan } from './testing/author.ts'
import { newDirectory, withStore, world } from './testing/store-folder.ts'
import { commitsCutOff } from './wal.ts'

const frameBytes = 24 + 4096

/** A store as a kill leaves it, with so many updates in its log, each in a commit and in no journal. */
async function left(count: number): Promise<{ directory: string; wal: Buffer }> {
  const [running, directory] = [newDirectory(), newDirectory()]
  const author = new Author(a)
  await withStore(running, async (storage) => {
    for (let update = 0; update < count; update++) {
      await storage.write(batchOf({ updates: author.type(update % 2 === 0 ? note : plan) }))
    }
    fs.cpSync(running, directory, { recursive: true })
  })
  return { directory, wal: fs.readFileSync(walOf(directory)) }
}

const walOf = (directory: string) => `${storeFile(directory)}-wal`

/** The numbers of the frames that end a commit. */
function endsIn(wal: Buffer): number[] {
  const frames = Array.from({ length: Math.floor((wal.length - 32) / frameBytes) }, (_, at) => at)
  return frames.filter((frame) => wal.readUInt32BE(32 + frame * frameBytes + 4) !== 0)
}

test('whichever frame is damaged, the commits from there on are counted', async () => {
  const { wal } = await left(6)
  assert.equal(commitsCutOff(wal), 0)
  const ends = endsIn(wal)
  assert.ok(ends.length >= 6)
  for (let frame = 0; frame <= ends.at(-1)!; frame++) {
    // A page number, a checksum, a page.
    for (const at of [3, 17, 24 + 4000]) {
      const bytes = Buffer.from(wal)
      bytes[32 + frame * frameBytes + at]! ^= 4
      const lost = ends.filter((end) => end >= frame).length
      assert.equal(commitsCutOff(bytes), lost, `frame ${frame} of ${ends.at(-1)}`)
    }
  }
  for (const at of [0, 9, 17, 30]) {
    const bytes = Buffer.from(wal)
    bytes[at]! ^= 16
    assert.equal(commitsCutOff(bytes), ends.length, `byte ${at} of the header`)
  }
})

test('what a power cut leaves of the last commit, and what an earlier use of the file left, is no damage', async () => {
  const { wal } = await left(4)
  const ends = endsIn(wal)
  const last = 32 + ends.at(-1)! * frameBytes
  assert.equal(commitsCutOff(wal.subarray(0, last)), 0)
  const torn = Buffer.from(wal)
  torn.fill(7, last - frameBytes + 100, last - frameBytes + 600)
  assert.equal(commitsCutOff(torn), 1)
  const older = Buffer.from(wal)
  for (let at = 32 + (ends[1]! + 1) * frameBytes; at < wal.length; at += frameBytes)
    older[at + 8]! ^= 1
  assert.equal(commitsCutOff(older), 0)
  assert.equal(commitsCutOff(new Uint8Array()), 0)
})

test('of commits that were lost behind a damaged frame an operator hears, once', async () => {
  const { directory, wal } = await left(6)
  const ends = endsIn(wal)
  const damaged = Buffer.from(wal)
  damaged[32 + (ends[2]! + 1) * frameBytes + 30]! ^= 1
  fs.writeFileSync(walOf(directory), damaged)
  const said: string[] = []
  for (const time of ['first', 'second']) {
    const storage = await openSqliteStorage({ ...world, directory }, Date.now, (text) =>
      said.push(`${time}: ${text}`),
    )
    assert.ok(storage.reader.vector().get(a)! < 6)
    await storage.close()
  }
  assert.equal(said.length, 1)
  assert.match(said[0]!, /first: .*-wal is damaged: the last \d commits in it are lost here/)
  assert.deepEqual(fs.readFileSync(`${walOf(directory)}.damaged`), damaged)
})
