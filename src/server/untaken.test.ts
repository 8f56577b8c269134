// What is answered and not taken has a bound, and those who take it are answered.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { helloBytesMax } from '../core/model/limits.ts'
import { UntakenAnswers } from './untaken.ts'

const long = 2 * helloBytesMax

/** Answers of one call of this network. */
function callOf(answers: UntakenAnswers, network: string) {
  const { promise: taken, resolve: take } = Promise.withResolvers<void>()
  let isCut = false
  const cut = () => {
    isCut = true
    take()
  }
  /** Whether so many bytes were given to the network. */
  const gives = async (bytes: number) => {
    const body = async function* () {
      yield new Uint8Array(bytes)
    }
    let given = 0
    for await (const piece of answers.counted(body(), { network, taken, cut }))
      given += piece.length
    return given === bytes
  }
  return { gives, take, isCut: () => isCut }
}

test('12 whoever leaves answers untaken gets no more of them, and others do', async () => {
  const answers = new UntakenAnswers(3 * long)
  const ana = Array.from({ length: 4 }, () => callOf(answers, 'ana'))
  for (const each of ana.slice(0, 3)) assert.ok(await each.gives(long))
  assert.equal(await ana[3]!.gives(long), false)
  assert.ok(ana[3]!.isCut())
  // What is short is let in.
  assert.ok(await callOf(answers, 'ana').gives(helloBytesMax))

  const ben = callOf(answers, 'ben')
  assert.ok(await ben.gives(long))
  assert.deepEqual(
    ana.map((each) => each.isCut()),
    [false, false, true, true],
  )
  ana[0]!.take()
  ben.take()
  await Promise.resolve()
  assert.ok(await callOf(answers, 'ana').gives(long))
})
