// What all servers have lost is not deleted: a mirror that has it keeps it, and gives it to all again.

import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { type Told } from '../blob-requests.ts'
import { call } from '../requests.ts'
import { spoil } from '../spoilt-records.ts'
import { until } from '../until.ts'
import { fourfold, hashOf, same, stage } from './mirrors.ts'

const filesAt = async (address: string): Promise<Told[]> =>
  (await call(address, 'ListFiles', {})).body.files ?? []

test('what all servers lost while a mirror was away is given to them again by it', async (t) => {
  const { fleet, mirrors } = await stage(t, 2, { ids: ['a', 'b'] })
  const [mirror, other] = mirrors as [(typeof mirrors)[0], (typeof mirrors)[0]]
  const [a, b] = [fleet.address('a'), fleet.address('b')]
  mirror.start()
  // Of each kind of loss one is made on the disk, one in the folder.
  mirror.shell("echo 'made on the disk' > disk.md; mkdir inside; echo 'an entry' > inside/place.md")
  await call(a, 'SaveFile', { file: 'folder.md', text: 'made in the folder\n' })
  await call(a, 'SaveFile', { file: 'name.md', text: 'of a name\n' })
  await call(a, 'SaveFile', { file: 'well.md', text: 'not damaged\n' })
  const isHere = (name: string) => readdirSync(mirror.directory).includes(name)
  await until(() => ['folder.md', 'name.md', 'well.md'].every(isHere))
  for (const at of [a, b]) await until(async () => (await filesAt(at)).length === 5)
  await mirror.end('SIGTERM')
  await Promise.all(fleet.ids.map((id) => fleet.stop(id)))
  const spoilt = ['made on the disk', 'made in the folder', 'inside', 'place.md', 'name.md']
  for (const id of fleet.ids) for (const text of spoilt) spoil(fleet, id, text)
  await fleet.startAll()
  await fleet.well()
  mirror.start()
  other.start()
  await until(
    async () => (await filesAt(b)).length === 7,
    () => `${JSON.stringify([...readdirSync(mirror.directory)])} ${mirror.said}`,
    120_000,
  )
  const tree = await same([mirror, other])
  const texts = [...tree].map(([path, text]) => [path.replace(/ \(.*\)/, ' aside'), text])
  assert.deepEqual(Object.fromEntries(texts), {
    'disk aside.md': 'made on the disk\n',
    'disk.md': '',
    'folder aside.md': 'made in the folder\n',
    'folder.md': '',
    inside: null,
    'inside/place.md': 'an entry\n',
    'name.md': 'of a name\n',
    'well.md': 'not damaged\n',
  })
  assert.match(mirror.said, /disk\.md: the servers have lost something of it/)
  assert.match(mirror.said, /name\.md: the servers have lost it/)
  await fleet.same()
})

test('bytes that a set restored from a backup does not know stay where a mirror has them', async (t) => {
  const { fleet, mirrors } = await stage(t, 1, { ids: ['a'] })
  const [mirror] = mirrors as [(typeof mirrors)[0]]
  const bytes = (letter: string) => Buffer.from(`${letter}\0`.repeat(1000))
  const backup = join(fleet.directory, 'backup')
  const isHere = async (letter: string) => {
    const files = await filesAt(fleet.address('a'))
    return files.some(({ path, hash }) => path === 'a.bin' && hash === hashOf(bytes(letter)))
  }
  mirror.start()
  writeFileSync(mirror.path('a.bin'), bytes('1'))
  await until(() => isHere('1'))
  await fleet.stop('a')
  cpSync(fleet.data('a'), backup, { recursive: true })
  await fleet.startAll()
  await fleet.well()
  writeFileSync(mirror.path('a.bin'), bytes('2'))
  await until(() => isHere('2'))
  await same([mirror])
  await fleet.stop('a')
  rmSync(fleet.data('a'), { recursive: true })
  cpSync(backup, fleet.data('a'), { recursive: true })
  await fleet.startAll()
  await fleet.well()
  const all = [hashOf(bytes('1')), hashOf(bytes('2'))]
  await until(
    async () => {
      const files = await filesAt(fleet.address('a'))
      return all.every((each) => files.some(({ hash }) => hash === each))
    },
    () => mirror.said,
    120_000,
  )
  const tree = await same([mirror])
  assert.deepEqual(new Set(tree.values()), new Set(all))
})

test('of damaged notes it is said what to do, and that loses nothing', async (t) => {
  const { mirrors, servers } = await stage(t, 1, { ids: ['a'] })
  const [mirror] = mirrors as [(typeof mirrors)[0]]
  const once = () => fourfold(['mirror', mirror.directory, '--once'], servers)
  mirror.shell('for i in $(seq 20); do seq $i > f$i.md; done')
  assert.equal((await once()).code, 0)
  const notes = mirror.path('.fourfold', 'mirror.sqlite')
  const good = readFileSync(notes)
  // In its header, and in a page that is only read while it works.
  for (const place of [30, 3 * 4096 + 4]) {
    writeFileSync(notes, Buffer.from(good).fill(0xa5, place, place + 8))
    const { code, err } = await once()
    assert.equal(code, 1, err)
    assert.match(
      err,
      /What is noted in \S+\.fourfold is damaged \(.*\): .* move that directory away/,
    )
  }
  renameSync(mirror.path('.fourfold'), `${mirror.directory}.moved`)
  mirror.shell('echo changed meanwhile > f1.md')
  const { code, out } = await once()
  assert.equal(code, 0, out)
  const texts = [...(await same([mirror])).values()]
  assert.equal(texts.length, 21)
  assert.ok(texts.includes('changed meanwhile\n') && texts.includes('1\n'))
})
