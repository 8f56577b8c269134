// Servers that were set up wrongly: those who run them are told, in the log and by `fourfold status`.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { fourfold } from './cli/prompt.ts'
import { Fleet } from './fleet.ts'
import { until } from './until.ts'

test('two servers under one id are told so, and so is who hears both', async (t) => {
  const fleet = await Fleet.start({ ids: ['a', 'b'] })
  t.after(() => fleet.end())
  const other = await Fleet.create({ ids: ['a', 'b'] })
  t.after(() => other.end())
  other.route('a', { b: fleet.address('b') })
  await other.start('a')
  const words = /two servers run under the id "a"/
  await until(() => words.test(fleet.said('a')), 'the one hears of it')
  await until(() => words.test(other.said('a')), 'the other hears of it')
  await until(() => words.test(fleet.said('b')), 'the third hears of it')
  const status = async () => (await fourfold(['status'], { servers: fleet.address('b') })).out
  await until(async () => words.test(await status()), 'status tells it')
})

test('two servers under the largest id, which nobody dials as two, are told so as well', async (t) => {
  const fleet = await Fleet.start({ ids: ['a', 'b'] })
  t.after(() => fleet.end())
  const other = await Fleet.create({ ids: ['a', 'b'] })
  t.after(() => other.end())
  other.route('b', { a: fleet.address('a') })
  await other.start('b')
  const words = /two servers run under the id "b"/
  await until(() => words.test(fleet.said('a')), 'the third hears of it')
  await until(() => words.test(fleet.said('b')), 'the one hears of it')
  await until(() => words.test(other.said('b')), 'the other hears of it')
})

test('a server with another password is told that it is turned away', async (t) => {
  const fleet = await Fleet.create({
    ids: ['a', 'b'],
    configuration: { auth: { password: 'one password' } },
  })
  t.after(() => fleet.end())
  const file = join(fleet.directory, 'b.json')
  const json = JSON.parse(readFileSync(file, 'utf8')) as { auth: { password: string } }
  writeFileSync(file, JSON.stringify({ ...json, auth: { password: 'another password' } }))
  await fleet.startAll()
  const words = 'b turns this server away: Only servers of this set may exchange updates.'
  await until(() => fleet.said('a').includes(words))
  assert.equal(fleet.said('a').split(words).length, 2, 'once')
})
