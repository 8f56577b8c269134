// Long answers are made in turns, and only while callers take those that were made.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as untilOthersRan } from 'node:timers/promises'
import { callsMax, longAnswerBytes, longAnswersAtOnce, rpcBytesMax } from '../core/model/limits.ts'
import { LongAnswers } from './long-answers.ts'

const isBusy = /^FourfoldError: Too much is read at this moment\. Try another server\.$/

/** Answers that are made when the test says so, and taken then, too. */
class Stage {
  readonly answers = new LongAnswers()
  readonly making: ((bytes: number) => void)[] = []
  readonly taken: (() => void)[] = []

  readonly cut: string[] = []

  ask(
    signal: AbortSignal = new AbortController().signal,
    address = '192.0.2.1',
    connection = {},
  ): Promise<number> {
    const { promise: taken, resolve } = Promise.withResolvers<void>()
    this.taken.push(resolve)
    const make = () => {
      const { promise, resolve: made } = Promise.withResolvers<number>()
      this.making.push(made)
      return promise
    }
    const cut = () => void this.cut.push(address)
    const taker = { signal, taken, address, connection, cut }
    return this.answers.make(make, (bytes) => bytes, taker)
  }
}

test('12 only so many are made at once; the next one goes on when one is there', async () => {
  const stage = new Stage()
  const asked = Array.from({ length: longAnswersAtOnce + 2 }, () => stage.ask())
  await untilOthersRan()
  assert.equal(stage.making.length, longAnswersAtOnce)
  stage.making[0]!(1)
  await asked[0]
  await untilOthersRan()
  assert.equal(stage.making.length, longAnswersAtOnce + 1)
})

test('12 after a long one they are made one by one, and others come between', async () => {
  const stage = new Stage()
  const first = stage.ask()
  await untilOthersRan()
  stage.making[0]!(longAnswerBytes)
  await first
  await untilOthersRan()
  const [second] = [stage.ask(), stage.ask(), stage.ask()]
  await untilOthersRan()
  assert.equal(stage.making.length, 2)
  stage.making[1]!(longAnswerBytes)
  await second
  assert.equal(stage.making.length, 2, 'the event loop turns first')
  await untilOthersRan()
  assert.equal(stage.making.length, 3)
})

test('12 while callers leave too much untaken they are not answered; then they are', async () => {
  const stage = new Stage()
  const first = stage.ask()
  await untilOthersRan()
  stage.making[0]!(rpcBytesMax)
  await first
  await untilOthersRan()
  await assert.rejects(stage.ask(), isBusy)
  stage.taken[0]!()
  await untilOthersRan()
  const third = stage.ask()
  await untilOthersRan()
  stage.making[1]!(1)
  assert.equal(await third, 1)
})

test('12 whoever leaves the most untaken makes room for others', async () => {
  const stage = new Stage()
  const { signal } = new AbortController()
  const given: [address: string, bytes: number][] = [
    ['192.0.2.2', rpcBytesMax / 4],
    ['2001:db8::1', rpcBytesMax / 2],
    ['2001:db8::2', rpcBytesMax / 4],
  ]
  for (const [index, [address, bytes]] of given.entries()) {
    const answer = stage.ask(signal, address)
    await untilOthersRan()
    stage.making[index]!(bytes)
    await answer
    await untilOthersRan()
  }
  await assert.rejects(stage.ask(signal, '2001:db8::3'), isBusy)
  assert.deepEqual(stage.cut, [])
  const other = stage.ask(signal, '192.0.2.2')
  await untilOthersRan()
  assert.deepEqual(stage.cut, ['2001:db8::2'])
  stage.making[3]!(1)
  assert.equal(await other, 1)
})

test('whoever has gone is not answered, and what fails makes room', async () => {
  const stage = new Stage()
  const gone = new AbortController()
  gone.abort()
  await assert.rejects(stage.ask(gone.signal), isBusy)
  const fail = () => Promise.reject(new Error('no such file'))
  const { signal } = new AbortController()
  const taker = { signal, taken: Promise.resolve(), address: '', connection: {}, cut: () => {} }
  for (let time = 0; time < 2 * longAnswersAtOnce; time++) {
    await assert.rejects(
      stage.answers.make(fail, () => 1, taker),
      /no such file/,
    )
  }
  assert.equal(stage.making.length, 0)
})

test('12 so many wait, and no more', async () => {
  const stage = new Stage()
  for (let count = 0; count < longAnswersAtOnce + callsMax; count++) void stage.ask()
  await assert.rejects(stage.ask(), isBusy)
})
