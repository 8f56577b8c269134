// Files that are no text, in two mirrors: byte for byte, both ways, and no version is lost.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { lstatSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { SetClient } from '../../src/cli/set-client.ts'
import { Kind } from '../../src/core/model/wire.ts'
import { MirrorStore } from '../../src/adapters/mirror/store.ts'
import { until } from '../until.ts'
import { fourfold, hashOf, same, stage, tree, type Mirrored } from './mirrors.ts'

type Two = [Mirrored, Mirrored]

/** Larger than what is kept as text, and than what is read at once. */
const large = 12 * 1024 * 1024

test('bytes go both ways as they are, large or small', async (t) => {
  const { mirrors } = await stage(t, 2)
  const [first, second] = mirrors as Two
  for (const each of mirrors) each.start()
  first.shell('mkdir d')
  await same(mirrors)
  const made = new Map<string, Buffer>([
    ['d/picture.png', randomBytes(5000)],
    ['latin.txt', Buffer.from('gr\xfcn', 'latin1')],
    ['zero', Buffer.from('a\0b')],
    ['d/disk.img', randomBytes(large)],
    ['long.log', Buffer.alloc(large, 'line of a log that is long\n')],
  ])
  for (const [path, bytes] of made) writeFileSync(first.path(path), bytes)
  for (const [path, bytes] of made) {
    await until(
      () => readIfAny(second.path(path))?.equals(bytes) ?? false,
      () => `${path} is not there\n${first.said}\n${second.said}`,
    )
  }
  // Changed by the other, by rename, and moved.
  const changed = randomBytes(large + 1)
  writeFileSync(second.path('d/disk.img.new~'), changed)
  renameSync(second.path('d/disk.img.new~'), second.path('d/disk.img'))
  second.shell('mv d/picture.png picture.png && truncate -s 0 zero && printf "\\xff" > zero')
  made.set('d/disk.img', changed)
  made.set('picture.png', made.get('d/picture.png')!)
  made.set('zero', Buffer.from([0xff]))
  made.delete('d/picture.png')
  await until(
    () => readIfAny(first.path('d/disk.img'))?.equals(changed) ?? false,
    () => first.said,
  )
  await same(mirrors)
  for (const each of mirrors) {
    assert.equal(tree(each.directory).size, made.size + 1)
    for (const [name, bytes] of made) {
      assert.ok(readFileSync(each.path(name)).equals(bytes), name)
    }
  }
  second.shell('rm zero')
  assert.equal((await same(mirrors)).has('zero'), false)
})

test('a text that becomes bytes and a text again stays the same file', async (t) => {
  const { mirrors, servers } = await stage(t, 2)
  const [first, second] = mirrors as Two
  const set = new SetClient({ servers })
  t.after(() => set.close())
  const file = async () => {
    const asked = { file: 'notes' }
    return (await set.ask(({ folder }, call) => folder.getFile(asked, call))).file!
  }
  const bring = async () => {
    for (const each of [first, second, first]) {
      const { code, out } = await fourfold(['mirror', each.directory, '--once'], servers)
      assert.equal(code, 0, out)
    }
  }
  writeFileSync(first.path('notes'), 'one\ntwo\n')
  await bring()
  const { id } = await file()
  const bytes = Buffer.from([1, 0, 255])
  writeFileSync(second.path('notes'), bytes)
  await bring()
  assert.deepEqual(readFileSync(first.path('notes')), bytes)
  assert.equal((await file()).kind, Kind.BINARY)
  writeFileSync(first.path('notes'), 'two\nthree\n')
  await bring()
  assert.equal(second.read('notes'), 'two\nthree\n')
  const back = await file()
  assert.deepEqual([back.kind, back.id], [Kind.TEXT, id])
  // Both at once, a text and bytes: two files.
  writeFileSync(first.path('notes'), 'two\nthree\nfour\n')
  writeFileSync(second.path('notes'), bytes)
  await bring()
  const found = tree(second.directory)
  assert.deepEqual(tree(first.directory), found)
  assert.deepEqual(new Set(found.values()), new Set(['two\nthree\nfour\n', hashOf(bytes)]))
})

test('of bytes that two change at once both are kept, and the newest are on the disk', async (t) => {
  const { mirrors, servers } = await stage(t, 2)
  const [first, second] = mirrors as Two
  const bring = (each: Mirrored) => fourfold(['mirror', each.directory, '--once'], servers)
  const versions = [0, 1, 2].map(() => randomBytes(2000))
  writeFileSync(first.path('p.png'), versions[0]!)
  await bring(first)
  await bring(second)
  writeFileSync(first.path('p.png'), versions[1]!)
  writeFileSync(second.path('p.png'), versions[2]!)
  await bring(first)
  await bring(second)
  await bring(first)
  for (const each of mirrors) assert.deepEqual(readFileSync(each.path('p.png')), versions[2])
  const set = new SetClient({ servers })
  t.after(() => set.close())
  const asked = { file: 'p.png' }
  const { file } = await set.ask(({ folder }, call) => folder.getFile(asked, call))
  assert.equal(file?.hasConflict, true)
  const { contents } = await set.ask(({ folder }, call) => folder.listContents(asked, call))
  assert.deepEqual(
    contents.map(({ hash }) => hash),
    versions.toReversed().map(hashOf),
  )
})

test('a file that is being written is read when it is whole', async (t) => {
  const { mirrors, servers } = await stage(t, 2)
  const [first, second] = mirrors as Two
  for (const each of mirrors) each.start()
  await same(mirrors)
  const parts = Array.from({ length: 8 }, () => randomBytes(2 * 1024 * 1024))
  for (const part of parts) {
    writeFileSync(first.path('film.mkv'), part, { flag: 'a' })
    await sleep(100)
  }
  const whole = Buffer.concat(parts)
  await until(
    () => readIfAny(second.path('film.mkv'))?.equals(whole) ?? false,
    () => `${first.said}\n${second.said}`,
  )
  const set = new SetClient({ servers })
  t.after(() => set.close())
  const asked = { file: 'film.mkv' }
  const { contents } = await set.ask(({ folder }, call) => folder.listContents(asked, call))
  assert.equal(contents[0]?.hash, hashOf(whole))
})

test('large files that did not change are not read at a start', async (t) => {
  const { mirrors, servers } = await stage(t, 2)
  writeFileSync(mirrors[0]!.path('disk.img'), randomBytes(large))
  for (const each of mirrors) {
    await fourfold(['mirror', each.directory, '--once'], servers)
  }
  for (const { directory } of mirrors) {
    const store = new MirrorStore(directory)
    const [row] = store.commons()
    store.close()
    const stat = lstatSync(`${directory}/disk.img`, { bigint: true })
    const { size, modifiedNs, changedNs } = row!.stamp!
    assert.deepEqual([size, modifiedNs, changedNs], [large, stat.mtimeNs, stat.ctimeNs])
  }
})

function readIfAny(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
