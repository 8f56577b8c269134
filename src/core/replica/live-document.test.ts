// Typing that goes on is taken exactly where the gate would take it, and leaves the same text.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as Y from 'yjs'
import { Random } from '../../../sim/random.ts'
import { Typist } from '../../../test/seeded-typing.ts'
import { gate, type GateAnswer } from '../model/gate.ts'
import type { SubjectId } from '../model/ids.ts'
import { textBytesMax } from '../model/limits.ts'
import { integrate } from '../model/integration.ts'
import { momentOf } from '../model/text-moment.ts'
import { decodeTextUpdate, encodeTextUpdate, type Id } from '../model/text-update.ts'
import { TypedRun } from '../model/typed-run.ts'
import { LiveDocument } from './live-document.ts'

/** A text as `Documents.push` fills it, and one that takes every update at once. */
class Twins {
  readonly accepted: Uint8Array[] = []
  readonly live = new LiveDocument({
    id: 'AAAAAAAAAAAAAAAAAAAAAA' as SubjectId,
    now: 0,
    load: () => {
      const updates = this.accepted.map((value) => ({ body: { case: 'text', value } }))
      return { snapshots: [], updates } as unknown as ReturnType<LoadOf>
    },
    writer: () => 99,
  })
  readonly plain = new Y.Doc()
  wentOn = 0

  constructor() {
    this.plain.getText('text')
    this.live.doc()
  }

  push(bytes: Uint8Array, writers: ReadonlySet<number>): void {
    const { live, plain } = this
    const right = gate(plain, bytes, writers, sizesOf(plain))
    if (live.goesOn(bytes, writers)) {
      assert.equal(words(right), 'pass')
      this.wentOn++
    } else {
      const verdict = gate(live.doc(), bytes, writers, live.sizes(bytes.length))
      assert.equal(words(verdict), words(right))
      if (verdict.type !== 'pass' || verdict.isNoop) return
      const run = verdict.mayGoOn ? TypedRun.begin(verdict.update) : undefined
      live.integrate(bytes, run)
    }
    this.#accept(bytes)
  }

  /** What another server let in, in whatever order. */
  hear(bytes: Uint8Array): void {
    this.live.integrate(bytes)
    this.#accept(bytes)
  }

  /** The server itself writes. */
  edit(change: (text: Y.Text) => void): void {
    const made = this.live.edit(undefined, change)
    if (made) this.#accept(made)
  }

  check(): void {
    const doc = this.live.doc()
    assert.equal(doc.getText('text').toString(), this.plain.getText('text').toString())
    assert.deepEqual(momentOf(doc), momentOf(this.plain))
    assert.deepEqual(Y.encodeStateAsUpdate(doc), Y.encodeStateAsUpdate(this.plain))
    // Where this much is to come it has to be counted.
    const { bytes } = this.live.sizes(textBytesMax)
    assert.equal(bytes, Buffer.byteLength(doc.getText('text').toString()))
  }

  #accept(bytes: Uint8Array): void {
    integrate(this.plain, bytes)
    this.accepted.push(bytes)
  }
}

type LoadOf = ConstructorParameters<typeof LiveDocument>[0]['load']

function sizesOf(doc: Y.Doc) {
  let structs = 0
  for (const list of doc.store.clients.values()) structs += list.length
  return { bytes: Buffer.byteLength(doc.getText('text').toString()), structs }
}

function words(given: GateAnswer): string {
  if (given.type === 'refused') return given.error.code
  return given.type === 'pass' && given.isNoop ? 'noop' : given.type
}

class Person extends Typist {
  readonly writers: ReadonlySet<number>
  readonly #undo = new Y.UndoManager(this.text, { captureTimeout: 0 })
  #caret = 0
  heard = 0

  constructor(writer: number, random: Random) {
    super(writer, random)
    this.writers = new Set([writer])
  }

  act(random: Random): void {
    const chance = random.next()
    if (chance < 0.06) this.#undo.undo()
    else if (chance < 0.14) this.edit()
    else {
      if (chance < 0.22) this.#caret = random.below(this.text.length + 1)
      this.#caret = Math.min(this.#caret, this.text.length)
      const typed = random.pick(['a', 'b', 'é', '漢', 'xy', 'z '])
      if (isInPair(this.text.toString(), this.#caret)) this.#caret++
      this.text.insert(this.#caret, typed)
      this.#caret += typed.length
    }
  }
}

function isInPair(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 0xdc00 && code < 0xe000
}

/** The same with a bit turned, or with another clock, neighbour or writer. */
function mutated(random: Random, bytes: Uint8Array): Uint8Array {
  if (random.chance(0.5)) {
    const turned = bytes.slice()
    turned[random.below(turned.length)]! ^= 1 << random.below(8)
    return turned
  }
  const { structs, deletes } = decodeTextUpdate(bytes)
  const near = (id: Id | undefined): Id | undefined => {
    if (random.chance(0.6)) return id
    if (random.chance(0.3)) return undefined
    const clock = Math.max(0, (id?.clock ?? 0) + random.between(-2, 2))
    return { writer: random.chance(0.5) ? random.between(1, 4) : (id?.writer ?? 1), clock }
  }
  const changed = [...structs.values()].flat().map((each) => ({
    ...each,
    writer: random.chance(0.2) ? random.between(1, 4) : each.writer,
    clock: Math.max(0, each.clock + (random.chance(0.3) ? random.between(-2, 2) : 0)),
    left: near(each.left),
    right: near(each.right),
    ...(random.chance(0.2) && { text: each.text.toUpperCase() }),
  }))
  return encodeTextUpdate({ structs: Map.groupBy(changed, ({ writer }) => writer), deletes })
}

function story(seed: number, isHostile: boolean): number {
  const random = new Random(seed)
  const twins = new Twins()
  const people = [1, 2, 3].map((writer) => new Person(writer, random.fork(`${writer}`)))
  const [far, ...near] = people as [Person, Person, Person]
  const onTheWay: Uint8Array[] = []
  for (let step = 0; step < 150; step++) {
    // One after another as people are, a while each.
    const person = step % 12 < 9 ? near[Math.floor(step / 12) % 2]! : random.pick(near)
    for (; random.chance(0.15) && person.heard < twins.accepted.length; person.heard++) {
      person.hear(twins.accepted[person.heard]!)
    }
    person.act(random)
    for (const made of person.takeMade()) {
      // For a moment at another server; nearer ones may get it from the person again.
      if (random.chance(0.04)) {
        twins.hear(made)
        if (random.chance(0.5)) continue
      }
      twins.live.together(() => {
        if (isHostile && random.chance(0.5)) twins.push(mutated(random, made), person.writers)
        twins.push(made, random.chance(0.02) ? far.writers : person.writers)
        if (random.chance(0.05)) twins.push(made, person.writers)
        if (random.chance(0.02)) twins.live.sizes(textBytesMax)
      })
      if (random.chance(0.02)) twins.live.reload()
    }
    if (random.chance(0.1)) {
      for (; far.heard < twins.accepted.length; far.heard++) far.hear(twins.accepted[far.heard]!)
      far.act(random)
      onTheWay.push(...far.takeMade())
    }
    if (random.chance(0.08))
      for (const each of random.shuffled(onTheWay.splice(0))) twins.hear(each)
    if (random.chance(0.03)) {
      twins.edit((text) => {
        if (text.toString().startsWith('by the server')) text.delete(0, 3)
        else text.insert(0, 'by the server')
      })
    }
    if (random.chance(0.03)) twins.live.settle()
    if (random.chance(0.02)) twins.check()
  }
  for (const each of onTheWay) twins.hear(each)
  twins.check()
  return twins.wentOn
}

test('typing taken without a gate is what the gate lets in, and gives the same text', () => {
  let wentOn = 0
  for (let seed = 1; seed <= 60; seed++) wentOn += story(seed, false)
  assert.ok(wentOn > 500, `${wentOn} went on`)
})

test('whatever a hostile client makes of typing, only what the gate lets in is taken', () => {
  let wentOn = 0
  for (let seed = 1; seed <= 120; seed++) wentOn += story(seed, true)
  assert.ok(wentOn > 200, `${wentOn} went on`)
})

/** Two who type in turns, each behind what they typed last. */
function inTurns(text: string) {
  const twins = new Twins()
  const server = new Y.Doc()
  server.getText('text').insert(0, text)
  twins.hear(Y.encodeStateAsUpdate(server))
  const people = [1, 2].map((writer) => {
    const doc = new Y.Doc()
    doc.clientID = writer
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(server))
    return { doc, at: writer - 1, writers: new Set([writer]) }
  })
  /** Whether what this one did had to come through the gate, and what became of it. */
  const act = (turn: number, change: (text: Y.Text, person: { at: number }) => void) => {
    const person = people[turn % 2]!
    const { wentOn, accepted } = twins
    const before = { wentOn, accepted: accepted.length }
    person.doc.once('update', (made: Uint8Array) => twins.push(made, person.writers))
    change(person.doc.getText('text'), person)
    return { isGated: twins.wentOn === before.wentOn, isIn: accepted.length > before.accepted }
  }
  return {
    twins,
    type: (turn: number, letter = 'x') =>
      act(turn, (shared, person) => {
        shared.insert(person.at, letter)
        person.at += letter.length
      }),
    erase: (turn: number, at: number, length: number) =>
      act(turn, (shared) => shared.delete(at, length)),
  }
}

test('those who type in turns go on beside each other, also when the text was looked at', () => {
  const { type } = inTurns('text')
  const gated = Array.from({ length: 100 }, (_, turn) => turn).filter((turn) => type(turn).isGated)
  assert.deepEqual(gated, [0, 1])
})

test('12 where the text is nearly full they share what room there is, in bytes', () => {
  const long = {
    x: 'x'.repeat(textBytesMax - 5),
    漢: `${'漢'.repeat(textBytesMax / 3 - 5)}x`,
    '😀': `${'漢'.repeat(textBytesMax / 3 - 7)}xx`,
  }
  for (const [letter, text] of Object.entries(long)) {
    const { type } = inTurns(text)
    const turns = Array.from({ length: 8 }, (_, turn) => type(turn, letter))
    assert.deepEqual(
      turns.map(({ isIn }) => isIn),
      [true, true, true, true, true, false, false, false],
      letter,
    )
    assert.deepEqual(
      turns.map(({ isGated }) => isGated),
      [true, true, false, false, false, true, true, true],
      letter,
    )
  }
})
