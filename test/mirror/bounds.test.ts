// What a mirror leaves alone, what it asks before, and where it does not go.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import * as http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { call } from '../requests.ts'
import { until } from '../until.ts'
import { fourfold, Mirrored, same, stage, tree } from './mirrors.ts'

type Two = [Mirrored, Mirrored]

test('what is no file is left alone, and named with the reason', async (t) => {
  const { mirrors, servers, folder } = await stage(t, 2)
  const [first, second] = mirrors as Two
  writeFileSync(join(folder, 'outside'), 'outside')
  first.shell(`mkfifo pipe; mknod null c 1 3 2>/dev/null
    ln -s ${join(folder, 'outside')} link; ln -s .. up; echo text > text.md; ln text.md twin.md
    echo x > con.txt; echo x > 'a:b'; truncate -s 17G huge.img
    echo x > Case.txt; echo x > case.txt; mkdir .git node; echo x > .git/config
    echo node/ > .fourfoldignore; echo x > node/module.js; echo x > kept~`)
  const { code, out } = await fourfold(['mirror', first.directory, '--once'], servers)
  assert.equal(code, 0, out)
  await fourfold(['mirror', second.directory, '--once'], servers)
  const shared = [...tree(second.directory).keys()]
  assert.deepEqual(shared, ['Case.txt', 'text.md'])
  const named = ['pipe', 'link', 'up', 'twin.md', 'huge.img', 'con.txt', 'a:b']
  for (const name of [...named, 'case.txt']) {
    assert.match(out, new RegExp(`^${name} is left alone\\. .+\\.$`, 'm'))
  }
  const status = await fourfold(['mirror', first.directory, '--status', '--json'], servers)
  const { skipped, state } = JSON.parse(status.out) as {
    skipped: { path: string; why: string }[]
    state: string
  }
  assert.equal(state, 'ended')
  const isDevice = existsSync(first.path('null')) ? 1 : 0
  assert.equal(skipped.length, named.length + 1 + isDevice)
  assert.equal(readFileSync(join(folder, 'outside'), 'utf8'), 'outside')
})

test('a mass deletion waits for a word, on either side', async (t) => {
  const { mirrors, servers } = await stage(t, 2)
  const [first, second] = mirrors as Two
  first.shell('mkdir d && for i in $(seq 20); do echo $i > d/f$i; done')
  for (const each of [first, second]) await fourfold(['mirror', each.directory, '--once'], servers)
  const before = tree(first.directory)
  assert.equal(before.size, 21)
  second.shell('rm -r d')
  const held = await fourfold(['mirror', second.directory, '--once'], servers)
  assert.equal(held.code, 1)
  assert.match(held.out, /21 files are missing here.+--accept-deletes/)
  await fourfold(['mirror', first.directory, '--once'], servers)
  assert.deepEqual(tree(first.directory), before)
  const agreed = await fourfold(['mirror', second.directory, '--once', '--accept-deletes'], servers)
  assert.equal(agreed.code, 0)
  // Now it is a mass deletion by others.
  const asked = await fourfold(['mirror', first.directory, '--once'], servers)
  assert.equal(asked.code, 1)
  assert.match(asked.out, /were deleted in the folder/)
  assert.deepEqual(tree(first.directory), before)
  const status = await fourfold(['mirror', first.directory, '--status'], servers)
  assert.match(status.out, /deletions by others wait for --accept-deletes/)
  await fourfold(['mirror', first.directory, '--once', '--accept-deletes'], servers)
  assert.deepEqual([...tree(first.directory)], [])
})

test('what was asked about waits for its word in later lives, however much there is by then', async (t) => {
  const { mirrors, servers } = await stage(t, 2)
  const [first, second] = mirrors as Two
  const once = async ({ directory }: Mirrored, ...words: string[]) => {
    const { code, out } = await fourfold(['mirror', directory, '--once', ...words], servers)
    return { code, out }
  }
  first.shell('for i in $(seq 6); do echo $i > f$i; done')
  for (const each of [first, second]) await once(each)
  first.shell('rm f?')
  assert.match((await once(first)).out, /6 files are missing here/)
  // Six of 66 are few, but a person was asked.
  first.shell('for i in $(seq 60); do echo g$i > g$i; done')
  const asked = await once(first)
  assert.equal(asked.code, 1)
  assert.match(asked.out, /6 files are missing here/)
  // Put back is an answer, too.
  first.shell('for i in $(seq 5); do echo $i > f$i; done')
  assert.match((await once(first)).out, /1 file is missing here/)
  await once(second)
  assert.equal(tree(second.directory).size, 66)
  assert.equal((await once(first, '--accept-deletes')).code, 0)
  assert.equal((await once(second)).code, 0)
  assert.deepEqual([tree(second.directory).size, second.read('f5')], [65, '5\n'])
})

test('a directory that is not there any more deletes nothing', async (t) => {
  const { mirrors, servers, folder } = await stage(t, 2)
  const [first, second] = mirrors as Two
  writeFileSync(first.path('a.md'), 'a\n')
  first.start()
  second.start()
  await same(mirrors)
  renameSync(first.directory, join(folder, 'away'))
  mkdirSync(first.directory)
  writeFileSync(second.path('b.md'), 'b\n')
  await until(
    () => !first.isRunning,
    () => first.said,
  )
  assert.match(first.said, /nothing is done|no such file/i)
  assert.deepEqual([...tree(second.directory).keys()], ['a.md', 'b.md'])
  assert.deepEqual([...tree(first.directory).keys()], [])
  // It goes on where it is now.
  await fourfold(['mirror', join(folder, 'away'), '--once'], servers)
  assert.deepEqual([...tree(join(folder, 'away')).keys()], ['a.md', 'b.md'])
})

test('a directory that becomes a link leads nowhere, and deletes nothing', async (t) => {
  const { mirrors, servers, folder } = await stage(t, 2)
  const [first, second] = mirrors as Two
  first.shell('mkdir d && echo in > d/a.md && echo top > top.md')
  for (const each of [first, second]) await fourfold(['mirror', each.directory, '--once'], servers)
  mkdirSync(join(folder, 'outside'))
  renameSync(first.path('d'), join(folder, 'away'))
  symlinkSync(join(folder, 'outside'), first.path('d'))
  writeFileSync(second.path('d', 'a.md'), 'changed by another\n')
  writeFileSync(second.path('d', 'b.md'), 'new\n')
  await fourfold(['mirror', second.directory, '--once'], servers)
  await fourfold(['mirror', first.directory, '--once'], servers)
  assert.deepEqual([...tree(join(folder, 'outside'))], [])
  await fourfold(['mirror', second.directory, '--once'], servers)
  assert.deepEqual([...tree(second.directory).keys()], ['d', 'd/a.md', 'd/b.md', 'top.md'])
})

test('a directory has one mirror, and the words are checked', async (t) => {
  const { mirrors, servers, folder } = await stage(t, 1)
  const [first] = mirrors as [Mirrored]
  // Where what it says has no room it goes on.
  const unheard = join(folder, 'unheard')
  const script = `#!/bin/sh\nexec "${process.execPath}" "$@" > /dev/full\n`
  writeFileSync(unheard, script, { mode: 0o755 })
  first.startBy(unheard)
  const status = first.path('.fourfold', 'status.json')
  await until(
    () => existsSync(status) && readFileSync(status, 'utf8').includes('"same"'),
    () => first.said,
  )
  const second = await fourfold(['mirror', first.directory, '--once'], servers)
  assert.equal(second.code, 1)
  assert.match(second.err, /has a mirror already that is running\.\n$/)
  const none = await fourfold(['mirror', join(folder, 'none'), '--status'], servers)
  assert.deepEqual([none.code, existsSync(join(folder, 'none'))], [1, false])
  assert.equal((await fourfold(['mirror'], servers)).code, 2)
  const dead = await fourfold(['mirror', join(folder, 'new'), '--once'], 'http://127.0.0.1:1')
  assert.equal(dead.code, 1)
  assert.match(dead.err, /^No server answers/)
  assert.equal(await first.end('SIGTERM'), 0)
})

test('a mirror that took in too slowly and was cut listens again', async (t) => {
  const { fleet, servers, folder } = await stage(t, 0, { ids: ['a'] })
  const front = await cuttingFront(t, servers)
  const mirror = new Mirrored(join(folder, 'm'), front.address)
  mkdirSync(mirror.directory)
  t.after(() => mirror.end('SIGKILL'))
  await call(fleet.address('a'), 'SaveFile', { file: 'plan.md', text: 'one\n' })
  mirror.start()
  await until(
    () => tree(mirror.directory).has('plan.md'),
    () => mirror.said,
  )
  await front.cut()
  await call(fleet.address('a'), 'SaveFile', { file: 'later.md', text: 'two\n' })
  await until(
    () => tree(mirror.directory).has('later.md'),
    () => mirror.said,
  )
})

/** A server's port, which ends what is watched there as a server does with whoever is too slow. */
async function cuttingFront(t: TestContext, server: string) {
  // The server is gone before the test is.
  const onward = http2.connect(server).on('error', () => {})
  const watches = new Set<() => void>()
  const front = http2.createServer()
  const sessions = new Set<http2.ServerHttp2Session>()
  front.on('session', (session) => sessions.add(session))
  front.on('stream', (stream, headers) => {
    const { ':method': method, ':path': path, 'content-type': type } = headers
    const head = { ':method': method, ':path': path, 'content-type': type, te: 'trailers' }
    const request = onward.request(head)
    let trailers: http2.OutgoingHttpHeaders = {}
    for (const each of [request, stream]) each.on('error', () => {})
    request.on('response', (told) => stream.respond(told, { waitForTrailers: true }))
    request.on('trailers', (told) => (trailers = told))
    stream.on('wantTrailers', () => stream.sendTrailers(trailers))
    stream.on('close', () => request.close())
    stream.pipe(request)
    request.pipe(stream)
    if (!path!.endsWith('/Watch')) return
    const cut = () => {
      trailers = { 'grpc-status': '8', 'grpc-message': 'Changes come faster than you read them.' }
      request.unpipe(stream)
      stream.end()
    }
    watches.add(cut)
    stream.on('close', () => watches.delete(cut))
  })
  front.listen(0, '127.0.0.1')
  await once(front, 'listening')
  t.after(() => {
    front.close()
    onward.destroy()
    for (const session of sessions) session.destroy()
  })
  return {
    address: `http://127.0.0.1:${(front.address() as AddressInfo).port}`,
    cut: async () => {
      await until(() => watches.size > 0)
      for (const cut of watches) cut()
    },
  }
}
