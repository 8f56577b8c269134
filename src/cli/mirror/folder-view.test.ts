// How a mirror asks for the folder.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { startLone } from '../../../test/lone-server.ts'
import { until } from '../../../test/until.ts'
import { SetClient } from '../set-client.ts'
import { FolderView } from './folder-view.ts'

test('12 what has seen nothing asks for what is there, and for what lies beyond after that', async (t) => {
  const { address } = await startLone(t)
  const set = new SetClient({ servers: address })
  t.after(() => set.close())
  let hadSince: boolean[] = []
  const heard: Pick<SetClient, 'ask' | 'read'> = {
    ask: (ask) => set.ask(ask),
    read: (open, take) =>
      set.read((clients, options) => {
        const { folder } = clients
        const watch: typeof folder.watch = (request, call) => {
          hadSince.push(request.since !== undefined)
          return folder.watch(request, call)
        }
        return open({ ...clients, folder: { ...folder, watch } }, options)
      }, take),
  }
  const operation = Buffer.alloc(16, 7).toString('base64url')
  const saved = { file: 'plan.md', text: 'a plan', operation }
  await set.ask(({ folder }, call) => folder.saveFile(saved, call))
  /** What it has seen when it knows the folder. */
  const watched = async (seen: string | undefined) => {
    hadSince = []
    const view = new FolderView(heard, '', { seen, versions: new Map(), changed: () => {} })
    const watching = view.watch().catch(() => 'ended')
    await until(async () => {
      await view.refresh([])
      return view.isListed
    })
    assert.deepEqual(
      [...view.entries.values()].map(({ path }) => path),
      ['plan.md'],
    )
    view.accept()
    view.end()
    await watching
    return view.seen
  }
  const seen = await watched(undefined)
  assert.equal(hadSince[0], false)
  assert.notEqual(seen, '{}')
  assert.equal(await watched(seen), seen)
  assert.equal(hadSince[0], true)
})
