// What is shown of where edits are: a live server counts when somebody who has them stood beside it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Code, type Operation } from '../model/wire.ts'
import { Talk } from '../../../test/session-talk.ts'

const pong = { case: 'pong' as const, value: { $typeName: 'fourfold.v1.Pong' as const, number: 0 } }
const deleted: Operation['operation'] = {
  case: 'delete',
  value: { $typeName: 'fourfold.v1.Delete', entry: 'E' },
}
const erased: Operation['operation'] = {
  case: 'erase',
  value: { $typeName: 'fourfold.v1.Erase', entry: 'E' },
}

/** The servers that a person is told of; none: nothing is known. */
function shown({ session }: Talk): string {
  const { save } = session
  assert.equal(save.name, 'saved')
  return save.name === 'saved' && save.of > 0 ? save.servers.join('') : 'unknown'
}

function passes(talk: Talk, ms: number, connections: number[]): void {
  for (let at = 0; at < ms; at += 500) {
    talk.wait(500)
    for (const connection of connections) talk.says(connection, 'pong', pong)
  }
}

/** An entry is deleted on a, b and c while d is away. */
function withoutFourth(talk: Talk, ms = 2000, operation: Operation['operation'] = deleted): void {
  talk.join()
  talk.servers(1, 'd')
  talk.operate('O', operation)
  talk.done(1, 1, 'E')
  talk.stored(1, 'a1', 'b1', 'c1')
  assert.deepEqual(talk.session.operations, [])
  passes(talk, ms, [1, 2])
  assert.equal(shown(talk), 'abc')
}

test('a server that comes back beside one that has the last edit counts after a while', () => {
  const talk = new Talk()
  withoutFourth(talk)
  talk.servers(1, '')
  passes(talk, 500, [1, 2])
  assert.equal(shown(talk), 'abcd')
})

test('a server that comes back alone is not said to have the last edit', () => {
  const talk = new Talk()
  withoutFourth(talk)
  for (const connection of [1, 2, 3]) talk.close(connection)
  talk.wait(200)
  talk.welcome(4, 'd', 'abc')
  talk.open(4, 'D')
  passes(talk, 3000, [4])
  assert.equal(shown(talk), 'abc')
  // What comes beside it meanwhile may have got all it has from it.
  talk.servers(4, 'bc')
  passes(talk, 3000, [4])
  assert.equal(shown(talk), 'abc')
})

test('a server that had the last edit and greets anew may have lost its disk meanwhile', () => {
  const talk = new Talk()
  withoutFourth(talk)
  talk.lines.length = 0
  talk.close(1)
  talk.wait(200)
  talk.welcome(3, 'c')
  talk.close(2)
  talk.servers(3, 'ab')
  passes(talk, 3000, [3])
  assert.equal(shown(talk), 'abc')
})

/** All connections are lost, and this server is the first to be there again. */
function anew(talk: Talk, connection: number, server: string): void {
  for (const before of [1, 2, 3]) talk.close(before)
  talk.wait(200)
  talk.lines.length = 0
  talk.welcome(connection, server)
}

test('a server that a client comes to anew is asked where the last operation is', () => {
  const talk = new Talk()
  withoutFourth(talk)
  anew(talk, 4, 'd')
  assert.ok(talk.lines.includes('4> ask 2 O'))
  talk.rejected(4, 2, 'This server does not know that operation.', Code.UNAVAILABLE)
  talk.stored(4, 'd2')
  passes(talk, 1500, [4])
  assert.equal(shown(talk), 'abc')
  talk.lines.length = 0
  passes(talk, 500, [4])
  assert.ok(talk.lines.includes('4> ask 3 O'))
  talk.stored(4, 'd3')
  assert.equal(shown(talk), 'abcd')
  talk.lines.length = 0
  passes(talk, 20_000, [4])
  assert.ok(!talk.lines.some((line) => line.includes('ask')))
})

test('where all of a directory is deleted for good only a server is asked that has all of it', () => {
  const talk = new Talk()
  withoutFourth(talk, 2000, erased)
  anew(talk, 4, 'd')
  passes(talk, 500, [4])
  assert.ok(!talk.lines.some((line) => line.includes('ask')))
  talk.welcome(5, 'a')
  assert.ok(talk.lines.includes('5> ask 2 O'))
  talk.stored(5, 'a2', 'b2', 'c2')
  assert.equal(shown(talk), 'abc')
  talk.stored(5, 'd2')
  assert.equal(shown(talk), 'abcd')
})

test('a server that others said to have all that was deleted for good is asked, too', () => {
  const talk = new Talk({ hasStandby: false })
  talk.start()
  talk.welcome(1, 'a', 'cd')
  talk.operate('O', erased)
  talk.done(1, 1, 'E')
  talk.stored(1, 'a1', 'b1')
  talk.servers(1, '')
  assert.ok(talk.lines.includes('1> ask 2 O'))
  talk.stored(1, 'c2')
  talk.close(1)
  talk.wait(200)
  assert.ok(talk.lines.includes('dial 3 c'))
  talk.welcome(3, 'c')
  assert.ok(talk.lines.includes('3> ask 3 O'))
  talk.stored(3, 'd3')
  assert.equal(shown(talk), 'abcd')
})

test('a server that does not say that it answers is not asked', () => {
  const talk = new Talk()
  talk.answersAsk = false
  withoutFourth(talk)
  anew(talk, 4, 'd')
  passes(talk, 10_000, [4])
  assert.ok(!talk.lines.some((line) => line.includes('ask')))
  assert.equal(shown(talk), 'abc')
})

test('a server is asked later and later while it does not know, at last each minute', () => {
  const talk = new Talk()
  withoutFourth(talk)
  anew(talk, 4, 'a')
  const asked: number[] = []
  for (let at = 0; at < 300_000; at += 500) {
    for (const line of talk.lines.splice(0)) {
      const ticket = /ask (\d+) O/.exec(line)?.[1]
      if (ticket === undefined) continue
      asked.push(at)
      talk.rejected(4, Number(ticket), 'Not known here.', Code.UNAVAILABLE)
    }
    passes(talk, 500, [4])
  }
  const seconds = asked.slice(1).map((at, index) => Math.floor((at - asked[index]!) / 1000))
  assert.deepEqual(seconds, [2, 4, 8, 16, 32, 60, 60, 60])
  assert.equal(shown(talk), 'abc')
})

test('where the last edits of a text are that was closed is asked by sending them again', () => {
  const talk = new Talk()
  talk.typeWithoutFourth()
  talk.step({ type: 'unfollow', document: 'D' })
  talk.wait(0)
  assert.ok(!talk.session.needs('D'))
  passes(talk, 2000, [1, 2])
  anew(talk, 4, 'b')
  assert.ok(talk.lines.includes('4> push 2 D "x"'))
  assert.equal(shown(talk), 'abc')
  talk.stored(4, 'a2', 'b2', 'c2', 'd2')
  assert.equal(shown(talk), 'abcd')
})

test('the active server that was away counts by its own word, not beside one that has the edit', () => {
  const talk = new Talk()
  withoutFourth(talk)
  talk.close(2)
  talk.welcome(3, 'd')
  talk.close(1)
  talk.welcomeAgain(3, 'd', 'a')
  passes(talk, 3000, [3])
  assert.equal(shown(talk), 'abc')
  const asked = talk.lines.find((line) => line.startsWith('3> ask'))
  assert.equal(asked, '3> ask 2 O')
  talk.stored(3, 'b2', 'c2', 'd2')
  assert.equal(shown(talk), 'abcd')
})

test('without a server nothing is looked for again and again', () => {
  const talk = new Talk()
  withoutFourth(talk, 1500)
  talk.servers(1, '')
  for (const connection of [1, 2, 3]) talk.close(connection)
  talk.wait(5000)
  assert.ok(talk.session.wakeAt > talk.now)
})

test('one that has the last edit and was there all the time is enough', () => {
  const talk = new Talk()
  withoutFourth(talk)
  talk.close(1)
  talk.welcomeAgain(2, 'b', 'ad')
  talk.servers(2, 'acd')
  talk.servers(2, 'ac')
  passes(talk, 500, [2, 3])
  assert.equal(shown(talk), 'abcd')
})

test('of edits of an earlier session nothing is shown before they were compared', () => {
  const talk = new Talk({ earlierKeys: [new Uint8Array(16)] })
  talk.start()
  talk.step({ type: 'follow', document: 'D' })
  talk.welcome(1, 'd', 'abc')
  assert.equal(shown(talk), 'unknown')
  passes(talk, 3000, [1])
  assert.equal(shown(talk), 'unknown')
  talk.open(1, 'D')
  passes(talk, 1500, [1])
  assert.equal(shown(talk), 'unknown')
  passes(talk, 500, [1])
  assert.equal(shown(talk), 'd')
})

test('what an earlier session wrote is nowhere, from when it comes to be here until it is stored', () => {
  const earlier = new Uint8Array(16)
  const talk = new Talk({ earlierKeys: [earlier] })
  talk.start()
  talk.step({ type: 'follow', document: 'D' })
  talk.welcome(1, 'a')
  talk.open(1, 'D')
  talk.type('D', 'x')
  talk.stored(1, 'a1', 'b1', 'c1', 'd1')
  talk.write('D')
  passes(talk, 3000, [1])
  assert.equal(talk.session.holders('D', 1).join(''), 'abcd')
  talk.lines.length = 0
  talk.recall('D', earlier, 'before')
  assert.equal(talk.session.holders('D', 1).join(''), '')
  talk.open(1, 'D')
  talk.heard(`
    "before" of before comes to be in D
    1> open D
    1< opened D
    1> push 2 D "before"
  `)
  assert.equal(talk.session.holders('D', 1).join(''), '')
  talk.stored(1, 'a2')
  assert.equal(talk.session.holders('D', 1).join(''), 'a')
  talk.stored(1, 'b2', 'c2', 'd2')
  assert.equal(talk.session.holders('D', 1).join(''), 'abcd')
})

test('an operation that changed nothing is on no disk, and is neither shown nor asked for', () => {
  const talk = new Talk({ hasStandby: false })
  talk.start()
  talk.welcome(1, 'a', 'cd')
  talk.operate('O', deleted)
  talk.done(1, 1, 'E', { changedNothing: true })
  talk.stored(1, 'a1', 'b1')
  assert.deepEqual(talk.session.operations, [])
  assert.equal(shown(talk), 'ab')
  talk.servers(1, '')
  passes(talk, 3000, [1])
  assert.equal(shown(talk), 'abcd')
  assert.doesNotMatch(talk.lines.join(), /> ask/)
})

test('while what an earlier session asked for is asked again it is not said to be anywhere', () => {
  const talk = new Talk()
  talk.start()
  talk.operate('O', deleted)
  talk.welcome(1, 'a', 'bcd')
  assert.equal(shown(talk), 'unknown')
  talk.done(1, 1, 'E')
  talk.stored(1, 'a1', 'b1')
  assert.equal(shown(talk), 'ab')
})

/** A file that this session makes, opened as soon as a has made it. */
function made(talk: Talk): void {
  const value = { $typeName: 'fourfold.v1.Create' as const, name: 'N', text: 'x', parent: '' }
  talk.operate('N', { case: 'create', value })
  talk.done(1, 1, 'N')
  talk.stored(1, 'a1')
  talk.step({ type: 'follow', document: 'N' })
  talk.writeOther('N', 'x')
  talk.open(1, 'N')
}

const holders = ({ session }: Talk) => session.holders('N', 0).join('')

test('the first text of a file is on the servers that have made it, not on all that are live', () => {
  const talk = new Talk()
  talk.join()
  made(talk)
  assert.equal(holders(talk), 'a')
  talk.stored(1, 'b1', 'c1')
  assert.equal(holders(talk), 'abc')
  talk.stored(1, 'd1')
  assert.equal(holders(talk), 'abcd')
})

test('a server that comes back alone is not said to have the file that was made without it', () => {
  const talk = new Talk()
  talk.join()
  talk.servers(1, 'd')
  made(talk)
  talk.stored(1, 'b1', 'c1')
  assert.deepEqual(talk.session.operations, [])
  assert.equal(holders(talk), 'abc')
  for (const connection of [1, 2, 3]) talk.close(connection)
  talk.wait(200)
  talk.welcome(4, 'd', 'abc')
  passes(talk, 3000, [4])
  assert.equal(holders(talk), 'abc')
})

test('a file of others is on the servers beside the one that gave it, until that is lost', () => {
  const talk = new Talk()
  talk.join()
  assert.equal(talk.session.holders('D', 0).join(''), 'abcd')
  for (const connection of [1, 2, 3]) talk.close(connection)
  talk.wait(200)
  talk.welcome(4, 'd', 'abc')
  assert.equal(talk.session.holders('D', 0).join(''), '')
  talk.open(4, 'D')
  assert.equal(talk.session.holders('D', 0).join(''), 'd')
})

test('a server that was away has nothing of a text that was closed and opened again, for a while', () => {
  const talk = new Talk()
  talk.typeWithoutFourth()
  talk.step({ type: 'unfollow', document: 'D' })
  assert.ok(!talk.session.needs('D'))
  talk.step({ type: 'follow', document: 'D' })
  talk.write('D')
  talk.open(1, 'D')
  talk.servers(1, '')
  assert.equal(talk.session.holders('D', 1).join(''), 'abc')
  passes(talk, 2000, [1, 2])
  assert.equal(talk.session.holders('D', 1).join(''), 'abcd')
})
