// WebDAV at real servers: what mounts and editors do, what others do meanwhile, and what is refused.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import * as http from 'node:http'
import * as http2 from 'node:http2'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { connect, type Client } from '../src/client/index.ts'
import { davXmlBytesMax, davXmlDepthMax, filesPerPageMax } from '../src/core/model/limits.ts'
import { Fleet } from './fleet.ts'
import { flags, frameTypes, putHeaders, RawHttp2 } from './http2-frames.ts'
import { startLone } from './lone-server.ts'

interface Answer {
  status: number
  headers: http.IncomingHttpHeaders
  body: Buffer
  text: string
}

type Headers = { [name: string]: string }

/** A client of one server: its requests are told from those of others by its User-Agent. */
class Dav {
  readonly #address: string
  readonly #usual: Headers

  constructor(address: string, agent = 'one', usual: Headers = {}) {
    this.#address = address
    this.#usual = { 'user-agent': agent, ...usual }
  }

  /** `path` is below /dav. */
  async ask(
    method: string,
    path: string,
    headers: Headers = {},
    body: string | Buffer = '',
  ): Promise<Answer> {
    const { hostname, port } = new URL(this.#address)
    const isLong = 'transfer-encoding' in headers
    const length = isLong ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const all = { ...this.#usual, ...length, ...headers }
    const options = { hostname, port, method, path: `/dav${path}`, headers: all, agent: false }
    const request = http.request(options)
    const answered = once(request, 'response') as Promise<[http.IncomingMessage]>
    request.end(body)
    const [response] = await answered
    // What is refused while it is sent breaks off.
    request.on('error', () => {})
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    const whole = Buffer.concat(chunks)
    const { statusCode, headers: told } = response
    return { status: statusCode!, headers: told, body: whole, text: whole.toString() }
  }

  async status(...request: Parameters<Dav['ask']>): Promise<number> {
    return (await this.ask(...request)).status
  }

  async read(path: string): Promise<string> {
    const { status, text } = await this.ask('GET', path)
    assert.equal(status, 200, text)
    return text
  }

  async write(path: string, text: string | Buffer, headers: Headers = {}): Promise<Answer> {
    const answer = await this.ask('PUT', path, headers, text)
    assert.ok([201, 204].includes(answer.status), `${answer.status} ${answer.text}`)
    return answer
  }

  /** The addresses that a directory tells. */
  async list(path: string): Promise<string[]> {
    const { status, text } = await this.ask('PROPFIND', path, { depth: '1' })
    assert.equal(status, 207, text)
    return [...text.matchAll(/<D:response><D:href>([^<]*)</g)].map(([, href]) => href!)
  }

  async lock(path: string, body = lockBody('exclusive')): Promise<string> {
    const { status, headers, text } = await this.ask('LOCK', path, { depth: 'infinity' }, body)
    assert.ok(status === 200 || status === 201, text)
    return String(headers['lock-token'])
  }
}

const lockBody = (scope: string) =>
  `<lockinfo xmlns="DAV:"><lockscope><${scope}/></lockscope><locktype><write/></locktype>` +
  '<owner>somebody</owner></lockinfo>'

async function lone(t: TestContext, keys = {}) {
  const server = await startLone(t, keys)
  return { ...server, dav: new Dav(server.address) }
}

function person(t: TestContext, address: string, name: string): Client {
  const made = connect({ servers: [address], name, agent: 'test' })
  t.after(() => made.close())
  return made
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 60_000
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error('not so within 60 s')
    await sleep(10)
  }
}

// ----------------------------------------------------------------------------------- together

test('one types in the live text while another puts: both edits are there', async (t) => {
  const { address, dav } = await lone(t)
  const ada = person(t, address, 'Ada')
  const file = await ada.create('plan.md', 'one\ntwo\nthree\n')
  const live = ada.open(file.id)
  await live.loaded
  assert.equal(await dav.read('/plan.md'), 'one\ntwo\nthree\n')
  live.text.insert(0, 'zero\n')
  await live.stored()
  const put = await dav.write('/plan.md', 'one\ntwo\nthree\nfour\n')
  // It is not what was sent, so it has no etag that the client might take for its own.
  assert.equal(put.headers.etag, undefined)
  await until(() => live.text.toString() === 'zero\none\ntwo\nthree\nfour\n')
  // The editor still shows what it saved: the next save is a change of that.
  await dav.write('/plan.md', 'one\ntwo\n3\nfour\n')
  await until(() => live.text.toString() === 'zero\none\ntwo\n3\nfour\n')
  assert.equal(await dav.read('/plan.md'), 'zero\none\ntwo\n3\nfour\n')
})

test('two who opened the same text save at the same moment: both edits are there', async (t) => {
  const { dav, address } = await lone(t)
  const other = new Dav(address, 'other')
  await dav.write('/plan.md', 'one\ntwo\nthree\n')
  assert.equal(await other.read('/plan.md'), 'one\ntwo\nthree\n')
  await Promise.all([
    dav.write('/plan.md', 'ONE\ntwo\nthree\n'),
    other.write('/plan.md', 'one\ntwo\nTHREE\n'),
  ])
  assert.equal(await dav.read('/plan.md'), 'ONE\ntwo\nTHREE\n')
})

test('a save with the etag of an older version is merged, with one of no version refused', async (t) => {
  const { dav, address } = await lone(t)
  await dav.write('/plan.md', 'one\ntwo\nthree\n')
  const first = await dav.ask('HEAD', '/plan.md')
  const other = new Dav(address, 'other')
  await other.write('/plan.md', 'zero\none\ntwo\nthree\n', { 'if-match': first.headers.etag! })
  const third = new Dav(address, 'third')
  await third.write('/plan.md', 'one\ntwo\nthree\nfour\n', { 'if-match': first.headers.etag! })
  assert.equal(await dav.read('/plan.md'), 'zero\none\ntwo\nthree\nfour\n')
  const stranger = `"${'A'.repeat(43)}"`
  assert.equal(await third.status('PUT', '/plan.md', { 'if-match': stranger }, 'lost'), 412)
  assert.equal(await third.status('PUT', '/plan.md', { 'if-match': '"x"' }, 'lost'), 412)
  assert.equal(await third.status('PUT', '/new.md', { 'if-match': '*' }, 'lost'), 412)
  assert.equal(await third.status('PUT', '/plan.md', { 'if-none-match': '*' }, 'lost'), 412)
  assert.equal(await dav.read('/plan.md'), 'zero\none\ntwo\nthree\nfour\n')
})

test('an editor that saves by rename keeps the file, and what others type in it', async (t) => {
  const { address, dav } = await lone(t)
  const ada = person(t, address, 'Ada')
  const file = await ada.create('plan.md', 'one\n')
  const live = ada.open(file.id)
  await live.loaded
  await dav.read('/plan.md')
  live.text.insert(0, 'zero\n')
  await live.stored()
  await dav.write('/plan.md.new', 'one\ntwo\n')
  const destination = `${address}/dav/plan.md`
  assert.equal(await dav.status('MOVE', '/plan.md.new', { destination }), 204)
  await until(() => live.text.toString() === 'zero\none\ntwo\n')
  assert.equal(await dav.status('GET', '/plan.md.new'), 404)
  await until(() => ada.files.some(({ path, id }) => path === 'plan.md' && id === file.id))
})

test('a lock keeps other clients of the door out, and nobody from typing', async (t) => {
  const { address, dav } = await lone(t)
  const ada = person(t, address, 'Ada')
  const file = await ada.create('plan.md', 'one\n')
  const live = ada.open(file.id)
  await live.loaded
  const token = await dav.lock('/plan.md')
  const other = new Dav(address, 'other')
  const refused = await other.ask('PUT', '/plan.md', {}, 'mine')
  assert.equal(refused.status, 423)
  assert.match(refused.text, /lock-token-submitted><D:href>\/dav\/plan.md/)
  assert.equal(await other.status('DELETE', '/plan.md'), 423)
  assert.equal(await other.status('LOCK', '/plan.md', {}, lockBody('shared')), 423)
  live.text.insert(0, 'zero\n')
  await live.stored()
  assert.equal(await dav.read('/plan.md'), 'zero\none\n')
  await dav.write('/plan.md', 'zero\none\ntwo\n', { if: `(${token})` })
  await until(() => live.text.toString() === 'zero\none\ntwo\n')
  assert.equal(await dav.status('UNLOCK', '/plan.md', { 'lock-token': token }), 204)
  await other.write('/plan.md', 'mine')
})

test('locks of directories hold for what is in them, shared ones beside each other', async (t) => {
  const { dav } = await lone(t)
  for (const path of ['/a', '/a/b', '/c']) assert.equal(await dav.status('MKCOL', path), 201)
  await dav.write('/a/b/x.md', 'x')
  const token = await dav.lock('/a')
  for (const path of ['/a/new.md', '/a/b/x.md']) {
    assert.equal(await dav.status('PUT', path, {}, 'y'), 423)
    await dav.write(path, 'y', { if: `</dav/a> (${token})` })
  }
  assert.equal(await dav.status('DELETE', '/a/b'), 423)
  assert.equal(await dav.status('MOVE', '/a/b', { destination: '/dav/b' }), 423)
  assert.equal(await dav.status('LOCK', '/a/b/x.md', {}, lockBody('exclusive')), 423)
  assert.equal(await dav.status('UNLOCK', '/a', { 'lock-token': token }), 204)
  const shared = await dav.lock('/c', lockBody('shared'))
  assert.notEqual(await dav.lock('/c', lockBody('shared')), shared)
  assert.equal(await dav.status('PUT', '/c/x.md', {}, 'y'), 423)
  await dav.write('/c/x.md', 'y', { if: `</dav/c> (${shared})` })
  // With its directory the lock is gone.
  assert.equal(await dav.status('DELETE', '/c', { if: `(${shared})` }), 204)
  assert.equal(await dav.status('MKCOL', '/c'), 201)
  await dav.write('/c/x.md', 'y')
})

test('a directory is not deleted or moved over a lock below it that somebody else has', async (t) => {
  const { dav, address } = await lone(t)
  await dav.status('MKCOL', '/a')
  await dav.write('/a/x.md', 'x')
  await dav.lock('/a/x.md')
  const other = new Dav(address, 'other')
  assert.equal(await other.status('DELETE', '/a'), 423)
  assert.equal(await other.status('MOVE', '/a', { destination: '/dav/b' }), 423)
  await other.status('MKCOL', '/b')
  assert.equal(await other.status('MOVE', '/b', { destination: '/dav/a' }), 423)
  assert.equal(await dav.read('/a/x.md'), 'x')
})

// ---------------------------------------------------------------------------------------- files

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
  assert.equal(await dav.status('GET', '/film.bin', { 'if-none-match': got.headers.etag! }), 304)
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

test('a directory of more than a page is told whole', async (t) => {
  const { dav } = await lone(t)
  const count = filesPerPageMax + 1
  for (let at = 0; at < count; at += 100) {
    const some = Array.from({ length: Math.min(100, count - at) }, (_, index) => at + index)
    await Promise.all(
      some.map(async (each) => assert.equal(await dav.status('MKCOL', `/${each}`), 201)),
    )
  }
  assert.equal((await dav.list('/')).length, count + 1)
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
    assert.equal(await dav.status('PROPPATCH', '/x.png', { if: `(${token})` }, patch(stamps)), 207)
    assert.equal(await dav.status('UNLOCK', '/x.png', { 'lock-token': token }), 204)
    assert.deepEqual((await dav.ask('GET', '/x.png')).body, bytes)
    const response = await fetch(`${address}/fourfold.v1.FolderService/GetFile`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ file: 'x.png' }),
    })
    const { file } = (await response.json()) as { file: { hasConflict?: boolean } }
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

// --------------------------------------------------------------------------------- properties

const patch = (inner: string) =>
  `<D:propertyupdate xmlns:D="DAV:" xmlns:z="urn:z"><D:set><D:prop>${inner}</D:prop></D:set>` +
  '</D:propertyupdate>'

test('properties of clients are kept as they were given, and go along', async (t) => {
  const { dav } = await lone(t)
  await dav.write('/x.md', 'x')
  const value =
    '<z:label xml:lang="de" z:kind="&lt;&#10;&quot;">a &amp; <b xmlns="urn:b"/></z:label>'
  assert.equal(await dav.status('PROPPATCH', '/x.md', {}, patch(value)), 207)
  await dav.status('COPY', '/x.md', { destination: '/dav/y.md' })
  await dav.status('MOVE', '/y.md', { destination: '/dav/z.md' })
  const ask = '<propfind xmlns="DAV:"><prop><label xmlns="urn:z"/><none/></prop></propfind>'
  for (const path of ['/x.md', '/z.md']) {
    const { text } = await dav.ask('PROPFIND', path, { depth: '0' }, ask)
    assert.match(
      text,
      /<label xmlns="urn:z" xml:lang="de" xmlns:a1="urn:z" a1:kind="&lt;&#10;&quot;">/,
    )
    assert.match(text, />a &amp; <b xmlns="urn:b"\/><\/label>/)
    assert.match(text, /<none xmlns="DAV:"\/><\/D:prop><D:status>HTTP\/1.1 404/)
  }
  const both = '<D:getetag>"mine"</D:getetag><z:label>new</z:label>'
  const refused = await dav.ask('PROPPATCH', '/x.md', {}, patch(both))
  assert.match(refused.text, /getetag.*403.*label.*424/s)
  const { text } = await dav.ask('PROPFIND', '/x.md', { depth: '0' }, ask)
  assert.doesNotMatch(text, /new/)
})

test('hostile XML is refused within bounds', async (t) => {
  const { dav } = await lone(t)
  await dav.write('/x.md', 'x')
  const find = (inner: string, before = '') =>
    `${before}<D:propfind xmlns:D="DAV:">${inner}</D:propfind>`
  const lol = '<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;">]>'
  const file = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
  const deep = davXmlDepthMax + 1
  const bad = {
    'billion laughs': find('<D:prop>&b;</D:prop>', lol),
    'external entity': find('<D:prop>&a;</D:prop>', file),
    'bare DTD': find('<D:allprop/>', '<!DOCTYPE x>'),
    'unknown entity': find('<D:prop>&nbsp;</D:prop>'),
    deep: find('<D:prop>'.repeat(deep) + '</D:prop>'.repeat(deep)),
    many: find(`<D:prop>${'<D:x/>'.repeat(6000)}</D:prop>`),
    'no end': find('<D:allprop/>').slice(0, -2),
    'two roots': find('<D:allprop/>') + find('<D:allprop/>'),
    'no namespace': '<propfind><allprop/></propfind>',
    'unbound prefix': '<D:propfind xmlns:D="DAV:"><x:y/></D:propfind>',
    'two questions': find('<D:allprop/><D:propname/>'),
    binary: '\u0000\u0001',
  }
  for (const [what, body] of Object.entries(bad)) {
    for (const method of ['PROPFIND', 'PROPPATCH', 'LOCK']) {
      const { status, text } = await dav.ask(method, '/x.md', { depth: '0' }, body)
      assert.equal(status, 400, `${what}: ${text}`)
      assert.doesNotMatch(text, /root:/)
    }
  }
  const large = find(' '.repeat(10 * 1024 * 1024))
  assert.ok(large.length > davXmlBytesMax)
  assert.equal(await dav.status('PROPFIND', '/x.md', { depth: '0' }, large), 413)
  const wide = Buffer.concat([
    Buffer.from([0xff, 0xfe]),
    Buffer.from(find('<D:allprop/>'), 'utf16le'),
  ])
  assert.equal(await dav.status('PROPFIND', '/x.md', { depth: '0' }, wide), 207)
  const endless = await dav.ask('PROPFIND', '/', { depth: 'infinity' })
  assert.deepEqual([endless.status, /propfind-finite-depth/.test(endless.text)], [403, true])
})

test('malformed headers are refused', async (t) => {
  const { dav } = await lone(t)
  await dav.write('/x.md', 'x')
  const to = '/dav/y.md'
  const cases: [string, Headers, number][] = [
    ['MOVE', {}, 400],
    ['MOVE', { destination: 'http://elsewhere.example/dav/y.md' }, 502],
    ['MOVE', { destination: '/healthz' }, 403],
    ['MOVE', { destination: to, overwrite: 'maybe' }, 400],
    ['COPY', { destination: to, depth: 'deep' }, 400],
    ['COPY', { destination: '/dav/none/y.md' }, 409],
    ['MOVE', { destination: '/dav/x.md' }, 403],
    ['MOVE', { destination: '/dav/' }, 403],
    ['DELETE', { if: '(<urn:x>' }, 400],
    ['DELETE', { if: '()' }, 400],
    ['DELETE', { if: '(<urn:x>)' }, 412],
    ['DELETE', { if: '(Not <urn:x> ["x"])' }, 412],
    ['DELETE', { 'if-match': '"x"' }, 412],
    ['UNLOCK', { 'lock-token': 'x' }, 400],
    ['UNLOCK', { 'lock-token': '<urn:x>' }, 409],
    ['PUT', { 'content-range': 'bytes 0-1/5' }, 400],
    ['PUT', { 'content-encoding': 'gzip' }, 400],
    ['POST', {}, 405],
  ]
  for (const [method, headers, status] of cases) {
    const answer = await dav.ask(method, '/x.md', headers)
    assert.equal(answer.status, status, `${method} ${JSON.stringify(headers)}: ${answer.text}`)
  }
  assert.equal(await dav.read('/x.md'), 'x')
  const options = await dav.ask('OPTIONS', '/')
  assert.deepEqual([options.headers['dav'], options.headers['ms-author-via']], ['1, 2', 'DAV'])
})

// ------------------------------------------------------------------------------- who may come

test('where people sign in, the name and the password are asked for', async (t) => {
  const { dav, address } = await lone(t, { auth: { password: 'correct horse' } })
  const none = await dav.ask('PROPFIND', '/', { depth: '0' })
  assert.equal(none.status, 401)
  assert.match(String(none.headers['www-authenticate']), /^Basic realm="Fourfold"/)
  assert.equal((await dav.ask('OPTIONS', '/')).headers['dav'], '1, 2')
  const basic = (text: string) => ({
    authorization: `Basic ${Buffer.from(text).toString('base64')}`,
  })
  const ada = new Dav(address, 'ada', basic('Ada:correct horse'))
  await ada.write('/x.md', 'x')
  assert.equal(await dav.status('GET', '/x.md', basic(':correct horse')), 401)
  const bob = new Dav(address, 'bob', basic('Bob:correct horse'))
  const token = await ada.lock('/x.md')
  assert.equal(await bob.status('PUT', '/x.md', { if: `(${token})` }, 'y'), 423)
  for (let tries = 0; tries < 5; tries++) {
    assert.equal(await dav.status('GET', '/x.md', basic('Eve:guess')), 401)
  }
  assert.equal(await dav.status('GET', '/x.md', basic('Eve:correct horse')), 429)
})

test('pages of strangers are turned away, also under a name that points here', async (t) => {
  const { dav, port } = await lone(t)
  await dav.write('/x.md', 'x')
  assert.equal(await dav.status('GET', '/x.md', { origin: 'http://evil.example' }), 403)
  assert.equal(await dav.status('OPTIONS', '/x.md', { origin: 'http://evil.example' }), 403)
  assert.equal(await dav.status('GET', '/x.md', { host: `evil.example:${port}` }), 403)
  assert.equal(await dav.status('GET', '/x.md', { host: `localhost:${port}` }), 200)
})

test('it is the same over HTTP/2', async (t) => {
  const { address } = await lone(t)
  const session = http2.connect(address)
  t.after(() => session.destroy())
  const ask = async (method: string, path: string, headers = {}, body = '') => {
    const all = { ':method': method, ':path': `/dav${path}`, ...headers }
    const stream = session.request(all, { endStream: body === '' })
    const answered = once(stream, 'response') as Promise<[http2.IncomingHttpHeaders]>
    if (body !== '') stream.end(body)
    const [told] = await answered
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk as Buffer)
    return [Number(told[':status']), Buffer.concat(chunks).toString()] as const
  }
  assert.equal((await ask('PUT', '/x.md', {}, 'text'))[0], 201)
  assert.equal((await ask('MOVE', '/x.md', { destination: `${address}/dav/y.md` }))[0], 201)
  assert.deepEqual(await ask('GET', '/y.md'), [200, 'text'])
  assert.match((await ask('PROPFIND', '/', { depth: '1' }))[1], /<D:href>\/dav\/y.md</)
})

test('a file that is cut on its way over HTTP/2 changes nothing', async (t) => {
  const { dav, port } = await lone(t)
  const text = 'A line of a text.\n'.repeat(500)
  await dav.write('/x.md', text)
  for (let round = 0; round < 24; round++) {
    const raw = await RawHttp2.open(port)
    const length: [string, string][] = [['content-length', String(text.length)]]
    const payload = putHeaders('/dav/x.md', round % 2 ? length : [])
    raw.send({ type: frameTypes.headers, flags: flags.endHeaders, stream: 1, payload })
    const half = Buffer.from(text.slice(0, text.length / 2))
    raw.send({ type: frameTypes.data, flags: 0, stream: 1, payload: half })
    // Before the server begins to read it, or while it does: some of each.
    await sleep(round % 4)
    if (round % 3 === 0) raw.close()
    else {
      const cancel = Buffer.from([0, 0, 0, 8])
      raw.send({ type: frameTypes.resetStream, flags: 0, stream: 1, payload: cancel })
    }
    // Asked twice: what was sent before is taken by then.
    await dav.read('/x.md')
    assert.equal(await dav.read('/x.md'), text, `round ${round}`)
    raw.close()
  }
})

test('what is put at one server is at the others, bytes too', async (t) => {
  const fleet = await Fleet.start({ ids: ['a', 'b'], configuration: { diskFreeBytesMin: 0 } })
  t.after(() => fleet.end())
  const [one, two] = [new Dav(fleet.address('a')), new Dav(fleet.address('b'))]
  const bytes = randomBytes(100_000)
  await one.write('/x.md', 'x')
  await fleet.same()
  // What is there already is on both disks; the answer waits for the other to say so, but not long.
  await until(async () => {
    return (await one.write('/x.md', 'x')).headers['fourfold-servers'] === 'a, b'
  })
  await one.write('/x.bin', bytes)
  await until(async () => (await two.status('GET', '/x.bin')) === 200)
  assert.deepEqual((await two.ask('GET', '/x.bin')).body, bytes)
  await two.write('/x.md', 'xy')
  await until(async () => (await one.read('/x.md')) === 'xy')
})
