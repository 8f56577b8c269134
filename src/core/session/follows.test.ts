// Golden conversations about documents: commit a difference only if you can explain it.
// test/session-talk.ts says how to read them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as Y from 'yjs'
import { Talk } from '../../../test/session-talk.ts'
import { writerOf } from '../model/ids.ts'
import { outboxBytesMax } from '../model/limits.ts'
import { Code } from '../model/wire.ts'

const pong = { case: 'pong' as const, value: { $typeName: 'fourfold.v1.Pong' as const, number: 0 } }

test('a keystroke goes out at once, and its receipt grows from one disk to four', () => {
  const talk = new Talk()
  talk.join()
  talk.type('D', 'x')
  talk.wait(3)
  talk.stored(1, 'a1')
  assert.deepEqual(talk.session.holders('D', 1), ['a'])
  talk.stored(1, 'b1', 'c1')
  talk.stored(1, 'd1')
  assert.deepEqual(talk.session.holders('D', 1), ['a', 'b', 'c', 'd'])
  talk.heard(`
    ada types "x" in D
    1> push 1 D "x"
    3 ms
    1< stored a1
    1< stored b1 c1
    1< stored d1
  `)
})

test('the first edit after a pause is not delayed; those right behind it travel as one', () => {
  const talk = new Talk()
  talk.join()
  for (const letter of 'abcd') {
    talk.type('D', letter)
    talk.wait(2)
  }
  talk.wait(20)
  talk.heard(`
    ada types "a" in D
    1> push 1 D "a"
    2 ms
    ada types "b" in D
    2 ms
    ada types "c" in D
    2 ms
    ada types "d" in D
    2 ms
    1> push 2 D "bcd"
    20 ms
  `)
})

test('on Resync the document is compared again, and what the server lacks is offered', () => {
  const talk = new Talk()
  talk.join()
  talk.type('D', 'x')
  talk.wait(10)
  talk.type('D', 'y')
  talk.resync(1, 'D', 1)
  talk.resync(1, 'D', 2)
  talk.type('D', 'z')
  talk.wait(10)
  talk.open(1, 'D')
  talk.stored(1, 'a3', 'b3', 'c3', 'd3')
  talk.heard(`
    ada types "x" in D
    1> push 1 D "x"
    10 ms
    ada types "y" in D
    1> push 2 D "y"
    1< resync D 1
    1> open D
    1< resync D 2
    ada types "z" in D
    10 ms
    1< opened D
    1> push 3 D "xyz"
    1< stored a3 b3 c3 d3
  `)
})

test('a server that goes on asking for Resync is asked later and later, and left at last', () => {
  const talk = new Talk()
  talk.join()
  talk.type('D', 'x')
  for (let ticket = 1; ticket <= 7; ticket++) {
    talk.resync(1, 'D', ticket)
    if (ticket === 7) break
    talk.wait(ticket === 1 ? 10 : Math.min(2000, 100 * 2 ** (ticket - 2)))
    talk.says(2, 'pong', pong)
    talk.open(1, 'D')
  }
  talk.heard(`
    ada types "x" in D
    1> push 1 D "x"
    1< resync D 1
    1> open D
    10 ms
    2< pong
    1< opened D
    1> push 2 D "x"
    1< resync D 2
    100 ms
    1> open D
    2< pong
    1< opened D
    1> push 3 D "x"
    1< resync D 3
    200 ms
    1> open D
    2< pong
    1< opened D
    1> push 4 D "x"
    1< resync D 4
    400 ms
    1> open D
    2< pong
    1< opened D
    1> push 5 D "x"
    1< resync D 5
    800 ms
    * online a · saving (1)
    1> open D
    2< pong
    1< opened D
    1> push 6 D "x"
    1< resync D 6
    1600 ms
    1> ping 1
    2> ping 1
    1> open D
    2< pong
    1< opened D
    1> push 7 D "x"
    1< resync D 7
    hang up 1
    2> hello ada
    2> open D
    2> push 8 D "x"
    dial 3 c
    * online b · saving (1)
  `)
})

test('more than the outbox may keep stays in the document, and is offered from there', () => {
  const talk = new Talk({ hasStandby: false })
  talk.join()
  talk.type('D', 'x'.repeat(outboxBytesMax + 1))
  talk.open(1, 'D')
  talk.stored(1, 'a4', 'b4', 'c4', 'd4')
  talk.write('D')
  talk.open(1, 'D', 4)
  talk.stored(1, 'a5', 'b5', 'c5')
  talk.heard(`
    ada types 4194305 characters in D
    1> open D
    1< opened D
    1> push 1 D 1048530 characters
    1> push 2 D 1048520 characters
    1> push 3 D 1048520 characters
    1> push 4 D 1048520 characters
    1< stored a4 b4 c4 d4
    1> open D
    1< opened D
    1> push 5 D 978 characters
    1< stored a5 b5 c5
  `)
})

test('a server that is behind gets what others wrote from whoever heard of it', () => {
  const talk = new Talk()
  talk.join()
  const ben = new Y.Doc()
  ben.getText('text').insert(0, 'ben')
  talk.changed(1, 'D', 1, Y.encodeStateAsUpdate(ben))
  talk.type('D', '!')
  talk.close(1)
  talk.welcomeAgain(2, 'b', 'a')
  talk.open(2, 'D')
  talk.heard(`
    1< changed D 1 "ben"
    ada types "!" in D
    1> push 1 D "!"
    1< closed
    2> hello ada
    2> open D
    dial 3 c
    * online b · saved on a b c d
    2< welcome b, a down
    2< opened D
    2> push 2 D "ben"
    2> push 3 D "!"
  `)
})

test('G6 a server that is behind gets own text before what others wrote after it', () => {
  const talk = new Talk()
  talk.join()
  talk.type('D', 'x')
  talk.wait(10)
  const ben = talk.other('D')
  ben.getText('text').insert(1, 'ben')
  talk.changed(1, 'D', 1, Y.encodeStateAsUpdate(ben))
  // What builds on the same, but touches nothing of it.
  const cleo = new Y.Doc()
  cleo.getText('text').insert(0, 'cleo')
  talk.changed(1, 'D', 2, Y.encodeStateAsUpdate(cleo))
  talk.type('D', 'y')
  talk.close(1)
  talk.welcomeAgain(2, 'b', 'a')
  talk.open(2, 'D')
  talk.stored(2, 'b3', 'b4', 'b5', 'b6')
  talk.heard(`
    ada types "x" in D
    1> push 1 D "x"
    10 ms
    1< changed D 1 "ben"
    1< changed D 2 "cleo"
    ada types "y" in D
    1> push 2 D "y"
    1< closed
    2> hello ada
    2> open D
    dial 3 c
    * online b · saved on a b c d
    2< welcome b, a down
    2< opened D
    2> push 3 D "x"
    2> push 4 D "ben"
    2> push 5 D "cleo"
    2> push 6 D "y"
    2< stored b3 b4 b5 b6
  `)
  assert.deepEqual(talk.session.holders('D', 2), ['b'])
})

test('G6 what was here before own text goes before it, though it is told again after it', () => {
  const talk = new Talk()
  talk.join()
  const ben = new Y.Doc()
  ben.getText('text').insert(0, 'ben')
  const whole = Y.encodeStateAsUpdate(ben)
  Y.applyUpdate(talk.doc('D'), whole, talk)
  talk.type('D', '!')
  talk.wait(10)
  talk.changed(1, 'D', 1, whole, true)
  talk.close(1)
  talk.welcomeAgain(2, 'b', 'a')
  talk.open(2, 'D')
  assert.deepEqual(
    talk.lines.filter((line) => line.includes('push')),
    ['1> push 1 D "!"', '2> push 2 D "ben"', '2> push 3 D "!"'],
  )
})

test('G6 a standby gets what an own edit was written after before it, and nothing that came later', () => {
  const talk = new Talk()
  talk.join()
  const ben = new Y.Doc()
  ben.getText('text').insert(0, 'ben')
  talk.changed(1, 'D', 1, Y.encodeStateAsUpdate(ben))
  talk.type('D', 'x')
  talk.wait(10)
  const cleo = talk.other('D')
  cleo.getText('text').insert(4, 'cleo')
  talk.changed(1, 'D', 2, Y.encodeStateAsUpdate(cleo))
  talk.type('D', 'y')
  talk.wait(320)
  assert.deepEqual(
    talk.lines.filter((line) => line.startsWith('2> push')),
    ['2> push 3 D "ben"', '2> push 4 D "x"', '2> push 5 D "cleo"', '2> push 6 D "y"'],
  )
})

test('G6 what others wrote between the text of earlier sessions is brought there, as the device kept it', () => {
  const key = new Uint8Array(16).fill(7)
  const talk = new Talk({ earlierKeys: [key] })
  const own = new Y.Doc()
  own.clientID = writerOf(key)
  own.getText('text').insert(0, 'x')
  const clocks = new Map([[own.clientID, 1]])
  const ben = new Y.Doc()
  Y.applyUpdate(ben, Y.encodeStateAsUpdate(own))
  ben.getText('text').insert(1, 'ben')
  const update = Y.encodeStateAsUpdate(ben, Y.encodeStateVector(own))
  Y.applyUpdate(own, update)
  own.getText('text').insert(4, 'y')
  Y.applyUpdate(talk.doc('D'), Y.encodeStateAsUpdate(own), talk)
  const seal = new Uint8Array([1])
  talk.relays.keep({ document: 'D', at: talk.now, update, seal, own: clocks })
  talk.start()
  talk.step({ type: 'follow', document: 'D' })
  talk.welcome(1, 'a')
  talk.type('D', 'z')
  talk.open(1, 'D')
  assert.deepEqual(
    talk.lines.filter((line) => line.includes('push')),
    ['1> push 1 D "x"', '1> push 2 D "ben"', '1> push 3 D "zy"'],
  )
})

test('13 a seal that does not hold is shown to one server, once', () => {
  const talk = new Talk()
  talk.join()
  const ben = new Y.Doc()
  ben.getText('text').insert(0, 'ben')
  talk.changed(1, 'D', 1, Y.encodeStateAsUpdate(ben))
  talk.close(1)
  talk.welcomeAgain(2, 'b', 'a')
  talk.open(2, 'D')
  talk.welcome(3, 'c', 'a')
  talk.rejected(2, 1, 'This text is of somebody else.', Code.FORBIDDEN)
  talk.close(2)
  talk.welcomeAgain(3, 'c', 'ab')
  talk.open(3, 'D')
  assert.deepEqual(
    talk.lines.filter((line) => /push|unsealed|opened/.test(line)),
    ['2< opened D', '2> push 1 D "ben"', '* unsealed D', '3< opened D'],
  )
})

test('a push that no server takes stays in the document, and is told', () => {
  const talk = new Talk()
  talk.join()
  talk.type('D', 'x')
  talk.says(1, 'rejected 1', {
    case: 'rejected',
    value: {
      $typeName: 'fourfold.v1.Rejected',
      ticket: 1,
      code: Code.FORBIDDEN,
      text: 'Read only.',
    },
  })
  talk.wait(10)
  talk.type('D', 'y')
  talk.heard(`
    ada types "x" in D
    1> push 1 D "x"
    1< rejected 1
    * turned down D: Read only.
    * online a · ended (0)
    10 ms
    ada types "y" in D
  `)
  assert.deepEqual(talk.session.holders('D', 1), [])
})

test('a gap in the numbers of changes opens the document again', () => {
  const talk = new Talk()
  talk.join()
  const value = {
    $typeName: 'fourfold.v1.Changed' as const,
    document: 'D',
    number: 2,
    update: new Uint8Array(),
    seal: new Uint8Array(),
  }
  talk.says(1, 'changed D 2', { case: 'changed', value })
  talk.heard(`
    1< changed D 2
    1> open D
  `)
})

test('a document is closed on the server when its last edit is safe, not before', () => {
  const talk = new Talk()
  talk.join()
  talk.type('D', 'x')
  talk.step({ type: 'unfollow', document: 'D' })
  assert.ok(talk.session.needs('D'))
  talk.stored(1, 'a1')
  talk.stored(1, 'b1', 'c1', 'd1')
  assert.ok(!talk.session.needs('D'))
  talk.heard(`
    ada types "x" in D
    1> push 1 D "x"
    1< stored a1
    1< stored b1 c1 d1
    1> close D
  `)
})

test('carets are told at most 18 times a second, the last one always, and renewed', () => {
  const talk = new Talk({ hasStandby: false })
  talk.join()
  for (let step = 0; step < 5; step++) {
    talk.step({ type: 'caret', document: 'D', state: `at ${step}` })
    talk.wait(20)
  }
  talk.wait(100)
  talk.heard(`
    1> caret D 1 at 0
    20 ms
    20 ms
    20 ms
    1> caret D 2 at 2
    20 ms
    20 ms
    100 ms
    1> caret D 3 at 4
  `)
  for (let count = 0; count < 12; count++) {
    talk.says(1, 'pong', pong)
    talk.wait(900)
  }
  assert.deepEqual(
    talk.lines.filter((line) => line.includes('caret')),
    ['1> caret D 4 at 4'],
  )
})

test('a caret in a text that is opened again is newer than what a server said when it was closed', () => {
  const talk = new Talk({ hasStandby: false })
  talk.join()
  talk.step({ type: 'caret', document: 'D', state: 'here' })
  talk.step({ type: 'unfollow', document: 'D' })
  talk.step({ type: 'follow', document: 'D' })
  talk.open(1, 'D')
  talk.step({ type: 'caret', document: 'D', state: 'again' })
  talk.wait(100)
  const carets = talk.lines.filter((line) => line.includes('caret'))
  assert.deepEqual(carets, ['1> caret D 1 here', '1> caret D 12 again'])
})

test('a receipt for the last edit says nothing of those before it, until the document was compared', () => {
  const talk = new Talk()
  talk.start()
  talk.step({ type: 'follow', document: 'D' })
  talk.welcome(1, 'a', 'd')
  talk.open(1, 'D')
  talk.type('D', 'x')
  talk.stored(1, 'a1', 'b1', 'c1')
  talk.wait(10)
  talk.type('D', 'y')
  talk.stored(1, 'a2', 'b2', 'c2')
  talk.close(1)
  talk.close(2)
  talk.wait(15)
  talk.close(3)
  talk.lines.length = 0
  talk.welcome(4, 'd', 'abc')
  talk.stored(4, 'd3')
  assert.deepEqual(talk.session.holders('D', 2), ['a', 'b', 'c'])
  talk.open(4, 'D')
  talk.stored(4, 'd4')
  assert.deepEqual(talk.session.holders('D', 2), ['d'])
  talk.heard(`
    4> hello ada
    4< welcome d, abc down
    4> open D
    4> push 3 D "y"
    * online d · saved on a b c
    4< stored d3
    4< opened D
    4> push 4 D "xy"
    4< stored d4
  `)
})

test('a server that is live is not said to hold what was never compared with it', () => {
  const talk = new Talk({ earlierKeys: [new Uint8Array(16)] })
  talk.start()
  talk.step({ type: 'follow', document: 'D' })
  talk.welcome(1, 'a', 'd')
  talk.open(1, 'D')
  talk.welcome(2, 'b')
  assert.deepEqual(talk.session.holders('D', 0), ['a'])
  for (let at = 0; at < 3000; at += 500) {
    talk.wait(500)
    for (const connection of [1, 2]) talk.says(connection, 'pong', pong)
  }
  assert.deepEqual(talk.session.holders('D', 0), ['a', 'b', 'c'])
  // They lose their disks; the only one that is left was away since before.
  for (const connection of [1, 2, 3]) talk.close(connection)
  talk.wait(200)
  talk.welcome(4, 'd', 'abc')
  assert.deepEqual(talk.session.holders('D', 0), [])
  talk.open(4, 'D')
  assert.deepEqual(talk.session.holders('D', 0), ['d'])
})

test('a delete of text that the server lacks is owed until it has that text', () => {
  const talk = new Talk()
  talk.start()
  talk.step({ type: 'follow', document: 'D' })
  talk.welcome(1, 'a')
  talk.writeOther('D', 'ben')
  talk.open(1, 'D')
  talk.welcome(2, 'b')
  talk.lines.length = 0
  talk.delete('D', 3)
  talk.close(1)
  talk.forget('D')
  talk.open(2, 'D')
  assert.deepEqual(talk.session.holders('D', 1), [])
  talk.writeOther('D', 'ben')
  talk.wait(200)
  talk.open(2, 'D')
  talk.stored(2, 'b2')
  assert.deepEqual(talk.session.holders('D', 1), ['b'])
  talk.heard(`
    ada deletes 3 in D
    1> push 1 D ""
    1< closed
    2> hello ada
    2> open D
    dial 3 c
    * online b · saved on a b c d
    2< opened D
    200 ms
    2> open D
    2< opened D
    2> push 2 D ""
    2< stored b2
  `)
})

test('what is typed right after too much was pasted is offered when its time comes', () => {
  const talk = new Talk()
  talk.join()
  talk.type('D', 'too much')
  talk.rejected(1, 1, 'The text is too large.', Code.TOO_LARGE)
  talk.wait(1000)
  talk.delete('D', 8)
  talk.type('D', 'x')
  talk.heard(`
    ada types "too much" in D
    1> push 1 D "too much"
    1< rejected 1: The text is too large.
    * turned down D: The text is too large.
    * online a · ended (0)
    1000 ms
    ada deletes 8 in D
    ada types "x" in D
  `)
  for (let times = 0; times < 4; times++) {
    talk.wait(900)
    talk.says(1, 'pong', pong)
  }
  talk.lines.length = 0
  talk.wait(600)
  talk.open(1, 'D')
  talk.heard(`
    600 ms
    1> open D
    * online a · saved on none
    1< opened D
    1> push 2 D "x"
  `)
  assert.deepEqual(talk.session.holders('D', 3), [])
  talk.stored(1, 'a2', 'b2', 'c2', 'd2')
  assert.deepEqual(talk.session.holders('D', 3), ['a', 'b', 'c', 'd'])
})

test('what a text had no room for is offered when somebody else has deleted in it', () => {
  const talk = new Talk()
  talk.join()
  const ben = talk.other('D')
  talk.type('D', 'too much')
  talk.rejected(1, 1, 'The text is too large.', Code.TOO_LARGE)
  const change = (number: number, act: (text: Y.Text) => void) => {
    const state = Y.encodeStateVector(ben)
    act(ben.getText('text'))
    talk.changed(1, 'D', number, Y.encodeStateAsUpdate(ben, state))
  }
  const wait = () => {
    talk.lines.length = 0
    for (let times = 0; times < 6; times++) {
      talk.wait(900)
      talk.says(1, 'pong', pong)
    }
    return talk.lines.filter((line) => line.startsWith('1> open'))
  }
  change(1, (text) => text.insert(0, 'ben'))
  assert.deepEqual(wait(), [])
  assert.equal(talk.session.refusal('D')?.code, 'too-large')
  change(2, (text) => text.delete(0, 2))
  assert.equal(talk.session.refusal('D')?.code, 'too-large')
  assert.deepEqual(wait(), ['1> open D'])
  talk.open(1, 'D')
  talk.stored(1, 'a2', 'b2', 'c2', 'd2')
  assert.equal(talk.session.untaken.length, 0)
  assert.deepEqual(talk.session.holders('D', 1), ['a', 'b', 'c', 'd'])
})

test('what no server takes stays unsafe when its document is closed', () => {
  const talk = new Talk()
  talk.join()
  talk.type('D', 'too much')
  talk.rejected(1, 1, 'The text is too large.', Code.TOO_LARGE)
  assert.equal(talk.session.refusal('D')?.code, 'too-large')
  talk.step({ type: 'unfollow', document: 'D' })
  talk.wait(100)
  assert.equal(talk.session.isUnsafe('D'), true)
  assert.equal(talk.session.save.name, 'ended')
  // What another session left is offered with it.
  talk.step({ type: 'recalled', document: 'D' })
  assert.equal(talk.session.refusal('D'), undefined)
})
