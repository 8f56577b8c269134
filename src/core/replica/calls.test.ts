// What whole-file clients are answered, beside people who type.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk, MemoryStorage } from '../../adapters/storage/memory.ts'
import { Desk, freshId, two, Writer } from '../../../test/replica-desk.ts'
import type { SubjectId } from '../model/ids.ts'
import { mergeStored } from '../model/snapshot.ts'
import type { Call } from './messages.ts'

test('a whole-file save is merged against the version it was based on', () => {
  const { desk, ana, file } = two()
  desk.call(1, { type: 'read', file: 'plan.md' })
  const read = desk.answers.at(-1)!.answer
  assert.equal(read.type, 'read')
  const version = read.type === 'read' ? read.version : ''
  ana.type(file, 0, 'Ana: ')
  desk.store()
  desk.call(2, {
    type: 'save',
    file: 'plan.md',
    text: 'hello world\n',
    baseVersion: version,
    operation: freshId(),
  })
  desk.store()
  assert.equal(ana.read(), 'Ana: hello world\n')
  assert.equal(desk.answers.at(-1)!.call, 1, 'the answer waits for the other live disk')
  desk.cover()
  const kept = desk.answers.at(-1)!.answer
  assert.deepEqual(kept.type === 'kept' && kept.servers, ['a', 'b'])
})

test('a save under an operation id already done changes nothing', () => {
  const { desk, ana } = two()
  const operation = freshId()
  const save: Call = { type: 'save', file: 'plan.md', text: 'new', baseVersion: '', operation }
  desk.call(1, save)
  desk.call(2, { ...save, text: 'other' })
  desk.store()
  desk.call(3, { ...save, text: 'third' })
  desk.store()
  desk.cover()
  assert.equal(ana.read(), 'new')
  assert.equal(desk.answers.filter(({ answer }) => answer.type === 'kept').length, 3)
})

test('a change of what is deleted for good meanwhile is answered: there is no such file', () => {
  const { desk, file } = two()
  const remove = (type: 'delete' | 'erase'): Call => ({ type, file, operation: freshId() })
  desk.call(1, remove('delete'))
  desk.store()
  desk.call(2, { type: 'rename', file, name: 'late.md', operation: freshId() })
  desk.call(3, { type: 'delete', file, operation: freshId() })
  desk.call(4, remove('erase'))
  desk.store()
  desk.cover()
  const last = (call: number) => desk.answers.findLast((each) => each.call === call)?.answer
  for (const call of [2, 3]) {
    const answer = last(call)
    assert.equal(answer?.type === 'failed' && answer.error.code, 'not-found', `call ${call}`)
  }
  assert.equal(last(4)?.type, 'kept')
})

test('7 a file whose entry is damaged is unavailable by name and by id, never said not to be', () => {
  const disk = new MemoryDisk()
  const before = new Desk(disk)
  const ana = new Writer(before, 1, 'ana')
  const file = ana.create('plan.md', 'hello') as SubjectId
  before.store()
  const peer = new MemoryStorage(disk.clone())
  assert.ok(disk.flip(file))

  const desk = new Desk(disk)
  const ben = new Writer(desk, 2, 'ben')
  ben.open(file)
  const elsewhere = 'This file cannot be read here. Trying another server.'
  assert.equal(desk.last(2, 'unavailable')!.text, elsewhere)
  const save = { type: 'save', text: 'x', baseVersion: '', operation: freshId() } as const
  const requests: Call[] = [
    { type: 'read', file: 'plan.md' },
    { type: 'read', file },
    { type: 'delete', file: 'plan.md', operation: freshId() },
    { ...save, file: 'plan.md' },
  ]
  for (const [call, request] of requests.entries()) desk.call(call, request)
  const codes = () =>
    desk.answers.map(({ answer }) => (answer.type === 'failed' ? answer.error.code : answer.type))
  assert.deepEqual(codes(), Array(4).fill('unavailable'))

  // A peer sends it whole: what is not there now is nowhere.
  const whole = mergeStored(peer.reader.load(file), disk.vector, file)
  desk.storage.commit({ updates: [], snapshots: [whole] })
  desk.input({ type: 'event', event: { type: 'replaced', subject: file } })
  desk.call(4, { type: 'read', file: 'plan.md' })
  desk.call(5, { type: 'read', file: 'other.md' })
  desk.store()
  assert.deepEqual(codes().slice(4).toSorted(), ['not-found', 'read'])
})

test('a watcher hears what is there, and then each change', () => {
  const { desk, ana, file } = two()
  desk.call(1, { type: 'watch', file: '' })
  ana.type(file, 0, 'x')
  desk.store()
  ana.operate(freshId(), {
    case: 'delete',
    value: { $typeName: 'fourfold.v1.Delete', entry: file },
  })
  desk.store()
  const events = desk.answers.map(({ answer }) => answer.type === 'watched' && answer.event)
  assert.deepEqual(events, ['present', 'ready', 'changed', 'deleted'])
})
