// Golden conversations about what ends for good: a life of the set, and a file. test/session-talk.ts
// says how to read them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { EntriesSchema } from '../model/wire.ts'
import { Talk } from '../../../test/session-talk.ts'

const [first, second] = ['a.1111111111111', 'b.2222222222222'] as const

const gone = (talk: Talk) =>
  talk.says(1, 'unavailable D: gone', {
    case: 'unavailable',
    value: { $typeName: 'fourfold.v1.Unavailable', document: 'D', text: 'Gone.', isGone: true },
  })

test('the life of the set is learned once, and nothing changes while it goes on', () => {
  const talk = new Talk()
  talk.life = first
  talk.start()
  talk.welcome(1, 'a')
  talk.welcome(2, 'b')
  talk.servers(1, 'c')
  talk.life = ''
  talk.servers(1, '')
  assert.deepEqual(
    talk.lines.filter((line) => line.includes('life')),
    [`* life ${first}`],
  )
  assert.equal(talk.session.state.name, 'online')
})

test('servers in another life get nothing, and nothing is said to be saved any more', () => {
  const talk = new Talk({ life: first })
  talk.life = first
  talk.join()
  talk.type('D', 'saved, as it seems')
  talk.stored(1, 'a1', 'b1', 'c1', 'd1')
  assert.equal(talk.session.save.name, 'saved')
  assert.deepEqual(talk.session.holders('D', 1), ['a', 'b', 'c', 'd'])
  talk.close(1)
  talk.close(2)
  talk.lines.length = 0
  talk.wait(100)
  talk.life = second
  talk.forget('D')
  talk.welcome(3, 'c')
  talk.heard(`
    100 ms
    3> hello as standby
    3< welcome c
    hang up 3
    * outlived · ended (0)
  `)
  assert.deepEqual(talk.session.holders('D', 1), [])
  assert.equal(talk.session.isUnsafe('D'), true)
  talk.type('D', 'more')
  talk.step({ type: 'retry' })
  talk.wait(60_000)
  talk.heard(`
    ada types "more" in D
    * outlived · ended (1)
    60000 ms
  `)
})

test('a standby in another life ends it, too: what it says it holds counts for nothing', () => {
  const talk = new Talk({ life: first })
  talk.life = first
  talk.start()
  talk.welcome(1, 'a')
  talk.life = second
  talk.welcome(2, 'b')
  assert.deepEqual(talk.session.state, { name: 'outlived', life: second })
})

test('a server of another set, where one of this was, ends nothing', () => {
  const talk = new Talk({ life: first })
  talk.life = first
  talk.start()
  talk.welcome(1, 'a')
  talk.life = second
  talk.set = 'other'
  talk.welcome(2, 'b')
  assert.equal(talk.session.state.name, 'online')
})

test('edits of a file that was deleted for good are not waited for', () => {
  const talk = new Talk()
  talk.join()
  talk.type('D', 'x')
  talk.resync(1, 'D', 1)
  gone(talk)
  talk.heard(`
    ada types "x" in D
    1> push 1 D "x"
    1< resync D 1
    1> open D
    1< unavailable D: gone
    * gone D, edits are owed
    * turned down D: This file was deleted for good. What you wrote is only here.
    * online a · ended (0)
  `)
  talk.step({ type: 'unfollow', document: 'D' })
  assert.equal(talk.session.save.name, 'saved')
  assert.equal(talk.session.needs('D'), false)
})

test('a file that was deleted for good with nothing owed is let go', () => {
  const talk = new Talk()
  talk.join()
  gone(talk)
  talk.heard(`
    1< unavailable D: gone
    * gone D
  `)
})

test('a text that was deleted for good, and came back, is opened again', () => {
  const talk = new Talk()
  talk.join()
  gone(talk)
  const entries = () =>
    talk.says(1, 'entries', {
      case: 'entries',
      value: create(EntriesSchema, { entries: [{ id: 'its directory' }] }),
    })
  entries()
  entries()
  // It is still gone: once is enough.
  gone(talk)
  talk.heard(`
    1< unavailable D: gone
    * gone D
    1< entries
    1> open D
    1< entries
    1< unavailable D: gone
  `)
  entries()
  talk.writeOther('D', 'y')
  talk.open(1, 'D')
  assert.equal(talk.doc('D').getText('text').toString(), 'y')
  assert.ok(talk.session.isOpen('D'))
})

test('what was deleted for good is waited for no longer on the servers that lacked it', () => {
  const talk = new Talk()
  talk.typeWithoutFourth()
  const pass = (down: string) => {
    for (let count = 0; count < 5; count++) {
      talk.wait(500)
      for (const connection of [1, 2]) talk.servers(connection, down)
    }
  }
  pass('d')
  const shown = () => talk.session.save.name === 'saved' && talk.session.save.servers.join('')
  assert.equal(shown(), 'abc')
  gone(talk)
  pass('')
  assert.equal(shown(), 'abcd')
})

test('for a text that no server can open each is left once, and asked again and again', () => {
  const talk = new Talk()
  talk.start()
  talk.step({ type: 'follow', document: 'D' })
  const servers = new Map<string, string>()
  let read = 0
  const answer = (line: string) => {
    const [dialled = '', server] = /^dial (\d+ \w)$/.exec(line)?.[1]?.split(' ') ?? []
    if (server) {
      servers.set(dialled, server)
      talk.welcome(Number(dialled), server)
    }
    const [, connection = '', said] = /^(\d+)> (hello ada|open D)$/.exec(line) ?? []
    const [, pinged, number] = /^(\d+)> ping (\d+)$/.exec(line) ?? []
    if (pinged) {
      const value = { $typeName: 'fourfold.v1.Pong' as const, number: Number(number) }
      talk.says(Number(pinged), 'pong', { case: 'pong', value })
    }
    // A standby becomes the active one.
    const isGreeted = talk.lines.includes(`${connection}< welcome ${servers.get(connection)}`)
    if (said === 'hello ada' && isGreeted) {
      talk.welcomeAgain(Number(connection), servers.get(connection)!)
    } else if (said === 'open D') {
      const value = { document: 'D', text: 'No.', isGone: false }
      talk.says(Number(connection), 'unavailable D', {
        case: 'unavailable',
        value: { $typeName: 'fourfold.v1.Unavailable', ...value },
      })
    }
  }
  /** How often it was asked for, and a server was left. */
  const pass = (ms: number) => {
    const from = talk.lines.length
    for (let passed = 0; passed < ms; passed += 100) {
      talk.wait(100)
      while (read < talk.lines.length) answer(talk.lines[read++]!)
    }
    const lines = talk.lines.slice(from)
    const count = (words: string) => lines.filter((line) => line.includes(words)).length
    return [count('> open D'), count('hang up')]
  }
  const [, left] = pass(30_000)
  assert.equal(left, 3)
  const [asked, leftAgain] = pass(60_000)
  assert.equal(leftAgain, 0)
  assert.ok(asked! > 5)
})
