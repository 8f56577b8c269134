// Golden conversations about connections: commit a difference only if you can explain it.
// test/session-talk.ts says how to read them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Talk } from '../../../test/session-talk.ts'
import { earlierKeysMax } from '../model/limits.ts'
import { Code } from '../model/wire.ts'

const pong = { case: 'pong' as const, value: { $typeName: 'fourfold.v1.Pong' as const, number: 0 } }

test('the first server that says Welcome is the active one, another is kept warm', () => {
  const talk = new Talk()
  talk.start()
  talk.step({ type: 'follow', document: 'D' })
  talk.welcome(1, 'a')
  talk.open(1, 'D')
  talk.welcome(2, 'b')
  talk.heard(`
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
  `)
})

test('a server that is slow to say Welcome is not waited for: the next is dialled, too', () => {
  const talk = new Talk()
  talk.start()
  talk.step({ type: 'opened', connection: 1 })
  talk.wait(150)
  talk.welcome(2, 'b')
  talk.welcomeAgain(2, 'b')
  talk.welcomeAgain(1, 'a')
  talk.heard(`
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
  `)
})

test('when the active server is killed, the standby gets what was not answered at once', () => {
  const talk = new Talk()
  talk.join()
  talk.type('D', 'x')
  talk.close(1)
  talk.welcomeAgain(2, 'b', 'a')
  talk.stored(2, 'b2', 'c2', 'd2')
  talk.open(2, 'D')
  talk.heard(`
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
  `)
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
  talk.heard(`
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
  `)
})

test('after a change of places, what only the old active server got is sent again', () => {
  const talk = new Talk()
  talk.join()
  talk.type('D', 'x')
  talk.wait(310)
  talk.type('D', 'y')
  talk.stored(2, 'b2')
  talk.heard(`
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
  `)
})

test('a server that freezes while nobody types is found dead within 2 s', () => {
  const talk = new Talk()
  talk.join()
  talk.wait(1240)
  talk.says(2, 'pong', pong)
  talk.wait(400)
  talk.says(2, 'pong', pong)
  talk.wait(335)
  talk.heard(`
    1240 ms
    2< pong
    400 ms
    1> ping 1
    2> ping 1
    2< pong
    335 ms
    hang up 1
    2> hello ada
    2> open D
    dial 3 c
    * online b · saved on a b c d
  `)
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
  talk.heard(`
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
  `)
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
  talk.heard(`
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
  `)
})

test('a taken name ends it, until another one is asked for', () => {
  const talk = new Talk()
  talk.start()
  talk.step({ type: 'opened', connection: 1 })
  talk.refuse(1, Code.TAKEN, '"ada" is here already; choose another name.')
  talk.wait(10_000)
  talk.step({ type: 'retry', name: 'ada 2' })
  talk.step({ type: 'opened', connection: 2 })
  talk.heard(`
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
  `)
})

test('keys that are learned later are said on new connections, and what waits is sent there', () => {
  const talk = new Talk()
  talk.join()
  talk.type('D', 'x')
  talk.step({ type: 'keys', keys: [new Uint8Array(16).fill(7)] })
  talk.wait(30)
  talk.welcome(3, 'a')
  talk.open(3, 'D')
  talk.heard(`
    ada types "x" in D
    1> push 1 D "x"
    hang up 1
    hang up 2
    * joining · saved on a b c d
    30 ms
    dial 3 a
    3> hello ada, further keys: 1
    3< welcome a
    3> open D
    3> push 2 D "x"
    dial 4 b
    * online a · saved on a b c d
    3< opened D
  `)
})

test('12 of too many keys a server is told as many as it takes', () => {
  const talk = new Talk({ earlierKeys: [new Uint8Array(16)] })
  const keys = Array.from({ length: earlierKeysMax }, (_, index) =>
    new Uint8Array(16).fill(1 + index),
  )
  talk.start()
  talk.step({ type: 'keys', keys })
  talk.heard(`
    dial 1 a
    * joining · saved on none
    hang up 1
    dial 2 a
  `)
  talk.step({ type: 'opened', connection: 2 })
  talk.heard(`
    2> hello ada, further keys: ${earlierKeysMax}
  `)
})

test('a server that is not ready sends the client to the next', () => {
  const talk = new Talk()
  talk.start()
  talk.step({ type: 'opened', connection: 1 })
  talk.refuse(1, Code.UNAVAILABLE, 'This server is catching up. Trying another.')
  talk.wait(30)
  talk.heard(`
    dial 1 a
    * joining · saved on none
    1> hello ada
    1< refused: This server is catching up. Trying another.
    hang up 1
    dial 2 b
    30 ms
  `)
})

test('a server that answers pings is waited for, when no other says Welcome sooner', () => {
  const talk = new Talk({ addresses: ['http://a'] })
  talk.start()
  talk.step({ type: 'opened', connection: 1 })
  for (let seconds = 1; seconds <= 5; seconds++) {
    talk.wait(1000)
    talk.says(1, 'pong', pong)
  }
  talk.welcomeAgain(1, 'a')
  assert.equal(talk.session.state.name, 'online')
  assert.ok(!talk.lines.includes('hang up 1'))
})

test('a server that answers no ping is dialled again, be its connection open', () => {
  const talk = new Talk({ addresses: ['http://a'] })
  talk.start()
  talk.step({ type: 'opened', connection: 1 })
  talk.wait(2100)
  talk.heard(`
    dial 1 a
    * joining · saved on none
    1> hello ada
    2100 ms
    1> ping 1
    hang up 1
    * offline · saved on none
    dial 2 a
    * joining · saved on none
  `)
})

test('a program that stood still hears of a dial that opened meanwhile', () => {
  const talk = new Talk({ addresses: ['http://a'] })
  talk.start()
  talk.stall(3000)
  talk.welcome(1, 'a')
  talk.heard(`
    dial 1 a
    * joining · saved on none
    3000 ms without a step
    * joining · local (0)
    1> hello ada
    1< welcome a
    * named ada
    dial 2 b
    * online a · saved on a b c d
  `)
})

test('servers that take long over a large text get more time each, however soon small texts open', () => {
  const talk = new Talk({ hasStandby: false })
  talk.start()
  for (const document of ['small', 'large']) talk.step({ type: 'follow', document })
  const waits = [1, 2, 3].map((connection) => {
    talk.welcome(connection, 'abc'[connection - 1]!)
    talk.open(connection, 'small')
    const since = talk.now
    while (!talk.lines.includes(`hang up ${connection}`)) talk.wait(100)
    return talk.now - since
  })
  assert.ok(waits[0]! < waits[1]! && waits[1]! < waits[2]!, waits.join())
})

test('an operation is sent again with the same id, and told when all live servers hold it', () => {
  const talk = new Talk()
  talk.join()
  const value = {
    $typeName: 'fourfold.v1.Create' as const,
    name: 'plan.md',
    text: 'Plan',
    parent: '',
  }
  talk.operate('O', { case: 'create', value })
  talk.close(1)
  talk.done(2, 2, 'O')
  talk.stored(2, 'b2')
  talk.servers(2, 'a')
  talk.stored(2, 'c2', 'd2')
  talk.heard(`
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
  `)
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
  talk.heard(`
    ada asks: rename
    1> operation 1 rename O
    1< rejected 1
    * failed O: Not a name.
  `)
})

test('a server that is about to stop is left for the standby', () => {
  const talk = new Talk()
  talk.join()
  const value = { $typeName: 'fourfold.v1.Goaway' as const, text: 'stopping' }
  talk.says(1, 'goaway', { case: 'goaway', value })
  talk.heard(`
    1< goaway
    hang up 1
    2> hello ada
    2> open D
    dial 3 c
    * online b · saved on a b c d
  `)
})

test('what was read is credited after every 256 KiB', () => {
  const talk = new Talk()
  talk.join()
  talk.says(1, '200 KiB', pong, 200 * 1024)
  talk.says(1, '100 KiB', pong, 100 * 1024)
  talk.heard(`
    1< 200 KiB
    1< 100 KiB
    1> credit 307400
  `)
})

test('an operation is not sent to a standby, where nobody has a name; silence is found soon', () => {
  const talk = new Talk()
  talk.join()
  const value = { $typeName: 'fourfold.v1.Delete' as const, entry: 'E' }
  talk.operate('O', { case: 'delete', value })
  talk.wait(700)
  talk.says(2, 'pong', pong)
  talk.wait(310)
  talk.heard(`
    ada asks: delete
    1> operation 1 delete O
    700 ms
    1> ping 1
    2> ping 1
    2< pong
    310 ms
    hang up 1
    2> hello ada
    2> open D
    2> operation 2 delete O
    dial 3 c
    * online b · saved on a b c d
  `)
})

test('when the standby is as silent as the active server, a third takes what waits', () => {
  const talk = new Talk()
  talk.join()
  talk.type('D', 'x')
  talk.wait(610)
  talk.welcome(3, 'c')
  talk.stored(3, 'c3')
  talk.heard(`
    ada types "x" in D
    1> push 1 D "x"
    610 ms
    1> ping 1
    2> push 2 D "x"
    2> ping 1
    dial 3 c
    3> hello as standby
    3< welcome c
    hang up 2
    3> push 3 D "x"
    3> ping 1
    3< stored c3
    3> hello ada
    3> open D
    dial 4 d
    * online c · saved on a b c d
  `)
})

test('a third server is dialled once, and left when one of the two was only slow', () => {
  const talk = new Talk()
  talk.join()
  talk.type('D', 'x')
  talk.wait(650)
  talk.stored(1, 'a1')
  talk.welcome(3, 'c')
  talk.heard(`
    ada types "x" in D
    1> push 1 D "x"
    650 ms
    1> ping 1
    2> push 2 D "x"
    2> ping 1
    dial 3 c
    1< stored a1
    3> hello as standby
    3< welcome c
    hang up 3
  `)
})

test('who only reads has a third server when the active one is found dead and the standby is silent', () => {
  const talk = new Talk()
  talk.join()
  talk.wait(1860)
  talk.welcome(3, 'c')
  talk.wait(100)
  talk.heard(`
    1860 ms
    1> ping 1
    2> ping 1
    dial 3 c
    3> hello as standby
    3< welcome c
    hang up 2
    100 ms
    hang up 1
    3> hello ada
    3> open D
    dial 4 d
    * online c · saved on a b c d
  `)
})

test('a standby that answers is asked once for each late answer of the active server', () => {
  const talk = new Talk()
  talk.join()
  talk.wait(1600)
  talk.says(2, 'pong', pong)
  talk.wait(300)
  talk.heard(`
    1600 ms
    1> ping 1
    2> ping 1
    2< pong
    300 ms
  `)
})
