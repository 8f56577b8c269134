// Directories at the prompt: there and back, moved, copied, removed, searched.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { calledFrom } from '../../src/cli/called.ts'
import { startLone, temporaryFolder } from '../lone-server.ts'
import { root } from '../tool.ts'
import { fourfold, oneSentence, type Ended } from './prompt.ts'

/** A server, a directory of this machine, and a way to run commands in it. */
async function stage(t: TestContext) {
  const { address } = await startLone(t)
  const folder = temporaryFolder(t)
  const run = (...words: string[]) => fourfold(words, { servers: address, cwd: folder })
  const put = (path: string, input: string | Buffer) =>
    fourfold(['put', '-', path], { servers: address, input })
  const json = (...words: string[]) => run(...words, '--json')
  return { folder, run, put, json }
}

/** Outside of the clone: in the directory where `run` runs. */
const outside = calledFrom('/', '', join(root, 'bin/fourfold.mjs'))

const stored = 'stored on 1 of 1 servers: a'

function isGood({ code, err }: Ended, what: string): void {
  assert.deepEqual([code, err], [0, ''], what)
}

/** What JSON tells of each that was changed, in few words; the shape is that of the listing. */
function changed({ code, out, err }: Ended): string[] {
  assert.deepEqual([code, err], [0, ''], out)
  return inJson(out)
}

function inJson(out: string): string[] {
  const { files } = JSON.parse(out) as { files: Row[] }
  return files.map(({ id, path, kind, isDeleted, servers, serverCount, ...rest }) => {
    assert.match(id, /^[\w-]{22}$/)
    assert.deepEqual([servers, serverCount], [['a'], 1])
    const others = ['name', 'parent', 'createdBy', 'createdAt', 'changedAt', 'size', 'hash']
    assert.deepEqual(Object.keys(rest), [...others, 'hasConflict'])
    return `${path} ${kind}${isDeleted ? ' in the trash' : ''}`
  })
}

interface Row {
  id: string
  path: string
  kind: string
  isDeleted: boolean
  servers: string[]
  serverCount: number
}

function isRefused({ code, out, err }: Ended, rule: RegExp): void {
  assert.match(err, rule)
  assert.match(err, oneSentence)
  assert.deepEqual([code, out], [1, ''], err)
}

test('a directory goes there and comes back, byte for byte', async (t) => {
  const { folder, run, json } = await stage(t)
  const files: { [path: string]: string } = {
    'notes/a.md': '\ufeffone\r\ntwo',
    'notes/empty.txt': '',
    'notes/plans/größer – 日本語.md': 'three\n',
    'notes/plans/deep/er/x': 'x',
  }
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
  mkdirSync(join(folder, 'notes', 'nothing'))
  const put = await run('put', 'notes')
  assert.deepEqual([put.code, put.out, put.err], [0, `4 files, ${stored}\n`, ''])
  assert.equal(
    (await run('ls', '-R')).out,
    'notes/\nnotes/a.md\nnotes/empty.txt\nnotes/nothing/\nnotes/plans/\nnotes/plans/deep/\n' +
      'notes/plans/deep/er/\nnotes/plans/deep/er/x\nnotes/plans/größer – 日本語.md\n',
  )
  isGood(await run('get', 'notes', 'back'), 'get')
  assert.deepEqual(
    new Set(readdirSync(join(folder, 'back'), { recursive: true, encoding: 'utf8' })),
    new Set(readdirSync(join(folder, 'notes'), { recursive: true, encoding: 'utf8' })),
  )
  for (const [path, content] of Object.entries(files)) {
    assert.equal(readFileSync(join(folder, path.replace('notes', 'back')), 'utf8'), content, path)
  }
  // Into a directory that is there, as with cp.
  // What is told as JSON is what went along, and not what it lies in.
  writeFileSync(join(folder, 'notes', 'bytes'), Buffer.of(0xff))
  assert.deepEqual(changed(await json('put', '-r', 'notes', 'notes')), [
    'notes/notes directory',
    'notes/notes/a.md text',
    'notes/notes/bytes binary',
    'notes/notes/empty.txt text',
    'notes/notes/nothing directory',
    'notes/notes/plans directory',
    'notes/notes/plans/deep directory',
    'notes/notes/plans/deep/er directory',
    'notes/notes/plans/deep/er/x text',
    'notes/notes/plans/größer – 日本語.md text',
  ])
  assert.match((await run('ls', 'notes')).out, /^notes\/$/m)
  isGood(await run('get', '/', 'all'), 'get /')
  assert.equal(readFileSync(join(folder, 'all/notes/notes/plans/deep/er/x'), 'utf8'), 'x')
})

test('what cannot be kept is left out of a directory, each with a line, and refused alone', async (t) => {
  const { folder, run, put } = await stage(t)
  const tree = join(folder, 'tree')
  mkdirSync(join(tree, '.git'), { recursive: true })
  writeFileSync(join(tree, '.git', 'config'), '')
  writeFileSync(join(tree, 'good.md'), 'good')
  writeFileSync(join(tree, 'GOOD.md'), 'another good')
  writeFileSync(join(tree, 'con'), 'a device')
  writeFileSync(Buffer.concat([Buffer.from(join(tree, 'bad')), Buffer.of(0xff)]), 'name')
  symlinkSync('good.md', join(tree, 'link'))
  symlinkSync('.', join(tree, 'round'))
  const { code, out, err } = await run('put', 'tree')
  assert.deepEqual([code, out], [1, `1 file, ${stored}\n`])
  const lines = err.trimEnd().split('\n').sort()
  const expected = [
    /^Left out: tree\/\.git: ".git" belongs to Git\.$/,
    /^Left out: tree\/bad\ufffd: its name is not valid Unicode\.$/,
    /^Left out: tree\/con: "con" is the name of a device on some systems\.$/,
    /^Left out: tree\/good\.md: its name differs from "GOOD\.md" only in case or form\.$/,
    /^Left out: tree\/link: links are not followed\.$/,
    /^Left out: tree\/round: links are not followed\.$/,
  ]
  assert.equal(lines.length, expected.length, err)
  lines.forEach((line, index) => assert.match(line, expected[index]!))
  // Nor is a directory made for what is refused.
  isRefused(await put('some/where/con', ''), /^"con" is the name of a device on some systems\.$/m)
  isRefused(await put(`${'some/'.repeat(64)}x`, ''), /^A path has at most 64 names\.$/m)
  assert.equal((await run('ls')).out, 'tree/\n')
  assert.equal((await run('cat', 'tree/good.md')).out, 'another good')

  isRefused(await run('put', 'tree/link'), /^tree\/link is a link; name the file/)
  // Nobody may ever write into it.
  execFileSync('mkfifo', [join(tree, 'pipe')])
  isRefused(
    await run('put', 'tree/pipe'),
    /^Cannot read tree\/pipe: it is no file and no directory/,
  )
  isRefused(await put('into/', 'x'), /PATH must name a file/)
  // Missing directories are made, but not over a file.
  isGood(await put('new/er/file.md', 'x'), 'put')
  isRefused(await put('new/er/file.md/below', 'x'), /is here already, and is no directory/)
})

test('what no disk can hold is left out by get, with a line, and all else is saved', async (t) => {
  const { folder, run, put } = await stage(t)
  // Of two with one name the second is shown with a number, which makes the longest name too long.
  const long = 'x'.repeat(255)
  await put(`docs/${long}`, 'first')
  isGood(await run('rm', `docs/${long}`), 'rm')
  await put(`docs/${long}`, 'second')
  isGood(await run('restore', `docs/${long}`), 'restore')
  await put('docs/sub/plan.md', 'plan')
  const { code, err } = await run('get', 'docs')
  const line = `Left out: docs/${long} (2): A name has at most 255 bytes.\n`
  assert.deepEqual([code, err], [1, line])
  assert.equal(readFileSync(join(folder, 'docs/sub/plan.md'), 'utf8'), 'plan')
  assert.equal(readFileSync(join(folder, 'docs', long), 'utf8'), 'first')
  isGood(await run('get', `docs/${long} (2)`, 'another'), 'get under another name')
  assert.equal(readFileSync(join(folder, 'another'), 'utf8'), 'second')
  // In the trash it has no number.
  const { out } = await run('rm', `docs/${long} (2)`)
  const [, back] = / restore (\S+)\n$/.exec(out)!
  assert.equal((await run('restore', back!)).out, `restored as docs/${long} (2), ${stored}\n`)
})

test('get overwrites nothing without --force, and writes whole files', async (t) => {
  const { folder, run, put } = await stage(t)
  await put('docs/plan.md', 'theirs')
  const here = join(folder, 'plan.md')
  writeFileSync(here, 'mine')
  chmodSync(here, 0o640)
  isRefused(
    await run('get', 'docs/plan.md'),
    /^plan\.md is here already; --force overwrites it\.$/m,
  )
  assert.equal(readFileSync(here, 'utf8'), 'mine')
  isGood(await run('get', '-f', 'docs/plan.md'), 'forced')
  assert.equal(readFileSync(here, 'utf8'), 'theirs')
  assert.equal(statSync(here).mode & 0o777, 0o640)
  assert.equal((await run('get', 'docs/plan.md', '-')).out, 'theirs')
  isGood(await run('get', 'docs/plan.md', 'new.md'), 'new name')
  mkdirSync(join(folder, 'docs'))
  isRefused(await run('get', 'docs'), /^docs is here already; --force writes into it\.$/m)
  isGood(await run('get', 'docs', '--force'), 'into')
  assert.equal(readFileSync(join(folder, 'docs/plan.md'), 'utf8'), 'theirs')
  // A link in the place of a directory would lead elsewhere.
  mkdirSync(join(folder, 'elsewhere'))
  await put('docs/sub/x.md', 'x')
  symlinkSync('../elsewhere', join(folder, 'docs', 'sub'))
  isRefused(
    await run('get', 'docs', '--force'),
    /^Cannot make docs\/sub: something else is here\.$/m,
  )
  assert.ok(!existsSync(join(folder, 'elsewhere', 'x.md')))
  assert.deepEqual(
    readdirSync(folder, { recursive: true }).filter((name) => String(name).includes('.tmp')),
    [],
  )
})

test('mv, cp, mkdir, rm and restore follow the rules of Unix, and overwrite nothing', async (t) => {
  const { run, put, json } = await stage(t)
  await put('a.md', 'text of a')
  isGood(await run('mkdir', 'x'), 'mkdir')
  isRefused(await run('mkdir', 'x'), /^"x" is here already/)
  isRefused(await run('mkdir', 'no/where'), /^No such directory: no; -p makes it too\.$/m)
  assert.deepEqual(changed(await json('mkdir', '-p', 'x/y')), ['x/y directory'])
  isGood(await run('mkdir', '-p', 'x/y'), 'mkdir -p again')

  assert.equal((await run('mv', 'a.md', 'x')).out, `now x/a.md, ${stored}\n`)
  assert.equal((await run('mv', '/x/a.md', 'x/b.md')).out, `now x/b.md, ${stored}\n`)
  isRefused(await run('mv', 'x', 'x/y'), /cannot lie in itself/)
  isRefused(await run('mv', 'x/b.md', 'no/where'), /^No such directory: no\.$/m)
  isRefused(await run('mv', 'none', 'x'), /^No such file or directory: none\.$/m)

  // To the folder "b.md" and "B.md" are one name, and this one is to be written otherwise.
  assert.equal((await run('mv', 'x/b.md', 'x/B.md')).out, `now x/B.md, ${stored}\n`)
  assert.equal((await run('mv', 'x', 'X')).out, `now X/, ${stored}\n`)
  assert.equal((await run('mv', 'X', 'x')).out, `now x/, ${stored}\n`)
  assert.equal((await run('mv', 'x/B.md', 'x/b.md')).out, `now x/b.md, ${stored}\n`)
  isRefused(await run('mv', 'x', 'x'), /cannot lie in itself/)

  isGood(await run('cp', '-n', 'x/b.md', 'copy.md'), 'cp')
  assert.equal((await run('cat', 'copy.md')).out, 'text of a')
  isRefused(await run('cp', 'x/b.md', 'copy.md'), /^"copy\.md" is here already/)
  isRefused(await run('mv', 'x/b.md', 'copy.md'), /^"copy\.md" is here already/)
  isRefused(await run('cp', 'x', 'z'), /^x\/ is a directory; -r copies it\.$/m)
  isRefused(await run('cp', '-r', 'x', 'x/y'), /cannot be copied into itself/)
  const copied = ['z directory', 'z/b.md text', 'z/y directory']
  assert.deepEqual(changed(await json('cp', '-R', 'x', 'z')), copied)
  assert.equal((await run('ls', '-R', 'z')).out, 'z/b.md\nz/y/\n')

  isRefused(await run('rm', 'z'), /^z\/ is a directory; -r removes it\.$/m)
  isRefused(await run('rm', '/'), /top of the folder/)
  const removed = await run('rm', '-r', 'z')
  assert.equal(removed.out, `in the trash, ${stored}; back with: ${outside} restore z\n`)
  isRefused(await run('cat', 'z/b.md'), /^No such file or directory: z\/b\.md\.$/m)
  assert.match((await run('trash')).out, /^guest {2}.* {2}z\/\n$/)
  const { files } = JSON.parse((await run('trash', '--json')).out) as {
    files: { path: string; kind: string; deletedBy: string; deletedAt: number }[]
  }
  assert.deepEqual(
    files.map(({ path, kind, deletedBy }) => [path, kind, deletedBy]),
    [['z', 'directory', 'guest']],
  )
  assert.ok(Math.abs(Date.now() - files[0]!.deletedAt) < 60_000)
  assert.equal((await run('restore', 'z')).out, `restored as z/, ${stored}\n`)
  assert.equal((await run('cat', 'z/b.md')).out, 'text of a')

  assert.deepEqual(changed(await json('rm', '-Rf', 'z')), ['z directory in the trash'])
  // What lies in the trash with a directory comes out of it by being moved, as `restore` says.
  isRefused(await run('restore', 'z/b.md'), /^It is in the trash with "z": restore that, or move/m)
  assert.equal((await run('mv', 'z/b.md', 'back.md')).out, `now back.md, ${stored}\n`)
  assert.equal((await run('cat', 'back.md')).out, 'text of a')
  isRefused(await run('mv', 'z', 'y'), /^z\/ is in the trash; back with: .+ restore z\.$/m)
  isRefused(await run('mv', 'z/b.md', 'y'), /^No such file or directory: z\/b\.md\.$/m)
  isGood(await run('rm', 'copy.md'), 'rm')
  const erased = await json('trash', '--empty', 'copy.md')
  assert.deepEqual(changed(erased), ['copy.md text in the trash'])
  isRefused(await run('restore', 'copy.md'), /^Not in the trash: copy\.md; node \S+ trash lists/m)
  assert.match((await run('trash')).out, /^guest {2}.* {2}z\/\n$/)
  isRefused(await run('trash', '--empty', 'x'), /^Not in the trash: x; node \S+ trash lists/m)
  assert.equal((await run('trash', '--empty')).out, `deleted for good: z/, ${stored}\n`)
  assert.equal((await run('trash')).out, '')
  assert.equal((await run('trash', '--empty')).out, 'The trash is empty.\n')
  assert.deepEqual(changed(await json('trash', '--empty')), [])
  isRefused(await run('restore', 'z'), /^Not in the trash: z;/m)
  // What was there may be made anew.
  isGood(await run('mkdir', 'z'), 'mkdir')
})

test('several are named at once; what cannot be done is told, and the rest is done', async (t) => {
  const { folder, run, put, json } = await stage(t)
  for (const name of ['a.md', 'b.md', 'c.md']) writeFileSync(join(folder, name), `text of ${name}`)
  isRefused(await run('put', 'a.md', 'b.md', 'c.md'), /^c\.md is a file here: name the directory/)
  const both = await run('put', 'a.md', 'b.md', 'notes/')
  assert.deepEqual([both.code, both.out, both.err], [0, `2 files, ${stored}\n`, ''])
  const some = await run('put', 'c.md', 'none', 'notes')
  assert.deepEqual([some.code, some.out], [1, `${stored}\n`])
  assert.match(some.err, /^Cannot read none: [^\n]+\n$/)
  assert.equal((await run('ls', 'notes')).out, 'a.md\nb.md\nc.md\n')
  assert.equal((await run('cat', 'notes/a.md', 'notes/b.md')).out, 'text of a.mdtext of b.md')

  isGood(await run('mkdir', 'x', 'y'), 'mkdir')
  isRefused(
    await run('mv', 'notes/a.md', 'notes/b.md', 'none'),
    /^none is no directory; name one\.$/m,
  )
  isGood(await run('cp', 'notes/a.md', 'notes/b.md', 'x'), 'cp')
  const moved = await json('mv', 'notes/a.md', 'notes/none', 'notes/b.md', 'y')
  assert.deepEqual([moved.code, moved.err], [1, 'No such file or directory: notes/none.\n'])
  assert.deepEqual(inJson(moved.out), ['y/a.md text', 'y/b.md text'])
  assert.equal((await run('ls', 'x', 'y')).out, 'x/a.md\nx/b.md\ny/a.md\ny/b.md\n')
  isRefused(await run('cat', 'x'), /^x\/ is a directory; to see what is in it: node \S+ ls x\.$/m)
  isRefused(await put('x', 'text'), /^x\/ is a directory; PATH must name a file\.$/m)

  await put('odd name.md', '')
  assert.deepEqual(changed(await json('rm', '-f', 'none')), [])
  const removed = await run('rm', 'x/a.md', 'none', 'odd name.md')
  assert.deepEqual([removed.code, removed.err], [1, 'No such file or directory: none.\n'])
  const back = `${outside} restore x/a.md 'odd name.md'`
  assert.equal(removed.out, `2 entries in the trash, ${stored}; back with: ${back}\n`)
  const restored = changed(await json('restore', 'x/a.md', 'odd name.md'))
  assert.deepEqual(restored, ['x/a.md text', 'odd name.md text'])
  isRefused(await run('get', 'x', 'y', 'here'), /^here is no directory; name one that is there\.$/m)
  mkdirSync(join(folder, 'here'))
  isGood(await run('get', 'x', 'y', 'here'), 'get')
  assert.equal(readFileSync(join(folder, 'here', 'y', 'b.md'), 'utf8'), 'text of b.md')
})

test('ls, find and grep tell where things are', async (t) => {
  const { run, put } = await stage(t)
  await put('specs/Launch.md', 'one\nThe Launch is near\n')
  await put('specs/old/launch-2.txt', 'launch\tpad\u001b[31m\r\n')
  await put('other.md', 'nothing')
  // What is so anyway may be said, as hands do.
  assert.equal((await run('ls', '-a1')).out, 'other.md\nspecs/\n')
  assert.equal((await run('ls', 'specs')).out, 'Launch.md\nold/\n')
  assert.equal((await run('ls', 'specs/launch.MD')).out, 'Launch.md\n')
  await put('größe.md', 'größe\n')
  await put('raw', Buffer.from([0xff, 0xfe]))
  const long = (await run('ls', '-la')).out.split('\n').map((line) => line.split(/ {2,}/))
  assert.deepEqual(
    long.map(([sign, size, who, , path]) => [sign, size, who, path]),
    [
      ['-', '8', 'guest', 'größe.md'],
      ['-', '7', 'guest', 'other.md'],
      ['b', '2', 'guest', 'raw'],
      ['d', '–', 'guest', 'specs/'],
      ['', undefined, undefined, undefined],
    ],
  )
  const before = await run('ls', '-l', 'other.md', '--json')
  await put('other.md', 'nothing more')
  const after = await run('ls', '-l', 'other.md', '--json')
  const [short, grown] = [before, after].map(({ out }) => {
    const { files } = JSON.parse(out) as { files: { size: number; changedAt: number }[] }
    return files[0]!
  })
  assert.deepEqual([short!.size, grown!.size], [7, 12])
  assert.ok(grown!.changedAt > short!.changedAt)
  isGood(await run('rm', 'raw', 'größe.md'), 'rm')
  isRefused(await run('ls', 'none'), /^No such file or directory: none\.$/m)
  const { files } = JSON.parse((await run('ls', '-R', 'specs', '--json')).out) as {
    files: { path: string; kind: string }[]
  }
  assert.deepEqual(
    files.map(({ path, kind }) => `${path} ${kind}`),
    ['specs/Launch.md text', 'specs/old directory', 'specs/old/launch-2.txt text'],
  )

  assert.equal((await run('find', 'LAUNCH')).out, 'specs/Launch.md\nspecs/old/launch-2.txt\n')
  assert.equal((await run('find', '*.md')).out, 'other.md\nspecs/Launch.md\n')
  assert.equal((await run('find', 'specs/*.txt')).out, 'specs/old/launch-2.txt\n')
  assert.equal((await run('find', '*', 'specs/old')).out, 'specs/old/launch-2.txt\n')
  const none = await run('find', 'nowhere')
  assert.deepEqual([none.code, none.out], [0, ''])

  const both =
    'specs/Launch.md:2: The Launch is near\nspecs/old/launch-2.txt:1: launch\tpad\\x1b[31m\n'
  assert.equal((await run('grep', '-rni', 'launch')).out, both)
  assert.equal((await run('grep', '-E', '[lL]aunch\\b')).out, both)
  assert.equal((await run('grep', 'launch', 'specs/old')).out, both.split('\n')[1] + '\n')
  assert.equal((await run('grep', 'near', 'specs/Launch.md')).out, both.split('\n')[0] + '\n')
  const found = (await run('grep', '-i', 'launch', '--json')).out.trimEnd().split('\n')
  const lines = found.map(
    (line) => JSON.parse(line) as { file: { path: string }; line: number; text: string },
  )
  // JSON has its own way to hold what could mislead a terminal.
  const shown = lines.map(({ file, line, text }) => `${file.path}:${line}: ${text}\n`).join('')
  assert.equal(shown, both.replace('\\x1b', '\u001b'))
  const nothing = await run('grep', 'near', 'other.md')
  assert.deepEqual([nothing.code, nothing.out, nothing.err], [1, '', ''])
  const dashes = await run('grep', '--', '--help')
  assert.deepEqual([dashes.code, dashes.out, dashes.err], [1, '', ''])
  isRefused(await run('grep', '-E', '(a'), /no regular expression here/)
  isRefused(await run('grep', 'x', 'none'), /^No such file or directory: none\.$/m)
})
