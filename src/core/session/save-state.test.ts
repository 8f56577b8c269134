// What a person is told about saving: getting worse waits, better is instant, and it is true.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SaveWatch, type SaveFacts } from './save-state.ts'

const well: SaveFacts = {
  waiting: { count: 0, since: Infinity },
  offlineSince: undefined,
  refused: undefined,
  servers: ['a', 'b', 'c', 'd'],
  lackedSince: () => -Infinity,
  of: 4,
  safeCount: 2,
}

function watch(): SaveWatch {
  const watch = new SaveWatch()
  watch.look(0, well)
  return watch
}

test('an answered edit is saved on the servers that hold it', () => {
  assert.deepEqual(watch().shown, {
    name: 'saved',
    servers: ['a', 'b', 'c', 'd'],
    of: 4,
    isThin: false,
  })
})

test('edits without an answer are being saved after 1.5 s, not before', () => {
  const saving = watch()
  const facts = { ...well, waiting: { count: 3, since: 100 } }
  saving.look(100, facts)
  assert.equal(saving.nextAt, 1600)
  saving.look(1599, facts)
  assert.equal(saving.shown.name, 'saved')
  saving.look(1600, facts)
  assert.deepEqual(saving.shown, { name: 'saving', waiting: 3, since: 100 })
  saving.look(1601, well)
  assert.equal(saving.shown.name, 'saved')
})

test('no server for 3 s: saved on this device, whether or not edits wait', () => {
  const saving = watch()
  const facts = { ...well, offlineSince: 100, servers: [] }
  saving.look(100, facts)
  assert.equal(saving.nextAt, 3100)
  saving.look(3099, facts)
  assert.deepEqual(saving.shown.name, 'saved')
  saving.look(3100, facts)
  assert.deepEqual(saving.shown, { name: 'local', waiting: 0, since: 100 })
})

test('fewer servers are shown after 1.5 s, more at once', () => {
  const saving = watch()
  const thin = { ...well, servers: ['a'] }
  saving.look(100, thin)
  saving.look(1599, thin)
  assert.equal((saving.shown as { servers: string[] }).servers.length, 4)
  saving.look(1600, thin)
  assert.deepEqual(saving.shown, { name: 'saved', servers: ['a'], of: 4, isThin: true })
  saving.look(1601, { ...well, servers: ['a', 'b'] })
  assert.deepEqual(saving.shown, { name: 'saved', servers: ['a', 'b'], of: 4, isThin: false })
})

test('that fewer have the last edit is shown in its time, also when the last server goes', () => {
  const saving = watch()
  const thin = { ...well, servers: ['a'] }
  saving.look(100, thin)
  saving.look(200, { ...thin, offlineSince: 200 })
  assert.equal(saving.nextAt, 1600)
  saving.look(1600, { ...thin, offlineSince: 200 })
  assert.deepEqual(saving.shown, { name: 'saved', servers: ['a'], of: 4, isThin: true })
})

test('while each letter is everywhere within 1.5 s they are, though another is always on its way', () => {
  const saving = watch()
  for (let now = 100; now < 10_000; now += 100) {
    saving.look(now, { ...well, servers: ['a'], lackedSince: () => now - 1000 })
    assert.equal((saving.shown as { servers: string[] }).servers.length, 4)
  }
  // From here on one stays.
  const stuck = { ...well, servers: ['a'], lackedSince: () => 9000 }
  saving.look(10_000, stuck)
  assert.equal(saving.nextAt, 10_500)
  saving.look(10_500, stuck)
  assert.equal((saving.shown as { servers: string[] }).servers.length, 1)
})

test('a moment with all servers in between starts the wait anew', () => {
  const saving = watch()
  saving.look(100, { ...well, servers: ['a'] })
  saving.look(1000, well)
  saving.look(1700, { ...well, servers: ['a'] })
  assert.equal((saving.shown as { servers: string[] }).servers.length, 4)
})

test('typing on while only one server is left does not hide that for ever', () => {
  const saving = watch()
  for (let now = 100; now < 1700; now += 100) {
    saving.look(now, { ...well, servers: ['a'], waiting: { count: 1, since: now } })
  }
  assert.deepEqual(saving.shown, { name: 'saved', servers: ['a'], of: 4, isThin: true })
})

test('being turned away is told at once, with its reason', () => {
  const saving = watch()
  saving.look(1, { ...well, refused: 'Sign in again.' })
  assert.deepEqual(saving.shown, { name: 'ended', waiting: 0, why: 'Sign in again.' })
})

test('how many edits wait is told as it changes, in every state that says so, and so is why', () => {
  const local = { ...well, offlineSince: 0, servers: [] }
  const saving = { ...well, waiting: { count: 1, since: 0 } }
  const ended = { ...well, refused: 'Sign in again.' }
  for (const facts of [local, saving, ended]) {
    const one = watch()
    one.look(5000, { ...facts, waiting: { count: 1, since: 0 } })
    const before = one.shown
    one.look(5001, { ...facts, waiting: { count: 1, since: 0 } })
    assert.equal(one.shown, before)
    one.look(5002, { ...facts, waiting: { count: 2, since: 0 } })
    assert.deepEqual(one.shown, { ...before, waiting: 2 })
  }
  const turned = watch()
  turned.look(1, ended)
  turned.look(2, { ...ended, refused: 'The name is taken.' })
  assert.deepEqual(turned.shown, { name: 'ended', waiting: 0, why: 'The name is taken.' })
})

test('what did not change stays the same object', () => {
  const saving = watch()
  const { shown } = saving
  saving.look(50, { ...well, servers: ['a', 'b', 'c', 'd'] })
  assert.equal(saving.shown, shown)
})

test('more servers are not shown while edits are on their way that they may lack', () => {
  const saving = watch()
  saving.look(0, { ...well, servers: ['a'] })
  saving.look(1500, { ...well, servers: ['a'] })
  const waiting = { count: 1, since: 1600 }
  saving.look(1600, { ...well, waiting })
  assert.equal((saving.shown as { servers: string[] }).servers.length, 1)
  saving.look(1700, well)
  assert.equal((saving.shown as { servers: string[] }).servers.length, 4)
})
