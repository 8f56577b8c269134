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

test('what editors and offices keep beside a file is left alone, unless people say otherwise', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'fourfold-ignored-'))
  t.after(() => rmSync(root, { recursive: true }))
  const ignored = new Ignored(root)
  const locks = [
    '.plan.md.swp',
    'plan.md~',
    '.#plan.md',
    '#plan.md#',
    '.~lock.plan.odt#',
    '~$plan.docx',
  ]
  const isIgnored = (name: string) => ignored.isIgnored(`d/${name}`, false)
  assert.deepEqual(locks.filter(isIgnored), locks)
  const own = ['#1 plan.md', 'plan#', '~plan.md', '.lock', '$plan', 'lock.plan.odt#']
  assert.deepEqual(own.filter(isIgnored), [])
  writeFileSync(join(root, ignoreFile), '!.~lock.*#\n')
  assert.equal(ignored.refresh(), true)
  assert.deepEqual(
    locks.filter((name) => !isIgnored(name)),
    ['.~lock.plan.odt#'],
  )
})
