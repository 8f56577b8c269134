// The digest of everything: order does not matter, content does.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { SubjectId } from '../model/ids.ts'
import { Digests } from './digests.ts'

const hash = (text: string) => createHash('sha256').update(text).digest('hex')

function digestOf(contents: Record<string, string>, order: string[]): string {
  const digests = new Digests()
  for (const subject of order) digests.changed(subject as SubjectId)
  digests.refresh(Infinity, (subject) => {
    const content = contents[subject]
    return content === undefined ? undefined : hash(subject + content)
  })
  return digests.value
}

test('equal contents have one digest, whatever came first; other contents have another', () => {
  const contents = { one: 'x', two: 'y' }
  assert.equal(digestOf(contents, ['one', 'two']), digestOf(contents, ['two', 'one', 'three']))
  assert.notEqual(
    digestOf(contents, ['one', 'two']),
    digestOf({ ...contents, two: 'z' }, ['one', 'two']),
  )
  assert.notEqual(digestOf(contents, ['one']), digestOf(contents, ['one', 'two']))
})

test('only what changed is hashed again, a few at a time', () => {
  const digests = new Digests()
  let hashed = 0
  const hashOf = (subject: string) => {
    hashed++
    return hash(subject)
  }
  for (const name of ['a', 'b', 'c']) digests.changed(name as SubjectId)
  digests.refresh(2, hashOf)
  assert.equal(digests.isCurrent, false)
  digests.refresh(2, hashOf)
  assert.equal(digests.isCurrent, true)
  assert.equal(hashed, 3)
  digests.changed('b' as SubjectId)
  digests.refresh(2, hashOf)
  assert.equal(hashed, 4)
})
