// WebDAV beside people who type: saves are merged, locks keep out who asks for them and nobody else.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import * as http from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'

import { davPutMemoryBytesMax } from '../src/core/model/limits.ts'
import { Dav, lockBody, lone, person, type Headers } from './dav-client.ts'
import type { LoneServer } from './lone-server.ts'
import { until } from './until.ts'

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

test('an address that could be an id is that of no file elsewhere', async (t) => {
  const { address, dav } = await lone(t)
  const ada = person(t, address, 'Ada')
  const { id } = await ada.create('plan.md', 'one\n')
  await dav.write('/other.md', 'other\n')
  await dav.write('/other.bin', Buffer.from([0, 255]))
  const conditions: Headers[] = [{}, { 'if-none-match': '*' }]
  for (const headers of conditions) {
    assert.ok((await dav.status('PUT', `/${id}`, headers, 'two\n')) >= 400)
    assert.ok((await dav.status('PUT', `/${id}`, headers, Buffer.from([0, 255]))) >= 400)
  }
  assert.ok((await dav.status('LOCK', `/${id}`, {}, lockBody('exclusive'))) >= 400)
  for (const from of ['/other.md', '/other.bin']) {
    assert.ok((await dav.status('COPY', from, { destination: `/dav/${id}` })) >= 400)
  }
  assert.equal(await dav.read('/plan.md'), 'one\n')
})

test('several who make one file at once do not write over each other', async (t) => {
  const { dav } = await lone(t)
  const froms = ['/1.md', '/2.md', '/3.md']
  for (const path of froms) await dav.write(path, path)
  const copied = await Promise.all(
    froms.map((path) => dav.status('COPY', path, { destination: '/dav/new.md', overwrite: 'F' })),
  )
  assert.deepEqual(
    copied.toSorted((one, other) => one - other),
    [201, 412, 412],
  )
  assert.equal(await dav.read('/new.md'), froms[copied.indexOf(201)])
  const moved = await Promise.all(
    froms.map((path) => dav.status('MOVE', path, { destination: '/dav/one.md', overwrite: 'F' })),
  )
  assert.deepEqual(
    moved.toSorted((one, other) => one - other),
    [201, 412, 412],
  )
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

test('a lock ends with what is overwritten, and where something was moved away', async (t) => {
  const { dav } = await lone(t)
  for (const path of ['/a', '/b']) await dav.status('MKCOL', path)
  const files = ['/a/x.md', '/b/x.md', '/c.md', '/d.md']
  const tokens: string[] = []
  for (const path of files) {
    await dav.write(path, 'x')
    tokens.push(`</dav${path}> (${await dav.lock(path)})`)
  }
  const headers = { if: tokens.join(' ') }
  assert.equal(await dav.status('MOVE', '/a', { ...headers, destination: '/dav/b' }), 204)
  assert.equal(await dav.status('MOVE', '/c.md', { ...headers, destination: '/dav/d.md' }), 204)
  await dav.status('MKCOL', '/a')
  for (const path of files) await dav.write(path, 'y')
})

/** So long that the server puts what came of it in a file, where it is seen to have begun with it. */
const long = (text: string | Buffer) =>
  Buffer.concat([Buffer.from(text), Buffer.alloc(davPutMemoryBytesMax, '.')])

/** Puts `long(text)`, the end of it only after `meanwhile`. */
async function putSlowly(
  { address, directory }: LoneServer,
  { path, headers, text }: { path: string; headers: Headers; text: string | Buffer },
  meanwhile: () => Promise<unknown>,
): Promise<number> {
  const body = long(text)
  const agent = { 'user-agent': 'slow', 'content-length': String(body.length + 1) }
  const request = http.request(`${address}/dav${path}`, {
    method: 'PUT',
    headers: { ...agent, ...headers },
  })
  const answered = once(request, 'response') as Promise<[http.IncomingMessage]>
  request.write(body)
  await until(() => readdirSync(join(directory, 'incoming')).length === 1)
  await meanwhile()
  request.end('\n')
  const [response] = await answered
  response.resume()
  return response.statusCode!
}

test('what others did while a body came is there beside it, or it is refused', async (t) => {
  const { dav, ...server } = await lone(t)
  const other = new Dav(server.address, 'other')
  const dots = long('').toString()

  const isNew = { path: '/new.md', headers: { 'if-none-match': '*' }, text: 'mine' }
  assert.equal(await putSlowly(server, isNew, () => dav.write('/new.md', 'theirs')), 412)
  assert.equal(await dav.read('/new.md'), 'theirs')

  await dav.write('/text.md', `one\ntwo\n${dots}`)
  await dav.read('/text.md')
  const { etag } = (await other.ask('HEAD', '/text.md')).headers
  const ofText = { path: '/text.md', headers: { 'if-match': etag! }, text: 'one\n2\n' }
  const change = () => dav.write('/text.md', `1\ntwo\n${dots}`)
  assert.equal(await putSlowly(server, ofText, change), 204)
  assert.equal(await dav.read('/text.md'), `1\n2\n${dots}\n`)

  const bytes = (first: number) => Buffer.from([0, 255, first])
  await dav.write('/x.bin', bytes(1))
  const before = (await other.ask('HEAD', '/x.bin')).headers.etag!
  const ofBytes = { path: '/x.bin', headers: { 'if-match': before }, text: bytes(2) }
  assert.equal(await putSlowly(server, ofBytes, () => dav.write('/x.bin', bytes(3))), 204)
  const ada = person(t, server.address, 'Ada')
  await until(() => ada.files.some(({ path, bytes }) => path === 'x.bin' && bytes?.hasConflict))
})
