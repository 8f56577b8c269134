// What is withheld leaves in order, when all that it rests on is stored, or never.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Withheld } from './withheld.ts'

/** Writes to be finished by hand, and what has left so far. */
function set() {
  const withheld = new Withheld()
  const left: string[] = []
  const say = (word: string) => withheld.whenStored(() => left.push(word))
  const write = () => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const until = withheld.until(promise)
    const finish = async () => {
      resolve()
      await until
    }
    return { until, finish, reject }
  }
  return { withheld, left, say, write }
}

test('with nothing under way everything leaves at once', () => {
  const { left, say } = set()
  say('a')
  say('b')
  assert.deepEqual(left, ['a', 'b'])
})

test('what is said waits for every write before it, and for none after it', async () => {
  const { left, say, write } = set()
  const first = write()
  say('a')
  const second = write()
  say('b')
  say('c')
  assert.deepEqual(left, [])
  await first.finish()
  assert.deepEqual(left, ['a'])
  await second.finish()
  assert.deepEqual(left, ['a', 'b', 'c'])
  say('d')
  assert.deepEqual(left, ['a', 'b', 'c', 'd'])
})

test('writes that finish out of order release in order', async () => {
  const { left, say, write } = set()
  const writes = [write(), write(), write()] as const
  say('a')
  await writes[2].finish()
  await writes[0].finish()
  assert.deepEqual(left, [])
  await writes[1].finish()
  assert.deepEqual(left, ['a'])
})

test('what is said while something leaves comes after what leaves with it', async () => {
  const { withheld, left, say, write } = set()
  const { finish } = write()
  withheld.whenStored(() => {
    say('nested')
    left.push('a')
  })
  say('b')
  await finish()
  assert.deepEqual(left, ['a', 'b', 'nested'])
})

test('a write that begins while something leaves holds what is said after it', async () => {
  const { withheld, left, say, write } = set()
  const first = write()
  let second: ReturnType<typeof write> | undefined
  withheld.whenStored(() => {
    second = write()
    say('after the second')
  })
  say('b')
  await first.finish()
  assert.deepEqual(left, ['b'])
  await second!.finish()
  assert.deepEqual(left, ['b', 'after the second'])
})

test('after a failure nothing held leaves, whatever is stored; after the end what comes does', async () => {
  const { withheld, left, say, write } = set()
  const first = write()
  const second = write()
  say('held')
  first.reject(new Error('the disk is gone'))
  await assert.rejects(first.until, /the disk is gone/)
  await second.finish()
  say('later')
  assert.deepEqual(left, [])
  withheld.end()
  assert.deepEqual(left, [])
  say('farewell')
  assert.deepEqual(left, ['farewell'])
})

test('it is settled when the last write is stored and all has left, or at the end', async () => {
  const { withheld, left, say, write } = set()
  await withheld.settled()
  const first = write()
  const second = write()
  say('a')
  const settled = withheld.settled().then(() => left.push('settled'))
  await second.finish()
  assert.deepEqual(left, [])
  await first.finish()
  await settled
  assert.deepEqual(left, ['a', 'settled'])
  write()
  const ended = withheld.settled()
  withheld.end()
  await ended
})

test('however much has waited, it leaves in order and in no time worth a word', async () => {
  const { withheld, write } = set()
  const [first, second] = [write(), write()]
  const left: number[] = []
  const count = 300_000
  for (let number = 0; number < count; number++) withheld.whenStored(() => left.push(number))
  await second.finish()
  assert.equal(withheld.size, count)
  await first.finish()
  assert.equal(withheld.size, 0)
  assert.deepEqual(
    left,
    Array.from({ length: count }, (_, number) => number),
  )
})
