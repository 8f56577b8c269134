// Measures of texts: right after every change, and little of them at a time.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { freshId, LoneReplica } from '../../../test/lone-replica.ts'
import { measuredCharactersMax, measuredTextsMax } from '../model/limits.ts'
import type { Answer, Call } from './messages.ts'

type Measured = Extract<Answer, { type: 'measured' }>['measures']

function measured(replica: LoneReplica, ...texts: string[]): Measured {
  const [answer] = replica.call({ type: 'measure', texts })
  assert.ok(answer?.type === 'measured', JSON.stringify(answer))
  return answer.measures
}

function save(replica: LoneReplica, file: string, text: string): string {
  const call: Call = { type: 'save', file, text, baseVersion: '', operation: freshId() }
  const [answer] = replica.call(call)
  assert.ok(answer?.type === 'kept', JSON.stringify(answer))
  return answer.file.entry.id
}

const hash = (text: string) => createHash('sha256').update(text).digest('hex')

test('a text is measured in bytes and by its version, and again after a change', () => {
  const replica = new LoneReplica('a')
  const id = save(replica, 'plan.md', 'käse')
  const [first] = measured(replica, id)
  assert.deepEqual([first?.bytes, first?.version], [5, hash('käse')])
  assert.ok(first!.changedAt > 0)
  save(replica, 'plan.md', 'käse und brot')
  const [second] = measured(replica, id)
  assert.deepEqual([second?.bytes, second?.version], [14, hash('käse und brot')])
})

test('of many long texts the first are measured, and then known', () => {
  const replica = new LoneReplica('a')
  const long = 'x'.repeat(measuredCharactersMax / 2)
  const ids = [1, 2, 3].map((number) => save(replica, `${number}.txt`, `${number}${long}`))
  assert.equal(measured(replica, ...ids).length, 2)
  assert.equal(measured(replica, ...ids).length, 3)
})

test('of many short texts some are measured at a time', () => {
  const replica = new LoneReplica('a')
  const count = measuredTextsMax + 1
  const ids = Array.from({ length: count }, (_, index) => save(replica, `${index}.txt`, 'x'))
  assert.equal(measured(replica, ...ids).length, measuredTextsMax)
  assert.equal(measured(replica, ...ids).length, count)
})

test('what is no file is not measured', () => {
  const replica = new LoneReplica('a')
  for (const texts of [[], [freshId()], ['plan.md']]) {
    assert.equal(replica.call({ type: 'measure', texts })[0]?.type, 'failed')
  }
})
