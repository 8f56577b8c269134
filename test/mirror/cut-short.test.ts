// A mirror ends in the middle of something; and what it left is moved before its next life, or half moved.

import assert from 'node:assert/strict'
import { linkSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { createClient } from '@connectrpc/connect'
import { createGrpcTransport } from '@connectrpc/connect-node'
import { MirrorDirectory } from '../../src/adapters/mirror/directory.ts'
import { MirrorStore, type CommonRow, type Intent } from '../../src/adapters/mirror/store.ts'
import { random } from '../../src/adapters/system.ts'
import { subjectId } from '../../src/core/model/ids.ts'
import { FolderService } from '../../src/core/model/wire.ts'
import { fourfold, hashOf, mirrorHere, stage, tree, type Mirrored } from './mirrors.ts'

const name = 'plan'
const operation = subjectId(random(16))

test('a text that was moved before its making was answered is there once', async (t) => {
  const { mirror, folder, nextLife } = await staged(t)
  const text = 'one\ntwo\n'
  note(mirror, Buffer.from(text), { text })
  await folder.saveFile({ file: name, text, isNew: true, operation })
  await nextLife()
})

test('bytes that were moved before their making was answered are there once', async (t) => {
  const { mirror, folder, nextLife, servers } = await staged(t)
  const bytes = Buffer.from([1, 0, 255])
  note(mirror, bytes, { text: '', bytes: { size: bytes.length, base: '' } })
  await fourfold(['put', mirror.path(name), 'same'], servers)
  await folder.deleteFile({ file: 'same' })
  const [hash, size] = [hashOf(bytes), bytes.length]
  await folder.saveBinary({ file: name, hash, size, isNew: true, operation })
  await nextLife()
})

test('a file that was being moved when the mirror ended has one place', async (t) => {
  const { mirror, folder, servers } = await staged(t)
  writeFileSync(mirror.path(name), 'one\n')
  const once = () => fourfold(['mirror', mirror.directory, '--once'], servers)
  await once()
  const { file } = await folder.getFile({ file: name })
  const [from, to] = [name, `sub/${name}`]
  await folder.moveFile({ file: file!.id, path: to })
  // As the life that ended left it: there already, and here still.
  const store = new MirrorStore(mirror.directory)
  store.setMeta('moving', JSON.stringify({ id: file!.id, from, to }))
  store.close()
  linkSync(mirror.path(from), mirror.path(to))
  const { code, out, err } = await once()
  assert.equal(code, 0, `${out}${err}`)
  assert.deepEqual([...tree(mirror.directory).keys()], ['sub', to])
  assert.equal((await folder.getFile({ file: file!.id })).file!.path, to)
})

/** Tells of every place that is noted. */
class TellingStore extends MirrorStore {
  placed: (row: CommonRow) => void = () => {}

  override keepPlace(row: CommonRow): void {
    super.keepPlace(row)
    this.placed(row)
  }
}

test('a file that changed places with a directory right before the mirror ended is known there', async (t) => {
  const { mirror, folder, servers } = await staged(t)
  const once = async () =>
    assert.equal((await fourfold(['mirror', mirror.directory, '--once'], servers)).code, 0)
  mirror.shell('echo one > plan; echo in > sub/in')
  await once()
  const { file } = await folder.getFile({ file: name })
  mirror.shell('mv sub between; mv plan sub; mv between plan')
  const store = new TellingStore(mirror.directory)
  const ending = mirrorHere({ root: mirror.directory, store, servers })
  // It does all that it planned when the first one stepped aside.
  store.placed = ({ path }) => {
    if (path === 'plan (here)') ending.stop()
  }
  await ending.run({ isOnce: true })
  store.close()
  // By rename, as editors write: it is known by its place.
  mirror.shell('echo two > new~; mv new~ sub')
  await once()
  assert.deepEqual(Object.fromEntries(tree(mirror.directory)), {
    plan: null,
    'plan/in': 'in\n',
    sub: 'two\n',
  })
  assert.equal((await folder.getFile({ file: 'sub' })).file!.id, file!.id)
})

async function staged(t: TestContext) {
  const { mirrors, servers } = await stage(t, 1, { ids: ['a'] })
  const [mirror] = mirrors as [Mirrored]
  const folder = createClient(FolderService, createGrpcTransport({ baseUrl: servers }))
  mkdirSync(mirror.path('sub'))
  const nextLife = async () => {
    renameSync(mirror.path(name), mirror.path('sub', name))
    const { code, out, err } = await fourfold(['mirror', mirror.directory, '--once'], servers)
    assert.equal(code, 0, `${out}${err}`)
    const { files } = await folder.listFiles({ isRecursive: true })
    const found = files.filter((each) => each.name === name).map(({ id, path }) => [id, path])
    assert.deepEqual(found, [[operation, `sub/${name}`]])
    assert.deepEqual([...tree(mirror.directory).keys()], ['sub', `sub/${name}`])
  }
  return { mirror, folder, servers, nextLife }
}

/** As the life that ended left it. */
function note(mirror: Mirrored, bytes: Buffer, what: Pick<Intent, 'text' | 'bytes'>): void {
  writeFileSync(mirror.path(name), bytes)
  const state = new MirrorDirectory(mirror.directory).stateAt(name)!
  const store = new MirrorStore(mirror.directory)
  const place = { operation, file: name, path: name, isNew: true, isRescue: false, ...state }
  store.addIntent({ ...place, version: hashOf(bytes), baseText: '', ...what })
  store.close()
}
