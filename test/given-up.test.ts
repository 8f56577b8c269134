// A record rots on every server that has it: all else goes on, and what can be read is everywhere.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Fleet } from './fleet.ts'
import { call } from './requests.ts'
import { spoil } from './spoilt-records.ts'
import { until } from './until.ts'

test('5 what is damaged where alone it was keeps back no other edit of that server', async (t) => {
  const fleet = await Fleet.start({ ids: ['a', 'b'] })
  t.after(() => fleet.end())
  const [a, b] = [fleet.address('a'), fleet.address('b')]
  await fleet.stop('b')
  for (const file of ['one.md', 'two.md', 'three.md']) {
    await call(a, 'SaveFile', { file, text: `${file}\n` })
  }
  await fleet.stop('a')
  spoil(fleet, 'a', 'two.md\n')
  await fleet.startAll()
  await fleet.well()
  await until(
    async () => (await call(b, 'ReadFile', { file: 'three.md' })).body.text === 'three.md\n',
  )
  assert.equal((await call(b, 'ReadFile', { file: 'one.md' })).body.text, 'one.md\n')
  assert.equal((await call(b, 'ReadFile', { file: 'two.md' })).body.text ?? '', '')
  assert.match(fleet.said('a'), /error a: no server has what is damaged of \S+: it goes on without/)
  await fleet.same()
  const saved = () => call(a, 'SaveFile', { file: 'four.md', text: 'four.md\n' })
  await until(async () => (await saved()).body.servers?.length === 2, 'receipts name both again')
  await fleet.killAll()
  await fleet.startAll()
  await fleet.well()
  await fleet.same()
})

test('14 of what is damaged on all servers what any of them can read is on all of them', async (t) => {
  const fleet = await Fleet.start({ ids: ['a', 'b'] })
  t.after(() => fleet.end())
  const [a, b] = [fleet.address('a'), fleet.address('b')]
  // The first text of a file, and what was written behind it.
  await call(a, 'SaveFile', { file: 'lost.md', text: 'first, and ' })
  await call(a, 'SaveFile', { file: 'lost.md', text: 'first, and last' })
  await call(a, 'SaveFile', { file: 'whole.md', text: 'this one, and ' })
  await call(a, 'SaveFile', { file: 'whole.md', text: 'this one, and that one' })
  await fleet.same()
  for (const id of fleet.ids) await fleet.stop(id)
  for (const id of fleet.ids) spoil(fleet, id, 'last')
  spoil(fleet, 'a', 'this one')
  spoil(fleet, 'b', 'that one')
  await fleet.startAll()
  await fleet.well()
  const read = async (address: string) => {
    const texts = ['lost.md', 'whole.md'].map((file) => call(address, 'ReadFile', { file }))
    return (await Promise.all(texts)).map(({ body }) => body.text)
  }
  const isThere = async (address: string) => {
    const [lost, whole] = await read(address)
    return lost === 'first, and ' && whole === 'this one, and that one'
  }
  for (const address of [a, b]) {
    await until(
      () => isThere(address),
      () => fleet.said('a') + fleet.said('b'),
      120_000,
    )
  }
  await fleet.same()
  const saved = () => call(b, 'SaveFile', { file: 'lost.md', text: 'first, and later' })
  await until(async () => (await saved()).body.servers?.length === 2, 'it goes on')
  await fleet.same()
})

test('5 in a set of one what can be read of a damaged text is read, and it is written on', async (t) => {
  const fleet = await Fleet.start({ ids: ['a'] })
  t.after(() => fleet.end())
  const a = fleet.address('a')
  await call(a, 'SaveFile', { file: 'one.md', text: 'first, and ' })
  await call(a, 'SaveFile', { file: 'one.md', text: 'first, and last' })
  await fleet.stop('a')
  spoil(fleet, 'a', 'last')
  await fleet.startAll()
  await fleet.well()
  const text = async () => (await call(a, 'ReadFile', { file: 'one.md' })).body.text
  await until(async () => (await text()) === 'first, and ', 'what is left is read')
  await call(a, 'SaveFile', { file: 'one.md', text: 'first, and later' })
  await fleet.killAll()
  await fleet.startAll()
  await fleet.well()
  assert.equal(await text(), 'first, and later')
})
