// WebDAV at real servers: properties, bad requests, who may come, HTTP/2, several servers.

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import * as http2 from 'node:http2'
import { connect } from 'node:net'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import {
  blobReadsMax,
  davLockOwnerCharactersMax,
  davTextBytesMax,
  davXmlBytesMax,
  davXmlDepthMax,
  pieceBytes,
  streamsPerConnectionMax,
  textBytesMax,
} from '../src/core/model/limits.ts'
import { Dav, lockBody, lone, propertiesBody, type Headers } from './dav-client.ts'
import { Fleet } from './fleet.ts'
import { flags, frameTypes, putHeaders, RawHttp2 } from './http2-frames.ts'
import { until } from './until.ts'

test('properties of clients are kept as they were given, and go along', async (t) => {
  const { dav } = await lone(t)
  await dav.write('/x.md', 'x')
  const value =
    '<z:label xml:lang="de" z:kind="&lt;&#10;&quot;">a &amp; <b xmlns="urn:b"/></z:label>'
  assert.equal(await dav.status('PROPPATCH', '/x.md', {}, propertiesBody(value)), 207)
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
  const refused = await dav.ask('PROPPATCH', '/x.md', {}, propertiesBody(both))
  assert.match(refused.text, /getetag.*403.*label.*424/s)
  const { text } = await dav.ask('PROPFIND', '/x.md', { depth: '0' }, ask)
  assert.doesNotMatch(text, /new/)
})

test('12 many properties of many files are told piece by piece', async (t) => {
  const { dav, port } = await lone(t)
  for (let count = 0; count < 20; count++) await dav.write(`/${count}.md`, 'x')
  const names = Array.from({ length: 4000 }, (_, index) => `<D:some-property-${index}/>`).join('')
  const body = `<D:propfind xmlns:D="DAV:"><D:prop>${names}</D:prop></D:propfind>`
  const socket = connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  const head = [
    'PROPFIND /dav/ HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'Depth: 1',
    'Connection: close',
  ]
  socket.write(`${head.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  await once(socket, 'close')
  const answer = Buffer.concat(chunks).toString()
  assert.equal([...answer.matchAll(/<D:response>/g)].length, 21)
  // As HTTP/1.1 tells them: what was given to the connection at once.
  const lengths = [...answer.matchAll(/\r\n([0-9a-f]+)\r\n/g)].map(([, hex]) => parseInt(hex!, 16))
  const ofOne = answer.length / 21
  assert.ok(Math.max(...lengths) <= pieceBytes + 2 * ofOne, lengths.join())
})

test('12 a property that is asked for often is told once', async (t) => {
  const { dav } = await lone(t)
  await dav.write('/x.md', 'x')
  assert.equal(await dav.status('LOCK', '/x.md', {}, lockBody('exclusive')), 200)
  const names = '<D:lockdiscovery/>'.repeat(4900)
  const body = `<D:propfind xmlns:D="DAV:"><D:prop>${names}<D:none/><D:none/></D:prop></D:propfind>`
  const { text } = await dav.ask('PROPFIND', '/x.md', { depth: '0' }, body)
  assert.equal(text.match(/<D:activelock>/g)?.length, 1)
  assert.equal(text.match(/<none /g)?.length, 1)
})

test('hostile XML is refused within bounds', async (t) => {
  const { dav } = await lone(t)
  await dav.write('/x.md', 'x')
  const find = (inner: string, before = '') =>
    `${before}<D:propfind xmlns:D="DAV:">${inner}</D:propfind>`
  const lol = '<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;">]>'
  const file = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
  const deep = davXmlDepthMax + 1
  // Written again, each name has all of it.
  const long = 'x'.repeat(10_000)
  const bad = {
    'billion laughs': find('<D:prop>&b;</D:prop>', lol),
    'external entity': find('<D:prop>&a;</D:prop>', file),
    'bare DTD': find('<D:allprop/>', '<!DOCTYPE x>'),
    'unknown entity': find('<D:prop>&nbsp;</D:prop>'),
    deep: find('<D:prop>'.repeat(deep) + '</D:prop>'.repeat(deep)),
    many: find(`<D:prop>${'<D:x/>'.repeat(6000)}</D:prop>`),
    'a long namespace of many': find(`<D:prop xmlns:x="${long}">${'<x:y/>'.repeat(60)}</D:prop>`),
    'and of many attributes': find(
      `<D:prop xmlns:x="${long}">${'<D:y x:z=""/>'.repeat(60)}</D:prop>`,
    ),
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

test('what was changed since it was seen is not locked, unlocked or labelled, nor what should not be there', async (t) => {
  const { dav } = await lone(t)
  await dav.write('/x.md', 'x')
  await dav.status('MKCOL', '/d')
  const { headers } = await dav.ask('HEAD', '/x.md')
  const lock = lockBody('shared')
  const token = await dav.lock('/x.md', lock)
  const held = { if: `(${token})` }
  const label = propertiesBody('<z:label/>')
  const cases: [string, string, Headers, string, number][] = [
    ['LOCK', '/x.md', { 'if-match': '"x"' }, lock, 412],
    ['LOCK', '/x.md', { 'if-match': headers.etag! }, lock, 200],
    ['LOCK', '/x.md', { 'if-none-match': '*' }, lock, 412],
    ['LOCK', '/new.md', { 'if-match': '*' }, lock, 412],
    ['LOCK', '/new.md', { 'if-none-match': '*' }, lock, 201],
    ['LOCK', '/d', { 'if-none-match': '*' }, lock, 412],
    ['LOCK', '/d', { 'if-match': '*' }, lock, 200],
    ['PROPPATCH', '/d', { 'if-match': '"x"' }, label, 412],
    ['MKCOL', '/e', { 'if-match': '*' }, '', 412],
    ['MKCOL', '/e', { 'if-none-match': '*' }, '', 201],
    ['LOCK', '/x.md', { ...held, 'if-match': '"x"' }, '', 412],
    ['LOCK', '/x.md', { ...held, 'if-none-match': '*' }, '', 412],
    ['LOCK', '/x.md', { ...held, 'if-match': headers.etag! }, '', 200],
    ['UNLOCK', '/x.md', { 'lock-token': token, 'if-match': '"x"' }, '', 412],
    ['UNLOCK', '/x.md', { 'lock-token': token, 'if-none-match': '*' }, '', 412],
    ['UNLOCK', '/x.md', { 'lock-token': token, 'if-match': headers.etag! }, '', 204],
  ]
  for (const [method, path, names, body, status] of cases) {
    const answer = await dav.ask(method, path, names, body)
    const what = `${method} ${path} ${JSON.stringify(names)}: ${answer.text}`
    assert.equal(answer.status, status, what)
  }
})

/** Asks for files without ever reading one: each is on its way for as long as the test. */
function greedy(t: TestContext, address: string): (path: string) => Promise<number> {
  let session: http2.ClientHttp2Session | undefined
  let count = 0
  return async (path) => {
    if (!session || count++ % streamsPerConnectionMax === 0) {
      const opened = http2.connect(address, { settings: { initialWindowSize: 0 } })
      t.after(() => opened.destroy())
      session = opened
    }
    const stream = session.request({ ':path': path })
    stream.on('error', () => {})
    const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders]
    return Number(headers[':status'])
  }
}

test('12 so many downloads are on their way at once, at either door, and not one more', async (t) => {
  const { dav, address } = await lone(t)
  const bytes = randomBytes(16 * 1024)
  await dav.write('/x.bin', bytes)
  const hash = createHash('sha256').update(bytes).digest('hex')
  for (const path of ['/dav/x.bin', `/blobs/${hash}`]) {
    const ask = greedy(t, address)
    for (let count = 0; count < blobReadsMax; count++) assert.equal(await ask(path), 200)
    assert.equal(await ask(path), 503, path)
  }
})

test('12 so much text is on its way at once, and no more', async (t) => {
  const { dav, address } = await lone(t)
  await dav.write('/long.md', 'x'.repeat(textBytesMax))
  const ask = greedy(t, address)
  const most = Math.floor(davTextBytesMax / textBytesMax)
  for (let count = 0; count < most; count++) assert.equal(await ask('/dav/long.md'), 200)
  assert.equal(await ask('/dav/long.md'), 503)
})

test('12 who holds a lock is told in a few words', async (t) => {
  const { dav } = await lone(t)
  await dav.write('/x.md', 'x')
  const lock = (owner: string) =>
    dav.status('LOCK', '/x.md', {}, lockBody('shared').replace('somebody', owner))
  const tags = '<owner xmlns="DAV:"></owner>'.length
  assert.equal(await lock('x'.repeat(davLockOwnerCharactersMax - tags)), 200)
  assert.equal(await lock('x'.repeat(davLockOwnerCharactersMax - tags + 1)), 413)
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
  // Nor are there five more tries at the other door.
  const signIn = await fetch(`${address}/fourfold.v1.FolderService/SignIn`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Eve', password: 'correct horse' }),
  })
  assert.equal(signIn.status, 429)
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
  // All of these look before one is made: the others find it there.
  const made = await Promise.all(Array.from({ length: 8 }, () => ask('MKCOL', '/d')))
  const statuses = made.map(([status]) => status)
  assert.deepEqual(
    [...new Set(statuses)].toSorted((one, other) => one - other),
    [201, 405],
  )
  assert.equal(statuses.filter((status) => status === 201).length, 1)
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
