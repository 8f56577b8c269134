// Texts that are only on the device, when that cannot be written.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as Y from 'yjs'
import { MemoryDevice } from '../adapters/storage/local-memory.ts'
import { Files } from './files.ts'
import { Keepsake } from './keepsake.ts'
import { OnlyHere } from './only-here.ts'
import type { OpenDocument } from './open-document.ts'

test('what was written in an erased file is shown also where the device cannot keep it', async () => {
  const device = new MemoryDevice()
  const storage = device.open()
  const onlyHere = new OnlyHere({
    storage,
    keepsake: new Keepsake(storage, new Uint8Array(16), () => {}),
    files: new Files({ isOfAll: true }),
    isOnline: () => true,
    isOpen: () => false,
    use: () => assert.fail('nothing is looked at'),
    changed: () => {},
  })
  device.failure = 'the disk is full'
  const text = new Y.Doc().getText('text')
  text.insert(0, 'mine')
  await onlyHere.keepErased({ id: 'D', text, recall: Promise.resolve(true) } as OpenDocument)
  const [kept, ...others] = onlyHere.texts
  assert.deepEqual(others, [])
  assert.equal(kept?.text, 'mine')
})
