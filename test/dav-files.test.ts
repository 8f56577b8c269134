// Files and directories over WebDAV, as Explorer, Finder and editors treat them.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import * as http from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { davPutsMax, filesPerPageMax } from '../src/core/model/limits.ts'
import { lone, person, propertiesBody } from './dav-client.ts'
import { call } from './requests.ts'
import { until } from './until.ts'

test('any bytes come back as they were put, also in part, and keep the file', async (t) => {
  const { dav, directory } = await lone(t)
  const bytes = randomBytes(3 * 1024 * 1024)
  const put = await dav.write('/film.bin', bytes)
  assert.equal(put.headers['fourfold-servers'], 'a')
  const got = await dav.ask('GET', '/film.bin')
  assert.deepEqual(got.body, bytes)
  assert.equal(got.headers.etag, put.headers.etag)
  const part = await dav.ask('GET', '/film.bin', { range: 'bytes=100-199' })
  assert.deepEqual([part.status, part.body], [206, bytes.subarray(100, 200)])
  assert.equal(await dav.status('GET', '/film.bin', { range: 'bytes=3145728-' }), 416)
  // Also as a proxy that packs answers gives it on.
  for (const etag of [got.headers.etag!, `W/${got.headers.etag}`]) {
    assert.equal(await dav.status('GET', '/film.bin', { 'if-none-match': etag }), 304)
    assert.equal(await dav.status('PUT', '/film.bin', { 'if-none-match': etag }, 'lost'), 412)
  }
  const head = await dav.ask('HEAD', '/film.bin')
  assert.deepEqual([head.headers['content-length'], head.body.length], ['3145728', 0])
  assert.equal(await dav.status('COPY', '/film.bin', { destination: '/dav/copy.bin' }), 201)
  assert.deepEqual((await dav.ask('GET', '/copy.bin')).body, bytes)
  // A text in its place, and back.
  await dav.write('/film.bin', 'a text')
  assert.equal(await dav.read('/film.bin'), 'a text')
  await dav.write('/film.bin', bytes)
  assert.deepEqual((await dav.ask('GET', '/film.bin')).body, bytes)
  assert.deepEqual(readdirSync(join(directory, 'incoming')), [])
})

test('what has a zero in it is no text, unless it is one already', async (t) => {
  const { dav } = await lone(t)
  const typeOf = async (path: string) => (await dav.ask('GET', path)).headers['content-type']
  await dav.write('/zeros', 'a\0b')
  assert.equal(await typeOf('/zeros'), 'application/octet-stream')
  await dav.write('/text', 'a')
  await dav.write('/text', 'a\0b')
  assert.equal(await typeOf('/text'), 'text/plain; charset=utf-8')
  assert.equal(await dav.read('/text'), 'a\0b')
})

test('files of the same bytes that come at once are all taken', async (t) => {
  const { dav, directory } = await lone(t)
  for (const size of [1000, 2 * 1024 * 1024]) {
    const bytes = randomBytes(size)
    const paths = Array.from({ length: 8 }, (_, index) => `/${size}-${index}.bin`)
    await Promise.all(paths.map((path) => dav.write(path, bytes)))
    for (const path of paths) assert.deepEqual((await dav.ask('GET', path)).body, bytes)
  }
  assert.deepEqual(readdirSync(join(directory, 'incoming')), [])
})

test('a body that breaks off, or is not wanted, leaves nothing', async (t) => {
  const { dav, address, directory } = await lone(t)
  const { hostname, port } = new URL(address)
  const request = http.request({
    ...{ hostname, port, method: 'PUT', path: '/dav/film.bin', agent: false },
    headers: { 'content-length': String(8 * 1024 * 1024) },
  })
  request.on('error', () => {})
  request.write(randomBytes(4 * 1024 * 1024))
  await until(() => readdirSync(join(directory, 'incoming')).length === 1)
  request.destroy()
  await until(() => readdirSync(join(directory, 'incoming')).length === 0)
  assert.equal(await dav.status('GET', '/film.bin'), 404)
  await dav.status('MKCOL', '/a')
  const refused = await dav.ask('PUT', '/a', {}, randomBytes(4 * 1024 * 1024))
  assert.deepEqual([refused.status, refused.text], [405, 'That is a directory.\n'])
})

test('12 of files that come in at once so many are taken, and the others are told to wait', async (t) => {
  const { dav, port } = await lone(t)
  const asked = Array.from({ length: davPutsMax + 3 }, (_, index) => {
    const options = { port, method: 'PUT', path: `/dav/${index}.md`, agent: false }
    const request = http.request({ ...options, headers: { 'content-length': '2' } })
    // Who is refused in the middle breaks off.
    request.on('error', () => {})
    request.write('a')
    const put: { request: http.ClientRequest; status?: number } = { request }
    request.on('response', (response) => (put.status = response.resume().statusCode!))
    return put
  })
  const answered = (status: number) => asked.filter((put) => put.status === status).length
  await until(() => answered(503) === 3, 'three are refused')
  for (const { request } of asked) request.end('b')
  await until(
    () => answered(201) === davPutsMax,
    () => `${answered(201)} are taken`,
  )
  assert.equal(await dav.status('PUT', '/after.md', {}, 'ab'), 201)
})

test('what a failed move would have replaced comes back', async (t) => {
  const { dav } = await lone(t)
  const long = 'x'.repeat(250)
  const deep = `/from/${long}1/${long}2/${long}3`
  const there = `/to${long}/there${long}`
  for (const path of [deep, there]) {
    const names = path.split('/').slice(1)
    for (let count = 1; count <= names.length; count++) {
      await dav.status('MKCOL', `/${names.slice(0, count).join('/')}`)
    }
  }
  await dav.write(`${there}/x.md`, 'kept')
  // The longest path would have more than 1,024 bytes.
  const destination = `/dav${there}`
  assert.equal(await dav.status('MOVE', '/from', { destination }), 413)
  assert.equal(await dav.read(`${there}/x.md`), 'kept')
  assert.deepEqual(await dav.list(deep), [`/dav${deep}/`])
})

test('a move that nobody waits for any more is done as a whole, or not at all', async (t) => {
  const { dav, address } = await lone(t)
  for (let count = 0; count < 20; count++) {
    const [source, target] = [`/from${count}`, `/to${count}`]
    for (const path of [source, target]) {
      assert.equal(await dav.status('MKCOL', `${path}/`), 201)
      await dav.write(`${path}/a.md`, path)
    }
    const headers = { destination: `/dav${target}/` }
    const move = http.request(`${address}/dav${source}/`, { method: 'MOVE', headers, agent: false })
    move.on('error', () => {})
    move.end()
    // At other moments of it each time.
    await sleep(count / 2)
    move.destroy()
    const found = async () => (await dav.ask('GET', `${target}/a.md`)).body.toString()
    await until(async () => [source, target].includes(await found()))
    if ((await found()) === source) assert.equal(await dav.status('GET', `${source}/a.md`), 404)
  }
})

test('a text is told in bytes, is read in part, and is no page for a browser', async (t) => {
  const { dav } = await lone(t)
  await dav.write('/page.html', '<script>käse</script>')
  const got = await dav.ask('GET', '/page.html', { range: 'bytes=0-7' })
  assert.deepEqual([got.status, got.text], [206, '<script>'])
  assert.equal(got.headers['content-range'], 'bytes 0-7/22')
  assert.match(String(got.headers['content-security-policy']), /sandbox/)
  assert.equal(got.headers['content-type'], 'text/plain; charset=utf-8')
  assert.equal(got.headers['x-content-type-options'], 'nosniff')
  const { text } = await dav.ask('PROPFIND', '/page.html', { depth: '0' })
  assert.match(text, /<D:getcontentlength>22</)
  assert.match(text, new RegExp(`<D:getetag>${got.headers.etag!.replaceAll('"', '&quot;')}<`))
})

test('what is there already is not sent again, and HEAD says the same as GET', async (t) => {
  const { dav } = await lone(t)
  await dav.write('/x.md', 'x')
  await dav.write('/x.bin', Buffer.of(0, 1))
  for (const path of ['/x.md', '/x.bin']) {
    const { headers } = await dav.ask('HEAD', path)
    for (const method of ['GET', 'HEAD']) {
      const known = await dav.ask(method, path, { 'if-none-match': headers.etag! })
      assert.deepEqual([known.status, known.headers.etag], [304, headers.etag], method + path)
      assert.equal(await dav.status(method, path, { 'if-none-match': '"x"' }), 200)
      assert.equal(await dav.status(method, path, { 'if-match': '"x"' }), 412)
    }
  }
})

test('directories are made, listed, copied, moved and deleted to the trash', async (t) => {
  const { dav, address } = await lone(t)
  const ada = person(t, address, 'Ada')
  await ada.joined()
  assert.equal(await dav.status('MKCOL', '/a/b'), 409)
  assert.equal(await dav.status('PUT', '/a/x.md', {}, 'x'), 409)
  assert.equal(await dav.status('MKCOL', '/a'), 201)
  assert.equal(await dav.status('MKCOL', '/A'), 405)
  assert.equal(await dav.status('MKCOL', '/a/b', {}, '<x/>'), 415)
  assert.equal(await dav.status('MKCOL', '/a/b'), 201)
  const name = encodeURIComponent('kä & _se_.md')
  await dav.write(`/a/b/${name}`, 'cheese')
  assert.deepEqual(await dav.list('/a/b'), ['/dav/a/b/', `/dav/a/b/${name}`])
  assert.match((await dav.ask('PROPFIND', '/a/b', { depth: '1' })).text, /kä &amp; _se_.md</)
  assert.equal(await dav.status('COPY', '/a', { destination: '/dav/a/b/a' }), 403)
  assert.equal(await dav.status('COPY', '/a', { destination: '/dav/c' }), 201)
  assert.equal(await dav.status('COPY', '/a', { destination: '/dav/c', overwrite: 'F' }), 412)
  assert.equal(await dav.status('COPY', '/a', { destination: '/dav/d', depth: '0' }), 201)
  assert.deepEqual(await dav.list('/d/'), ['/dav/d/'])
  assert.equal(await dav.status('MOVE', '/a', { destination: '/dav/d/e' }), 201)
  assert.equal(await dav.read(`/d/e/b/${name}`), 'cheese')
  assert.equal(await dav.status('MOVE', '/d', { destination: '/dav/D' }), 204)
  assert.equal(await dav.status('DELETE', '/D'), 204)
  assert.deepEqual(await dav.list('/'), ['/dav/', '/dav/c/'])
  await until(() =>
    ada.files.some(({ name: of, isInTrashItself }) => of === 'D' && isInTrashItself),
  )
  const moved = await dav.ask('GET', '/c')
  assert.deepEqual([moved.status, moved.headers.location], [301, '/dav/c/'])
})

test('a directory of more than a page is told whole, and copied whole while it is renamed', async (t) => {
  const { dav } = await lone(t)
  assert.equal(await dav.status('MKCOL', '/d'), 201)
  const count = filesPerPageMax + 1
  for (let at = 0; at < count; at += 100) {
    const some = Array.from({ length: Math.min(100, count - at) }, (_, index) => at + index)
    await Promise.all(
      some.map(async (each) => assert.equal(await dav.status('MKCOL', `/d/${each}`), 201)),
    )
  }
  assert.equal((await dav.list('/d')).length, count + 1)
  // The second page has the other path.
  await dav.write('/d/z.md', 'last')
  const copied = dav.ask('COPY', '/d', { destination: '/dav/copy' })
  await until(async () => (await dav.status('GET', '/copy/0/')) === 200)
  assert.equal(await dav.status('MOVE', '/d', { destination: '/dav/a longer name' }), 201)
  const { status, text } = await copied
  assert.deepEqual([status, text], [201, ''])
  assert.equal((await dav.list('/copy')).length, count + 2)
  assert.equal(await dav.read('/copy/z.md'), 'last')
})

test('names that the folder refuses are refused with a sentence', async (t) => {
  const { dav } = await lone(t)
  for (const name of [
    'a:b',
    'con',
    'x.',
    '%2e%2e',
    '.git',
    'a%00b',
    '%E2%80%AEx',
    'x'.repeat(256),
  ]) {
    for (const method of ['PUT', 'MKCOL']) {
      const { status, text } = await dav.ask(method, `/${name}`)
      assert.equal(status, 403, `${method} ${name}`)
      assert.match(text, /^\S.+\.\n$/)
    }
  }
  for (const name of ['a%2Fb', '%ff', '%zz', 'x#y']) {
    assert.equal(await dav.status('PUT', `/${name}`, {}, 'x'), 400, name)
  }
  assert.deepEqual(await dav.list('/'), ['/dav/'])
})

test('what macOS spells apart, and writes beside files, is found again', async (t) => {
  const { dav } = await lone(t)
  await dav.write(`/${encodeURIComponent('käse'.normalize('NFD'))}`, 'x')
  assert.deepEqual(await dav.list('/'), ['/dav/', `/dav/${encodeURIComponent('käse')}`])
  for (const name of ['._x', '.DS_Store', '~$plan.docx', '.~lock.plan.odt%23']) {
    await dav.write(`/${name}`, Buffer.from([0, 5, 22, 7, 255]))
    assert.equal((await dav.ask('GET', `/${name}`)).body.length, 5)
    assert.equal(await dav.status('DELETE', `/${name}`), 204)
  }
})

test('Explorer brings a file: empty, locked, whole; nobody is told of a conflict', async (t) => {
  const { dav, address } = await lone(t)
  const stamps = '<z:Win32LastModifiedTime>Thu, 26 Nov 2026 10:00:00 GMT</z:Win32LastModifiedTime>'
  const picture = Buffer.from([137, 80, 78, 71, 255])
  for (const bytes of [picture, Buffer.concat([picture, picture]), Buffer.from('a text')]) {
    await dav.write('/x.png', '')
    const token = await dav.lock('/x.png')
    await dav.write('/x.png', bytes, { if: `(${token})` })
    assert.equal(
      await dav.status('PROPPATCH', '/x.png', { if: `(${token})` }, propertiesBody(stamps)),
      207,
    )
    assert.equal(await dav.status('UNLOCK', '/x.png', { 'lock-token': token }), 204)
    assert.deepEqual((await dav.ask('GET', '/x.png')).body, bytes)
    const { file } = (await call(address, 'GetFile', { file: 'x.png' })).body
    assert.equal(file.hasConflict ?? false, false)
  }
})

test('Finder locks a name that is not there yet, and puts in pieces of unknown length', async (t) => {
  const { dav } = await lone(t)
  const token = await dav.lock('/new.md')
  assert.equal(await dav.read('/new.md'), '')
  const headers = { if: `(${token})`, expect: '100-continue', 'transfer-encoding': 'chunked' }
  await dav.write('/new.md', 'text', headers)
  assert.equal(await dav.status('LOCK', '/new.md', { if: `(${token})`, timeout: 'Second-60' }), 200)
  assert.equal(await dav.status('LOCK', '/new.md', { if: '(<urn:x>)' }), 412)
  assert.equal(await dav.status('DELETE', '/new.md', { if: `(${token})` }), 204)
  // The lock went with the file.
  await dav.write('/new.md', 'another')
})
