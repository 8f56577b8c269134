// Servers that die while a command is at work: nothing is lost, nothing done or told twice.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { connect } from '../../src/client/index.ts'
import { Fleet } from '../fleet.ts'
import { startLone, temporaryFolder } from '../lone-server.ts'
import { answered, call } from '../requests.ts'
import { PartableSet } from '../siege/partition.ts'
import { program } from '../tool.ts'
import { fourfold } from './prompt.ts'

/** A command that goes on; `lines` are those that it has printed. */
function started(t: TestContext, servers: string, ...words: string[]) {
  const env = { ...process.env, FOURFOLD_SERVERS: servers }
  const child = spawn(process.execPath, [program, ...words], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  let said = ''
  let complained = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (complained += chunk))
  const lines = () => said.split('\n').slice(0, -1)
  const until = async (isThere: () => boolean, what: string) => {
    for (let tries = 0; !isThere(); tries++) {
      assert.ok(tries < 6000, `never ${what}: ${said}${complained}`)
      assert.equal(child.exitCode, null, `${said}${complained}`)
      await sleep(10)
    }
  }
  return { child, lines, until, complained: () => complained }
}

/** Each line without its time. */
const told = (lines: string[]) =>
  lines.map((line) => line.replace(/^\d\d:\d\d:\d\d {2}(\w+) +/, '$1 '))

/** Resolves when a watch has begun to tell, or goes on: of files made for that the last one is told. */
async function begun(
  watch: ReturnType<typeof started>,
  put: (path: string) => Promise<unknown>,
  word = 'begin',
): Promise<string> {
  for (let number = 0; ; number++) {
    const last = `${word} ${number}`
    await put(last)
    if (!watch.lines().some((line) => line.includes(word))) continue
    await tells(watch, last)
    return last
  }
}

function tells(watch: ReturnType<typeof started>, path: string): Promise<void> {
  return watch.until(() => watch.lines().some((line) => line.includes(path)), `told of ${path}`)
}

test('watch tells each change once, with what it was before', async (t) => {
  const { address } = await startLone(t)
  const run = (...words: string[]) => fourfold(words, { servers: address })
  const put = (path: string, input = 'x') =>
    fourfold(['put', '-', path], { servers: address, input })
  await run('mkdir', 'inside')
  await run('mkdir', 'outside')
  await put('outside/a.md')
  const watch = started(t, address, 'watch', 'inside')
  const json = started(t, address, 'watch', 'inside', '--json')
  await begun(watch, (path) => put(`inside/${path}`))
  const last = await begun(json, (path) => put(`inside/json ${path}`))
  // What was made for the one is told by the other, too.
  await tells(watch, `json ${last}`)
  const before = watch.lines().length

  await put('outside/b.md')
  await put('inside/new.md')
  await put('inside/new.md', 'changed')
  await put('inside/new.md', 'changed')
  await run('mv', 'inside/new.md', 'inside/\u00e9.md')
  await run('mv', 'outside/a.md', 'inside')
  await run('mv', 'inside/a.md', 'outside/c.md')
  await put('outside/c.md', 'unheard')
  await run('mv', 'inside', 'renamed')
  await run('rm', 'renamed/é.md')
  await run('restore', 'renamed/é.md')
  const { body } = await call(address, 'GetFile', { file: 'renamed/é.md' })
  await run('rm', '-r', 'renamed')
  // Out of the trash, with the directory left there.
  const ada = connect({ servers: [address], name: 'Ada', agent: 'test' })
  t.after(() => ada.close())
  await ada.move(body.file.id, '')
  const expected = [
    'created inside/new.md',
    'changed inside/new.md',
    'renamed inside/é.md (was inside/new.md)',
    'moved inside/a.md (was outside/a.md)',
    'moved outside/c.md (was inside/a.md)',
    'renamed renamed/ (was inside/)',
    'deleted renamed/é.md',
    'created renamed/é.md',
    'deleted renamed/',
    'created é.md',
  ]
  await watch.until(() => watch.lines().length >= before + expected.length, 'told all')
  assert.deepEqual(told(watch.lines().slice(before)), expected)
  await json.until(() => json.lines().at(-1)?.includes('"é.md"') ?? false, 'told all')
  const objects = json.lines().map((line) => JSON.parse(line) as JsonLine)
  assert.deepEqual(
    objects.slice(-10).map(({ event, file, from }) => [event, file.path, from]),
    [
      ['created', 'inside/new.md', null],
      ['changed', 'inside/new.md', null],
      ['renamed', 'inside/é.md', 'inside/new.md'],
      ['moved', 'inside/a.md', 'outside/a.md'],
      ['moved', 'outside/c.md', 'inside/a.md'],
      ['renamed', 'renamed', 'inside'],
      ['deleted', 'renamed/é.md', null],
      ['created', 'renamed/é.md', null],
      ['deleted', 'renamed', null],
      ['created', 'é.md', null],
    ],
  )

  watch.child.kill('SIGINT')
  assert.deepEqual(await once(watch.child, 'exit'), [0, null])
  assert.equal(watch.complained(), '')
})

/** Resolves when a server has so many files and directories: asked without a command's own time. */
async function hasFiles(address: string, count: number): Promise<void> {
  const end = performance.now() + 60_000
  for (;;) {
    const { body } = await call(address, 'ListFiles', { isRecursive: true })
    const { files = [] } = body as { files?: unknown[] }
    if (files.length >= count) return
    assert.ok(performance.now() < end, 'nothing was put')
  }
}

interface JsonLine {
  event: string
  file: { path: string }
  from: string | null
}

test('watch goes on at other servers: nothing is told twice, and nothing is left out', async (t) => {
  const fleet = await Fleet.start()
  t.after(() => fleet.end())
  const [a = '', b = '', c = ''] = fleet.addresses
  const putAt = (at: string, path: string, input: string | Buffer = path) =>
    fourfold(['put', '-', path], { servers: at, input })
  await putAt(c, 'changed.png', Buffer.of(0x89, 0xff))
  await putAt(c, 'kept.png', Buffer.of(0x89, 0xfe))
  for (const path of ['kept.md', 'edited.md', 'named.md', 'gone.md', 'early.md'])
    await putAt(c, path)
  // On its own again and again: the command knows two servers, one of them always dead.
  const watch = started(t, [a, b].join(','), 'watch')
  await begun(watch, (path) => putAt(c, path))
  await putAt(c, 'early.md', 'told while a lives')
  await watch.until(() => told(watch.lines()).includes('changed early.md'), 'told of early.md')
  const before = watch.lines().length

  await fleet.kill('b')
  await fleet.kill('a')
  // Nobody tells.
  await putAt(c, 'edited.md', 'edited meanwhile')
  await putAt(c, 'new.md')
  await putAt(c, 'new.md', 'and changed')
  await putAt(c, 'changed.png', Buffer.of(0x89, 0xff, 0xff))
  await putAt(c, 'passing.md')
  for (const words of [
    ['rm', 'passing.md'],
    ['rm', 'gone.md'],
    ['mkdir', 'd'],
    ['mv', 'named.md', 'd/other.md'],
  ]) {
    assert.equal((await fourfold(words, { servers: c })).code, 0, words.join(' '))
  }
  await fleet.start('b')
  await fleet.well(['b', 'c', 'd'])
  await watch.until(() => told(watch.lines()).some((each) => each.startsWith('moved')), 'caught up')
  await putAt(c, 'last.md')
  await watch.until(() => told(watch.lines()).includes('created last.md'), 'told of last.md')
  // Whoever reaches b while it catches up sees what was there only for a while come and go.
  const all = told(watch.lines().slice(before)).sort()
  const passed = new Set(['created passing.md', 'deleted passing.md', 'changed new.md'])
  assert.deepEqual(
    all.filter((line) => !passed.has(line)),
    [
      'changed changed.png',
      'changed edited.md',
      'created d/',
      'created last.md',
      'created new.md',
      'deleted gone.md',
      'moved d/other.md (was named.md)',
    ],
  )
  assert.equal(new Set(all).size, all.length)
  assert.equal(all.includes('created passing.md'), all.includes('deleted passing.md'))
  assert.match(watch.complained(), /^(No server answers; .* Trying again\.\n)+$/)
})

test('G12 a server that freezes while a directory is put, and one that tells, are left', async (t) => {
  const fleet = await Fleet.start()
  t.after(() => fleet.end())
  const [a = '', b = ''] = fleet.addresses
  const servers = fleet.addresses.join(',')
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'tree'))
  const names = Array.from({ length: 60 }, (_, index) => `f${index}.md`)
  for (const name of names) writeFileSync(join(folder, 'tree', name), name)
  const watch = started(t, servers, 'watch', '--json')
  await begun(watch, (path) => fourfold(['put', '-', path], { servers: b, input: '' }))
  const put = fourfold(['put', 'tree'], { servers, cwd: folder })
  await hasFiles(a, 10)
  fleet.freeze('a')
  const { code, out, err } = await put
  assert.deepEqual([code, err], [0, ''])
  assert.match(out, /^60 files, /)
  const paths = names.map((name) => `tree/${name}`).sort()
  const made = () =>
    watch
      .lines()
      .map((line) => JSON.parse(line) as JsonLine)
      .flatMap(({ event, file }) => (file.path.startsWith('tree/f') ? `${event} ${file.path}` : []))
  await watch.until(() => made().length >= paths.length, 'told all')
  fleet.thaw('a')
  await fleet.well()
  const listed = await fourfold(['find', 'tree/f*'], { servers: a })
  assert.deepEqual(listed.out.split('\n').slice(0, -1).sort(), paths)
  assert.deepEqual(
    made().sort(),
    paths.map((path) => `created ${path}`),
  )
})

test('what two servers did for the same asker, apart from each other, is told once', async (t) => {
  const set = await PartableSet.start(['a', 'b'])
  t.after(() => set.end())
  const { fleet } = set
  const [a = '', b = ''] = fleet.addresses
  const fresh = () => randomBytes(16).toString('base64url')
  // Of all that servers tell each other at once: who asked one that died asks the next the same.
  const asked = (when: string) =>
    [
      ['SaveFile', { file: `${when} made.md`, text: 'x', operation: fresh() }],
      ['MakeDirectory', { path: `${when} d`, operation: fresh() }],
      ['SaveFile', { file: `${when} changed.md`, text: 'x and y', operation: fresh() }],
      ['MoveFile', { file: `${when} moved.md`, path: `${when} named.md`, operation: fresh() }],
      ['DeleteFile', { file: `${when} gone.md`, operation: fresh() }],
    ] as const
  const expected = (when: string) => [
    `created ${when} made.md`,
    `created ${when} d/`,
    `changed ${when} changed.md`,
    `renamed ${when} named.md (was ${when} moved.md)`,
    `deleted ${when} gone.md`,
  ]
  const all = [...asked('early'), ...asked('late')]
  for (const when of ['early', 'late'])
    for (const what of ['changed', 'moved', 'gone'])
      await answered(a, 'SaveFile', { file: `${when} ${what}.md`, text: 'x', operation: fresh() })
  const watch = started(t, fleet.addresses.join(','), 'watch')
  await begun(watch, (path) => fourfold(['put', '-', path], { servers: a, input: '' }))
  const before = watch.lines().length
  set.part(['a'], ['b'])
  for (const [method, request] of all) await answered(a, method, request)
  await tells(watch, 'late gone.md')
  for (const [method, request] of all.slice(0, 5)) await answered(b, method, request)
  await fleet.kill('a')
  await begun(watch, (path) => fourfold(['put', '-', path], { servers: b, input: '' }), 'tried')
  for (const [method, request] of all.slice(5)) await answered(b, method, request)
  await fleet.start('a')
  set.heal()
  await fleet.well()
  await fourfold(['put', '-', 'last.md'], { servers: b, input: '' })
  await tells(watch, 'last.md')
  const lines = told(watch.lines().slice(before)).filter((line) => !line.includes('tried '))
  assert.deepEqual(lines, [...expected('early'), ...expected('late'), 'created last.md'])
})

test('a server killed while a directory is put: every file is there once, on all that live', async (t) => {
  const fleet = await Fleet.start()
  t.after(() => fleet.end())
  const servers = fleet.addresses.join(',')
  const folder = temporaryFolder(t)
  const paths = Array.from({ length: 200 }, (_, index) => `tree/d${index % 7}/f${index}.md`)
  for (const path of paths) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), `text of ${path}\n`)
  }
  // The server that the command begins with dies as soon as it has taken some.
  const put = fourfold(['put', 'tree'], { servers, cwd: folder })
  const [first = '', second = ''] = fleet.addresses
  await hasFiles(first, 20)
  await fleet.kill('a')
  const { code, out, err } = await put
  assert.deepEqual([code, err], [0, ''])
  assert.match(out, /^200 files, (each )?stored on [1-3] of 4 servers/)

  const isThere = async (at: string) => {
    const listed = await fourfold(['find', '*.md'], { servers: at })
    assert.deepEqual(listed.out.split('\n').slice(0, -1).sort(), [...paths].sort())
    const dirs = await fourfold(['ls', 'tree'], { servers: at })
    assert.equal(dirs.out, 'd0/\nd1/\nd2/\nd3/\nd4/\nd5/\nd6/\n')
    const lines = await fourfold(['grep', 'text of'], { servers: at })
    assert.deepEqual(
      lines.out.split('\n').slice(0, -1).sort(),
      paths.map((path) => `${path}:1: text of ${path}`).sort(),
    )
  }
  await isThere(second)
  // What the dead server had taken and not passed on is the same, and not a second time there.
  await fleet.start('a')
  await fleet.well()
  await isThere(second)
  await isThere(first)
})

test('a server that answers late is waited for, where no other answers', async (t) => {
  const fleet = await Fleet.start({ ids: ['a'] })
  t.after(() => fleet.end())
  const [address = ''] = fleet.addresses
  await fourfold(['put', '-', 'x.md'], { servers: address, input: 'x' })
  fleet.freeze('a')
  const cat = fourfold(['cat', 'x.md'], { servers: `http://127.0.0.1:1,${address}` })
  // Longer than a living server is given at first.
  await sleep(2000)
  fleet.thaw('a')
  assert.deepEqual(await cat.then(({ code, out, err }) => [code, out, err]), [0, 'x', ''])
})
