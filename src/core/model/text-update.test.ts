// Updates of text: read strictly, written as Yjs reads them, cut, merged and offered.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as Y from 'yjs'
import { Random } from '../../../sim/random.ts'
import { Typist } from '../../../test/seeded-typing.ts'
import { FourfoldError } from './errors.ts'
import { deletedRangesMax } from './limits.ts'
import {
  causalOrder,
  decodeTextUpdate,
  deletesOf,
  encodeTextUpdate,
  joinDeletes,
  mergeTextUpdates,
  offer,
  onlyStructOf,
  splitTextUpdate,
  textBelow,
  type Deletes,
  type TextStruct,
  type TextUpdate,
} from './text-update.ts'

/** Some people who hear each other now and then. Large ids, as real writers have. */
function company(seed: number, edits: number): Typist[] {
  const random = new Random(seed)
  const people = [1, 2 ** 33 + 5, 2 ** 52 + 77].map((writer) => new Typist(writer, random))
  for (let count = 0; count < edits; count++) {
    random.pick(people).edit()
    if (random.chance(0.2)) {
      const [from, to] = [random.pick(people), random.pick(people)]
      to.hear(Y.encodeStateAsUpdate(from.doc, Y.encodeStateVector(to.doc)))
    }
  }
  return people
}

const textOf = (...updates: Uint8Array[]) => {
  const doc = new Y.Doc()
  for (const update of updates) Y.applyUpdate(doc, update)
  assert.equal(doc.store.pendingStructs, null)
  assert.equal(doc.store.pendingDs, null)
  return doc.getText('text').toString()
}

test('what Yjs writes is written again byte for byte', () => {
  for (let seed = 1; seed <= 40; seed++) {
    for (const person of company(seed, 60)) {
      const whole = Y.encodeStateAsUpdate(person.doc)
      for (const bytes of [...person.takeMade(), whole]) {
        assert.deepEqual(encodeTextUpdate(decodeTextUpdate(bytes)), bytes)
        assert.deepEqual(deletesOf(bytes), decodeTextUpdate(bytes).deletes)
        assert.deepEqual(onlyStructOf(bytes), theOnly(decodeTextUpdate(bytes)))
      }
    }
  }
})

function theOnly({ structs, deletes }: TextUpdate): TextStruct | undefined {
  const all = [...structs.values()].flat()
  return all.length === 1 && deletes.size === 0 ? all[0] : undefined
}

test('a byte order mark and characters of every length come through', () => {
  const doc = new Y.Doc()
  doc.getText('text').insert(0, '\ufeffa\u0000é漢👋\u202e')
  const bytes = Y.encodeStateAsUpdate(doc)
  const [struct] = [...decodeTextUpdate(bytes).structs.values()][0]!
  assert.equal(struct!.text, '\ufeffa\u0000é漢👋\u202e')
  assert.deepEqual(encodeTextUpdate(decodeTextUpdate(bytes)), bytes)
})

/** The answer to bytes, as a person would read it. */
function answer(bytes: number[] | Uint8Array, read: (bytes: Uint8Array) => unknown): string {
  try {
    read(Uint8Array.from(bytes))
    return 'fine'
  } catch (error) {
    assert.ok(error instanceof FourfoldError && error.code === 'invalid', String(error))
    return error.message
  }
}

const root = [1, 4, 116, 101, 120, 116]
const hugeCount = [255, 255, 255, 255, 7]

test('every malformed update is told so', () => {
  const cases: [string, number[], string][] = [
    ['nothing to do', [0, 0], 'fine'],
    ['one letter', [1, 1, 9, 0, 4, ...root, 1, 97, 0], 'fine'],
    ['empty', [], 'malformed update: it ends too early'],
    ['1 byte', [0], 'malformed update: it ends too early'],
    ['random', [17, 200, 3, 9], 'malformed update: it announces more than it holds'],
    ['truncated', [1, 1, 9, 0, 4, ...root, 1], 'malformed update: it announces more than it holds'],
    ['no deletes', [1, 1, 9, 0, 4, ...root, 1, 97], 'malformed update: it ends too early'],
    ['longer', [0, 0, 0], 'malformed update: bytes after its end'],
    ['2^31 writers', [...hugeCount, 0], 'malformed update: it announces more than it holds'],
    [
      '2^31 structs',
      [1, ...hugeCount, 9, 0, 4, 0],
      'malformed update: it announces more than it holds',
    ],
    ['2^31 ranges', [0, 1, 9, ...hugeCount], 'malformed update: it announces more than it holds'],
    [
      '2^31 letters',
      [1, 1, 9, 0, 4, ...root, ...hugeCount, 97, 0],
      'malformed update: it announces more than it holds',
    ],
    [
      'endless number',
      [1, 1, ...Array.from({ length: 12 }, () => 128)],
      'malformed update: a number is too long',
    ],
    [
      'number over 2^53',
      [1, 1, 255, 255, 255, 255, 255, 255, 255, 127, 0, 4],
      'malformed update: a number is too large',
    ],
    [
      'clock over 2^53',
      [1, 1, 9, 255, 255, 255, 255, 255, 255, 255, 15, 4, ...root, 1, 97, 0],
      'malformed update: a clock is too large',
    ],
    ['no structs', [1, 0, 9, 0, 0, 0], 'malformed update: a writer without text'],
    ['no text', [1, 1, 9, 0, 4, ...root, 0, 0], 'malformed update: a length is zero'],
    ['no deleted text', [1, 1, 9, 0, 1, ...root, 0, 0], 'malformed update: a length is zero'],
    ['empty range', [0, 1, 9, 1, 0, 0], 'malformed update: a length is zero'],
    ['no ranges', [0, 1, 9, 0, 0, 0], 'malformed update: a writer without ranges'],
    [
      'writer twice',
      [2, 1, 9, 0, 4, ...root, 1, 97, 1, 9, 0, 4, ...root, 1, 97, 0],
      'malformed update: a writer appears twice',
    ],
    [
      'writer deletes twice',
      [0, 2, 9, 1, 0, 1, 9, 1, 0, 1],
      'malformed update: a writer appears twice',
    ],
    ['overlapping ranges', [0, 1, 9, 2, 0, 2, 1, 1], 'malformed update: deleted ranges overlap'],
    ['not UTF-8', [1, 1, 9, 0, 4, ...root, 1, 255, 0], 'malformed update: its text is not UTF-8'],
    [
      'half a surrogate pair',
      [1, 1, 9, 0, 4, ...root, 3, 0xed, 0xa0, 0x80, 0],
      'malformed update: its text is not UTF-8',
    ],
    [
      'gc with a neighbour',
      [1, 1, 9, 0, 128, 9, 0, 1, 0],
      'malformed update: a gap with neighbours',
    ],
    [
      'unknown content',
      [1, 1, 9, 0, 11, ...root, 1, 97, 0],
      'malformed update: an unknown kind of content',
    ],
    ['other root', [1, 1, 9, 0, 4, 1, 1, 97, 1, 97, 0], 'another root has no place in a text file'],
    ['nested', [1, 1, 9, 0, 4, 0, 8, 0, 1, 97, 0], 'a nested type has no place in a text file'],
  ]
  for (const [name, bytes, expected] of cases) {
    assert.equal(answer(bytes, decodeTextUpdate), expected, name)
    // May overlook what is wrong in the text, and nothing else than that.
    assert.ok(['fine', expected].includes(answer(bytes, deletesOf)), name)
    assert.ok(['fine', expected].includes(answer(bytes, onlyStructOf)), name)
  }
})

test('content of other types has no place in a text file', () => {
  const made = (make: (doc: Y.Doc) => void) => {
    const doc = new Y.Doc()
    make(doc)
    return answer(Y.encodeStateAsUpdate(doc), decodeTextUpdate)
  }
  const text = (doc: Y.Doc) => doc.getText('text')
  const suffix = 'has no place in a text file'
  assert.equal(
    made((doc) => doc.getMap('text').set('a', 1)),
    `a value of an array or map ${suffix}`,
  )
  assert.equal(
    made((doc) => doc.getMap('text').set('__proto__', new Y.Text('a'))),
    `a nested type ${suffix}`,
  )
  assert.equal(
    made((doc) => doc.getArray('text').insert(0, [1])),
    `a value of an array or map ${suffix}`,
  )
  assert.equal(
    made((doc) => doc.getArray('text').insert(0, [new Uint8Array(1)])),
    `binary content ${suffix}`,
  )
  assert.equal(
    made((doc) => doc.getArray('text').insert(0, [new Y.Map()])),
    `a nested type ${suffix}`,
  )
  assert.equal(
    made((doc) => doc.getArray('text').insert(0, [new Y.Doc()])),
    `a subdocument ${suffix}`,
  )
  assert.equal(
    made((doc) => text(doc).insert(0, 'a', { bold: true })),
    `a format ${suffix}`,
  )
  assert.equal(
    made((doc) => text(doc).insertEmbed(0, { image: 1 })),
    `an embed ${suffix}`,
  )
  assert.equal(
    made((doc) => doc.getText('other').insert(0, 'a')),
    `another root ${suffix}`,
  )
  assert.equal(
    made((doc) => doc.getText('__proto__').insert(0, 'a')),
    `another root ${suffix}`,
  )
  const keyed = [1, 1, 9, 0, 36, ...root, 9, ...Buffer.from('__proto__'), 1, 97, 0]
  assert.equal(answer(keyed, decodeTextUpdate), `a key of a map ${suffix}`)
})

test('causes come first in causal order, and a circle has none', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const [person] = company(seed, 60)
    const { structs } = decodeTextUpdate(Y.encodeStateAsUpdate(person!.doc))
    const order = causalOrder(structs)!
    const state = new Map<number, number>()
    for (const { writer, clock, length, left, right } of order) {
      assert.equal(clock, state.get(writer) ?? 0)
      for (const id of [left, right]) if (id) assert.ok(id.clock < (state.get(id.writer) ?? 0))
      state.set(writer, clock + length)
    }
    assert.deepEqual(state, Y.decodeStateVector(Y.encodeStateVector(person!.doc)))
  }
  const circle = decodeTextUpdate(
    Uint8Array.from([2, 1, 9, 0, 132, 8, 0, 1, 97, 1, 8, 0, 132, 9, 0, 1, 98, 0]),
  )
  assert.equal(causalOrder(circle.structs), undefined)
})

test('a large update is cut into parts that have its effect in their order', () => {
  for (let seed = 1; seed <= 10; seed++) {
    for (const { doc } of company(seed, 80)) {
      const whole = Y.encodeStateAsUpdate(doc)
      const parts = splitTextUpdate(whole, 300)
      const reader = new Y.Doc()
      for (const part of parts) {
        assert.ok(part.length <= 300)
        Y.applyUpdate(reader, part)
        assert.equal(reader.store.pendingStructs, null)
        assert.equal(reader.store.pendingDs, null)
      }
      assert.deepEqual(Y.encodeStateAsUpdate(reader), whole)
    }
  }
})

test('a paste of 5 MB is cut between characters', () => {
  const doc = new Y.Doc()
  const paste = 'x👋'.repeat(1_000_000)
  doc.getText('text').insert(0, paste)
  const parts = splitTextUpdate(Y.encodeStateAsUpdate(doc), 1024 * 1024)
  assert.equal(parts.length, 5)
  for (const part of parts) assert.ok(part.length <= 1024 * 1024)
  assert.equal(textOf(...parts), paste)
})

test('a small update stays as it is, and too many deleted ranges are cut', () => {
  const small = Uint8Array.from([0, 0])
  assert.equal(splitTextUpdate(small, 256)[0], small)
  const ranges = (count: number): Deletes => {
    return new Map([[9, Array.from({ length: count }, (_, index) => [3 * index, 1])]])
  }
  const encode = (count: number) => encodeTextUpdate({ structs: new Map(), deletes: ranges(count) })
  const counts = (bytes: Uint8Array) =>
    splitTextUpdate(bytes, 1024 * 1024).map((part) => deletesOf(part).get(9)!.length)
  assert.deepEqual(counts(encode(deletedRangesMax)), [deletedRangesMax])
  assert.deepEqual(counts(encode(deletedRangesMax + 1)), [deletedRangesMax, 1])
})

test('merged updates are one update with the same effect, in any order', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new Random(seed)
    const people = company(seed, 60)
    const updates = people.flatMap((person) => [
      ...person.takeMade(),
      Y.encodeStateAsUpdate(person.doc),
    ])
    const all = people[0]!
    for (const update of updates) all.hear(update)
    const shuffled = random.shuffled(updates)
    const merged = encodeTextUpdate(mergeTextUpdates(shuffled.map(decodeTextUpdate)))
    assert.equal(textOf(merged), all.text.toString())
    assert.equal(textOf(Y.mergeUpdates(shuffled)), all.text.toString())
  }
})

test('a hole in merged updates stays a hole', () => {
  const person = new Typist(9, new Random(1))
  person.text.insert(0, 'abc')
  person.text.insert(1, 'x')
  person.text.insert(0, 'y')
  const [first, second, third] = person.takeMade().map(decodeTextUpdate)
  const merged = encodeTextUpdate(mergeTextUpdates([third!, first!]))
  assert.equal(textOf(merged, encodeTextUpdate(second!)), 'yaxbc')
})

test('an offer brings a server to what the client has, and is nothing then', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = new Random(1000 + seed)
    const [client, other, third] = company(seed, 40)
    const server = new Y.Doc()
    Y.applyUpdate(server, Y.encodeStateAsUpdate(random.chance(0.5) ? other!.doc : third!.doc))
    for (const update of client!.takeMade()) if (random.chance(0.3)) Y.applyUpdate(server, update)
    const whole = new Y.Doc()
    Y.applyUpdate(whole, Y.encodeStateAsUpdate(server))
    Y.applyUpdate(whole, Y.encodeStateAsUpdate(client!.doc))
    // Everybody's edits are the client's here: the server must end with all of them.
    const writers = new Set(client!.doc.store.clients.keys())
    const ask = () =>
      offer(
        client!.doc,
        Y.encodeStateVector(server),
        deletesOf(Y.encodeStateAsUpdate(server)),
        writers,
      )
    const first = ask()
    if (first) Y.applyUpdate(server, first)
    assert.equal(server.getText('text').toString(), whole.getText('text').toString())
    assert.equal(ask(), undefined)
  }
})

test("an offer holds only the session's text, and only deletes of text the server knows", () => {
  const [mine, others, unknown] = [1, 2, 3].map((writer) => new Typist(writer, new Random(writer)))
  others!.text.insert(0, 'others')
  unknown!.text.insert(0, 'unknown')
  const server = new Y.Doc()
  Y.applyUpdate(server, Y.encodeStateAsUpdate(others!.doc))
  mine!.hear(Y.encodeStateAsUpdate(others!.doc))
  mine!.hear(Y.encodeStateAsUpdate(unknown!.doc))
  mine!.text.insert(0, 'mine')
  mine!.text.delete(1, mine!.text.length - 2)
  const bytes = offer(mine!.doc, Y.encodeStateVector(server), new Map(), new Set([1]))!
  const { structs, deletes } = decodeTextUpdate(bytes)
  assert.deepEqual([...structs.keys()], [1])
  assert.deepEqual(new Set(deletes.keys()), new Set([1, 2]))
  const known: Deletes = new Map([
    [1, [[1, 3]]],
    [2, [[1, 2]]],
  ])
  const rest = decodeTextUpdate(offer(mine!.doc, Y.encodeStateVector(server), known, new Set())!)
  assert.equal(rest.structs.size, 0)
  const lacking = deletes.get(2)![0]!
  assert.deepEqual(rest.deletes.get(2)![0], [0, 1])
  assert.deepEqual(rest.deletes.get(2)!.at(-1), [3, lacking[0] + lacking[1] - 3])
})

test('joined delete sets hold each unit once', () => {
  const deletes: Deletes = new Map([[1, [[5, 2]]]])
  joinDeletes(
    deletes,
    new Map([
      [
        1,
        [
          [0, 1],
          [6, 3],
          [20, 1],
        ],
      ],
      [2, [[4, 4]]],
    ]),
  )
  joinDeletes(deletes, new Map([[1, [[1, 1]]]]))
  assert.deepEqual(
    deletes,
    new Map([
      [
        1,
        [
          [0, 2],
          [5, 4],
          [20, 1],
        ],
      ],
      [2, [[4, 4]]],
    ]),
  )
})

test('what was deleted and is there once more by an undo is there once in each slice', () => {
  const doc = new Y.Doc()
  const text = doc.getText('text')
  const undo = new Y.UndoManager(text, { captureTimeout: 0 })
  const clocks = []
  text.insert(0, 'word ')
  text.delete(0, 5)
  undo.undo()
  clocks.push(Y.getState(doc.store, doc.clientID))
  text.insert(5, 'more')
  clocks.push(Y.getState(doc.store, doc.clientID))
  const whole = decodeTextUpdate(Y.encodeStateAsUpdate(doc))
  const known = new Map<number, number>()
  const slices = clocks.map((clock) => {
    const slice = textBelow(whole, new Map([[doc.clientID, clock]]), known)!
    known.set(doc.clientID, clock)
    return slice
  })
  assert.equal(textOf(slices[0]!), 'word ')
  assert.equal(textOf(...slices), 'word more')
})

test('own text in slices is the whole of it, and none says more than its slice', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const [person] = company(seed, 60)
    const { doc } = person!
    const writer = doc.clientID
    const made = person!.takeMade().flatMap((update) => {
      return Y.parseUpdateMeta(update).to.get(writer) ?? []
    })
    const whole = decodeTextUpdate(Y.encodeStateAsUpdate(doc))
    const known = Y.decodeStateVector(Y.encodeStateVector(doc))
    known.set(writer, 0)
    const others = { ...whole, structs: new Map(whole.structs) }
    others.structs.delete(writer)
    const slices = made.map((clock) => {
      const slice = textBelow(whole, new Map([[writer, clock]]), known)!
      assert.equal(Y.parseUpdateMeta(slice).to.get(writer), clock)
      known.set(writer, clock)
      return slice
    })
    assert.equal(textBelow(whole, new Map([[writer, Infinity]]), known), undefined)
    assert.equal(textOf(encodeTextUpdate(others), ...slices), doc.getText('text').toString())
  }
})
