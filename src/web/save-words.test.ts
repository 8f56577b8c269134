// The words of the chip are those of the docs, in every state.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Connection, SaveState, ServerInfo } from '../client/api.ts'
import { chipWords } from './save-words.ts'

const online: Connection = { name: 'online', server: 'a', roundTripMs: 3 }
const offline: Connection = { name: 'offline', since: 0, retryAt: 14_000 }
const server = (id: string, state: ServerInfo['state']): ServerInfo => ({
  id,
  address: `http://${id}`,
  state,
  lag: 0,
  heardAt: 0,
})
const four = ['a', 'b', 'c', 'd'].map((id) => server(id, 'live'))

function words(save: SaveState, connection = online, servers = four) {
  return chipWords({ save, connection, servers, changedAt: 0, isOnItsWay: false, now: 10_000 })
}

test('on all servers: green, and where the last change is', () => {
  const { text, tone, sentences } = words({
    name: 'saved',
    servers: ['a', 'b', 'c', 'd'],
    of: 4,
    isThin: false,
  })
  assert.equal(text, 'Saved · 4/4')
  assert.equal(tone, 'ok')
  assert.deepEqual(sentences, ['The text is on a, b, c and d.'])
})

test('on two of four: still green, and nobody need do anything', () => {
  const servers = [...four.slice(0, 2), server('c', 'down'), server('d', 'down')]
  const save: SaveState = { name: 'saved', servers: ['a', 'b'], of: 4, isThin: false }
  const { text, tone, sentences } = words(save, online, servers)
  assert.equal(text, 'Saved · 2/4')
  assert.equal(tone, 'ok')
  assert.equal(
    sentences[1],
    'c and d are down. They will catch up by themselves. You need do nothing.',
  )
})

test('on one server: amber, and on this device', () => {
  const { text, tone, sentences } = words({ name: 'saved', servers: ['a'], of: 4, isThin: true })
  assert.equal(text, 'Saved · 1/4')
  assert.equal(tone, 'warn')
  assert.deepEqual(sentences, ['The text is on a and on this device.'])
})

test('without an answer: grey, how many changes and for how long', () => {
  const { text, tone, sentences } = words({ name: 'saving', waiting: 3, since: 8_000 })
  assert.equal(text, 'Saving…')
  assert.equal(tone, 'muted')
  assert.deepEqual(sentences, ['3 changes not confirmed for 2 s.'])
})

test('without a server: blue, how many changes wait, and when the next try is', () => {
  const { text, tone, sentences } = words(
    { name: 'local', waiting: 14, earlier: 0, since: 0 },
    offline,
  )
  assert.equal(text, 'Saved on this device')
  assert.equal(tone, 'local')
  assert.deepEqual(sentences, [
    '14 changes wait for a connection. You may close this tab.',
    'Next try in 4 s.',
  ])
})

test('what was written before this page was loaded is said to wait as well', () => {
  const waits = (waiting: number, earlier: number) =>
    words({ name: 'local', waiting, earlier, since: 0 }, offline).sentences[0]
  const may = 'wait for a connection. You may close this tab.'
  assert.equal(waits(0, 1), `Earlier changes in 1 file ${may}`)
  assert.equal(waits(1, 2), `1 change and earlier ones in 2 files ${may}`)
  const ended = words({ name: 'ended', waiting: 0, earlier: 1, why: 'Sign in again.' })
  assert.equal(ended.sentences[1], 'Your earlier unsent edits in 1 file are kept here.')
})

test('while a server is tried, that is said in the place of when', () => {
  const joining: Connection = { name: 'joining', since: 0 }
  const { sentences } = words({ name: 'local', waiting: 1, earlier: 0, since: 0 }, joining)
  assert.deepEqual(sentences, [
    '1 change waits for a connection. You may close this tab.',
    'Trying now.',
  ])
})

test('without a server and without storage: red, and why', () => {
  const { text, tone, sentences } = words({
    name: 'danger',
    waiting: 1,
    earlier: 0,
    why: 'the quota is exceeded',
  })
  assert.equal(text, 'Not saved')
  assert.equal(tone, 'danger')
  assert.deepEqual(sentences, ['The quota is exceeded.'])
})

test('turned away: grey, why, and that the edits are kept', () => {
  const refused: Connection = { name: 'refused', code: 'forbidden', text: 'Sign in again.' }
  const { text, tone, sentences } = words(
    { name: 'ended', waiting: 3, earlier: 0, why: 'Sign in again.' },
    refused,
  )
  assert.equal(text, 'Access ended')
  assert.equal(tone, 'muted')
  assert.deepEqual(sentences, ['Sign in again.', 'Your 3 unsent edits are kept here.'])
  const one = words({ name: 'ended', waiting: 1, earlier: 0, why: 'Sign in again.' })
  assert.deepEqual(one.sentences, ['Sign in again.', 'Your 1 unsent edit is kept here.'])
})

test('a text that no server takes: not saved, and why', () => {
  const why = 'A text file may have at most 10 MiB.'
  const { text, sentences } = words({ name: 'ended', waiting: 0, earlier: 0, why })
  assert.equal(text, 'Not saved')
  assert.deepEqual(sentences, [why])
})

test('what this device could not keep is not said to be on it', () => {
  const unkept = 'the disk is full'
  const thin = words({ name: 'saved', servers: ['a'], of: 4, isThin: true, unkept })
  assert.ok(!thin.sentences.join().includes('this device'))
})

test('a name that somebody else has is called that, for access has not ended', () => {
  const refused: Connection = { name: 'refused', code: 'taken', text: '"Ana" is here already.' }
  const save: SaveState = { name: 'ended', waiting: 0, earlier: 0, why: refused.text }
  assert.equal(words(save, refused).text, 'Name taken')
})

test('when this person last changed the text is said with where it is', () => {
  const changedAt = new Date(2026, 10, 26, 12, 4, 31).getTime()
  const save: SaveState = { name: 'saved', servers: ['a', 'b'], of: 2, isThin: false }
  const facts = { save, connection: online, servers: [], changedAt, now: 0 }
  const { sentences } = chipWords({ ...facts, isOnItsWay: false })
  assert.deepEqual(sentences, ['Your last change: 12:04:31, on a and b.'])
  // The chip waits before it says so: what it says of this very change is true at once.
  const early = chipWords({ ...facts, isOnItsWay: true })
  assert.deepEqual(early.sentences, ['Your last change: 12:04:31, on its way to the servers.'])
})

test('before any server answered nothing is claimed', () => {
  const unknown: SaveState = { name: 'saved', servers: [], of: 0, isThin: false }
  const { text, tone } = words(unknown, offline)
  assert.equal(text, 'Connecting…')
  assert.equal(tone, 'muted')
})

test('a server has answered, and where the edits are is not known yet: it is being looked at', () => {
  const { text, tone, sentences } = words({ name: 'saved', servers: [], of: 0, isThin: false })
  assert.equal(text, 'Checking…')
  assert.equal(tone, 'muted')
  assert.deepEqual(sentences, ['It is not known yet where your edits are.'])
})
