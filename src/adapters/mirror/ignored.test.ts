// What a mirror leaves alone.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parkedPath } from '../../core/mirror/paths.ts'
import { Ignored, ignoreFile } from './ignored.ts'

test('what is parked is not left alone, and what is left alone in it is', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'fourfold-ignored-'))
  t.after(() => rmSync(root, { recursive: true }))
  writeFileSync(join(root, ignoreFile), '*.o\n')
  const { isIgnored } = new Ignored(root)
  for (const own of ['.fourfold', '.fourfold/status.json', '.fourfold/displaced/x', '.git/HEAD']) {
    assert.equal(isIgnored(own, false), true, own)
  }
  for (const name of ['plan.md', 'd']) assert.equal(isIgnored(parkedPath('A', name), true), false)
  assert.equal(isIgnored(`${parkedPath('A', 'd')}/plan.md`, false), false)
  for (const name of ['.git', 'x~', 'x.o']) {
    assert.equal(isIgnored(`${parkedPath('A', 'd')}/${name}`, name === '.git'), true, name)
  }
})
