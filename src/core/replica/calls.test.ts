// What whole-file clients are answered, beside people who type.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { fromBinary } from '@bufbuild/protobuf'
import * as Y from 'yjs'
import { MemoryDisk, MemoryStorage } from '../../adapters/storage/memory.ts'
import { Desk, freshId, two, Writer } from '../../../test/replica-desk.ts'
import type { SubjectId } from '../model/ids.ts'
import { mergeStored, textRoot } from '../model/snapshot.ts'
import { EntrySchema } from '../model/wire.ts'
import type { Call } from './messages.ts'

test('12 of texts that were only read so much is kept in memory', () => {
  const desk = new Desk(new MemoryDisk(), undefined, { idleDocumentBytesMax: 1000 })
  const ana = new Writer(desk, 1, 'ana')
  const texts = Array.from({ length: 6 }, (_, index) => String(index).repeat(400))
  const files = texts.map((text, index) => ana.create(`${index}.md`, text, freshId()))
  desk.store()
  // Open, and so kept: what nobody follows is all that is bounded.
  ana.open(files[0]!)
  ana.type(files[0]!, 0, 'x')
  desk.store()
  for (const file of files) {
    desk.now += 10
    desk.call(1, { type: 'read', file })
    desk.input({ type: 'tick' })
  }
  assert.equal(desk.replica.status().documentsInMemory, 3)
  desk.call(2, { type: 'read', file: files[1]! })
  const { answer } = desk.answers.at(-1)!
  assert.equal(answer.type === 'read' && answer.text, texts[1])
})

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
  desk.call(2, save)
  desk.store()
  desk.call(3, { ...save, baseText: 'told to a server that had forgotten it' })
  desk.store()
  desk.cover()
  assert.equal(ana.read(), 'new')
  assert.equal(desk.answers.filter(({ answer }) => answer.type === 'kept').length, 3)
})

test('G8 something else under the id of an operation done is refused, wherever it is asked', () => {
  const { desk, ana, file } = two()
  const operation = freshId()
  const rename: Call = { type: 'rename', file, name: 'a.md', operation }
  desk.call(1, rename)
  const others: Call[] = [
    { ...rename, name: 'b.md' },
    { type: 'delete', file, operation },
    { type: 'erase', file, operation },
    { type: 'save', file, text: 'other', baseVersion: '', operation },
    { type: 'makeDirectory', path: 'd', hasParents: false, operation },
    { type: 'makeDirectory', path: 'd/e', hasParents: true, operation },
  ]
  const errors = () =>
    others.map((other) => {
      desk.call(2, other)
      const { answer } = desk.answers.at(-1)!
      return answer.type === 'failed' ? answer.error.code : answer.type
    })
  const refused = others.map(() => 'taken')
  assert.deepEqual(errors(), refused, 'on its way to the disk')
  desk.store()
  assert.deepEqual(errors(), refused, 'on the disk')
  const value = { $typeName: 'fourfold.v1.Delete' as const, entry: file }
  ana.operate(operation, { case: 'delete', value })
  assert.match(desk.last(1, 'rejected')?.text ?? '', /The operation .* was something else/)
  desk.call(3, { type: 'get', file })
  const { answer } = desk.answers.at(-1)!
  assert.equal(answer.type === 'got' && answer.file.path, 'a.md')
  // What made a directory deletes none.
  const made = freshId()
  desk.call(4, { type: 'makeDirectory', path: 'd', hasParents: false, operation: made })
  desk.store()
  desk.call(5, { type: 'delete', file: 'd', operation: made })
  const { answer: told } = desk.answers.at(-1)!
  assert.equal(told.type === 'failed' && told.error.code, 'taken')
})

test('a save with a state of its base may be asked again on other grounds', () => {
  const { desk, ana, file } = two()
  desk.call(1, { type: 'read', file })
  const read = desk.answers.at(-1)!.answer
  assert.ok(read.type === 'read')
  const operation = freshId()
  const base = { baseVersion: read.version, baseText: read.text, baseState: read.state }
  const save: Call = { type: 'save', file, text: 'hello world', ...base, operation }
  desk.call(2, save)
  desk.store()
  desk.call(3, { ...save, text: 'hello world, and what others wrote' })
  desk.call(4, { type: 'save', file, text: 'whole', baseVersion: '', operation })
  desk.store()
  desk.cover()
  const kept = desk.answers.filter(({ answer }) => answer.type === 'kept').map(({ call }) => call)
  assert.deepEqual(kept, [2, 3, 4])
  assert.equal(ana.read(), 'hello world')
  // But not of another file: its text would count as kept.
  const another = ana.create('another.md', '')
  desk.store()
  desk.call(5, { ...save, file: another })
  const { answer } = desk.answers.at(-1)!
  assert.equal(answer.type === 'failed' && answer.error.code, 'taken')
})

test('G8 the id of what is to be a new file stands for no other request', () => {
  const { desk, file } = two()
  const [made, bytes, deleted, based] = [freshId(), freshId(), freshId(), freshId()]
  const saved = { type: 'save', file: 'new.md', text: 'mine', baseVersion: '' } as const
  const binary = { type: 'saveBinary', file: 'new.png', hash: '1'.repeat(64), size: 4 } as const
  const isNew = true
  desk.call(1, { type: 'read', file })
  const { answer: read } = desk.answers.at(-1)!
  assert.ok(read.type === 'read')
  desk.call(2, { ...saved, isNew, operation: made })
  desk.call(3, { ...binary, isNew, operation: bytes })
  desk.call(4, { ...saved, file, text: 'hello, you', baseState: read.state, operation: based })
  desk.call(5, { type: 'delete', file, operation: deleted })
  desk.store()
  const others: Call[] = [
    { ...saved, text: 'other', isNew, operation: made },
    { ...saved, isNew, operation: bytes },
    { ...saved, isNew, operation: deleted },
    { ...saved, isNew, operation: based },
    { ...saved, file, baseState: read.state, operation: made },
    { ...binary, hash: '2'.repeat(64), isNew, operation: bytes },
    { ...binary, isNew, operation: made },
    { ...binary, isNew, operation: based },
  ]
  const codes = others.map((call, index) => {
    desk.call(10 + index, call)
    const { answer } = desk.answers.at(-1)!
    return answer.type === 'failed' ? answer.error.code : answer.type
  })
  assert.deepEqual(
    codes,
    others.map(() => 'taken'),
  )
})

test('a path below the id of a directory leads there, wherever others move that', () => {
  const { desk } = two()
  const directory = freshId()
  const below = (names: string) => `id:${directory}/${names}`
  const answer = (request: Call) => {
    desk.call(1, request)
    desk.store()
    desk.cover()
    const told = desk.answers.at(-1)!.answer
    if (told.type === 'failed') return told.error.code
    return told.type === 'kept' || told.type === 'got' ? told.file.path : told.type
  }
  const saved = (file: string) =>
    answer({ type: 'save', file, text: 'x', baseVersion: '', isNew: true, operation: freshId() })
  const made = (path: string, hasParents = false) =>
    answer({ type: 'makeDirectory', path, hasParents, operation: freshId() })
  answer({ type: 'makeDirectory', path: 'd', hasParents: false, operation: directory })
  answer({ type: 'move', file: 'd', path: 'e', operation: freshId() })
  made('d')
  assert.equal(saved(below('new.md')), 'e/new.md')
  assert.equal(made(below('f/g'), true), 'e/f/g')
  assert.equal(answer({ type: 'get', file: below('f/g'), inTrash: false }), 'e/f/g')
  assert.equal(
    answer({ type: 'move', file: 'plan.md', path: below('f/plan.md'), operation: freshId() }),
    'e/f/plan.md',
  )
  assert.equal(saved(below('NEW.md')), 'taken')
  for (const wrong of ['id:', 'd/id:x', below('')]) assert.equal(saved(wrong), 'invalid')
  for (const wrong of [`id:${freshId()}/x`, 'id:/x', below('new.md/x')]) {
    assert.equal(saved(wrong), 'not-found', wrong)
  }
  answer({ type: 'delete', file: directory, operation: freshId() })
  for (const missing of [saved(below('x.md')), made(below('x/y'), true), made(below('x'))]) {
    assert.equal(missing, 'not-found')
  }
})

test('a new file may have a name that could be an id', () => {
  const { desk, file } = two()
  const name = 'photos-from-our-hiking'
  const named = (request: Call) => {
    desk.call(1, request)
    desk.store()
    desk.cover()
    const { answer } = desk.answers.at(-1)!
    return answer.type === 'kept' ? answer.file.name : answer.type
  }
  const saved = { type: 'save', text: 'x', baseVersion: '', isNew: true } as const
  assert.equal(named({ ...saved, file: name, operation: freshId() }), name)
  assert.equal(named({ ...saved, file: name, operation: freshId() }), 'failed')
  // Not that of another one.
  assert.equal(named({ ...saved, file, operation: freshId() }), 'failed')
  const bytes = { type: 'saveBinary', hash: '1'.repeat(64), size: 4, isNew: true } as const
  assert.equal(
    named({ ...bytes, file: `${name.slice(0, -1)}w`, operation: freshId() }),
    `${name.slice(0, -1)}w`,
  )
})

test('two who make a file of one path at once, however they name it, make one', () => {
  const { desk } = two()
  const directory = freshId()
  desk.call(1, { type: 'makeDirectory', path: 'd', hasParents: false, operation: directory })
  desk.store()
  const text = { type: 'save', text: 'x', baseVersion: '' } as const
  desk.call(2, { ...text, file: 'd/new.md', operation: freshId() })
  desk.call(3, { ...text, file: `id:${directory}/New.md`, operation: freshId() })
  desk.store()
  desk.store()
  desk.call(4, { type: 'list', directory: 'd', isRecursive: false, inTrash: false, count: 9 })
  const { answer } = desk.answers.at(-1)!
  assert.ok(answer.type === 'list')
  assert.deepEqual(
    answer.files.map(({ path }) => path),
    ['d/new.md'],
  )
})

test('what was made under an id is there however it is asked for again', () => {
  const { desk, ana } = two()
  const [text, bytes, directory] = [freshId(), freshId(), freshId()]
  const [hash, size] = ['1'.repeat(64), 4]
  ana.create('note.md', 'kept', text)
  const at = { name: 'a.bin', parent: '' }
  const binary = { $typeName: 'fourfold.v1.CreateBinary' as const, ...at, hash, size }
  ana.operate(bytes, { case: 'createBinary', value: binary })
  const made = { $typeName: 'fourfold.v1.MakeDirectory' as const, name: 'd', parent: '' }
  ana.operate(directory, { case: 'makeDirectory', value: made })
  desk.store()
  // As a copy of the folder on a disk does that fills an empty set (0019), under other names.
  const isNew = true
  const saved = { type: 'save', text: 'later', baseVersion: '', isNew } as const
  desk.call(1, { ...saved, file: text, operation: text })
  desk.call(2, { type: 'saveBinary', file: bytes, hash, size, operation: bytes })
  desk.call(3, { type: 'makeDirectory', path: 'e', hasParents: false, operation: directory })
  // And as the page does when a name is taken.
  ana.operate(bytes, { case: 'createBinary', value: { ...binary, name: 'a 2.bin' } })
  desk.store()
  desk.cover()
  assert.deepEqual(
    desk.answers.map(({ answer }) => answer.type === 'kept' && answer.file.path),
    ['note.md', 'a.bin', 'd'],
  )
  assert.equal(desk.last(1, 'done')?.entry, bytes)
  assert.equal(desk.last(1, 'rejected'), undefined)
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
  // Nobody may read it again: where many do not load, not all were asked for at first.
  const wanted = () => {
    desk.asked.length = 0
    desk.now += 2000
    desk.input({ type: 'tick' })
    return desk.asked.flatMap((asked) => (asked.type === 'want' ? [asked.subject] : []))
  }
  assert.deepEqual(wanted(), [file])

  // A peer sends it whole: what is not there now is nowhere.
  const whole = mergeStored(peer.reader.load(file), disk.vector, file)
  desk.storage.commit({ updates: [], snapshots: [whole] })
  desk.input({ type: 'event', event: { type: 'replaced', subject: file } })
  desk.call(4, { type: 'read', file: 'plan.md' })
  desk.call(5, { type: 'read', file: 'other.md' })
  desk.store()
  assert.deepEqual(codes().slice(4).toSorted(), ['not-found', 'read'])
  assert.deepEqual(wanted(), [])
})

test('7 a text that only a call finds damaged is asked for, and an operator told of it once', () => {
  const disk = new MemoryDisk()
  const before = new Desk(disk)
  const file = new Writer(before, 1, 'ana').create('plan.md', 'hello') as SubjectId
  before.store()
  const peer = new MemoryStorage(disk.clone())
  const desk = new Desk(disk)
  assert.ok(disk.flip(file))
  desk.call(1, { type: 'read', file })
  desk.call(2, { type: 'versions', file })
  assert.deepEqual(
    desk.answers.map(({ answer }) => answer.type === 'failed' && answer.error.code),
    ['unavailable', 'unavailable'],
  )
  const wants = desk.asked.flatMap((asked) => (asked.type === 'want' ? [asked.subject] : []))
  assert.deepEqual(wants, [file, file])
  assert.equal(desk.alarms.length, 1)

  // It is whole again, and then damaged anew.
  const whole = mergeStored(peer.reader.load(file), disk.vector, file)
  desk.storage.commit({ updates: [], snapshots: [whole] })
  desk.input({ type: 'event', event: { type: 'replaced', subject: file } })
  assert.ok(disk.flip(file))
  desk.call(3, { type: 'versions', file })
  assert.equal(desk.alarms.length, 2)
})

test('what is on no disk any more is said again as it is in memory', () => {
  const { desk, ana, file } = two()
  ana.type(file, 0, 'Kept: ')
  desk.store()
  desk.asked.length = 0
  desk.input({ type: 'event', event: { type: 'lost', subject: file as SubjectId } })
  const said = desk.asked.flatMap((asked) => (asked.type === 'append' ? [asked.update.body] : []))
  const [text, entry] = said.map(({ value }) => value!)
  const doc = new Y.Doc()
  Y.applyUpdate(doc, text!)
  assert.equal(doc.getText(textRoot).toString(), ana.read())
  assert.match(ana.read(), /^Kept: /)
  assert.equal(fromBinary(EntrySchema, entry!).id, file)
  // Nobody sees it twice.
  desk.store()
  desk.call(1, { type: 'read', file: 'plan.md' })
  const { answer } = desk.answers.at(-1)!
  assert.equal(answer.type === 'read' && answer.text, ana.read())
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
