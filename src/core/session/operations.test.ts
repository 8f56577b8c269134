// What is asked of the folder without a server, or faster than one answers. test/session-talk.ts says
// how to read the conversations.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { Talk } from '../../../test/session-talk.ts'
import { entriesPerPush, operationGiveUpMs, pushBurstMax, severalMax } from '../model/limits.ts'
import { Code, OperationSchema, type Operation } from '../model/wire.ts'
import { heldBack } from './precedence.ts'
import type { OperationParcel } from './parcel.ts'

const made = (name: string, parent = ''): Operation['operation'] => ({
  case: 'create',
  value: { $typeName: 'fourfold.v1.Create', name, text: '', parent },
})

const directory = (name: string, parent = ''): Operation['operation'] => ({
  case: 'makeDirectory',
  value: { $typeName: 'fourfold.v1.MakeDirectory', name, parent },
})

const renamed = (entry: string, name: string): Operation['operation'] => ({
  case: 'rename',
  value: { $typeName: 'fourfold.v1.Rename', entry, name },
})

const moved = (entry: string, parent: string): Operation['operation'] => ({
  case: 'move',
  value: { $typeName: 'fourfold.v1.Move', entry, parent, name: '' },
})

const deleted = (entry: string): Operation['operation'] => ({
  case: 'delete',
  value: { $typeName: 'fourfold.v1.Delete', entry },
})

const versionOf = (document: string): Operation['operation'] => ({
  case: 'nameVersion',
  value: { $typeName: 'fourfold.v1.NameVersion', document, name: 'kept' },
})

const severalDeleted = (...entries: string[]): Operation['operation'] => ({
  case: 'several',
  value: {
    $typeName: 'fourfold.v1.Several',
    entries,
    change: { case: 'delete', value: { $typeName: 'fourfold.v1.Delete', entry: '' } },
  },
})

/** Of each operation that is sent from here on, whether it is late. */
function lateness(talk: Talk): boolean[] {
  const sent: boolean[] = []
  const { session } = talk
  const step = session.step.bind(session)
  session.step = (now, input) => {
    const outputs = step(now, input)
    for (const output of outputs) {
      if (output.type !== 'send' || output.message.message.case !== 'operation') continue
      sent.push(output.message.message.value.isLate)
    }
    return outputs
  }
  return sent
}

function refused(talk: Talk, connection: number, ticket: number, code: Code): void {
  const value = { $typeName: 'fourfold.v1.Rejected' as const, ticket, code, text: 'No.' }
  talk.says(connection, `rejected ${ticket}`, { case: 'rejected', value })
}

/** A move takes effect on a alone, and the connection to it is lost. */
function movedOnOne(talk: Talk): void {
  talk.operate('MOVE', moved('X', 'P'))
  talk.done(1, 1, 'X')
  talk.stored(1, 'a1')
  talk.wait(300)
  talk.close(1)
}

/** A move took effect on a alone, which is lost; b does not take it, and the next one waits for it. */
function refusedElsewhere(): Talk {
  const talk = new Talk()
  talk.start()
  talk.welcome(1, 'a')
  talk.welcome(2, 'b')
  movedOnOne(talk)
  talk.operate('NEXT', moved('X', ''))
  talk.welcomeAgain(2, 'b', 'a')
  talk.lines.length = 0
  refused(talk, 2, 2, Code.NOT_FOUND)
  return talk
}

test('what is made without a server goes in order, and its text after it', () => {
  const talk = new Talk({ hasStandby: false })
  talk.start()
  talk.operate('DIR', directory('ideas'))
  talk.operate('FILE', made('one.md', 'DIR'))
  talk.step({ type: 'follow', document: 'FILE' })
  talk.type('FILE', 'hello')
  talk.operate('NEXT', renamed('FILE', 'two.md'))
  talk.lines.length = 0
  talk.welcome(1, 'a')
  talk.done(1, 1, 'DIR')
  talk.stored(1, 'a1')
  talk.done(1, 2, 'FILE')
  talk.stored(1, 'a2')
  talk.heard(`
    1> hello ada
    1< welcome a
    * named ada
    1> operation 1 makeDirectory DIR
    * online a · saved on none
    1< done 1
    1< stored a1
    1> operation 2 create FILE
    * online a · saved on a
    1< done 2
    1< stored a2
    1> open FILE
    1> operation 3 rename NEXT
    1> push 4 FILE "hello"
  `)
})

test('what is made without a server is late, and so is what builds on it', () => {
  const talk = new Talk({ hasStandby: false })
  const sent = lateness(talk)
  talk.start()
  talk.operate('DIR', directory('ideas'))
  talk.welcome(1, 'a')
  talk.operate('FILE', made('one.md', 'DIR'))
  talk.done(1, 1, 'DIR')
  talk.stored(1, 'a1')
  talk.done(1, 2, 'FILE')
  talk.stored(1, 'a2')
  talk.operate('LAST', made('two.md'))
  assert.deepEqual(sent, [true, true, false])
})

test('a change of server in the middle: what the next one lacks comes there first', () => {
  const talk = new Talk()
  talk.start()
  talk.operate('DIR', directory('ideas'))
  talk.operate('FILE', made('one.md', 'DIR'))
  talk.welcome(1, 'a')
  talk.welcome(2, 'b')
  talk.done(1, 1, 'DIR')
  talk.lines.length = 0
  talk.close(1)
  talk.welcomeAgain(2, 'b', 'a')
  talk.done(2, 2, 'DIR')
  talk.stored(2, 'b2')
  talk.heard(`
    1< closed
    2> hello ada
    2> operation 2 makeDirectory DIR
    dial 3 c
    * online b · saved on none
    2< welcome b, a down
    2< done 2
    2< stored b2
    2> operation 3 create FILE
    * online b · saved on b
  `)
})

test('one that is refused takes no other with it', () => {
  const talk = new Talk({ hasStandby: false })
  talk.start()
  talk.operate('DIR', directory('ideas'))
  talk.operate('FILE', made('one.md', 'DIR'))
  talk.welcome(1, 'a')
  talk.lines.length = 0
  const value = { ticket: 1, code: Code.TOO_LARGE, text: 'This folder is full.' }
  talk.says(1, 'rejected 1', {
    case: 'rejected',
    value: { $typeName: 'fourfold.v1.Rejected', ...value },
  })
  talk.heard(`
    1< rejected 1
    * failed DIR: This folder is full.
    1> operation 2 create FILE
  `)
})

test('what took effect and is refused elsewhere is kept until the servers have met, no longer', () => {
  const talk = refusedElsewhere()
  talk.wait(250)
  refused(talk, 2, 3, Code.NOT_FOUND)
  talk.servers(2, '')
  talk.wait(500)
  refused(talk, 2, 4, Code.NOT_FOUND)
  talk.wait(1000)
  assert.equal(talk.session.operations.length, 2, 'they have only just met')
  refused(talk, 2, 5, Code.NOT_FOUND)
  assert.equal(talk.session.operations.length, 1)
  talk.heard(`
    2< rejected 2
    250 ms
    2> operation 3 move MOVE
    2< rejected 3
    2< servers, none down
    500 ms
    2> operation 4 move MOVE
    2< rejected 4
    1000 ms
    * online b · saved on a
    * online b · saving (1)
    2> operation 5 move MOVE
    2< rejected 5
    2> operation 6 move NEXT
  `)
})

test('a server that stays away lets nothing wait for ever behind what only it took', () => {
  const talk = refusedElsewhere()
  const startedAt = talk.now
  let ticket = 3
  while (!talk.lines.includes(`2> operation ${ticket} move NEXT`)) {
    assert.ok(talk.now - startedAt < 2 * operationGiveUpMs, 'it waits')
    talk.wait(250)
    talk.servers(2, 'a')
    if (talk.lines.includes(`2> operation ${ticket} move MOVE`)) {
      refused(talk, 2, ticket++, Code.NOT_FOUND)
    }
  }
  assert.ok(talk.now - startedAt >= operationGiveUpMs, 'it might have come back')
})

test('what is told to be on a disk that is another one now is on none, when no server takes it', () => {
  const talk = new Talk({ addresses: ['http://a'], hasStandby: false })
  talk.start()
  talk.welcome(1, 'a')
  movedOnOne(talk)
  talk.wait(200)
  talk.welcome(2, 'a')
  refused(talk, 2, 2, Code.NOT_FOUND)
  talk.wait(250)
  talk.lines.length = 0
  refused(talk, 2, 3, Code.NOT_FOUND)
  assert.deepEqual(talk.session.operations, [])
  talk.heard(`
    2< rejected 3
    * failed MOVE: No.
  `)
  talk.wait(5000)
  assert.doesNotMatch(talk.lines.join(), /> ask/, 'it is on no disk')
})

test('what took effect on a disk that burnt is not asked for ever of servers that lack its bytes', () => {
  const talk = new Talk({ hasStandby: false })
  talk.start()
  talk.welcome(1, 'a')
  movedOnOne(talk)
  const startedAt = talk.now
  let connection = 1
  for (let ticket = 2; talk.session.operations.length > 0;) {
    assert.ok(talk.now - startedAt < 2 * operationGiveUpMs, 'it waits')
    talk.wait(250)
    if (talk.session.state.name === 'online') talk.servers(connection, '')
    else {
      const [, number, server] = /dial (\d+) (\w)$/.exec(talk.lines.findLast(isDial)!)!
      connection = Number(number)
      talk.welcome(connection, server!)
    }
    if (talk.lines.includes(`${connection}> operation ${ticket} move MOVE`)) {
      refused(talk, connection, ticket++, Code.UNAVAILABLE)
    }
  }
  assert.ok(talk.now - startedAt >= operationGiveUpMs, 'a server might get them yet')
})

const isDial = (line: string) => line.startsWith('dial ')

test('what somebody was told is done is not refused for a name that was taken meanwhile', () => {
  const talk = new Talk()
  const late = lateness(talk)
  talk.start()
  talk.welcome(1, 'a')
  talk.welcome(2, 'b')
  talk.operate('FILE', made('one.md'))
  talk.done(1, 1, 'FILE')
  talk.stored(1, 'a1')
  talk.close(1)
  talk.welcomeAgain(2, 'b', 'a')
  refused(talk, 2, 2, Code.TAKEN)
  talk.wait(250)
  assert.deepEqual(late, [false, false, true])
})

/** The ids of those that wait when these are asked for at once. */
function waiting(...operations: [string, Operation['operation']][]): string[] {
  const parcels = operations.map(([id, operation]): OperationParcel => {
    const body = create(OperationSchema, { id, operation })
    const servers = new Set<string>()
    const fresh = { servers, bornAt: 0, isLate: false, effect: undefined, trouble: undefined }
    return { type: 'operation', operation: body, bytes: 0, ...fresh }
  })
  return [...heldBack(parcels, 'a')].map(({ operation }) => operation.id)
}

test('what builds on another waits for it, what does not goes along', () => {
  assert.deepEqual(waiting(['A', made('a')], ['B', made('b')]), [])
  assert.deepEqual(waiting(['A', directory('a')], ['B', made('b', 'A')]), ['B'])
  assert.deepEqual(waiting(['A', made('a')], ['B', renamed('A', 'b')]), ['B'])
  assert.deepEqual(waiting(['A', directory('a')], ['B', moved('X', 'A')]), ['B'])
  assert.deepEqual(waiting(['A', renamed('X', 'a')], ['B', renamed('X', 'b')]), ['B'])
  assert.deepEqual(waiting(['A', deleted('X')], ['B', deleted('Y')]), [])
  // It may take the name that the other gives up.
  assert.deepEqual(waiting(['A', deleted('X')], ['B', made('x')]), ['B'])
  assert.deepEqual(waiting(['A', renamed('X', 'y')], ['B', made('x')]), ['B'])
  // Many things are moved to one place at once.
  assert.deepEqual(waiting(['A', moved('X', 'P')], ['B', moved('Y', 'P')]), [])
  assert.deepEqual(waiting(['A', moved('X', 'P')], ['B', moved('Y', 'Q')]), ['B'])
  const three = waiting(['A', deleted('X')], ['B', moved('Y', 'P')], ['C', moved('Z', 'P')])
  assert.deepEqual(three, ['B', 'C'])
})

/** Before any server answered somebody has typed, and named a version of that. */
function namedAfterTyping(): Talk {
  const talk = new Talk({ hasStandby: false })
  talk.start()
  talk.step({ type: 'follow', document: 'D' })
  talk.type('D', 'x')
  talk.operate('VERSION', versionOf('D'))
  return talk
}

test('a version is of all that was in sight: that goes to the server before it', () => {
  const talk = namedAfterTyping()
  talk.lines.length = 0
  talk.welcome(1, 'a')
  talk.stored(1, 'a1')
  talk.heard(`
    1> hello ada
    1< welcome a
    1> open D
    * named ada
    1> push 1 D "x"
    * online a · saved on none
    1< stored a1
    1> operation 2 nameVersion VERSION
    * online a · saved on a
  `)
})

test('so it does at another server, to which text of others may have to go, too', () => {
  const talk = new Talk()
  talk.writeOther('D', 'other ')
  talk.join()
  talk.type('D', 'x')
  talk.operate('VERSION', versionOf('D'))
  talk.close(1)
  talk.lines.length = 0
  talk.welcomeAgain(2, 'b', 'a')
  talk.wait(10)
  talk.open(2, 'D')
  // It lacks what that builds on.
  talk.resync(2, 'D', 2)
  talk.open(2, 'D')
  talk.stored(2, 'b3')
  talk.heard(`
    2< welcome b, a down
    10 ms
    2< opened D
    2> push 2 D "x"
    2< resync D 2
    2> open D
    2< opened D
    2> push 3 D "x"
    2< stored b3
    2> operation 4 nameVersion VERSION
  `)
})

test('a version whose text no server shows is given up, and nothing waits with it', () => {
  const talk = namedAfterTyping()
  talk.operate('GONE', deleted('D'))
  talk.welcome(1, 'a')
  const openedAt = talk.now
  assert.ok(talk.lines.includes('1> operation 1 delete GONE'), talk.lines.join('\n'))
  const failed = () => talk.lines.some((line) => line.startsWith('* failed VERSION'))
  while (!failed() && talk.now - openedAt < 2 * operationGiveUpMs) {
    talk.wait(500)
    const ping = talk.lines.findLast((line) => line.startsWith('1> ping '))
    const number = Number(ping?.slice('1> ping '.length))
    talk.says(1, 'pong', { case: 'pong', value: { $typeName: 'fourfold.v1.Pong', number } })
  }
  assert.ok(failed(), talk.lines.join('\n'))
  assert.ok(talk.now - openedAt >= operationGiveUpMs)
})

test('several entries are changed by one operation, and it is told which were not', () => {
  const talk = new Talk({ hasStandby: false })
  talk.start()
  talk.welcome(1, 'a')
  talk.operate('MANY', severalDeleted('X', 'Y'))
  talk.operate('NEXT', renamed('Y', 'two.md'))
  const undone = [
    { $typeName: 'fourfold.v1.Undone' as const, entry: 'X', code: Code.NOT_FOUND, text: 'No.' },
  ]
  const told: unknown[] = []
  const { session } = talk
  const step = session.step.bind(session)
  session.step = (now, input) => {
    const outputs = step(now, input)
    told.push(...outputs.filter(({ type }) => type === 'done'))
    return outputs
  }
  talk.lines.length = 0
  talk.done(1, 1, 'X', { undone })
  talk.stored(1, 'a1', 'b1', 'c1', 'd1')
  assert.deepEqual(told, [
    { type: 'done', operation: 'MANY', entry: 'X', undone, servers: ['a', 'b', 'c', 'd'] },
  ])
  // What is asked of one of them goes after that.
  talk.heard(`
    1< done 1
    1< stored a1 b1 c1 d1
    1> operation 2 rename NEXT
    * done MANY on a b c d
  `)
})

test('an operation for many entries counts as several pushes', () => {
  const talk = new Talk({ hasStandby: false })
  talk.start()
  talk.welcome(1, 'a')
  talk.lines.length = 0
  const count = pushBurstMax / (severalMax / entriesPerPush) + 1
  for (let part = 0; part < count; part++) {
    const ids = Array.from({ length: severalMax }, (_, number) => `${part}.${number}`)
    talk.operate(`O${part}`, severalDeleted(...ids))
  }
  const sent = () => talk.lines.filter((line) => line.includes('> operation')).length
  const atOnce = sent()
  assert.equal(atOnce, Math.floor((pushBurstMax * 0.9) / (severalMax / entriesPerPush)))
  talk.wait(1000)
  assert.ok(sent() > atOnce, 'the rest goes when the server lets it')
})
