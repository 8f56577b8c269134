// A mirrored directory on a real disk: what is seen, what is written, and that nothing leads out.

import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  chmodSync,
  linkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathNamesMax } from '../../core/model/limits.ts'
import { DirectoryGoneError, displacedName, MirrorDirectory } from './directory.ts'
import { hash } from './look.ts'
import type { Work } from './store.ts'

function made(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), 'fourfold-directory-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  mkdirSync(join(root, 'in'))
  const directory = new MirrorDirectory(join(root, 'in'))
  const at = (...names: string[]) => join(root, 'in', ...names)
  const look = async () => {
    for (;;) {
      const seen = directory.look({
        remembered: () => undefined,
        isText: () => false,
        isIgnored: () => false,
      })
      if (seen.againInMs === undefined) return seen.items
      await sleep(seen.againInMs)
    }
  }
  const work = (path: string, text: string): Work => {
    const prepared = directory.prepare(path, text)
    assert.ok(prepared)
    return { id: 'i', path, text, version: hash(text), ...prepared }
  }
  return { root, directory, at, look, work }
}

test('G14 a look tells that something was moved past it', async (t) => {
  const { directory, at } = made(t)
  const look = (isIgnored: (path: string) => boolean) =>
    directory.look({ remembered: () => undefined, isText: () => false, isIgnored })
  for (const name of ['a', 'z']) mkdirSync(at(name))
  // In the order in which a look comes to them.
  const [read, unread] = readdirSync(at()).filter((name) => !name.startsWith('.'))
  mkdirSync(at(unread!, 'moved'))
  await sleep(100)
  const whole = look(() => false)
  assert.ok(whole.items.has(`${unread}/moved`))
  assert.equal(whole.isTorn(), false)
  const torn = look((path) => {
    if (path === unread) renameSync(at(unread, 'moved'), at(read!, 'moved'))
    return false
  })
  assert.deepEqual([...torn.items.keys()].sort(), ['a', 'z'])
  assert.equal(torn.isTorn(), true)
  // What moves again in the same tick of the disk's clock would not be seen. A process that was held up
  // looks too late for that: moved once more.
  let isTorn: boolean
  let movedAt: number
  do {
    movedAt = performance.now()
    renameSync(at(read!, 'moved'), at(unread!, 'moved'))
    isTorn = look(() => false).isTorn()
    renameSync(at(unread!, 'moved'), at(read!, 'moved'))
  } while (performance.now() - movedAt > 15)
  assert.equal(isTorn, true)
})

test('files are read, and what is none is named with the reason', async (t) => {
  const { at, look } = made(t)
  mkdirSync(at('d'))
  writeFileSync(at('d', 'ö.md'), '\ufefftext\r\n')
  writeFileSync(at('binary'), Buffer.from([1, 0, 2]))
  writeFileSync(at('latin'), Buffer.from([0x67, 0xfc]))
  symlinkSync('/etc', at('link'))
  const items = await look()
  assert.equal(items.get('d/ö.md')?.version, hash('\ufefftext\r\n'))
  assert.equal(items.get('d')?.kind, 'directory')
  for (const path of ['binary', 'latin']) assert.equal(items.get(path)?.kind, 'binary')
  assert.equal(items.get('binary')?.version, hash(Buffer.from([1, 0, 2])))
  assert.equal(items.get('link')?.kind, 'skipped')
  assert.match(items.get('link')!.why!, /link/)
  assert.equal(items.size, 5)
})

test('a name that is not UTF-8 is named, and not mistaken', async (t) => {
  const { look, at } = made(t)
  writeFileSync(Buffer.concat([Buffer.from(at('')), Buffer.from([0x2f, 0x61, 0xff])]), 'x')
  const [item] = [...(await look()).values()]
  assert.deepEqual([item?.kind, item?.why], ['skipped', 'Its name is not valid Unicode.'])
})

test('what the folder takes is seen, however deep, and what lies deeper is named', async (t) => {
  const { look, at } = made(t)
  const names = Array.from({ length: pathNamesMax + 1 }, () => 'd')
  mkdirSync(at(...names), { recursive: true })
  const items = await look()
  assert.equal(items.get(names.slice(1).join('/'))?.kind, 'directory')
  assert.match(items.get(names.join('/'))!.why!, /deeper than 64 directories/)
  assert.equal(items.size, names.length)
})

test('a file that was just changed is not settled, and neither is an emptied one for longer', (t) => {
  const { directory, at } = made(t)
  const remembered = () => ({
    kind: 'text' as const,
    version: hash('x'),
    identity: '',
    stamp: { size: 1, modifiedNs: 0n, changedNs: 0n },
  })
  let seen: ReturnType<typeof directory.look>
  let beganAt: number
  // Looked at too late by a process that was held up: changed once more.
  do {
    beganAt = performance.now()
    writeFileSync(at('a'), '')
    seen = directory.look({ remembered, isText: () => false, isIgnored: () => false })
  } while (performance.now() - beganAt > 400)
  assert.equal(seen.items.get('a')?.isSettled, false)
  assert.ok(seen.againInMs! > 4500)
})

test('a new empty file waits for what comes into it, but not as long as an emptied one', (t) => {
  const { directory, at } = made(t)
  writeFileSync(at('a'), '')
  const options = { remembered: () => undefined, isText: () => false, isIgnored: () => false }
  assert.ok((directory.look(options).againInMs ?? 0) <= 1000)
})

test('a text takes the place of what was looked at, which is kept, with its rights', async (t) => {
  const { directory, at, look, work } = made(t)
  writeFileSync(at('a'), 'old')
  chmodSync(at('a'), 0o640)
  const item = (await look()).get('a')
  const written = work('a', 'new')
  assert.equal(directory.put(written, item), true)
  assert.equal(readFileSync(at('a'), 'utf8'), 'new')
  assert.equal(statSync(at('a')).mode & 0o777, 0o640)
  assert.equal(directory.identityAt('a'), written.identity)
  assert.equal(String(directory.bytesAt(written.displaced)), 'old')
  assert.deepEqual(readdirSync(at('')).sort(), ['.fourfold', 'a'])
})

test('what is there now and was not looked at is never replaced', async (t) => {
  const { directory, at, look, work } = made(t)
  writeFileSync(at('a'), 'old')
  const item = (await look()).get('a')
  const written = work('a', 'new')
  writeFileSync(at('b'), 'by somebody')
  renameSync(at('b'), at('a'))
  assert.equal(directory.put(written, item), false)
  assert.equal(directory.put(work('a', 'new'), undefined), false)
  assert.equal(directory.takeOut(item!, displacedName()), false)
  assert.equal(directory.move(item!, 'c'), false)
  assert.equal(readFileSync(at('a'), 'utf8'), 'by somebody')
  assert.deepEqual(readdirSync(at('')).sort(), ['.fourfold', 'a'])
})

test('what is taken out can be put back, and its directory removed without it', async (t) => {
  const { directory, at, look } = made(t)
  mkdirSync(at('d'))
  writeFileSync(at('d', 'a'), 'text')
  const item = (await look()).get('d/a')!
  const displaced = displacedName()
  assert.equal(directory.takeOut(item, displaced), true)
  assert.equal(directory.putBack(displaced, 'd/a'), true)
  assert.equal(readFileSync(at('d', 'a'), 'utf8'), 'text')
  assert.equal(directory.removeDirectory('d'), false)
  assert.equal(directory.takeOut(item, displaced), true)
  assert.equal(directory.removeDirectory('d'), true)
  directory.discard(displaced)
  assert.deepEqual(readdirSync(at('.fourfold', 'displaced')), [])
})

test('a move that was cut off between its two steps is finished', async (t) => {
  const { directory, at, look } = made(t)
  writeFileSync(at('a'), 'text')
  linkSync(at('a'), at('b'))
  assert.equal(directory.move((await look()).get('a')!, 'b'), true)
  assert.deepEqual([existsSync(at('a')), readFileSync(at('b'), 'utf8')], [false, 'text'])
})

test('nothing is by a name that no disk takes, and nothing is moved or written there', async (t) => {
  const { directory, at, look } = made(t)
  writeFileSync(at('a'), 'text')
  const name = 'x'.repeat(259)
  assert.equal(directory.identityAt(name), undefined)
  const item = (await look()).get('a')!
  assert.throws(() => directory.move(item, name), { code: 'ENAMETOOLONG' })
  assert.throws(() => directory.prepare(name, 'new'), { code: 'ENAMETOOLONG' })
  assert.equal(readFileSync(at('a'), 'utf8'), 'text')
})

test('a directory that was replaced by a link leads nowhere', async (t) => {
  const { root, directory, at, look, work } = made(t)
  mkdirSync(at('d'))
  mkdirSync(join(root, 'outside'))
  writeFileSync(at('d', 'a'), 'inside')
  writeFileSync(join(root, 'outside', 'a'), 'outside')
  const item = (await look()).get('d/a')!
  const written = work('d/a', 'new')
  renameSync(at('d'), join(root, 'away'))
  symlinkSync(join(root, 'outside'), at('d'))
  assert.equal(directory.put(written, item), false)
  assert.equal(directory.prepare('d/b', 'new'), undefined)
  assert.equal(directory.takeOut(item, displacedName()), false)
  assert.equal(directory.makeDirectory('d/sub'), false)
  assert.equal(directory.text(item), undefined)
  assert.deepEqual(readdirSync(join(root, 'outside')), ['a'])
  assert.equal(readFileSync(join(root, 'outside', 'a'), 'utf8'), 'outside')
  assert.equal((await look()).get('d')?.kind, 'skipped')
})

test('what is meant for a directory does not come into another that has its path since', async (t) => {
  const { directory, at, look } = made(t)
  for (const name of ['a', 'b']) mkdirSync(at(name))
  writeFileSync(at('file'), 'text')
  const items = await look()
  renameSync(at('a'), at('between'))
  renameSync(at('b'), at('a'))
  renameSync(at('between'), at('b'))
  const all = () => {
    const text = directory.prepare('a/text', 'new')
    const bytes = directory.begin('a/bytes')
    const isMade = directory.makeDirectory('a/in')
    const isMoved = directory.move(items.get('file')!, 'a/file')
    bytes?.discard()
    return [text !== undefined, bytes !== undefined, isMade, isMoved]
  }
  assert.deepEqual(all(), [false, false, false, false])
  assert.deepEqual(
    ['a', 'b'].map((name) => readdirSync(at(name))),
    [[], []],
  )
  // The next look tells what it is; and what we do ourselves needs none.
  const b = (await look()).get('b')!
  assert.equal(directory.move((await look()).get('a')!, 'c'), true)
  assert.equal(directory.move(b, 'a'), true)
  assert.deepEqual(all(), [true, true, true, true])
  assert.equal(directory.makeDirectory('a/in/deeper'), true)
})

test('what a life left that ended is swept away, and nothing else', async (t) => {
  const { directory, at, work } = made(t)
  mkdirSync(at('d'))
  writeFileSync(at('d', 'a'), 'text')
  work('d/a', 'new')
  assert.equal(readdirSync(at('d')).length, 2)
  directory.sweep(() => false)
  assert.deepEqual(readdirSync(at('d')), ['a'])
})

test('another directory in its place is not taken for an empty one', (t) => {
  const { root, directory } = made(t)
  renameSync(join(root, 'in'), join(root, 'away'))
  mkdirSync(join(root, 'in'))
  const look = () =>
    directory.look({ remembered: () => undefined, isText: () => false, isIgnored: () => false })
  assert.throws(look, DirectoryGoneError)
})
