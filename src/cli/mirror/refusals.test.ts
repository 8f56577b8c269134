// What the disk does not take is tried again: soon at first, for its cause may be gone.

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ownDirectory } from '../../adapters/mirror/store.ts'
import { SetClient } from '../set-client.ts'
import { FolderView } from './folder-view.ts'
import { Refusals } from './refusals.ts'
import { Report } from './report.ts'

test('what the disk refuses is tried again after a second, then each time after twice as long', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'fourfold-refusals-'))
  t.after(() => rmSync(root, { recursive: true }))
  mkdirSync(join(root, ownDirectory))
  const said: string[] = []
  const report = new Report(root, { isJson: false, write: (text) => said.push(text) })
  const set = new SetClient({ servers: 'http://127.0.0.1:1' })
  t.after(() => set.close())
  const options = { seen: undefined, versions: new Map<string, string>(), changed: () => {} }
  const refusals = new Refusals(new FolderView(set, '', options), report)
  for (const code of ['EACCES', 'ENOSPC']) {
    const error = Object.assign(new Error(code), { code })
    for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
      const before = performance.now()
      refusals.byDisk(error, code, `${code}.md`)
      const { until } = refusals.all.get(code)!
      const isSo = before <= until - 1000 * seconds && until - 1000 * seconds <= performance.now()
      assert.ok(isSo, `${code}: ${until - before} ms and not ${seconds} s`)
      const skipped = [...refusals.all.values()]
      const [held, why] = [undefined, undefined]
      report.stand({ pid: 1, at: 0, state: 'working', files: 0, skipped, held, why })
    }
  }
  // Each is said once.
  assert.deepEqual(said, [
    'EACCES.md is left alone. It may not be written here.\n',
    'The disk is full. Nothing is brought here until it has room.\n',
    'ENOSPC.md is left alone. The disk is full; it is tried again.\n',
  ])
  const unknown = Object.assign(new Error('no such code'), { code: 'ENOTHING' })
  assert.throws(() => refusals.byDisk(unknown, 'x', 'x'), unknown)
})
