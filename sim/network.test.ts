// The simulated network: whole and ordered while it lasts, and every way in which it may end.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Channel } from '../src/core/ports.ts'
import { Network } from './network.ts'
import { Random } from './random.ts'
import { Timeline } from './timeline.ts'
import { Trace } from './trace.ts'

interface Said {
  text: string
}

/** Two hosts, a client dialling b; what each side heard, as words. */
function pair(seed = 1) {
  const timeline = new Timeline()
  const network = new Network({
    timeline,
    random: new Random(seed),
    trace: new Trace(),
    latencyMs: () => 5,
    carry: (message) => ({ ...message }),
    describe: (message) => (message as Said).text,
  })
  const heard = { a: [] as string[], b: [] as string[] }
  const ends: { a?: Channel<object, object>; b?: Channel<object, object> } = {}
  const listenAtB = () =>
    network.listen('b', (channel) => {
      ends.b = channel
      heard.b.push('accepted')
      channel.listen({
        received: (message) => heard.b.push((message as Said).text),
        closed: (why) => heard.b.push(`closed: ${why}`),
      })
    })
  const dial = () => {
    ends.a = network.dial('a', 'b', 'session', {
      opened: () => heard.a.push('opened'),
      received: (message) => heard.a.push((message as Said).text),
      closed: (why) => heard.a.push(`closed: ${why}`),
    })
  }
  const say = (who: 'a' | 'b', ...texts: string[]) => {
    for (const text of texts) ends[who]!.send({ text })
  }
  listenAtB()
  return { timeline, network, heard, ends, listenAtB, dial, say }
}

const numbers = Array.from({ length: 50 }, (_, index) => String(index))

test('messages arrive whole and in order', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { timeline, heard, dial, say } = pair(seed)
    dial()
    timeline.run(100)
    say('a', ...numbers)
    say('b', ...numbers)
    timeline.run(500)
    assert.deepEqual(heard, { a: ['opened', ...numbers], b: ['accepted', ...numbers] })
  }
})

test('a close arrives after what was sent before it; whoever closes hears of it too', () => {
  const { timeline, heard, ends, dial, say } = pair()
  dial()
  timeline.run(100)
  say('a', 'last')
  ends.a!.close('bye')
  say('a', 'never')
  timeline.run(200)
  assert.deepEqual(heard, {
    a: ['opened', 'closed: bye'],
    b: ['accepted', 'last', 'closed: bye'],
  })
})

test('nobody at home: the dial is refused at once', () => {
  const { timeline, network, heard, dial } = pair()
  network.kill('b')
  dial()
  timeline.run(100)
  assert.deepEqual(heard.a, ['closed: refused'])
})

test('a killed process: the beginning of what it sent, then closed', () => {
  const lengths = new Set<number>()
  for (let seed = 1; seed <= 20; seed++) {
    const { timeline, network, heard, dial, say } = pair(seed)
    dial()
    timeline.run(100)
    for (const number of numbers) {
      say('b', number)
      timeline.run(timeline.now + 0.01)
    }
    network.kill('b')
    say('b', 'never')
    timeline.run(500)
    const said = heard.a.slice(1, -1)
    assert.deepEqual(said, numbers.slice(0, said.length))
    assert.equal(heard.a.at(-1), 'closed: killed')
    lengths.add(said.length)
  }
  assert.ok(lengths.size > 5, 'how much arrives differs')
})

test('without power: silence, until the machine is back and is spoken to', () => {
  const { timeline, network, heard, listenAtB, dial, say } = pair()
  dial()
  timeline.run(100)
  network.unplug('b')
  say('a', 'into the dark')
  timeline.run(60_000)
  assert.deepEqual(heard.a, ['opened'])
  listenAtB()
  timeline.run(61_000)
  assert.deepEqual(heard.a, ['opened'])
  say('a', 'hello?')
  timeline.run(62_000)
  assert.deepEqual(heard.a, ['opened', 'closed: reset'])
})

test('what was sent at once arrives as a whole, or nothing of it', () => {
  const lengths = new Set<number>()
  for (let seed = 1; seed <= 20; seed++) {
    const { timeline, network, heard, dial, say } = pair(seed)
    dial()
    timeline.run(100)
    say('b', '1', '2', '3')
    timeline.run(101)
    say('b', '4', '5', '6')
    network.unplug('b')
    timeline.run(500)
    lengths.add(heard.a.length - 1)
  }
  assert.deepEqual(
    [...lengths].sort((one, other) => one - other),
    [0, 3, 6],
  )
})

test('a machine whose power is back within a second hears of a dial before', () => {
  const { timeline, network, heard, listenAtB, dial } = pair()
  network.unplug('b')
  dial()
  timeline.run(900)
  listenAtB()
  timeline.run(950)
  assert.deepEqual(heard, { a: [], b: [] })
  timeline.run(1100)
  assert.deepEqual(heard, { a: ['opened'], b: ['accepted'] })
})

test('a machine that loses its power while a dial is on its way hears of it when it is back', () => {
  const { timeline, network, heard, listenAtB, dial } = pair()
  dial()
  network.unplug('b')
  timeline.run(500)
  listenAtB()
  timeline.run(1100)
  assert.deepEqual(heard, { a: ['opened'], b: ['accepted'] })
})

test('a dial to a machine without power times out', () => {
  const { timeline, network, heard, dial } = pair()
  network.unplug('b')
  dial()
  timeline.run(2900)
  assert.deepEqual(heard.a, [])
  timeline.run(3100)
  assert.deepEqual(heard.a, ['closed: timed out'])
  timeline.run(3500)
  assert.equal(network.openCount, 0)
})

test('a blocked direction delays, the other goes on', () => {
  const { timeline, network, heard, dial, say } = pair()
  dial()
  timeline.run(100)
  const unblock = network.block('a', 'b')
  say('a', 'question')
  say('b', 'unasked')
  timeline.run(10_000)
  assert.deepEqual(heard, { a: ['opened', 'unasked'], b: ['accepted'] })
  unblock()
  timeline.run(10_200)
  assert.deepEqual(heard.b, ['accepted', 'question'])
})

test('two faults on one way: it is free when both are over', () => {
  const { timeline, network, heard, dial, say } = pair()
  dial()
  timeline.run(100)
  const unblocks = [network.block('a', 'b'), network.block('a', 'b')]
  say('a', 'question')
  unblocks[0]!()
  timeline.run(1000)
  assert.deepEqual(heard.b, ['accepted'])
  unblocks[1]!()
  timeline.run(2000)
  assert.deepEqual(heard.b, ['accepted', 'question'])
})

test('a frozen process hears everything when it thaws; a dial waits for it', () => {
  const { timeline, network, heard, ends, dial, say } = pair()
  dial()
  timeline.run(100)
  network.freeze('b')
  say('a', 'one', 'two')
  timeline.run(1000)
  ends.a!.close('bye')
  dial()
  timeline.run(2000)
  assert.deepEqual(heard, { a: ['opened', 'closed: bye'], b: ['accepted'] })
  network.thaw('b')
  timeline.run(2100)
  assert.deepEqual(heard.b, ['accepted', 'one', 'two', 'closed: bye', 'accepted'])
  assert.deepEqual(heard.a, ['opened', 'closed: bye', 'opened'])
})

test('a cut channel breaks at both ends, a half cut one at one', () => {
  const whole = pair()
  whole.dial()
  whole.timeline.run(100)
  whole.network.cut('a', 'b', false)
  whole.timeline.run(200)
  assert.deepEqual(whole.heard, {
    a: ['opened', 'closed: reset'],
    b: ['accepted', 'closed: reset'],
  })

  const half = pair()
  half.dial()
  half.timeline.run(100)
  half.network.cut('b', 'a', true)
  half.timeline.run(10_000)
  assert.deepEqual(half.heard, { a: ['opened'], b: ['accepted', 'closed: reset'] })
  half.say('a', 'hello?')
  half.timeline.run(11_000)
  assert.deepEqual(half.heard.a, ['opened', 'closed: reset'])
})

test('nothing stays behind when channels are over', () => {
  const { timeline, network, ends, dial, listenAtB } = pair()
  for (const end of ['close', 'kill', 'cut'] as const) {
    dial()
    timeline.run(timeline.now + 100)
    assert.equal(network.openCount, 2)
    if (end === 'close') ends.b!.close('bye')
    if (end === 'cut') network.cut('a', 'b', false)
    if (end === 'kill') network.kill('b')
    timeline.run(timeline.now + 100)
    assert.equal(network.openCount, 0)
    listenAtB()
  }
})
