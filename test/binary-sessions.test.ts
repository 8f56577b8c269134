// Files of bytes made and changed in a session: in the person's name, once, and only with their bytes.

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createClient } from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-node'
import type { Client } from '../src/client/api.ts'
import { connect } from '../src/client/index.ts'
import { FourfoldError } from '../src/core/model/errors.ts'
import { subjectId } from '../src/core/model/ids.ts'
import { FolderService } from '../src/core/model/wire.ts'
import { startLone } from './lone-server.ts'
import { until } from './until.ts'

async function scene(t: TestContext) {
  const { address, directory } = await startLone(t)
  const client = connect({ servers: [address], name: 'Ana', agent: 'test' })
  t.after(() => client.close())
  await client.joined()
  const folder = createClient(
    FolderService,
    createConnectTransport({ baseUrl: address, httpVersion: '1.1' }),
  )
  const upload = async (size: number) => {
    const bytes = randomBytes(size)
    const name = { hash: createHash('sha256').update(bytes).digest('hex'), size }
    const answer = await fetch(`${address}/blobs/${name.hash}?size=${size}`, {
      method: 'PATCH',
      headers: { 'upload-offset': '0' },
      body: new Uint8Array(bytes),
    })
    assert.equal(answer.status, 201)
    return name
  }
  return { client, folder, upload, directory }
}

test('what was carried out is answered so at either door, where the bytes are not', async (t) => {
  const { client, folder, upload, directory } = await scene(t)
  const bytes = await upload(5000)
  const [made, saved] = [subjectId(randomBytes(16)), subjectId(randomBytes(16))]
  const make = () => client.createBinary('logo.png', bytes, '', made)
  const save = () => folder.saveBinary({ file: 'icon.png', ...bytes, operation: saved })
  await make()
  await save()
  await rm(join(directory, 'blobs', bytes.hash.slice(0, 2), bytes.hash.slice(2)))
  assert.equal((await make()).id, made)
  assert.equal((await save()).file?.id, saved)
  await assert.rejects(folder.saveBinary({ file: 'other.png', ...bytes }), /are not here/)
})

const only = (client: Client, id: string) => client.files.find((file) => file.id === id)!

test('a file of bytes is made in the name of who made it, and once, however often it is asked', async (t) => {
  const { client, folder, upload } = await scene(t)
  const { id: parent } = await client.makeDirectory('pictures')
  const bytes = await upload(5000)
  const operation = subjectId(randomBytes(16))
  const made = await client.createBinary('logo.png', bytes, parent, operation)
  assert.equal(made.id, operation)
  assert.equal((await client.createBinary('logo.png', bytes, parent, operation)).id, made.id)
  assert.equal(made.path, 'pictures/logo.png')
  assert.deepEqual(made.bytes, { ...bytes, hasConflict: false })
  assert.deepEqual(made.servers, ['a'])
  const { contents } = await folder.listContents({ file: made.id })
  assert.deepEqual(
    contents.map(({ hash, author }) => [hash, author]),
    [[bytes.hash, 'Ana']],
  )
})

test('other bytes, a conflict, its end, and live text again', async (t) => {
  const { client, folder, upload } = await scene(t)
  const [first, one, two] = [await upload(10), await upload(20), await upload(30)]
  const { id } = await client.create('plan.txt', 'a text')
  await client.setContent(id, first, '')
  assert.equal(only(client, id).kind, 'binary')
  await client.setContent(id, one, first.hash)
  await client.setContent(id, two, first.hash)
  assert.deepEqual(only(client, id).bytes, { ...two, hasConflict: true })
  await client.setContent(id, two, two.hash)
  assert.deepEqual(only(client, id).bytes, { ...two, hasConflict: false })
  const { contents } = await folder.listContents({ file: id })
  assert.deepEqual(
    contents.map(({ hash }) => hash),
    [two.hash, one.hash, first.hash],
  )
  await client.setContent(id, 'text', two.hash)
  assert.equal(only(client, id).kind, 'text')
  assert.equal((await folder.readFile({ file: id })).text, 'a text')
})

test('what is written in a text after bytes took its place is told as a second version', async (t) => {
  const { client, folder, upload } = await scene(t)
  const bytes = await upload(10)
  const { id } = await client.create('letter.txt', 'Dear all,')
  const live = client.open(id)
  await live.loaded
  await folder.saveBinary({ file: id, ...bytes })
  // As of one who was offline meanwhile.
  live.text.insert(live.text.length, ' at last')
  await live.stored()
  live.text.insert(live.text.length, '!')
  await live.stored()
  const versions = async () => {
    const { contents } = await folder.listContents({ file: id })
    return contents.map(({ hash, author }) => [hash, author])
  }
  assert.deepEqual(await versions(), [
    [bytes.hash, 'guest'],
    ['', 'Ana'],
  ])
  await until(
    () => only(client, id).bytes?.hasConflict === true,
    () => 'the conflict is not told',
  )
  await client.setContent(id, 'text', bytes.hash)
  assert.equal((await folder.readFile({ file: id })).text, 'Dear all, at last!')
  live.text.insert(0, 'PS ')
  await live.stored()
  assert.equal((await versions()).length, 3, 'while it is shown it is no version of its own')
  live.close()
})

test('what breaks a rule is refused with a sentence', async (t) => {
  const { client, upload } = await scene(t)
  const bytes = await upload(10)
  const { id } = await client.makeDirectory('docs')
  const refused = (code: string) => (error: unknown) => {
    assert.ok(error instanceof FourfoldError)
    assert.equal(error.code, code)
    return true
  }
  await assert.rejects(client.createBinary('docs', bytes), refused('taken'))
  await assert.rejects(client.createBinary('a/b', bytes), refused('invalid'))
  await assert.rejects(client.createBinary('a.bin', { hash: '../x', size: 1 }), refused('invalid'))
  await assert.rejects(
    client.createBinary('a.bin', { hash: bytes.hash, size: 1.5 }),
    refused('invalid'),
  )
  await assert.rejects(client.setContent(id, bytes, ''), refused('invalid'))
  // No server will have bytes that nobody uploaded.
  const absent = { hash: 'ab'.repeat(32), size: 3 }
  await assert.rejects(client.createBinary('b.bin', absent), refused('unavailable'))
  assert.deepEqual(
    client.files.map(({ path }) => path),
    ['docs'],
  )
})
