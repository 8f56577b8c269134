// A large upload under fire, in short; `npm run siege -- --upload 1000` does it with a gigabyte.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '../../sim/random.ts'
import { uploadUnderFire } from './upload.ts'

test('three of four are killed during an upload: it goes on, and is whole on four disks', async (t) => {
  const bytes = 120_000_000
  const report = await uploadUnderFire({
    bytes,
    random: new Random('upload.test'),
    note: (line) => t.diagnostic(line),
  })
  assert.ok(report.bytesAtKill > 0 && report.bytesAtKill < bytes)
  assert.match(report.said, /^stored on [1-4] of 4 servers: .*\b[abcd]\b/)
})
