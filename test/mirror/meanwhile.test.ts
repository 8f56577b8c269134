// What others do in the folder between a plan of a mirror and its acts.

import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fromJson } from '@bufbuild/protobuf'
import { Ignored } from '../../src/adapters/mirror/ignored.ts'
import { MirrorDirectory } from '../../src/adapters/mirror/directory.ts'
import { MirrorStore } from '../../src/adapters/mirror/store.ts'
import { FolderView } from '../../src/cli/mirror/folder-view.ts'
import { Hand } from '../../src/cli/mirror/hand.ts'
import { Report } from '../../src/cli/mirror/report.ts'
import { NoServerError, SetClient } from '../../src/cli/set-client.ts'
import { FileSchema } from '../../src/core/model/wire.ts'
import { startLone, temporaryFolder } from '../lone-server.ts'
import { answered } from '../requests.ts'
import { until } from '../until.ts'
import { tree } from './mirrors.ts'

/** A hand that does what a test says, and not what a plan does. */
async function handHere(t: TestContext, servers: string, mirrored = '') {
  const root = temporaryFolder(t)
  const [directory, store] = [new MirrorDirectory(root), new MirrorStore(root)]
  const set = new SetClient({ servers })
  const changed = () => {}
  const folder = new FolderView(set, mirrored, { seen: undefined, versions: new Map(), changed })
  const watching = folder.watch()
  const report = new Report(root, { isJson: false, write: () => {} })
  const ignored = new Ignored(root)
  const ways = { changed, read: changed, failed: assert.ifError }
  const parts = { directory, store, set, folder, report, ignored }
  const hand = new Hand({ ...parts, ...ways, commons: [], host: 'here' })
  const end = async () => {
    await hand.stop()
    set.close()
    folder.end()
    await assert.rejects(watching, NoServerError)
    store.close()
  }
  await until(async () => {
    await folder.refresh([])
    return folder.isListed
  })
  return { root, folder, hand, end }
}

test('what others put into a directory, or changed in it, is not deleted with it', async (t) => {
  const { address } = await startLone(t)
  const ask = (method: string, asked: object) => answered(address, method, asked)
  const save = (file: string, text: string) => ask('SaveFile', { file, text })
  const names = ['new', 'changed', 'as it was']
  const files = names.map((name) => `${name}/a.md`)
  for (const path of names) await ask('MakeDirectory', { path })
  for (const path of files) await save(path, 'one')
  const { root, folder, hand, end } = await handHere(t, address)
  const at = (path: string) => [...folder.entries.values()].find((each) => each.path === path)
  const idOf = (path: string) => at(path)!.id
  const make = (path: string) => ({ type: 'make-directory', id: idOf(path), path }) as const
  const write = (path: string) =>
    ({ type: 'write', id: idOf(path), path, over: undefined }) as const
  await hand.perform([...names.map(make), ...files.map(write)], new Map())
  assert.deepEqual([...tree(root).keys()].sort(), [...names, ...files].sort())

  for (const name of names) rmSync(join(root, name), { recursive: true })
  await save('new/b.md', 'two')
  await save('changed/a.md', 'three')
  await until(() => at('new/b.md') !== undefined && at('changed/a.md')!.isStale === true)
  const remove = (path: string) => ({ type: 'delete-entry', id: idOf(path), path }) as const
  await hand.perform(names.map(remove), new Map())
  // Before the server ends.
  await end()

  const { files: left = [] } = await ask('ListFiles', { isRecursive: true })
  assert.deepEqual((left as { path: string }[]).map(({ path }) => path).sort(), [
    'changed',
    'changed/a.md',
    'new',
    'new/a.md',
    'new/b.md',
  ])
})

test('what lies in a mirrored directory that others rename is not taken to have left it', async (t) => {
  const { address } = await startLone(t)
  const ask = (method: string, asked: object) => answered(address, method, asked)
  const { file: top } = await ask('MakeDirectory', { path: 'top' })
  const save = (file: string) => ask('SaveFile', { file, text: 'one' })
  const { file } = await save('top/a.md')
  const { file: other } = await save('top/b.md')
  const { folder, end } = await handHere(t, address, top.id)

  await ask('RenameFile', { file: top.id, name: 'other' })
  const { file: answer } = await ask('GetFile', { file: file.id })
  folder.know(fromJson(FileSchema, answer))
  assert.deepEqual([folder.entries.get(file.id)?.path, [...folder.gone]], ['a.md', []])

  const { file: moved } = await ask('MoveFile', { file: other.id, path: 'b.md' })
  folder.know(fromJson(FileSchema, moved))
  await folder.refresh([file.id, other.id])
  await end()
  const paths = [...folder.entries.values()].map(({ path }) => path)
  assert.deepEqual([paths, [...folder.gone]], [['a.md'], [other.id]])
  assert.deepEqual([...folder.elsewhere], [other.id])
  folder.know(fromJson(FileSchema, { ...moved, isDeleted: true }))
  assert.deepEqual([[...folder.gone], [...folder.elsewhere]], [[other.id], []], 'in the trash')
})
