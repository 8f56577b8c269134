// Many entries in parts: all of them, those that could be, and those before somebody said stop.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FileInfo } from '../client/api.ts'
import { FourfoldError } from '../core/model/errors.ts'
import { severalMax } from '../core/model/limits.ts'
import { inParts } from './in-parts.ts'

const count = 10 * severalMax + 1
const entries = Array.from({ length: count }, (_, number) => ({ id: String(number) }) as FileInfo)
const never = new AbortController().signal

test('all are done, in parts that one operation may hold', async () => {
  const parts: number[] = []
  const progress = { done: 0 }
  const act = async (some: FileInfo[]) => {
    parts.push(some.length)
    return []
  }
  const { done, undone, left } = await inParts(entries, act, progress, never)
  assert.deepEqual([done.length, undone.length, left, progress.done], [count, 0, 0, count])
  assert.deepEqual(parts, [...Array.from({ length: 10 }, () => severalMax), 1])
})

test('what could not be done is told, and the others are done', async () => {
  const error = new FourfoldError('invalid', 'Not this one.')
  const act = async (some: FileInfo[]) =>
    some.filter(({ id }) => Number(id) % 2 === 0).map(({ id }) => ({ id, error }))
  const { done, undone } = await inParts(entries, act, { done: 0 }, never)
  assert.ok(done.every(({ id }) => Number(id) % 2 === 1))
  assert.equal(done.length + undone.length, count)
  const none = (some: FileInfo[]) => Promise.resolve(some.map(({ id }) => ({ id, error })))
  await assert.rejects(inParts(entries, none, { done: 0 }, never), error)
})

test('after stop nothing begins, and what was on its way is counted', async () => {
  const stopping = new AbortController()
  const progress = { done: 0 }
  const begun = new Set<string>()
  const act = async (some: FileInfo[]) => {
    for (const { id } of some) begun.add(id)
    await Promise.resolve()
    if (progress.done >= 2 * severalMax) stopping.abort()
    return []
  }
  const { done, left } = await inParts(entries, act, progress, stopping.signal)
  assert.deepEqual(new Set(done.map(({ id }) => id)), begun)
  assert.equal(done.length + left, count)
  assert.ok(left > 0 && done.length === progress.done)
})
