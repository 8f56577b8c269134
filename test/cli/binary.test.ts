// Files that are no text, at the prompt: there and back byte for byte, also while servers die.

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import {
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  mkdirSync,
} from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { textBytesMax } from '../../src/core/model/limits.ts'
import { Fleet } from '../fleet.ts'
import { startLone, temporaryFolder } from '../lone-server.ts'
import { fourfold, type Ended } from './prompt.ts'

const MiB = 1024 * 1024
const stored = 'stored on 1 of 1 servers: a'

async function stage(t: TestContext) {
  const { address, directory } = await startLone(t)
  const folder = temporaryFolder(t)
  const run = (...words: string[]) => fourfold(words, { servers: address, cwd: folder })
  const put = (path: string, input: string | Buffer) =>
    fourfold(['put', '-', path], { servers: address, input })
  return { folder, run, put, directory }
}

function isGood({ code, err }: Ended, what: string): void {
  assert.deepEqual([code, err], [0, ''], what)
}

const bytesOf = (folder: string, path: string) => readFileSync(join(folder, path))

test('any bytes go there and come back, by file, directory and pipe', async (t) => {
  const { folder, run, put } = await stage(t)
  mkdirSync(join(folder, 'd/e'), { recursive: true })
  const same = randomBytes(3 * MiB)
  const files: { [path: string]: Buffer } = {
    'd/picture.png': Buffer.of(0x89, 0x50, 0xff, 0),
    'd/e/noise': same,
    'd/e/noise again': same,
    'd/zeros.dat': Buffer.from('a\0b'),
    'd/latin.txt': Buffer.from('gr\xfc\xdfe', 'latin1'),
    'd/text.md': Buffer.from('text\n'),
  }
  for (const [path, bytes] of Object.entries(files)) writeFileSync(join(folder, path), bytes)
  // A text that is longer than live text may be.
  writeFileSync(join(folder, 'long.txt'), 'x')
  truncateSync(join(folder, 'long.txt'), textBytesMax + 1)

  const all = await run('put', 'd')
  assert.deepEqual([all.code, all.out, all.err], [0, `6 files, ${stored}\n`, ''])
  assert.equal((await run('put', 'long.txt')).out, `${stored}\n`)
  isGood(await run('get', 'd', 'back'), 'get')
  for (const [path, bytes] of Object.entries(files)) {
    assert.deepEqual(bytesOf(folder, path.replace('d/', 'back/')), bytes, path)
  }
  isGood(await run('get', 'long.txt', 'long.back'), 'get long')
  assert.equal(statSync(join(folder, 'long.back')).size, textBytesMax + 1)
  const { files: listed } = JSON.parse((await run('ls', '-R', 'd', '--json')).out)
  const texts = listed.filter(({ kind }: { kind: string }) => kind === 'text')
  assert.deepEqual(
    texts.map(({ name }: { name: string }) => name),
    ['text.md'],
  )
  assert.deepEqual((await run('cat', 'd/picture.png')).bytes, files['d/picture.png'])
  assert.deepEqual((await run('get', 'd/e/noise', '-')).bytes, files['d/e/noise'])

  const noise = randomBytes(2 * MiB)
  assert.equal((await put('piped', noise)).out, `${stored}\n`)
  assert.deepEqual((await run('cat', 'piped')).bytes, noise)
  const long = Buffer.alloc(textBytesMax + 5, 'ä')
  isGood(await put('piped', long), 'put over')
  assert.deepEqual((await run('cat', 'piped')).bytes, long)
  // Nothing of the way is left.
  const left = readdirSync(folder, { recursive: true }).filter((name) =>
    /\.(tmp|part)$/.test(String(name)),
  )
  assert.deepEqual(left, [])
})

test('get overwrites bytes only when told, and keeps the mode', async (t) => {
  const { folder, run, put } = await stage(t)
  isGood(await put('x', Buffer.of(0xff)), 'put')
  writeFileSync(join(folder, 'x'), 'mine', { mode: 0o640 })
  const refused = await run('get', 'x')
  assert.deepEqual([refused.code, refused.err], [1, 'x is here already; --force overwrites it.\n'])
  assert.equal(bytesOf(folder, 'x').toString(), 'mine')
  isGood(await run('get', 'x', '--force'), 'get --force')
  assert.deepEqual(bytesOf(folder, 'x'), Buffer.of(0xff))
  assert.equal(statSync(join(folder, 'x')).mode & 0o777, 0o640)
})

test('a copy sends nothing, and the bytes lie there once', async (t) => {
  const { run, put, directory } = await stage(t)
  const bytes = randomBytes(1000)
  isGood(await put('a', bytes), 'put')
  isGood(await run('cp', 'a', 'b'), 'cp')
  assert.deepEqual((await run('cat', 'b')).bytes, bytes)
  const blobs = readdirSync(join(directory, 'blobs'), { recursive: true, withFileTypes: true })
  assert.equal(blobs.filter((entry) => entry.isFile()).length, 1)
})

test('a text becomes binary and text again by put', async (t) => {
  const { run, put } = await stage(t)
  isGood(await put('a', 'text'), 'text')
  isGood(await put('a', Buffer.of(0xff)), 'binary')
  assert.deepEqual((await run('cat', 'a')).bytes, Buffer.of(0xff))
  isGood(await put('a', 'text again'), 'text again')
  assert.equal((await run('cat', 'a')).out, 'text again')
})

test('servers die during an upload and a download: both go on elsewhere', async (t) => {
  const fleet = await Fleet.start({ configuration: { diskFreeBytesMin: 0 } })
  t.after(() => fleet.end())
  const folder = temporaryFolder(t)
  const servers = fleet.addresses.join(',')
  const run = (...words: string[]) => fourfold(words, { servers, cwd: folder })
  const bytes = randomBytes(200 * MiB)
  writeFileSync(join(folder, 'film'), bytes)
  const put = run('put', 'film')
  await begun(() => partials(fleet.data('a')).length > 0)
  await fleet.kill('a')
  const { code, out, err } = await put
  assert.equal(code, 0, err)
  assert.match(out, /^stored on [1-3] of 4 servers: [b-d]/)
  const get = run('get', 'film', 'back')
  await begun(() => readdirSync(folder).some((name) => name.endsWith('.part')))
  await fleet.kill('b')
  const got = await get
  assert.equal(got.code, 0, got.err)
  const hash = (path: string) => createHash('sha256').update(bytesOf(folder, path)).digest('hex')
  assert.equal(hash('back'), hash('film'))
})

test('an upload waits for servers that are all gone, and goes on when one is back', async (t) => {
  const fleet = await Fleet.start({ ids: ['a'], configuration: { diskFreeBytesMin: 0 } })
  t.after(() => fleet.end())
  const folder = temporaryFolder(t)
  const bytes = randomBytes(200 * MiB)
  writeFileSync(join(folder, 'film'), bytes)
  const run = (...words: string[]) => fourfold(words, { servers: fleet.address('a'), cwd: folder })
  const put = run('put', 'film')
  await begun(() => partials(fleet.data('a')).length > 0)
  await fleet.kill('a')
  await fleet.start('a')
  const { code, out, err } = await put
  assert.deepEqual([code, out, err], [0, `${stored}\n`, ''])
  isGood(await run('get', 'film', 'back'), 'get')
  assert.ok(bytesOf(folder, 'back').equals(bytes))
})

function partials(data: string): string[] {
  return readdirSync(join(data, 'blobs', 'partial'))
}

async function begun(isSo: () => boolean): Promise<void> {
  const end = performance.now() + 60_000
  while (!isSo()) {
    assert.ok(performance.now() < end, 'it never began')
    await sleep(5)
  }
}
