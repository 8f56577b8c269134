// Calls that are answered for as long as somebody listens: who is slow is cut, and no listing is too long.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import type { FourfoldError } from '../core/model/errors.ts'
import { watchBacklogMax } from '../core/model/limits.ts'
import { EntrySchema } from '../core/model/wire.ts'
import type { Answer, CallId, FileView } from '../core/replica/messages.ts'
import { Calls } from './calls.ts'

type Watched = Extract<Answer, { type: 'watched' }>

const told = (event: Watched['event'], id: string): Watched => {
  const entry = create(EntrySchema, { id })
  return { type: 'watched', event, file: { entry } as FileView }
}

/** What somebody hears of a mind that tells all of these in one turn. */
async function heard(answers: Watched[]): Promise<{ count: number; error?: FourfoldError }> {
  const ending = new AbortController()
  const calls = new Calls({
    nextId: () => 1 as CallId,
    refusal: () => undefined,
    enqueue: () => {},
    called: () => {
      const { call } = calls.next()!
      for (const answer of answers) calls.answered(call, answer)
    },
  })
  let count = 0
  try {
    for await (const _ of calls.watch({ type: 'watch', file: '' }, 'ana', ending.signal)) {
      if (++count === answers.length) ending.abort()
    }
    return { count }
  } catch (error) {
    return { count, error: error as FourfoldError }
  }
}

const many = Array.from({ length: watchBacklogMax + 1 }, (_, index) => `file ${index}`)
const ready: Watched = { type: 'watched', event: 'ready' }

test('12 whoever comes back is told all that is beyond, however many texts changed', async () => {
  const listing = many.flatMap((id) => [told('present', id), told('changed', id)])
  const later = Array.from({ length: watchBacklogMax }, () => told('changed', 'x'))
  const all = [...listing, ready, ...later.slice(1)]
  assert.deepEqual(await heard(all), { count: all.length })
})

test('12 changes that are not taken are told up to a bound, past it the watcher is cut', async () => {
  const present = many.slice(0, 10).map((id) => told('present', id))
  const { error } = await heard([
    ...present,
    ready,
    ...Array.from({ length: watchBacklogMax }, () => told('changed', many[0]!)),
  ])
  assert.match(String(error), /Changes come faster than you read them/)
})

test('12 calls are taken in rounds, what one asks at once is one party, and who left is passed by', async () => {
  let lastId = 0
  const calls = new Calls({
    nextId: () => ++lastId as CallId,
    refusal: () => undefined,
    enqueue: () => {},
    called: () => {},
  })
  const [many, one, gone] = [new AbortController(), new AbortController(), new AbortController()]
  const ask = (file: string, { signal }: AbortController) =>
    calls.ask({ type: 'read', file }, 'ana', signal).catch(() => {})
  const asked = ['a', 'b', 'c'].map((file) => ask(file, many))
  asked.push(ask('left', gone), ask('d', one))
  gone.abort()
  await asked[3]
  const taken: string[] = []
  for (let next = calls.next(); next; next = calls.next()) {
    if (next.request.type === 'read') taken.push(next.request.file)
    calls.answered(next.call, { type: 'erased', files: [] })
  }
  assert.deepEqual(taken, ['a', 'd', 'b', 'c'])
  assert.ok(!calls.areUntaken)
  await Promise.all(asked)
})
