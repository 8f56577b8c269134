// A client that no server answers: what programs may do with it all the same.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shownMax } from '../core/model/limits.ts'
import { SessionClient } from './client.ts'
import { OpenDocument } from './open-document.ts'

test('a file that cannot be shown beside so many others is not held open by trying', async (t) => {
  const wire = { send: () => {}, close: () => {} }
  const client = new SessionClient(
    { servers: ['http://127.0.0.1:1'], name: 'Ada', agent: 'test', folder: 'shown' },
    () => wire,
  )
  t.after(() => client.close())
  const ends = Array.from({ length: shownMax }, (_, count) => client.show(`${count}`, 'alone'))
  assert.throws(() => client.open('file'), { code: 'too-large' })
  ends[0]!()
  const document = client.open('file')
  assert.ok(document instanceof OpenDocument)
  document.close()
  assert.ok(document.isClosed)
})
