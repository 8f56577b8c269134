// Things done side by side: how many at once, and how they end.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { StoppedError } from './command.ts'
import { inLanes } from './lanes.ts'

test('so many are under way as there are lanes, and all are done', async () => {
  const done: number[] = []
  let now = 0
  let most = 0
  await inLanes(
    [1, 2, 3, 4, 5, 6, 7],
    async (item) => {
      most = Math.max(most, ++now)
      await Promise.resolve()
      now--
      done.push(item)
    },
    { lanes: 3 },
  )
  assert.deepEqual([done.length, most], [7, 3])
})

test('what is under way together holds no more bytes than it may, but one goes in any case', async () => {
  const sizes = [4, 9, 30, 5, 5, 1]
  const together: number[][] = []
  const now: number[] = []
  await inLanes(
    sizes,
    async (size) => {
      now.push(size)
      together.push([...now])
      await Promise.resolve()
      now.splice(now.indexOf(size), 1)
    },
    { bytesMax: 10, bytesOf: (size) => size },
  )
  assert.deepEqual(
    together.map((each) => each.at(-1)),
    sizes,
  )
  const most = together.map((each) => each.reduce((all, size) => all + size))
  assert.ok(together.every((each, index) => each.length === 1 || most[index]! <= 10))
  assert.ok(together.some((each) => each.length > 1))
})

test('stopped, it ends what is under way and begins nothing', async () => {
  const ending = new AbortController()
  const begun: number[] = []
  const ended: number[] = []
  const all = inLanes(
    [1, 2, 3, 4, 5, 6],
    async (item) => {
      begun.push(item)
      if (item === 3) ending.abort()
      await Promise.resolve()
      ended.push(item)
    },
    { lanes: 2, ending: ending.signal },
  )
  await assert.rejects(all, StoppedError)
  assert.ok(begun.length < 6)
  assert.deepEqual(ended, begun)
})
