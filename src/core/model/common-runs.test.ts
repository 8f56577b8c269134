// Common runs are common, in order, and as long as can be.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '../../../sim/random.ts'
import { commonRuns } from './common-runs.ts'

/** The length of the longest common subsequence, by the textbook. */
function longest(from: number[], to: number[]): number {
  let row = [0, ...to.map(() => 0)]
  for (const item of from) {
    const next = [0]
    to.forEach((other, index) => {
      const best = item === other ? row[index]! + 1 : Math.max(row[index + 1]!, next[index]!)
      next.push(best)
    })
    row = next
  }
  return row.at(-1)!
}

test('the runs are those of a longest common subsequence', () => {
  for (let seed = 1; seed <= 3000; seed++) {
    const random = new Random(seed)
    const kinds = random.between(1, 6)
    const items = () => Array.from({ length: random.below(20) }, () => random.below(kinds))
    const [from, to] = [items(), items()]
    const runs = commonRuns(from, to, Infinity)!
    let [here, there, length] = [0, 0, 0]
    for (const [x, y, count] of runs) {
      assert.ok(x >= here && y >= there && count > 0, `seed ${seed}`)
      assert.deepEqual(from.slice(x, x + count), to.slice(y, y + count), `seed ${seed}`)
      ;[here, there] = [x + count, y + count]
      length += count
    }
    assert.ok(here <= from.length && there <= to.length)
    assert.equal(length, longest(from, to), `seed ${seed}`)
  }
})

test('a distance over the limit is told as none, one at the limit is found', () => {
  assert.deepEqual(commonRuns([1, 2, 3], [1, 3, 4], 2), [
    [0, 0, 1],
    [2, 1, 1],
  ])
  assert.equal(commonRuns([1, 2, 3], [1, 3, 4], 1), undefined)
  assert.deepEqual(commonRuns([1], [2], 2), [])
  assert.deepEqual(commonRuns([], [], 0), [])
})
