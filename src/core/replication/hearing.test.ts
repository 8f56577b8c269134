// What no sound server says, and what every sound one may.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf'
import * as Y from 'yjs'
import { four, subject, type Server } from '../../../test/replication-circle.ts'
import { base64url, type Origin } from '../model/ids.ts'
import {
  caretBytesMax,
  operationsPerSnapshotMax,
  peerUnstoredBytesMax,
  presentMax,
  reachAheadMax,
  seqMax,
  strangersMax,
  wordsMax,
} from '../model/limits.ts'
import { mergeStored, sealUpdate } from '../model/snapshot.ts'
import { counterMax } from '../model/stamps.ts'
import { encodeTextUpdate, textRoot, type TextStruct } from '../model/text-update.ts'
import {
  EntrySchema,
  EphemeralSchema,
  Kind,
  PeerHelloSchema,
  PeerMessageSchema,
  UpdateSchema,
  VersionSchema,
  type PeerMessage,
  type Snapshot,
} from '../model/wire.ts'
import { helloFault, isSeq, messageFault, updateFault } from './hearing.ts'
import type { ReplicationOutput } from './messages.ts'

const origin = 'b.0123456789abc'
const stamp = { counter: 1, origin }
const other = base64url(new Uint8Array(16).fill(9))
const session = base64url(new Uint8Array(12).fill(9))
const anyReach = () => Infinity

const whole: MessageInitShape<typeof EntrySchema> = {
  id: subject,
  kind: Kind.BINARY,
  created: stamp,
  name: { value: 'plan.md', stamp },
  parent: { value: '', stamp },
  deleted: { value: true, stamp },
  contents: [{ hash: 'a'.repeat(64), size: 5, stamp }],
  purged: { root: subject, deletion: stamp, place: stamp },
}

function ofEntry(changed: MessageInitShape<typeof EntrySchema>): string | undefined {
  const value = toBinary(EntrySchema, create(EntrySchema, changed))
  return updateFault(
    create(UpdateSchema, { origin, seq: 1, subject, body: { case: 'entry', value } }),
  )
}

function ofText(value: Uint8Array): string | undefined {
  return updateFault(
    create(UpdateSchema, { origin, seq: 1, subject, body: { case: 'text', value } }),
  )
}

test('an entry is what servers write of it, in whole and in part', () => {
  assert.equal(ofEntry(whole), undefined)
  assert.equal(ofEntry({ id: subject, name: { value: 'CON .git \u200d.md', stamp } }), undefined)
  assert.equal(ofEntry({ id: subject, contents: [{ stamp }], age: { steps: 60 } }), undefined)
  assert.equal(ofEntry({ id: subject }), undefined)
  const placeless = { id: subject, kind: Kind.TEXT, created: stamp, name: { value: 'x', stamp } }
  assert.equal(ofEntry(placeless), undefined)
})

test('an entry that nobody could show, keep or delete is none', () => {
  const broken: [MessageInitShape<typeof EntrySchema>, RegExp][] = [
    [{ ...whole, id: other }, /another one/],
    [{ ...whole, kind: Kind.TEXT }, /contents/],
    [{ ...whole, deleted: { value: true } }, /no stamp/],
    [{ ...whole, contents: [{}] }, /no stamp/],
    [{ id: subject, kind: Kind.TEXT, created: stamp }, /without a name/],
    [{ ...whole, created: { counter: counterMax + 1, origin } }, /counted up to/],
    [{ ...whole, created: { counter: 1, origin: 'nobody' } }, /no log/],
    [{ ...whole, purged: { root: subject, generation: counterMax + 1 } }, /counted up to/],
    [{ ...whole, purged: { root: '..' } }, /deleted with/],
    [{ ...whole, parent: { value: '../x', stamp } }, /place/],
    [{ ...whole, createdAt: NaN }, /instant/],
    [{ ...whole, deletedAt: 9e15 }, /instant/],
    [{ ...whole, contents: [{ hash: '../../x', stamp }] }, /bytes/],
    [{ ...whole, contents: [{ hash: 'a'.repeat(64), size: NaN, stamp }] }, /bytes/],
    [{ ...whole, contents: [{ hash: 'a'.repeat(64), size: 5, stamp, at: NaN }] }, /instant/],
    [{ ...whole, createdBy: 'x'.repeat(2000) }, /too long/],
  ]
  for (const name of ['', '.', '..', 'a/b', '/', 'a\nb', 'a\0', '€'.repeat(90)]) {
    broken.push([{ ...whole, name: { value: name, stamp } }, /name/])
  }
  for (const [entry, words] of broken) assert.match(ofEntry(entry) ?? '', words)
})

test('a text is what Yjs can take in, also as a part and as what servers have merged', () => {
  const doc = new Y.Doc()
  doc.getText(textRoot).insert(0, 'some text')
  doc.getText(textRoot).delete(2, 3)
  const bytes = Y.encodeStateAsUpdate(doc)
  assert.equal(ofText(bytes), undefined)
  assert.match(ofText(bytes.slice(0, -1)) ?? '', /cannot be read/)
  assert.match(ofText(new Uint8Array()) ?? '', /cannot be read/)
  doc.getMap('map').set('x', 1)
  assert.match(ofText(Y.encodeStateAsUpdate(doc)) ?? '', /cannot be read/)
  const struct = (writer: number, left: TextStruct['left']): TextStruct => {
    return { writer, clock: 0, length: 1, kind: 'text', left, right: undefined, text: 'x' }
  }
  const written = (...structs: TextStruct[]) =>
    encodeTextUpdate({
      structs: new Map(structs.map((each) => [each.writer, [each]])),
      deletes: new Map(),
    })
  const gap = written(struct(1, { writer: 2, clock: 7 }))
  assert.equal(ofText(gap), undefined, 'its cause may come')
  assert.match(ofText(written(struct(1, { writer: 1, clock: 0 }))) ?? '', /itself/)
  const circle = written(struct(1, { writer: 2, clock: 0 }), struct(2, { writer: 1, clock: 0 }))
  assert.match(ofText(circle) ?? '', /itself/)
})

test('the words and numbers of an update have an end', () => {
  const value = toBinary(VersionSchema, create(VersionSchema, { id: other, at: 5 }))
  const version = { subject, body: { case: 'version' as const, value } }
  assert.equal(updateFault(create(UpdateSchema, version)), undefined)
  assert.match(updateFault(create(UpdateSchema, { ...version, at: NaN })) ?? '', /instant/)
  for (const word of ['author', 'operation', 'operationDigest']) {
    const long = create(UpdateSchema, { ...version, [word]: 'x'.repeat(2000) })
    assert.match(updateFault(long) ?? '', /too long/)
  }
  assert.deepEqual([1, seqMax].map(isSeq), [true, true])
  assert.deepEqual([0, -1, 0.5, NaN, 2 ** 32, seqMax + 1].map(isSeq), Array(6).fill(false))
})

test('nobody has more of a log than can be', () => {
  const seen = (record: Record<string, number>): PeerMessage['message'] => {
    return create(PeerMessageSchema, {
      message: { case: 'have', value: { changed: { seen: record } } },
    }).message
  }
  assert.equal(
    messageFault(seen({ [origin]: 5 }), () => 5),
    undefined,
  )
  assert.match(messageFault(seen({ [origin]: 6 }), () => 5) ?? '', /up to 6/)
  assert.match(messageFault(seen({ [origin]: 2 ** 32 - 1 }), anyReach) ?? '', /up to/)
  assert.match(messageFault(seen({ __proto: 1 }), anyReach) ?? '', /none/)
  const hello = create(PeerHelloSchema, { replica: 'b', origin })
  assert.equal(helloFault(hello, anyReach), undefined)
  assert.match(helloFault({ ...hello, replica: 'c' }, anyReach) ?? '', /another server/)
  assert.match(helloFault({ ...hello, origin: 'b.x' }, anyReach) ?? '', /names no origin/)
  assert.match(helloFault({ ...hello, life: 'x' }, anyReach) ?? '', /life/)
  const vector = { $typeName: 'fourfold.v1.VersionVector' as const, seen: { [origin]: NaN } }
  assert.match(helloFault({ ...hello, vector }, anyReach) ?? '', /up to NaN/)
})

test('who is told of has an id, and what is told of them an end', () => {
  const fault = (topic: MessageInitShape<typeof EphemeralSchema>['topic']) => {
    const value = create(EphemeralSchema, { topic })
    return messageFault({ case: 'ephemeral', value }, anyReach) ?? ''
  }
  const presence = { session, device: session, name: 'ana', counter: counterMax, isHere: true }
  const presences: [object, RegExp][] = [
    [{}, /^$/],
    [{ device: '' }, /^$/],
    [{ session: '' }, /session/],
    [{ device: 'x' }, /device/],
    [{ name: 'x'.repeat(wordsMax + 1) }, /too long/],
    [{ counter: counterMax + 1 }, /counted up to/],
  ]
  for (const [changed, words] of presences) {
    assert.match(fault({ case: 'presence', value: { ...presence, ...changed } }), words)
  }
  const caret = {
    document: subject,
    session,
    writer: 2 ** 53 - 1,
    state: 'x'.repeat(caretBytesMax),
  }
  const carets: [object, RegExp][] = [
    [{}, /^$/],
    [{ session: 'x' }, /session/],
    [{ state: 'x'.repeat(caretBytesMax + 1) }, /too long/],
    [{ writer: 2 ** 53 }, /writer/],
    [{ writer: NaN }, /writer/],
  ]
  for (const [changed, words] of carets) {
    assert.match(fault({ case: 'caret', value: { ...caret, ...changed } }), words)
  }
})

test('a whole subject is judged with all that is in it', () => {
  const entry = toBinary(EntrySchema, create(EntrySchema, whole))
  const update = create(UpdateSchema, {
    origin,
    seq: 1,
    subject,
    body: { case: 'entry', value: entry },
  })
  const good = mergeStored({ snapshots: [], updates: [sealUpdate(update)] }, new Map(), subject)
  const fault = (changed: object) =>
    messageFault({ case: 'snapshot', value: { ...good, ...changed } }, () => 5) ?? ''
  assert.equal(fault({}), '')
  assert.match(fault({ subject: other }), /another one/)
  assert.match(fault({ checksum: 1 }), /checksum/)
  const covers = { $typeName: 'fourfold.v1.VersionVector', seen: { [origin]: 6 } }
  assert.match(fault({ covers }), /up to 6/)
  const operation = { $typeName: 'fourfold.v1.DoneOperation', id: other, at: 1, digest: '' }
  assert.match(fault({ operations: [{ ...operation, at: NaN }] }), /instant/)
  assert.match(fault({ operations: [{ ...operation, digest: 'x'.repeat(2000) }] }), /too long/)
  const many = Array(operationsPerSnapshotMax + 1).fill(operation)
  assert.match(fault({ operations: many }), /too many/)
})

// ---------------------------------------------------------------------- what becomes of who says it

/** `from` says to `to` what a sound server would not, or would. */
function say(
  to: Server,
  from: Server,
  message: MessageInitShape<typeof PeerMessageSchema>['message'],
) {
  const { circle } = set
  const [channel] = [...to.channels].find(([, { server }]) => server === from) ?? []
  assert.ok(channel !== undefined, `${from.id} has a channel`)
  const whole = create(PeerMessageSchema, message && { message })
  circle.input(to, { type: 'received', channel, message: whole })
}

/** A subject of which no server here has heard. */
function snapshotOf(bytes: number): Snapshot {
  const version = create(VersionSchema, { id: other, at: 5, text: new Uint8Array(bytes) })
  const body = { case: 'version' as const, value: toBinary(VersionSchema, version) }
  const update = sealUpdate(create(UpdateSchema, { origin, seq: 1, subject, body }))
  return mergeStored(
    { snapshots: [], updates: [update] },
    new Map([[origin as Origin, 1]]),
    subject,
  )
}

let set = four()

test('who says what cannot be is turned away, and told of in the log and among the warnings', () => {
  set = four()
  const { circle, servers } = set
  const [a, b, c] = servers as [Server, Server, Server]
  circle.append(a, 1, 'x')
  const [own] = a.storage.reader.vector().keys()
  const lie = { case: 'have' as const, value: { changed: { seen: { [own!]: 2 } } } }
  say(a, b, lie)
  assert.ok(![...a.channels.values()].some(({ server }) => server === b), 'the channel is closed')
  const words = `b says what cannot be in "have": it tells of ${own} up to 2`
  assert.equal(a.log.filter((line) => line.includes(words)).length, 1)
  assert.match(a.mind.warnings(circle.now).join(), /b says what cannot be/)
  // It may have been spoilt on its way: it is back at once.
  circle.pass(1000)
  say(a, b, lie)
  assert.equal(a.log.filter((line) => line.includes(words)).length, 1, 'said once')
  // Then not so soon, and it goes on with the others.
  circle.pass(2000)
  assert.ok(![...a.channels.values()].some(({ server }) => server === b))
  circle.append(c, 2, 'y')
  assert.equal([...a.storage.reader.vector()].length, 2)
  circle.pass(60_000)
  assert.equal(a.covered('b'), a.marks().length > 0 ? a.covered('c') : -1, 'in the end it is back')
})

test('of a log whose server is here nobody has very much more than that tells', () => {
  set = four()
  const [a, b, c] = set.servers as [Server, Server, Server]
  set.circle.append(c, 1, 'x')
  const [log] = c.storage.reader.vector().keys()
  const advance = (seq: number) => {
    return { case: 'advance' as const, value: { vector: { seen: { [log!]: seq } } } }
  }
  say(a, b, advance(reachAheadMax + 2))
  assert.match(a.log.join(), /b says what cannot be in "advance"/)
  assert.equal(a.storage.reader.vector().get(log!), 1)
})

test('who tells of more people than can be there is turned away', () => {
  set = four()
  const [a, b] = set.servers as [Server, Server]
  const arrive = (number: number) => {
    const id = base64url(Uint8Array.from({ length: 12 }, (_, at) => (number >> (8 * at)) & 255))
    const value = { session: id, name: `ana ${number}`, counter: 1, isHere: true }
    const topic = { case: 'presence' as const, value }
    say(a, b, { case: 'ephemeral', value: { topic } })
  }
  for (let number = 0; number < presentMax; number++) arrive(number & 255)
  arrive(256)
  assert.doesNotMatch(a.log.join(), /people/)
  for (let number = 256; number < presentMax; number++) arrive(number)
  assert.throws(() => {
    for (let number = 0; number < 2; number++) arrive(presentMax + number)
  }, /has a channel/)
  assert.match(a.log.join(), /more people/)
  const presence = { session, name: '', counter: counterMax + 1, isHere: true }
  const topic = { case: 'presence' as const, value: presence }
  say(a, set.servers[2]!, { case: 'ephemeral', value: { topic } })
  assert.match(a.log.join(), /counted up to/)
})

test('12 who sends more than a disk that hangs can take is cut, and comes back when it works', () => {
  set = four()
  const { circle, servers } = set
  const [a, b] = servers as [Server, Server]
  const whole = snapshotOf(32 * 1024 * 1024)
  circle.stuck.add(a.id)
  let count = 0
  const flood = () => {
    for (; count < 100; count++) say(a, b, { case: 'snapshot', value: whole })
  }
  assert.throws(flood, /has a channel/)
  assert.equal(count, Math.ceil(peerUnstoredBytesMax / whole.versions.length))
  assert.match(a.log.join(), /b sends more than this disk takes/)
  // What it sent still waits: the next channel is cut sooner.
  circle.pass(1000)
  say(a, b, { case: 'snapshot', value: whole })
  assert.throws(() => say(a, b, { case: 'snapshot', value: whole }), /has a channel/)
  // The others are heard as before.
  say(a, servers[2]!, { case: 'snapshot', value: whole })
  circle.pass(1000)
  assert.ok([...a.channels.values()].some(({ server }) => server === servers[2]))
})

test('13 whoever says something before a greeting, or greets not at all, is turned away', () => {
  const { circle, servers } = four()
  const [a] = servers as [Server]
  const hungUp = (outputs: ReplicationOutput[]) =>
    outputs.flatMap((output) => (output.type === 'hangUp' ? [output.channel] : []))
  const gossip = create(PeerMessageSchema, { message: { case: 'gossip', value: {} } })
  a.mind.step(circle.now, { type: 'opened', channel: 100 })
  const said = { type: 'received' as const, channel: 100, message: gossip }
  assert.deepEqual(hungUp(a.mind.step(circle.now, said)), [100])
  assert.deepEqual(hungUp(a.mind.step(circle.now, said)), [], 'it is heard no more')
  for (let channel = 200; channel < 200 + strangersMax; channel++) {
    assert.deepEqual(hungUp(a.mind.step(circle.now, { type: 'opened', channel })), [])
  }
  assert.deepEqual(hungUp(a.mind.step(circle.now, { type: 'opened', channel: 300 })), [200])
})

test('5 what a whole subject has beyond what its logs say is not taken', () => {
  set = four()
  const { circle, servers } = set
  const [a, b] = servers as [Server, Server]
  circle.append(a, 1, 'x')
  const before = a.storage.reader.load(subject)
  const value = toBinary(VersionSchema, create(VersionSchema, { id: other, at: 5 }))
  const body = { case: 'version' as const, value }
  const more = sealUpdate(create(UpdateSchema, { origin, seq: 1, subject, body }))
  const whole = mergeStored({ snapshots: [], updates: [more] }, new Map(), subject)
  b.heard.length = 0
  const seen = Object.fromEntries(a.storage.reader.vector())
  const upTo = { $typeName: 'fourfold.v1.VersionVector' as const, seen }
  say(a, b, { case: 'snapshot', value: { ...whole, covers: upTo } })
  say(a, b, { case: 'snapshot', value: whole })
  assert.deepEqual(a.storage.reader.load(subject), before)
  // It waits for no more than these: the next can come.
  const haves = b.heard.filter(({ from, message }) => from === a && message.message.case === 'have')
  const told = haves.flatMap(({ message }) =>
    message.message.case === 'have' ? [message.message.value.stored] : [],
  )
  assert.equal(Math.max(...told), 2)
})
