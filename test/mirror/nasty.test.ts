// What a tester would think of, on the disk of a mirror and in the folder: names, things that are no
// files, times, and disks that are full.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Code } from '@connectrpc/connect'
import { AnswerError, SetClient } from '../../src/cli/set-client.ts'
import { until } from '../until.ts'
import { fourfold, Mirrored, same, stage, tree } from './mirrors.ts'

type Two = [Mirrored, Mirrored]

/** Honest, if unusual. */
const good = [
  '.bashrc',
  'git',
  '%2e%2e',
  '%2e%2e%2fetc',
  '100 % sure (2).txt',
  "it's & more; $HOME `ls` #1.txt",
  '-rf',
  '--accept-deletes',
  '{a,b}',
  '[x]',
  '!important',
  'Füße.txt',
  'Zoe\u0308.txt',
  'файл.txt',
  '漢字.txt',
  'قائمة.txt',
  'می\u200cخواهم.txt',
  '❤\ufe0f.md',
  '👨\u200d👩\u200d👧.md',
  'console.txt',
  'com10.txt',
  'a..b',
  ' leading space',
  '__proto__',
  'constructor',
  'x'.repeat(255),
  'é'.repeat(127),
]

/** A disk like this one takes them, others do not, or people are deceived. */
const bad = [
  'a\\b',
  '..\\x',
  '\\\\server\\share',
  'C:',
  'a:b',
  'file.txt::$DATA',
  '<',
  '>',
  '"',
  'a|b',
  'what?',
  '*',
  '\n',
  'a\tb',
  '\u007f',
  '\u0085',
  '\u2028',
  '\u001b[31m',
  'a.',
  'a ',
  ' ',
  'a...',
  '...',
  'a\u00a0',
  'a\u202etxt.exe',
  '\u200fa',
  'a\u2066b',
  'a\u200bb',
  '\ufeffa',
  'a\u00adb',
  'gi\u200ct',
  '\u2800',
  'CON',
  'con',
  'NUL.txt',
  'nul .txt',
  'COM1',
  'com¹',
  'lpt9',
  'ＣＯＮ',
  'CONIN$',
  'git~1',
  '．ｇｉｔ',
]

/** Not even a disk takes them. */
const impossible = ['..', '.', '/etc/passwd', '../x', 'a/../b', 'x'.repeat(256), 'a\0b']

/** A mirror says nothing of them: they are Git's or its own. */
const unsaid = ['.git', '.GIT', '.fourfold-conflict', '.FourFold']

test('every name on the disk comes to the others, or is named with the rule that it breaks', async (t) => {
  const { mirrors, servers } = await stage(t, 2)
  const [first, second] = mirrors as Two
  const twins = ['Twin', 'TWIN', 'Zoë.txt']
  for (const name of [...good, ...bad, ...twins, ...unsaid]) writeFileSync(first.path(name), name)
  for (const { directory } of [first, second]) {
    const { code, err } = await fourfold(['mirror', directory, '--once'], servers)
    assert.deepEqual([code, err], [0, ''])
  }
  const found = tree(second.directory)
  const expected = new Set([...good, 'TWIN', 'Zoë.txt'])
  // Of names that differ in case or form only one is there; which, follows from their order.
  if (!found.has('Zoë.txt')) expected.delete('Zoë.txt')
  else expected.delete('Zoe\u0308.txt')
  assert.deepEqual(new Set(found.keys()), expected)
  for (const [name, text] of found) assert.equal(text, name)
  const { out } = await fourfold(['mirror', first.directory, '--status', '--json'], servers)
  const { skipped } = JSON.parse(out) as { skipped: { path: string; why: string }[] }
  const named = new Map(skipped.map(({ path, why }) => [path, why]))
  for (const name of [...bad, 'Twin']) assert.match(named.get(name) ?? '', /\.$/, name)
  assert.equal(named.size, bad.length + 2)
  // They are still where they were.
  for (const name of [...bad, ...twins, ...unsaid]) assert.ok(existsSync(first.path(name)), name)
})

test('every name of the folder comes to the disk, or was refused by the folder', async (t) => {
  const { mirrors, servers } = await stage(t, 1)
  const [only] = mirrors as [Mirrored]
  const set = new SetClient({ servers })
  t.after(() => set.close())
  const save = (file: string) =>
    set.ask(({ folder }, call) => folder.saveFile({ file, text: file, isNew: true }, call))
  for (const name of good) await save(name)
  for (const name of [...bad, ...impossible, ...unsaid]) {
    const isRefused = (error: unknown) =>
      error instanceof AnswerError && [Code.InvalidArgument, Code.NotFound].includes(error.code)
    await assert.rejects(save(name), isRefused, name)
  }
  await assert.rejects(save('Zoë.txt'), /is here already/)
  const { code } = await fourfold(['mirror', only.directory, '--once'], servers)
  assert.equal(code, 0)
  assert.deepEqual(tree(only.directory), new Map(good.toSorted(byCode).map((name) => [name, name])))
})

test('a name that a number made longer than disks take is cut here, and only here', async (t) => {
  const { mirrors, servers } = await stage(t, 1, { ids: ['a'] })
  const [only] = mirrors as [Mirrored]
  const set = new SetClient({ servers })
  t.after(() => set.close())
  const once = async () => {
    const { code } = await fourfold(['mirror', only.directory, '--once'], servers)
    assert.equal(code, 0)
  }
  const name = `${'x'.repeat(252)}.md`
  const save = (text: string) =>
    set.ask(({ folder }, call) => folder.saveFile({ file: name, text, isNew: true }, call))
  const { file: older } = await save('older\n')
  await set.ask(({ folder }, call) => folder.deleteFile({ file: older!.id }, call))
  const { file: newer } = await save('newer\n')
  await once()
  await set.ask(({ folder }, call) => folder.restoreFile({ file: older!.id }, call))
  await once()
  const found = new Map([...tree(only.directory)].map(([path, text]) => [text, path]))
  assert.equal(found.get('older\n'), name)
  const cut = found.get('newer\n')!
  assert.match(cut, /^x{241} \([0-9a-f]{8}\)\.md$/)
  appendFileSync(only.path(cut), 'more\n')
  await once()
  const read = await set.ask(({ folder }, call) => folder.readFile({ file: newer!.id }, call))
  assert.deepEqual([read.text, read.file!.path], ['newer\nmore\n', name.replace('.md', ' (2).md')])
})

const byCode = (a: string, b: string) => (a < b ? -1 : 1)

test('times of 1970 and 2100, and a file that is emptied before it is written', async (t) => {
  const { mirrors } = await stage(t, 2)
  const [first, second] = mirrors as Two
  for (const each of mirrors) each.start()
  await same(mirrors)
  const old = (path: string, year: number) =>
    utimesSync(first.path(path), new Date(Date.UTC(year, 0, 1)), new Date(Date.UTC(year, 0, 1)))
  for (const [path, year] of [
    ['past', 1970],
    ['future', 2100],
  ] as const) {
    writeFileSync(first.path(path), 'one\n')
    old(path, year)
  }
  assert.equal((await same(mirrors)).size, 2)
  // Of the same length and time as before: another time of its state tells it.
  for (const [path, year] of [
    ['past', 1970],
    ['future', 2100],
  ] as const) {
    writeFileSync(first.path(path), 'two\n')
    old(path, year)
  }
  const changed = await same(mirrors)
  assert.deepEqual([changed.get('past'), changed.get('future')], ['two\n', 'two\n'])
  let isEmptied = false
  const watching = setInterval(() => {
    // For a moment it is away: what was there is looked at before something takes its place.
    isEmptied ||= statSync(second.path('past'), { throwIfNoEntry: false })?.size === 0
  }, 5)
  t.after(() => clearInterval(watching))
  for (let count = 0; count < 5; count++) {
    truncateSync(first.path('past'))
    await sleep(300)
    writeFileSync(first.path('past'), `two\nand ${count}\n`)
    await sleep(100)
  }
  assert.equal((await same(mirrors)).get('past'), 'two\nand 4\n')
  // `sort notes > notes.md`, with much to sort: it would be taken for empty after 5 s.
  first.shell('(sleep 8; echo sorted) > past')
  assert.equal((await same(mirrors)).get('past'), 'sorted\n')
  assert.equal(isEmptied, false)
})

test('what does not fit on the disk is named, waits, and holds up nothing else', async (t) => {
  const { mirrors, folder } = await stage(t, 2)
  const [small, other] = mirrors as Two
  writeFileSync(other.path('large.bin'), randomBytes(6_000_000))
  writeFileSync(other.path('note.md'), 'fits\n')
  other.start()
  // The system's bound for the length of a file stands for a disk without room for it.
  const limited = join(folder, 'limited')
  const node = `ulimit -f 3000; exec "${process.execPath}" "$@"`
  writeFileSync(limited, `#!/bin/bash\n${node}\n`, { mode: 0o755 })
  small.startBy(limited)
  await until(
    () => /large\.bin is left alone\. The disk takes no file so large/.test(small.said),
    () => small.said,
  )
  await until(
    () => existsSync(small.path('note.md')),
    () => small.said,
  )
  writeFileSync(small.path('back.md'), 'goes on\n')
  await until(
    () => existsSync(other.path('back.md')),
    () => other.said,
  )
  assert.equal(existsSync(small.path('large.bin')), false)
  await small.end('SIGKILL')
  small.start()
  await same(mirrors)
  assert.ok(readFileSync(small.path('large.bin')).equals(readFileSync(other.path('large.bin'))))
  const left = readdirSync(small.directory).filter((name) => name.startsWith('.fourfold-'))
  assert.deepEqual(left, [])
})

test('a disk that is full is waited for', async (t) => {
  const { mirrors, servers } = await stage(t, 1)
  const [other] = mirrors as [Mirrored]
  const disk = mkdtempSync(join(tmpdir(), 'fourfold-disk-'))
  const words = ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk]
  if (spawnSync('mount', words).status !== 0) {
    // Only the administrator makes disks: the test before this one has the same by other means.
    t.diagnostic('no disk of its own could be made')
    rmdirSync(disk)
    return
  }
  const full = new Mirrored(join(disk, 'm'), servers)
  t.after(async () => {
    await full.end('SIGKILL')
    spawnSync('umount', [disk])
    rmdirSync(disk)
  })
  mkdirSync(full.directory)
  full.start()
  const status = full.path('.fourfold', 'status.json')
  await until(
    () => existsSync(status) && readFileSync(status, 'utf8').includes('"same"'),
    () => full.said,
  )
  const filler = join(disk, 'filler')
  spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64k'])
  other.start()
  for (let count = 0; count < 5; count++) {
    writeFileSync(other.path(`text ${count}.md`), `line ${count}\n`.repeat(4000))
    writeFileSync(other.path(`bytes ${count}.bin`), randomBytes(40_000))
  }
  await until(
    () => /The disk is full/.test(full.said),
    () => full.said,
  )
  assert.ok(full.isRunning)
  rmSync(filler)
  assert.equal((await same([full, other], 120_000)).size, 10)
  writeFileSync(full.path('more.md'), 'works again\n')
  assert.equal((await same([full, other])).size, 11)
})
