// Operations of clients that change several entries at once: what is done, what is not, and again.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { deflateRawSync } from 'node:zlib'

import { Desk, freshId, there, Writer } from '../../../test/replica-desk.ts'
import {
  gateStepsPerPush,
  packedPerStep,
  severalMax,
  textBytesMax,
  versionsBytesMax,
  versionsMax,
} from '../model/limits.ts'
import { Code, ServerState, type Several, type Undone } from '../model/wire.ts'

type Change = Several['change']

const erase: Change = { case: 'erase', value: { $typeName: 'fourfold.v1.Erase', entry: '' } }
const remove: Change = { case: 'delete', value: { $typeName: 'fourfold.v1.Delete', entry: '' } }
const restore: Change = { case: 'restore', value: { $typeName: 'fourfold.v1.Restore', entry: '' } }
const moveTo = (parent: string): Change => ({
  case: 'move',
  value: { $typeName: 'fourfold.v1.Move', entry: '', parent, name: '' },
})

/** A person with three files and a directory, all on the disk. */
function filed() {
  const desk = new Desk()
  const ana = new Writer(desk, 1, 'ana')
  const files = ['one.md', 'two.md', 'three.md'].map((name) => ana.create(name, 'text'))
  const directory = freshId()
  const made = { $typeName: 'fourfold.v1.MakeDirectory' as const, name: 'old', parent: '' }
  ana.operate(directory, { case: 'makeDirectory', value: made })
  desk.store()
  const several = (change: Change, entries: string[], id = freshId()) => {
    const value = { $typeName: 'fourfold.v1.Several' as const, entries, change }
    ana.operate(id, { case: 'several', value })
    desk.store()
    return id
  }
  /** What could not be done, by the names of the last answer. */
  const undone = () => {
    const { ticket, undone } = desk.last(1, 'done')!
    assert.equal(ticket, ana.ticket)
    return undone.map(({ entry, code, text }: Undone) => ({ entry, code, text }))
  }
  let calls = 0
  const listed = (inTrash: boolean): string[] => {
    const asked = { directory: '', isRecursive: true, inTrash, count: 100 }
    desk.call(++calls, { type: 'list', ...asked })
    const { answer } = desk.answers.at(-1)!
    assert.equal(answer.type, 'list')
    return answer.type === 'list' ? answer.files.map(({ path }) => path) : []
  }
  return { desk, ana, files, directory, several, undone, listed }
}

test('several go to the trash, come back, move and are deleted for good by one operation each', () => {
  const { files, directory, several, undone, listed } = filed()
  several(remove, files)
  assert.deepEqual(listed(true), ['one.md', 'three.md', 'two.md'])
  several(restore, files.slice(1))
  assert.deepEqual(listed(true), ['one.md'])
  several(moveTo(directory), files.slice(1))
  assert.deepEqual(listed(false), ['old', 'old/three.md', 'old/two.md'])
  several(remove, [directory])
  several(erase, [files[0]!, directory])
  assert.deepEqual(undone(), [])
  assert.deepEqual([...listed(true), ...listed(false)], [])
})

test('what cannot be done to one is done to the others, and told', () => {
  const { desk, files, several, undone, listed } = filed()
  const [first, , third] = files
  several(remove, [first!, third!])
  several(erase, files)
  const text = 'Only what is in the trash is deleted for good.'
  assert.deepEqual(undone(), [{ entry: files[1], code: Code.INVALID, text }])
  assert.deepEqual(listed(false), ['old', 'two.md'])
  const unknown = freshId()
  several(remove, [unknown, files[1]!])
  assert.deepEqual(undone(), [{ entry: unknown, code: Code.NOT_FOUND, text: 'No such file.' }])
  assert.equal(desk.last(1, 'rejected'), undefined)
})

test('when nothing can be done that is an answer, too', () => {
  const { desk, files, several, undone } = filed()
  const before = desk.asked.filter(({ type }) => type === 'append').length
  several(erase, files)
  assert.equal(desk.last(1, 'done')?.changedNothing, true)
  assert.equal(undone().length, files.length)
  assert.equal(desk.asked.filter(({ type }) => type === 'append').length, before)
})

test('asked again, nothing is done again, and what is not so is told', () => {
  const { desk, files, several, undone, listed } = filed()
  const id = several(remove, files)
  several(restore, [files[0]!])
  const before = desk.asked.filter(({ type }) => type === 'append').length
  several(remove, files, id)
  assert.deepEqual(
    undone().map(({ entry }) => entry),
    [files[0]],
  )
  assert.deepEqual(listed(true), ['three.md', 'two.md'])
  assert.equal(desk.asked.filter(({ type }) => type === 'append').length, before)
})

test('what another server has deleted for good already is no mistake', () => {
  const { desk, files, several, undone, listed } = filed()
  several(remove, files)
  several(erase, files.slice(0, 2))
  const before = desk.asked.filter(({ type }) => type === 'append').length
  several(erase, files)
  assert.deepEqual(undone(), [])
  assert.deepEqual(listed(true), [])
  assert.equal(desk.asked.filter(({ type }) => type === 'append').length, before + 1)
})

test('what may be on a server that is away another one may do', () => {
  const { desk, files, several, undone } = filed()
  const servers = [
    { id: 'a', address: 'http://a', lag: 0, heardAt: 0, state: ServerState.LIVE },
    { id: there, address: 'http://b', lag: 0, heardAt: 0, state: ServerState.DOWN },
  ]
  desk.input({ type: 'event', event: { type: 'servers', servers, isServing: true } as never })
  const unknown = freshId()
  several(remove, [files[0]!, unknown])
  assert.deepEqual(undone(), [{ entry: unknown, code: Code.UNAVAILABLE, text: 'No such file.' }])
})

test('too many at once, and none, are refused', () => {
  const { desk, several, files } = filed()
  for (const ids of [[], Array.from({ length: severalMax + 1 }, () => files[0]!)]) {
    several(remove, ids)
    assert.equal(desk.last(1, 'rejected')?.code, Code.INVALID)
    desk.messages(1).length = 0
  }
  assert.equal(desk.replica.status().entries, 4)
})

test('a file keeps as many named versions as fit, and tells when it is full', () => {
  const desk = new Desk()
  const ana = new Writer(desk, 1, 'ana')
  const digits = randomBytes((textBytesMax * 3) / 4 - 3).toString('base64')
  const document = ana.create('plan.md', digits)
  desk.store()
  const name = (version: string) => {
    const value = { $typeName: 'fourfold.v1.NameVersion' as const, document, name: version }
    ana.operate(freshId(), { case: 'nameVersion', value })
    desk.store()
    desk.now += 10_000
  }
  const { length } = deflateRawSync(digits)
  for (let count = 1; count <= versionsBytesMax / length; count++) name(`version ${count}`)
  assert.equal(desk.last(1, 'rejected'), undefined)
  name('two\nlines')
  assert.equal(desk.last(1, 'rejected')?.code, Code.INVALID)
  name('one more')
  assert.equal(desk.last(1, 'rejected')?.code, Code.TOO_LARGE)
})

test('a text of which no version more is kept is not deflated for one', () => {
  const desk = new Desk()
  const ana = new Writer(desk, 1, 'ana')
  const document = ana.create('plan.md', 'one\n')
  desk.store()
  for (let count = 0; count <= versionsMax; count++) {
    const value = { $typeName: 'fourfold.v1.NameVersion' as const, document, name: `${count}` }
    ana.operate(randomBytes(16).toString('base64url'), { case: 'nameVersion', value })
    desk.store()
    desk.now += 1000
  }
  assert.equal(desk.last(1, 'rejected')?.code, Code.TOO_LARGE)
  assert.equal(desk.deflated, versionsMax)
})

test('12 to name a version of a long text counts as many pushes', () => {
  const rates = { pushesPerSecond: 50, pushBurst: 10, caretsPerSecond: 20 }
  const desk = new Desk(undefined, undefined, { rates })
  const ana = new Writer(desk, 1, 'ana')
  const document = ana.create('long.md', 'x'.repeat(10 * gateStepsPerPush * packedPerStep))
  desk.store()
  const name = (name: string) => {
    const value = { $typeName: 'fourfold.v1.NameVersion' as const, document, name }
    ana.operate(randomBytes(16).toString('base64url'), { case: 'nameVersion', value })
  }
  name('first')
  assert.equal(desk.last(1, 'refused'), undefined)
  name('second')
  assert.equal(desk.last(1, 'refused')?.code, Code.UNAVAILABLE)
  assert.equal(desk.deflated, 1)
})

test('where an operation is is told by its id, to whoever asks on another channel, too', () => {
  const { desk, ana, several, files } = filed()
  const id = several(remove, files)
  const before = desk.asked.length
  const bob = new Writer(desk, 2, 'bob')
  const ask = (operation: string) => {
    const value = { $typeName: 'fourfold.v1.Ask' as const, ticket: ++bob.ticket, operation }
    desk.say(2, { case: 'ask', value })
    desk.store()
  }
  ask(id)
  assert.deepEqual(
    desk.last(2, 'stored')?.holdings.map(({ server, ticket }) => `${server}${ticket}`),
    ['a1'],
  )
  desk.cover()
  assert.deepEqual(
    desk.last(2, 'stored')?.holdings.map(({ server, ticket }) => `${server}${ticket}`),
    [`${there}1`],
  )
  assert.ok(!desk.asked.slice(before).some(({ type }) => type === 'append'), 'nothing is changed')
  assert.equal(desk.last(ana.channel, 'rejected'), undefined)
})

test('an operation that is not known is not carried out by asking where it is', () => {
  const { desk, ana } = filed()
  for (const [operation, code] of [
    [freshId(), Code.UNAVAILABLE],
    ['no id', Code.INVALID],
  ] as const) {
    const value = { $typeName: 'fourfold.v1.Ask' as const, ticket: ++ana.ticket, operation }
    desk.say(1, { case: 'ask', value })
    assert.equal(desk.last(1, 'rejected')?.code, code)
  }
})
