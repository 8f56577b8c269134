// Every update of a client is answered as promised, and what passes leaves a document whole.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as Y from 'yjs'
import { Random } from '../../../sim/random.ts'
import { Typist } from '../../../test/seeded-typing.ts'
import { Draft } from './draft.ts'
import { gate, type GateAnswer, type TextSizes } from './gate.ts'
import { integrate } from './integration.ts'
import {
  deletedRangesMax,
  structsMax,
  textBytesMax,
  updateBytesMax,
  writersPerUpdateMax,
} from './limits.ts'
import { applyManyEdits } from './many-edits.ts'
import {
  causalOrder,
  decodeTextUpdate,
  deletesOf,
  encodeTextUpdate,
  joinDeletes,
  splitTextUpdate,
  structFrom,
  type Id,
  type TextStruct,
  type TextUpdate,
} from './text-update.ts'

const mine = 7
const others = 2 ** 40 + 1
const small: TextSizes = { bytes: 10, structs: 3 }

function copyOf(doc: Y.Doc): Y.Doc {
  const copy = new Y.Doc()
  copy.getText('text')
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
  return copy
}

/** A document with "0123456789" by somebody else, of which "3" is deleted. */
function document(): Y.Doc {
  const doc = new Y.Doc()
  doc.clientID = others
  doc.getText('text').insert(0, '0123456789')
  doc.getText('text').delete(3, 1)
  return copyOf(doc)
}

function run(fields: Partial<TextStruct>): TextStruct {
  const text = fields.text ?? (fields.kind === undefined ? 'x' : '')
  const struct = { writer: mine, clock: 0, kind: 'text' as const, left: undefined, ...fields, text }
  return { right: undefined, ...struct, length: fields.length ?? text.length }
}

function update(structs: TextStruct[], deletes: [number, [number, number][]][] = []): Uint8Array {
  const byWriter = Map.groupBy(structs, ({ writer }) => writer)
  return encodeTextUpdate({ structs: byWriter, deletes: new Map(deletes) })
}

const theirs = (clock: number): Id => ({ writer: others, clock })
const own = (clock: number): Id => ({ writer: mine, clock })

/** The answer in words, checked to leave the document as it was. */
function answer(bytes: Uint8Array, sizes = small, doc = document()): string {
  const before = Y.encodeStateAsUpdate(doc)
  const given = gate(doc, bytes, new Set([mine]), sizes)
  assert.deepEqual(Y.encodeStateAsUpdate(doc), before)
  return words(given)
}

function words(given: GateAnswer): string {
  if (given.type === 'pass') return given.isNoop ? 'noop' : 'pass'
  return given.type === 'gap' ? 'gap' : `${given.error.code}: ${given.error.message}`
}

test('typing passes: at the start, the end, between units, into an empty document', () => {
  assert.equal(answer(update([run({ left: theirs(9) })])), 'pass')
  assert.equal(answer(update([run({ right: theirs(0) })])), 'pass')
  assert.equal(answer(update([run({ left: theirs(0), right: theirs(1) })])), 'pass')
  assert.equal(answer(update([run({ left: theirs(2), right: theirs(3) })])), 'pass')
  assert.equal(answer(update([run({ left: theirs(3), right: theirs(4) })])), 'pass')
  assert.equal(answer(update([run({})]), small, new Y.Doc()), 'pass')
  assert.equal(answer(update([run({ left: theirs(0), right: theirs(9) })])), 'pass')
  const gone = run({ kind: 'deleted', length: 4, left: theirs(9) })
  assert.equal(answer(update([gone], [[mine, [[0, 4]]]])), 'pass')
})

test('what is known already is a no-op, whole or merged with nothing new', () => {
  assert.equal(answer(update([])), 'noop')
  assert.equal(answer(update([], [[others, [[3, 1]]]])), 'noop')
  assert.equal(answer(update([], [[others, [[3, 2]]]])), 'pass')
  const doc = document()
  const bytes = update([run({ left: theirs(9) })], [[others, [[0, 1]]]])
  assert.equal(answer(bytes, small, doc), 'pass')
  Y.applyUpdate(doc, bytes)
  assert.equal(answer(bytes, small, doc), 'noop')
  const longer = update([run({ left: theirs(9), text: 'xyz' })], [[others, [[0, 1]]]])
  assert.equal(answer(longer, small, doc), 'pass')
  const given = gate(doc, longer, new Set([mine]), small)
  assert.ok(given.type === 'pass' && given.structs === 1)
})

test('an update that is malformed or holds other content is refused', () => {
  for (const bytes of [[], [0], [1, 2, 3], [255, 255, 255, 255, 7, 0]]) {
    assert.match(answer(Uint8Array.from(bytes)), /^invalid: malformed update/)
  }
  const doc = new Y.Doc()
  doc.getMap('text').set('a', 1)
  assert.match(answer(Y.encodeStateAsUpdate(doc)), /^invalid: .* has no place in a text file$/)
})

test('text that is gone without being deleted is refused', () => {
  const refused = 'invalid: malformed update: text is gone that it does not delete'
  const gone = run({ kind: 'deleted', length: 4, left: theirs(9) })
  const deletes: [number, number][][] = [
    [[0, 3]],
    [[1, 3]],
    [
      [0, 1],
      [2, 2],
    ],
  ]
  assert.equal(answer(update([gone])), refused)
  assert.equal(answer(update([gone], [[others, [[0, 4]]]])), refused)
  for (const ranges of deletes) assert.equal(answer(update([gone], [[mine, ranges]])), refused)
  for (const ranges of [
    [[0, 4]],
    [
      [0, 2],
      [2, 2],
    ],
  ] as [number, number][][]) {
    assert.equal(answer(update([gone], [[mine, ranges]])), 'pass')
  }
  // Also when its text is known here: elsewhere it may be not.
  const doc = document()
  Y.applyUpdate(doc, update([run({ text: 'abcd', left: theirs(9) })]))
  assert.equal(answer(update([gone]), small, doc), refused)
})

test('a server that has a text and one that gets it as gone end with the same', () => {
  const [here, there] = [document(), document()]
  const typed = update([run({ text: 'abcd', left: theirs(9) })])
  const gone = update([run({ kind: 'deleted', length: 4, left: theirs(9) })], [[mine, [[0, 4]]]])
  const servers: [doc: Y.Doc, updates: Uint8Array[]][] = [
    [here, [typed, gone]],
    [there, [gone, typed]],
  ]
  for (const [doc, updates] of servers) {
    for (const bytes of updates) {
      assert.notEqual(answer(bytes, small, doc), 'gap')
      Y.applyUpdate(doc, bytes)
    }
  }
  assert.deepEqual(Y.encodeStateVector(here), Y.encodeStateVector(there))
  assert.deepEqual(deletesOf(Y.encodeStateAsUpdate(here)), deletesOf(Y.encodeStateAsUpdate(there)))
  assert.equal(here.getText('text').toString(), there.getText('text').toString())
})

test('gc and skip structs are refused', () => {
  const gap = 'invalid: malformed update: a gap has no place in an update of a text file'
  assert.equal(answer(update([run({ kind: 'gc', length: 1 })])), gap)
  assert.equal(answer(update([run({ kind: 'skip', length: 1 }), run({ clock: 1 })])), gap)
})

test("another writer's id is forbidden, known text of it too", () => {
  const forbidden = `forbidden: The writer id ${others} belongs to somebody else.`
  assert.equal(answer(update([run({ writer: others, clock: 10, left: theirs(9) })])), forbidden)
  assert.equal(answer(Y.encodeStateAsUpdate(document())), forbidden)
})

test('clock gaps, unknown neighbours and deletes of unknown text are gaps', () => {
  assert.equal(answer(update([run({ clock: 1, left: theirs(9) })])), 'gap')
  assert.equal(answer(update([run({ left: theirs(10) })])), 'gap')
  assert.equal(answer(update([run({ right: { writer: 5, clock: 0 } })])), 'gap')
  assert.equal(answer(update([], [[others, [[9, 2]]]])), 'gap')
  assert.equal(answer(update([], [[5, [[0, 1]]]])), 'gap')
  assert.equal(answer(update([run({ left: theirs(9) })], [[mine, [[0, 2]]]])), 'gap')
  assert.equal(answer(update([run({ left: theirs(9) })], [[mine, [[0, 1]]]])), 'pass')
})

test('text that refers to itself is refused, in a circle too', () => {
  const refused = 'invalid: malformed update: the update refers to itself'
  assert.equal(answer(update([run({ left: own(0) })])), refused)
  assert.equal(answer(update([run({ text: 'ab', left: theirs(9), right: own(1) })])), refused)
  assert.equal(answer(update([run({ left: own(5) })])), refused)
  const circle = update([run({ left: { writer: 8, clock: 0 } }), run({ writer: 8, left: own(0) })])
  assert.equal(words(gate(document(), circle, new Set([mine, 8]), small)), refused)
})

test('neighbours that do not fit are refused', () => {
  const refused = 'invalid: malformed update: neighbours of the text do not fit'
  assert.equal(answer(update([run({ left: theirs(5), right: theirs(4) })])), refused)
  assert.equal(answer(update([run({ left: theirs(4), right: theirs(4) })])), refused)
  assert.equal(answer(update([run({ left: theirs(9), right: theirs(0) })])), refused)
  // Within the update: the second stands before the first, and so cannot be its right.
  const first = run({ left: theirs(4), right: theirs(5) })
  const second = run({ clock: 1, left: theirs(1), right: theirs(2) })
  assert.equal(
    answer(update([first, second, run({ clock: 2, left: own(1), right: own(0) })])),
    'pass',
  )
  assert.equal(
    answer(update([first, second, run({ clock: 2, left: own(0), right: own(1) })])),
    refused,
  )
})

test('an update at each limit passes, and one past it is too large', () => {
  const doc = document()
  const room = updateBytesMax - update([run({ left: theirs(9), text: 'x'.repeat(70_000) })]).length
  const full = update([run({ left: theirs(9), text: 'x'.repeat(70_000 + room) })])
  assert.equal(full.length, updateBytesMax)
  assert.equal(answer(full), 'pass')
  const over = update([run({ left: theirs(9), text: 'x'.repeat(70_001 + room) })])
  assert.equal(answer(over), 'too-large: The update is larger than 1 MiB; send it in parts.')

  const long = new Y.Doc()
  long.clientID = others
  long.getText('text').insert(0, 'y'.repeat(3 * deletedRangesMax))
  const ranges = (count: number) =>
    update([], [[others, Array.from({ length: count }, (_, index) => [3 * index, 1])]])
  assert.equal(answer(ranges(deletedRangesMax), small, long), 'pass')
  assert.equal(
    answer(ranges(deletedRangesMax + 1), small, long),
    'too-large: The update deletes more than 50,000 ranges; send it in parts.',
  )

  const two = update([run({ left: theirs(9), text: 'ab' })])
  const pieces = (structs: number) => ({ bytes: 10, structs })
  assert.equal(answer(two, pieces(structsMax - 1)), 'pass')
  const tooMany = 'too-large: The file would be larger than 1,000,000 pieces of text.'
  assert.equal(answer(two, pieces(structsMax)), tooMany)
  assert.equal(gate(doc, two, new Set([mine]), pieces(structsMax)).type, 'refused')
})

test('12 a text has so many bytes as UTF-8, and not one more', () => {
  const sizes = (bytes: number) => ({ bytes, structs: 3 })
  const typed = (text: string, deletes: [number, [number, number][]][] = []) =>
    update([run({ left: theirs(9), text })], deletes)
  const tooLong = 'too-large: The file would be larger than 10 MiB.'
  const letters = { ab: 2, '\u007f': 1, '\u0080': 2, '\u07ff': 2, '\u0800': 3, 漢: 3, '😀': 4 }
  for (const [text, bytes] of Object.entries(letters)) {
    assert.equal(answer(typed(text), sizes(textBytesMax - bytes)), 'pass', text)
    assert.equal(answer(typed(text), sizes(textBytesMax - bytes + 1)), tooLong, text)
  }
  const replacing = (from: number) => typed('ab', [[others, [[from, 2]]]])
  assert.equal(answer(replacing(0), sizes(textBytesMax)), 'pass')
  // One of these two is deleted already.
  assert.equal(answer(replacing(3), sizes(textBytesMax)), tooLong)
  assert.equal(answer(replacing(3), sizes(textBytesMax - 1)), 'pass')
  const wide = new Y.Doc()
  wide.clientID = others
  wide.getText('text').insert(0, '漢字😀ä and more')
  for (const [from, length, freed] of [
    [0, 1, 3],
    [1, 3, 7],
    [2, 3, 6],
    [0, 5, 12],
  ] as const) {
    const inPlace = typed('x'.repeat(freed), [[others, [[from, length]]]])
    assert.equal(answer(inPlace, sizes(textBytesMax), wide), 'pass')
    const more = typed('x'.repeat(freed + 1), [[others, [[from, length]]]])
    assert.equal(answer(more, sizes(textBytesMax), wide), tooLong)
  }
  const undone = typed('a漢b', [[mine, [[1, 2]]]])
  assert.equal(answer(undone, sizes(textBytesMax - 1)), 'pass')
  assert.equal(answer(undone, sizes(textBytesMax)), tooLong)
})

test('of a text that became too long between servers may be deleted and replaced, and no more added', () => {
  const over = { bytes: 2 * textBytesMax, structs: 3 }
  const replacing = (text: string, count: number) =>
    update([run({ left: theirs(9), text })], [[others, [[4, count]]]])
  assert.equal(answer(update([], [[others, [[0, 1]]]]), over), 'pass')
  assert.equal(answer(replacing('ab', 3), over), 'pass')
  assert.equal(answer(replacing('ä', 2), over), 'pass')
  assert.equal(answer(replacing('ä', 1), over), 'too-large: The file would be larger than 10 MiB.')
})

test('an update has so many writers, and not one more', () => {
  const all = Array.from({ length: writersPerUpdateMax + 1 }, (_, index) => 100 + index)
  const writers = new Set(all)
  const given = (count: number) => {
    const structs = all.slice(0, count).map((writer) => run({ writer, left: theirs(9) }))
    return words(gate(document(), update(structs), writers, small))
  }
  assert.equal(given(writersPerUpdateMax), 'pass')
  assert.match(given(writersPerUpdateMax + 1), /^too-large: .* more than 1024 writers/)
})

test('a text may be changed in very many places, and then again', () => {
  const places = 20_000
  const [whole, inParts, author] = [new Y.Doc(), new Y.Doc(), new Y.Doc()]
  author.clientID = mine
  const text = author.getText('text')
  author.on('update', (bytes) => {
    const sizes = { bytes: text.length, structs: 1 }
    const take = (doc: Y.Doc, part: Uint8Array) => {
      assert.equal(answer(part, sizes, doc), 'pass')
      integrate(doc, part)
    }
    take(whole, bytes)
    // What is sent: what puts something in goes before what deletes.
    for (const part of splitTextUpdate(bytes, 300_000)) take(inParts, part)
  })
  text.insert(0, 'a b\n'.repeat(places))
  const replaced = (offset: number, stride: number, insert: string) =>
    Array.from({ length: places }, (_, place) => ({
      at: place * stride + offset,
      remove: 1,
      insert,
    }))
  applyManyEdits(text, replaced(0, 4, ''), 'by hand')
  applyManyEdits(text, replaced(1, 3, 'xyz'), 'by hand')
  applyManyEdits(text, replaced(2, 5, 'u'), 'by hand')
  for (const doc of [whole, inParts]) {
    assert.equal(doc.getText('text').toString(), ' xuz\n'.repeat(places))
  }
})

test('an update that would keep the server busy is refused before it does', () => {
  const doc = new Y.Doc()
  const text = doc.getText('text')
  for (let count = 0; count < 3000; count++) text.insert(0, 'ab')
  const [first, last] = [doc.clientID, doc.clientID].map((writer) => ({ writer, clock: 0 }))
  first!.clock = 5998
  const structs = Array.from({ length: 20_000 }, (_, clock) =>
    run({ clock, left: { ...first! }, right: { ...last! } }),
  )
  const started = process.cpuUsage()
  assert.equal(
    answer(update(structs), small, doc),
    'too-large: The update would take too long to merge.',
  )
  const { user, system } = process.cpuUsage(started)
  assert.ok(user + system < 1_000_000, `${user + system} µs`)
})

// ------------------------------------------------------------------------ honest and hostile

/** Two people and a server between them; what they push and what the gate says to it. */
class Table {
  readonly server = new Y.Doc()
  readonly people: Typist[]
  readonly pushed: Uint8Array[] = []
  readonly refused: string[] = []

  constructor(random: Random) {
    this.server.getText('text')
    this.people = [mine, others].map((writer) => new Typist(writer, random))
  }

  push(person: Typist, bytes: Uint8Array): void {
    const sizes = { bytes: this.server.getText('text').length, structs: 0 }
    const given = gate(this.server, bytes, new Set([person.doc.clientID]), sizes)
    this.pushed.push(bytes)
    if (given.type !== 'pass') this.refused.push(words(given))
    else if (!given.isNoop) Y.applyUpdate(this.server, bytes)
  }

  pull(person: Typist): void {
    person.hear(Y.encodeStateAsUpdate(this.server, Y.encodeStateVector(person.doc)))
  }
}

/** Online and offline typing of two people, pushed in every honest way. */
function session(random: Random, rounds: number): Table {
  const table = new Table(random)
  for (let round = 0; round < rounds; round++) {
    const person = random.pick(table.people)
    for (let edits = random.between(1, 6); edits > 0; edits--) person.edit()
    const made = person.takeMade()
    const way = random.below(5)
    if (way === 0) for (const bytes of made) table.push(person, bytes)
    else if (way === 1) table.push(person, Y.mergeUpdates(made))
    else if (way === 2) {
      // Sent again whole, as after a lost connection.
      table.push(person, ownDiff(person, table.server))
      for (const bytes of made) table.push(person, bytes)
    } else if (way === 3) {
      // In parts, as a long time alone is told.
      const parts = splitTextUpdate(ownDiff(person, table.server), 256)
      for (const bytes of parts) table.push(person, bytes)
    } else {
      // Both type before they hear of each other.
      const other = table.people.find((each) => each !== person)!
      for (let edits = random.between(1, 4); edits > 0; edits--) other.edit()
      table.push(other, Y.mergeUpdates(other.takeMade()))
      table.push(person, Y.mergeUpdates(made))
    }
    if (random.chance(0.7)) table.pull(random.pick(table.people))
  }
  for (const person of table.people) table.pull(person)
  return table
}

/** What Yjs offers beyond the server's state: may hold what is deleted meanwhile. */
function ownDiff(person: Typist, server: Y.Doc): Uint8Array {
  const update = decodeTextUpdate(Y.encodeStateAsUpdate(person.doc, Y.encodeStateVector(server)))
  assert.deepEqual(
    [...update.structs.keys()].filter((writer) => writer !== person.doc.clientID),
    [],
  )
  return encodeTextUpdate(update)
}

test('an honest session of two people has no refusal, however it is pushed', () => {
  let pushes = 0
  for (let seed = 1; seed <= 60; seed++) {
    const { people, pushed, refused, server } = session(new Random(seed), 60)
    assert.deepEqual(refused, [], `seed ${seed}`)
    for (const { text } of people) assert.equal(text.toString(), server.getText('text').toString())
    pushes += pushed.length
  }
  assert.ok(pushes > 5000)
})

test('the draft has the order that Yjs makes', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = new Random(seed)
    const { server, people } = session(random, 30)
    const doc = copyOf(server)
    for (const person of people) for (let edits = 8; edits > 0; edits--) person.edit()
    const update = Y.mergeUpdates(people.flatMap((person) => person.takeMade()))
    // Read as it goes on: must not change meanwhile.
    const draft = new Draft(copyOf(doc))
    for (const struct of causalOrder(decodeTextUpdate(update).structs)!) {
      assert.ok(draft.place(struct, Infinity), `seed ${seed}`)
    }
    Y.applyUpdate(doc, update)
    const units: Id[] = []
    for (let item = doc.getText('text')._start; item; item = item.right) {
      const { client: writer, clock } = item.id
      for (let offset = 0; offset < item.length; offset++)
        units.push({ writer, clock: clock + offset })
    }
    for (let probe = 0; probe < 200; probe++) {
      const [left, right] = [random.below(units.length), random.below(units.length)]
      const struct = run({ writer: 3, clock: probe, left: units[left]!, right: units[right]! })
      assert.equal(draft.place(struct, Infinity), left < right, `seed ${seed}, probe ${probe}`)
    }
  }
})

/** Changes one thing of an update, as a hostile or broken client might. */
function mutated(random: Random, bytes: Uint8Array, doc: Y.Doc): Uint8Array {
  const chance = random.below(10)
  if (chance === 0) return bytes.slice(0, random.below(bytes.length))
  if (chance <= 2) {
    const flipped = bytes.slice()
    for (let flips = random.between(1, 3); flips > 0; flips--) {
      flipped[random.below(flipped.length)]! ^= 1 << random.below(8)
    }
    return flipped
  }
  const update: TextUpdate = decodeTextUpdate(bytes)
  const lists = [...update.structs.values()].filter((list) => list.length > 0)
  const list = lists.length > 0 ? random.pick(lists) : []
  const at = random.below(Math.max(1, list.length))
  const struct = list[at]
  const someId = (): Id => {
    const writer = random.pick([mine, others])
    return { writer, clock: random.below(Y.getState(doc.store, writer) + 3) }
  }
  if (struct === undefined || chance === 3) {
    const range: [number, number] = [random.below(60), random.between(1, 9)]
    update.deletes.set(random.pick([mine, others]), [range])
  } else if (chance <= 5) struct.left = random.chance(0.2) ? undefined : someId()
  else if (chance <= 7) struct.right = random.chance(0.2) ? undefined : someId()
  else if (chance === 8) {
    struct.kind = random.pick(['deleted', 'gc', 'skip', 'text'] as const)
    if (struct.kind !== 'text') struct.text = ''
    if (struct.kind === 'deleted' && random.chance(0.7)) {
      const { writer, clock, length } = struct
      joinDeletes(update.deletes, new Map([[writer, [[clock, length]]]]))
    } else struct.text = 'z'.repeat(struct.length)
  } else if (random.chance(0.5)) list.splice(at, 1)
  else if (struct.length > 1) list.splice(at, 1, structFrom(struct, 1))
  return encodeTextUpdate(update)
}

test('whatever is mutated: no crash, the document stays whole, other writers stay as they are', () => {
  const count = { pass: 0, gap: 0, refused: 0 }
  for (let seed = 1; seed <= 20; seed++) {
    const random = new Random(seed)
    const { pushed } = session(random, 30)
    const server = new Y.Doc()
    server.getText('text')
    for (const bytes of pushed) {
      for (let tries = 4; tries > 0; tries--) {
        const hostile = mutated(random, bytes, server)
        const given = gate(server, hostile, new Set([mine]), { bytes: 0, structs: 0 })
        count[given.type]++
        if (given.type === 'pass') checkWhole(server, hostile, random)
      }
      Y.applyUpdate(server, bytes)
    }
  }
  // The test must reach every answer often.
  assert.ok(count.pass > 1000 && count.gap > 200 && count.refused > 1000, JSON.stringify(count))
})

/** Applies an update to a copy, beside another server that got other edits at the same time. */
function checkWhole(server: Y.Doc, bytes: Uint8Array, random: Random): void {
  const here = copyOf(server)
  Y.applyUpdate(here, bytes)
  assert.equal(here.store.pendingStructs, null)
  assert.equal(here.store.pendingDs, null)
  assert.equal(Y.getState(here.store, others), Y.getState(server.store, others))
  const text = here.getText('text').toString()
  assert.equal(copyOf(here).getText('text').toString(), text)

  const third = new Typist(2 ** 45, random)
  third.hear(Y.encodeStateAsUpdate(server))
  for (let edits = 5; edits > 0; edits--) third.edit()
  const there = third.doc
  Y.applyUpdate(there, bytes)
  Y.applyUpdate(here, Y.encodeStateAsUpdate(there))
  assert.deepEqual(deletesOf(Y.encodeStateAsUpdate(here)), deletesOf(Y.encodeStateAsUpdate(there)))
  assert.equal(here.getText('text').toString(), there.getText('text').toString())
}
