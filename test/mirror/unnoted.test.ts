// What a mirror put on the disk in a plan that broke off is not taken for what a person deleted.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MirrorStore } from '../../src/adapters/mirror/store.ts'
import { startLone, temporaryFolder } from '../lone-server.ts'
import { call } from '../requests.ts'
import { until } from '../until.ts'
import { mirrorHere, tree } from './mirrors.ts'

/** A store that can note so many things more, and then says once what SQLite says of a full disk. */
class FullStore extends MirrorStore {
  room = Infinity

  override soon(change: () => void): Promise<void> {
    if (this.room-- > 0) return super.soon(change)
    this.room = Infinity
    const full = { code: 'ERR_SQLITE_ERROR', errcode: 13 }
    return Promise.reject(Object.assign(new Error('database or disk is full'), full))
  }
}

test('7 files that came before the disk was full are not deleted in the folder', async (t) => {
  const { address } = await startLone(t)
  const save = (names: string[]) =>
    call(address, 'SaveFiles', { files: names.map((file) => ({ file, text: file })) })
  const root = temporaryFolder(t)
  const store = new FullStore(root)
  const said: string[] = []
  const told = (line: string) => void said.push(line)
  const mirror = mirrorHere({ root, store, servers: address, told })
  await save(Array.from({ length: 12 }, (_, index) => `before ${index}.md`))
  const running = mirror.run({ isOnce: false })
  const isThere = (path: string) => tree(root).get(path) === path
  await until(() => said.join('').includes('are the same'))

  for (const round of ['x', 'y', 'z']) {
    const names = Array.from({ length: 4 }, (_, index) => `${round} ${index}.md`)
    // All are put into their places, and of two that is not noted any more.
    store.room = names.length + 2
    await save(names)
    await until(() => names.every(isThere) && store.room > 100)
    await until(
      () => said.at(-1)!.includes('are the same'),
      () => said.join(''),
    )
  }

  mirror.stop()
  await running
  store.close()
  assert.deepEqual(
    said.filter((line) => /^(deleted|added|removed|put)/.test(line)),
    [],
  )
  const { body } = await call(address, 'ListFiles', {})
  assert.equal(body.files.length, 12 + 3 * 4)
})
