// Paths that a mirror makes of others.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { utf8ByteLength } from 'lib0/string'
import { nameBytesMax } from '../model/limits.ts'
import { asidePath } from './paths.ts'

test('what makes place for something has a name that the disk takes, be it the longest', () => {
  const path = `a/${'x'.repeat(nameBytesMax - 3)}.md`
  const taken = new Set<string>()
  for (const label of ['laptop', 'laptop 2', 'laptop 3']) {
    const aside = asidePath(path, 'laptop', (each) => taken.has(each))
    assert.match(aside, new RegExp(`^a/x+ \\(${label}\\)\\.md$`))
    assert.equal(utf8ByteLength(aside), 'a/'.length + nameBytesMax)
    taken.add(aside)
  }
})
