// Golden conversations between a client's mind and servers: commit a difference only if you can
// explain it. test/session-talk.ts says how to read them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as Y from 'yjs'
import { Talk } from '../../../test/session-talk.ts'
import { outboxBytesMax } from '../model/limits.ts'
import { Code } from '../model/wire.ts'

const pong = { case: 'pong' as const, value: { $typeName: 'fourfold.v1.Pong' as const, number: 0 } }

/** The conversation since the last look. */
function heard(talk: Talk, expected: string): void {
  const lines = expected.split('\n').map((line) => line.trim())
  assert.deepEqual(talk.transcript.split('\n'), lines.slice(1, -1))
}

test('the first server that says Welcome is the active one, another is kept warm', () => {
  const talk = new Talk()
  talk.start()
  talk.step({ type: 'follow', document: 'D' })
  talk.welcome(1, 'a')
  talk.open(1, 'D')
  talk.welcome(2, 'b')
  const conversation = `
    dial 1 a
    * joining · saved on none
    1> hello ada
    1< welcome a
    1> open D
    * named ada
    dial 2 b
    * online a · saved on a b c d
    1< opened D
    2> hello as standby
    2< welcome b
  `
  heard(talk, conversation)
})

test('a server that is slow to say Welcome is not waited for: the next is dialled, too', () => {
  const talk = new Talk()
  talk.start()
  talk.step({ type: 'opened', connection: 1 })
  talk.wait(150)
  talk.welcome(2, 'b')
  talk.welcomeAgain(2, 'b')
  talk.welcomeAgain(1, 'a')
  const conversation = `
    dial 1 a
    * joining · saved on none
    1> hello ada
    150 ms
    dial 2 b
    2> hello as standby
    2< welcome b
    2> hello ada
    * online b · saved on a b c d
    2< welcome b
    * named ada
    1< welcome a
    hang up 1
    dial 3 a
  `
  heard(talk, conversation)
})

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
  const conversation = `
    ada types "x" in D
    1> push 1 D "x"
    3 ms
    1< stored a1
    1< stored b1 c1
    1< stored d1
  `
  heard(talk, conversation)
})

test('the first edit after a pause is not delayed; those right behind it travel as one', () => {
  const talk = new Talk()
  talk.join()
  for (const letter of 'abcd') {
    talk.type('D', letter)
    talk.wait(2)
  }
  talk.wait(20)
  const conversation = `
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
  `
  heard(talk, conversation)
})

test('when the active server is killed, the standby gets what was not answered at once', () => {
  const talk = new Talk()
  talk.join()
  talk.type('D', 'x')
  talk.close(1)
  talk.welcomeAgain(2, 'b', 'a')
  talk.stored(2, 'b2', 'c2', 'd2')
  talk.open(2, 'D')
  const conversation = `
    ada types "x" in D
    1> push 1 D "x"
    1< closed
    2> hello ada
    2> open D
    2> push 2 D "x"
    dial 3 c
    * online b · saved on a b c d
    2< welcome b, a down
    2< stored b2 c2 d2
    2< opened D
  `
  heard(talk, conversation)
  assert.deepEqual(talk.session.moves, [{ at: 1000, from: 'a', to: 'b', tookMs: 0 }])
})

test('a frozen server is overtaken by the standby, and left when it thaws', () => {
  const talk = new Talk()
  talk.join()
  talk.type('D', 'x')
  talk.wait(310)
  talk.stored(2, 'b2')
  talk.welcomeAgain(2, 'b', 'a')
  talk.write('D')
  talk.open(2, 'D', 1)
  talk.type('D', 'y')
  talk.stored(2, 'b3', 'c3', 'd3')
  talk.stored(1, 'a1')
  const conversation = `
    ada types "x" in D
    1> push 1 D "x"
    310 ms
    1> ping 1
    2> push 2 D "x"
    2> ping 1
    2< stored b2
    2> hello ada
    2> open D
    dial 3 c
    * online b · saved on a b c d
    2< welcome b, a down
    2< opened D
    ada types "y" in D
    2> push 3 D "y"
    2< stored b3 c3 d3
    1< stored a1
    hang up 1
  `
  heard(talk, conversation)
})

test('after a change of places, what only the old active server got is sent again', () => {
  const talk = new Talk()
  talk.join()
  talk.type('D', 'x')
  talk.wait(310)
  talk.type('D', 'y')
  talk.stored(2, 'b2')
  const conversation = `
    ada types "x" in D
    1> push 1 D "x"
    310 ms
    1> ping 1
    2> push 2 D "x"
    2> ping 1
    ada types "y" in D
    1> push 3 D "y"
    2< stored b2
    2> hello ada
    2> open D
    2> push 4 D "y"
    dial 3 c
    * online b · saved on a b c d
  `
  heard(talk, conversation)
})

test('a server that freezes while nobody types is found dead within 1.7 s', () => {
  const talk = new Talk()
  talk.join()
  talk.wait(990)
  talk.says(2, 'pong', pong)
  talk.wait(730)
  const conversation = `
    990 ms
    2< pong
    730 ms
    1> ping 1
    hang up 1
    2> hello ada
    2> open D
    dial 3 c
    * online b · saved on a b c d
  `
  heard(talk, conversation)
})

test('three servers die at once: the fourth gets everything', () => {
  const talk = new Talk()
  talk.join()
  talk.type('D', 'x')
  talk.close(1)
  talk.close(2)
  talk.close(3)
  talk.wait(15)
  talk.welcome(4, 'd', 'abc')
  talk.stored(4, 'd3')
  talk.wait(900)
  talk.says(4, 'pong', pong)
  talk.wait(600)
  const conversation = `
    ada types "x" in D
    1> push 1 D "x"
    1< closed
    2> hello ada
    2> open D
    2> push 2 D "x"
    dial 3 c
    * online b · saved on a b c d
    2< closed
    * joining · saved on a b c d
    3< closed
    15 ms
    dial 4 d
    4> hello ada
    4< welcome d, abc down
    4> open D
    4> push 3 D "x"
    * online d · saved on a b c d
    4< stored d3
    900 ms
    dial 5 a
    4< pong
    600 ms
    * online d · saved on d
  `
  heard(talk, conversation)
  assert.deepEqual(talk.session.holders('D', 1), ['d'])
})

test('without a server edits wait; when one is back they travel as one push', () => {
  const talk = new Talk({ addresses: ['http://a'] })
  talk.start()
  talk.step({ type: 'follow', document: 'D' })
  talk.close(1)
  talk.type('D', 'x')
  talk.wait(80)
  talk.close(2)
  talk.type('D', 'y')
  talk.wait(1500)
  talk.close(3)
  talk.wait(1500)
  talk.close(4)
  talk.step({ type: 'retry' })
  talk.welcome(5, 'a', 'bcd')
  talk.open(5, 'D')
  talk.stored(5, 'a1')
  const conversation = `
    dial 1 a
    * joining · saved on none
    1< closed
    * offline · saved on none
    ada types "x" in D
    80 ms
    dial 2 a
    * joining · saved on none
    2< closed
    * offline · saved on none
    ada types "y" in D
    1500 ms
    dial 3 a
    * joining · saved on none
    * joining · saving (2)
    3< closed
    * offline · saving (2)
    1500 ms
    dial 4 a
    * joining · saving (2)
    * joining · local (2)
    4< closed
    * offline · local (2)
    dial 5 a
    * joining · local (2)
    5> hello ada
    5< welcome a, bcd down
    5> open D
    * named ada
    5> push 1 D "xy"
    dial 6 b
    * online a · saving (2)
    5< opened D
    5< stored a1
    * online a · saved on a
  `
  heard(talk, conversation)
})

test('a taken name ends it, until another one is asked for', () => {
  const talk = new Talk()
  talk.start()
  talk.step({ type: 'opened', connection: 1 })
  talk.refuse(1, Code.TAKEN, '"ada" is here already; choose another name.')
  talk.wait(10_000)
  talk.step({ type: 'retry', name: 'ada 2' })
  talk.step({ type: 'opened', connection: 2 })
  const conversation = `
    dial 1 a
    * joining · saved on none
    1> hello ada
    1< refused: "ada" is here already; choose another name.
    hang up 1
    * refused · ended (0)
    10000 ms
    dial 2 a
    * joining · saved on none
    2> hello ada 2
  `
  heard(talk, conversation)
})

test('a server that is not ready sends the client to the next', () => {
  const talk = new Talk()
  talk.start()
  talk.step({ type: 'opened', connection: 1 })
  talk.refuse(1, Code.UNAVAILABLE, 'This server is catching up. Trying another.')
  talk.wait(30)
  const conversation = `
    dial 1 a
    * joining · saved on none
    1> hello ada
    1< refused: This server is catching up. Trying another.
    hang up 1
    dial 2 b
    30 ms
  `
  heard(talk, conversation)
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
  const conversation = `
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
  `
  heard(talk, conversation)
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
  const conversation = `
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
  `
  heard(talk, conversation)
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
  const conversation = `
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
  `
  heard(talk, conversation)
})

test('a server that is behind gets what others wrote from whoever heard of it', () => {
  const talk = new Talk()
  talk.join()
  const ben = new Y.Doc()
  ben.getText('text').insert(0, 'ben')
  const seal = new Uint8Array([1])
  const update = Y.encodeStateAsUpdate(ben)
  const value = {
    $typeName: 'fourfold.v1.Changed' as const,
    document: 'D',
    number: 1,
    update,
    seal,
  }
  talk.says(1, 'changed D 1 "ben"', { case: 'changed', value })
  talk.type('D', '!')
  talk.close(1)
  talk.welcomeAgain(2, 'b', 'a')
  talk.open(2, 'D')
  talk.resync(2, 'D', 2)
  talk.open(2, 'D')
  const conversation = `
    1< changed D 1 "ben"
    ada types "!" in D
    1> push 1 D "!"
    1< closed
    2> hello ada
    2> open D
    2> push 2 D "!"
    dial 3 c
    * online b · saved on a b c d
    2< welcome b, a down
    2< opened D
    2> push 3 D "ben"
    2< resync D 2
    2> open D
    2< opened D
    2> push 4 D "!"
  `
  heard(talk, conversation)
})

test('an operation is sent again with the same id, and told when all live servers hold it', () => {
  const talk = new Talk()
  talk.join()
  const value = { $typeName: 'fourfold.v1.Create' as const, name: 'plan.md', text: 'Plan' }
  talk.operate('O', { case: 'create', value })
  talk.close(1)
  const done = { $typeName: 'fourfold.v1.Done' as const, ticket: 2, entry: 'O' }
  talk.says(2, 'done 2', { case: 'done', value: done })
  talk.stored(2, 'b2')
  talk.servers(2, 'a')
  talk.stored(2, 'c2', 'd2')
  const conversation = `
    ada asks: create
    1> operation 1 create O
    1< closed
    2> hello ada
    2> open D
    2> operation 2 create O
    dial 3 c
    * online b · saved on a b c d
    2< done 2
    2< stored b2
    2< servers, a down
    2< stored c2 d2
    * done O on b c d
  `
  heard(talk, conversation)
})

test('an operation that is refused has failed', () => {
  const talk = new Talk()
  talk.join()
  const value = { $typeName: 'fourfold.v1.Rename' as const, entry: 'E', name: '..' }
  talk.operate('O', { case: 'rename', value })
  talk.says(1, 'rejected 1', {
    case: 'rejected',
    value: {
      $typeName: 'fourfold.v1.Rejected',
      ticket: 1,
      code: Code.INVALID,
      text: 'Not a name.',
    },
  })
  const conversation = `
    ada asks: rename
    1> operation 1 rename O
    1< rejected 1
    * failed O: Not a name.
  `
  heard(talk, conversation)
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
  const conversation = `
    ada types "x" in D
    1> push 1 D "x"
    1< rejected 1
    * turned down D: Read only.
    * online a · ended (0)
    10 ms
    ada types "y" in D
  `
  heard(talk, conversation)
  assert.deepEqual(talk.session.holders('D', 1), [])
})

test('a server that is about to stop is left for the standby', () => {
  const talk = new Talk()
  talk.join()
  const value = { $typeName: 'fourfold.v1.Goaway' as const, text: 'stopping' }
  talk.says(1, 'goaway', { case: 'goaway', value })
  const conversation = `
    1< goaway
    hang up 1
    2> hello ada
    2> open D
    dial 3 c
    * online b · saved on a b c d
  `
  heard(talk, conversation)
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
  const conversation = `
    1< changed D 2
    1> open D
  `
  heard(talk, conversation)
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
  const conversation = `
    ada types "x" in D
    1> push 1 D "x"
    1< stored a1
    1< stored b1 c1 d1
    1> close D
  `
  heard(talk, conversation)
})

test('carets are told at most 18 times a second, the last one always, and renewed', () => {
  const talk = new Talk({ hasStandby: false })
  talk.join()
  for (let step = 0; step < 5; step++) {
    talk.step({ type: 'caret', document: 'D', state: `at ${step}` })
    talk.wait(20)
  }
  talk.wait(100)
  const conversation = `
    1> caret D 1 at 0
    20 ms
    20 ms
    20 ms
    1> caret D 2 at 2
    20 ms
    20 ms
    100 ms
    1> caret D 3 at 4
  `
  heard(talk, conversation)
  for (let count = 0; count < 12; count++) {
    talk.says(1, 'pong', pong)
    talk.wait(900)
  }
  assert.deepEqual(
    talk.lines.filter((line) => line.includes('caret')),
    ['1> caret D 4 at 4'],
  )
})

test('what was read is credited after every 256 KiB', () => {
  const talk = new Talk()
  talk.join()
  talk.says(1, '200 KiB', pong, 200 * 1024)
  talk.says(1, '100 KiB', pong, 100 * 1024)
  const conversation = `
    1< 200 KiB
    1< 100 KiB
    1> credit 307400
  `
  heard(talk, conversation)
})
