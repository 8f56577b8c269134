// G8: a save that was sent to two servers, because the first seemed dead, has one effect.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freshId, LoneReplica } from '../../../test/lone-replica.ts'
import type { Call } from './messages.ts'

/** Two servers that have the same files and do not hear each other. */
function pair(text: string) {
  const a = new LoneReplica('a', () => 0.2)
  const b = new LoneReplica('b', () => 0.8)
  a.save('plan.md', text)
  b.heard(a.updates())
  return { a, b, seen: a.updates().length }
}

function textAt(replica: LoneReplica): string {
  const [answer] = replica.call({ type: 'read', file: 'plan.md' })
  assert.ok(answer?.type === 'read')
  return answer.text
}

const save = (text: string): Call => {
  return { type: 'save', file: 'plan.md', text, baseVersion: '', operation: freshId() }
}

test('G8 a save that two servers carried out is there once when they meet', () => {
  const { a, b, seen } = pair('one\ntwo\nthree\n')
  const request = save('zero\none\n2\nthree\nfour\n')
  a.call(request)
  b.call(request)
  const fromA = a.updates(seen)
  a.heard(b.updates())
  b.heard(fromA)
  assert.equal(textAt(a), 'zero\none\n2\nthree\nfour\n')
  assert.equal(textAt(b), textAt(a))
  // What was typed in before counts as well: the next save is made to the same text.
  const next = save('zero\n')
  b.call(next)
  a.call(next)
  assert.equal(textAt(b), 'zero\n')
})

test('G8 two saves of the same text by two people are two', () => {
  const { a, b, seen } = pair('one')
  a.call(save('one more'))
  b.call(save('one more'))
  b.heard(a.updates(seen))
  assert.equal(textAt(b), 'one more more')
})
