// Clients of other makers against a real server: grpc-js here, Python's grpcio in test/python.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

import * as grpc from '@grpc/grpc-js'

import { clientOf, failsWith, folder, type Answer } from './grpc-client.ts'
import { startLone } from './lone-server.ts'
import { root } from './tool.ts'

test('grpc-js signs in, saves, reads, lists, renames, deletes and restores', async (t) => {
  const { address } = await startLone(t)
  const { call } = clientOf(t, address, folder)
  const { token, name } = await call('signIn', { name: 'Ana' })
  assert.equal(name, 'Ana')
  const as = token as string
  const saved = await call('saveFile', { file: 'plan.md', text: 'one\n' }, as)
  assert.deepEqual(saved['servers'], ['a'])
  assert.equal(saved['serverCount'], 1)
  const read = await call('readFile', { file: 'plan.md' }, as)
  assert.equal(read['text'], 'one\n')
  assert.equal(read['version'], createHash('sha256').update('one\n').digest('hex'))
  assert.equal((read['file'] as Answer)['createdBy'], 'Ana')
  await call('renameFile', { file: 'plan.md', name: 'plans.md' }, as)
  const { files } = await call('listFiles', {}, as)
  assert.deepEqual(
    (files as Answer[]).map((file) => file['name']),
    ['plans.md'],
  )
  await call('deleteFile', { file: 'plans.md' }, as)
  await assert.rejects(
    call('readFile', { file: 'plans.md' }, as),
    failsWith(grpc.status.NOT_FOUND, 'No such file.'),
  )
  assert.equal(((await call('listFiles', {}, as))['files'] as Answer[]).length, 0)
  assert.equal(((await call('listFiles', { inTrash: true }, as))['files'] as Answer[]).length, 1)
  await call('restoreFile', { file: 'plans.md' }, as)
  assert.equal((await call('readFile', { file: 'plans.md' }, as))['text'], 'one\n')
})

test('a live session over gRPC greets, opens and pings', async (t) => {
  const { address } = await startLone(t)
  const files = clientOf(t, address, folder)
  const { file } = await files.call('saveFile', { file: 'live.md', text: 'alive' })
  const document = (file as Answer)['id']
  const { client } = clientOf(t, address, 'fourfold.v1.SessionService')
  const session = (client['session'] as () => grpc.ClientDuplexStream<Answer, Answer>).call(client)
  const heard: Answer[] = []
  session.on('data', ({ messages }: Answer) => heard.push(...(messages as Answer[])))
  const until = async (kind: string) => {
    for (;;) {
      const found = heard.find((message) => message['message'] === kind)
      if (found) return found[kind] as Answer
      await once(session, 'data')
    }
  }
  const key = randomBytes(16)
  session.write({ messages: [{ hello: { key, name: 'Ben', protocol: 1, agent: 'test' } }] })
  assert.equal((await until('welcome'))['server'], 'a')
  session.write({ messages: [{ open: { document } }, { ping: { number: 7 } }] })
  const opened = await until('opened')
  assert.equal(opened['isLast'], true)
  assert.equal((await until('pong'))['number'], 7)
  session.end()
  const [status] = (await once(session, 'status')) as [grpc.StatusObject]
  assert.equal(status.code, grpc.status.OK)
})

test('a session that says all it has to say at once hears what is answered', async (t) => {
  const { address } = await startLone(t)
  const { client } = clientOf(t, address, 'fourfold.v1.SessionService')
  const heardBy = async (protocol: number) => {
    const session = (client['session'] as () => grpc.ClientDuplexStream<Answer, Answer>).call(
      client,
    )
    const heard: unknown[] = []
    session.on('data', ({ messages }: Answer) => {
      for (const { message } of messages as Answer[]) heard.push(message)
    })
    const hello = { key: randomBytes(16), name: 'Ben', protocol, agent: 'test' }
    session.end({ messages: [{ hello }] })
    const [status] = (await once(session, 'status')) as [grpc.StatusObject]
    assert.equal(status.code, grpc.status.OK)
    return heard[0]
  }
  assert.equal(await heardBy(99), 'refused')
  assert.equal(await heardBy(1), 'welcome')
})

test('health is told, of the server, of a service, of none, and watched', async (t) => {
  const server = await startLone(t)
  const { client, call } = clientOf(t, server.address, 'grpc.health.v1.Health')
  assert.equal((await call('check', {}))['status'], 'SERVING')
  assert.equal((await call('check', { service: folder }))['status'], 'SERVING')
  await assert.rejects(
    call('check', { service: 'nothing.Here' }),
    failsWith(grpc.status.NOT_FOUND, 'There is no service "nothing.Here" here.'),
  )
  const watch = (client['watch'] as (request: object) => grpc.ClientReadableStream<Answer>).call(
    client,
    { service: 'nothing.Here' },
  )
  watch.on('error', () => {})
  const [first] = (await once(watch, 'data')) as [Answer]
  assert.equal(first['status'], 'SERVICE_UNKNOWN')
  watch.cancel()
})

test('with a password nobody gets in without it, and five wrong ones are enough', async (t) => {
  const { address } = await startLone(t, { auth: { password: 'correct horse' } })
  const { call } = clientOf(t, address, folder)
  const unauthenticated = (sentence: string) => failsWith(grpc.status.UNAUTHENTICATED, sentence)
  await assert.rejects(call('listFiles', {}), unauthenticated('Sign in first.'))
  await assert.rejects(call('listFiles', {}, 'rubbish'), unauthenticated('Sign in again.'))
  const admin = clientOf(t, address, 'fourfold.v1.AdminService')
  await assert.rejects(admin.call('getStatus', {}), unauthenticated('Sign in first.'))
  const { token } = await call('signIn', { name: 'Ana', password: 'correct horse' })
  await call('listFiles', {}, token as string)
  for (let tries = 0; tries < 5; tries++) {
    await assert.rejects(
      call('signIn', { name: 'Eve', password: `guess ${tries}` }),
      unauthenticated('The password is not that of this set.'),
    )
  }
  await assert.rejects(
    call('signIn', { name: 'Eve', password: 'correct horse' }),
    failsWith(grpc.status.RESOURCE_EXHAUSTED, /^Too many wrong passwords; try again in 15 min\.$/),
  )
})

test('sentences arrive as they were written, whatever is in them', async (t) => {
  const { address } = await startLone(t)
  const { call } = clientOf(t, address, folder)
  const name = '50%25; “größer” & mehr, 👍.md'
  for (const file of [name, 'other.md']) await call('saveFile', { file, text: '' })
  await assert.rejects(
    call('renameFile', { file: 'other.md', name }),
    failsWith(grpc.status.ALREADY_EXISTS, `"${name}" is here already; choose another name.`),
  )
})

test('a Python client finds everything through reflection', async (t) => {
  const { address } = await startLone(t)
  // `npm test` finds or installs one with grpcio and says which.
  const python = process.env['PYTHON'] ?? '/usr/bin/python3'
  const script = join(root, 'test', 'python', 'client.py')
  const { stdout } = await promisify(execFile)(python, [script, new URL(address).host])
  const seen = JSON.parse(stdout) as { [what: string]: unknown }
  const services = ['AdminService', 'FolderService', 'ReplicationService', 'SessionService']
  const all = [
    ...services.map((name) => `fourfold.v1.${name}`),
    'grpc.health.v1.Health',
    'grpc.reflection.v1.ServerReflection',
    'grpc.reflection.v1alpha.ServerReflection',
  ]
  const { events, ...rest } = seen
  assert.deepEqual(rest, {
    services: all,
    servicesAlpha: all,
    health: 1,
    name: 'Pythia',
    filesBefore: [],
    servers: ['a'],
    serverCount: 1,
    text: 'ONE\ntwo\nTHREE\n',
    author: 'Pythia',
    missing: ['NOT_FOUND', 'No such file.'],
    watchEnd: 'CANCELLED',
  })
  const [created, changed, deleted] = [3, 4, 6]
  const kinds = (events as [event: number, name: string][]).map(([event]) => event)
  assert.deepEqual([kinds[0], kinds.at(-1)], [created, deleted])
  assert.ok(kinds.slice(1, -1).every((event) => event === changed) && kinds.length >= 4)
})

test('reflection is given where it is configured, and only there', async (t) => {
  const { address } = await startLone(t, { reflection: false })
  const answer = await fetch(
    `${address}/grpc.reflection.v1.ServerReflection/ServerReflectionInfo`,
    { method: 'POST', headers: { 'content-type': 'application/grpc' } },
  )
  assert.equal(answer.status, 404)
})
