// What is asked in one moment by one call, and what of that is asked again by itself.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Code } from '@connectrpc/connect'
import { Gathered } from './gathered.ts'
import { AnswerError, NoServerError } from './set-client.ts'

/** Doubles numbers; of many it refuses the odd ones, `fails` all of them. */
function doubling(fails?: Error) {
  const calls: number[][] = []
  const gathered = new Gathered<number, number>({
    questionsMax: 4,
    charactersMax: 10,
    charactersOf: (number) => number,
    ask: async (numbers) => {
      calls.push(numbers)
      if (fails) throw fails
      return numbers.map((number) => (number % 2 === 0 ? 2 * number : undefined))
    },
    askAlone: async (number) => {
      calls.push([number])
      return 2 * number
    },
  })
  const ask = (...numbers: number[]) => Promise.all(numbers.map((number) => gathered.ask(number)))
  return { ask, calls }
}

test('what is asked in one moment goes together, as much as a call holds', async () => {
  const { ask, calls } = doubling()
  assert.deepEqual(await ask(2, 2, 0, 0, 0, 8, 4), [4, 4, 0, 0, 0, 16, 8])
  assert.deepEqual(calls, [[2, 2, 0, 0], [0, 8], [4]])
})

test('what is refused among many, or as a whole, is asked by itself', async () => {
  const some = doubling()
  assert.deepEqual(await some.ask(1, 2), [2, 4])
  assert.deepEqual(some.calls, [[1, 2], [1]])
  const all = doubling(new AnswerError(Code.Unimplemented, 'No such method.'))
  assert.deepEqual(await all.ask(1, 2), [2, 4])
  assert.deepEqual(all.calls, [[1, 2], [1], [2]])
  const none = new NoServerError('No server answers.')
  const { ask, calls } = doubling(none)
  await assert.rejects(ask(1, 2), none)
  assert.deepEqual(calls, [[1, 2]])
})
