// Operations of the folder as updates, carried out once or twice.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { fromBinary } from '@bufbuild/protobuf'
import { MemoryDisk, MemoryStorage } from '../../adapters/storage/memory.ts'
import { hasConflict, history } from '../model/contents.ts'
import { Folder } from '../model/folder.ts'
import { originOf, subjectId, type ReplicaId } from '../model/ids.ts'
import { EntrySchema } from '../model/wire.ts'
import type { NewUpdate } from '../ports.ts'
import { Appends } from './appends.ts'
import { Operations } from './operations.ts'

/** A server's folder, and its way of making updates. */
function server(name: string) {
  const folder = new Folder()
  const origin = originOf(name as ReplicaId, new Uint8Array(10).fill(name.charCodeAt(0)))
  const appends = new Appends(() => {})
  const { reader } = new MemoryStorage(new MemoryDisk())
  const operations = new Operations({ folder, origin, appends, reader })
  const take = (...updates: NewUpdate[]) => {
    for (const { body } of updates) {
      if (body.case === 'entry') folder.apply(fromBinary(EntrySchema, body.value))
    }
  }
  return { folder, operations, take }
}

const request = (byte: number) => ({
  operation: subjectId(new Uint8Array(16).fill(byte)),
  digest: '',
  author: 'ada',
  at: 0,
})

test('G8 a creation that a second server carries out late undoes no rename, move or deletion', () => {
  const [a, b] = [server('a'), server('b')]
  const creation = request(1)
  // The second server has seen many counters, so that its stamps are larger.
  for (let count = 2; count < 20; count++)
    b.take(...b.operations.create(request(count), { parent: '', name: `${count}` }, ''))
  const made = a.operations.create(creation, { parent: '', name: 'plan.md' }, '')
  a.take(...made)
  const entry = a.folder.get(creation.operation)!
  const renamed = a.operations.rename(request(21), entry, 'idea.md')
  const deleted = a.operations.setDeleted(request(22), entry, true)
  const directory = a.operations.makeDirectory(request(23), { parent: '', name: 'ideas' })
  a.take(directory)
  const parent = directory.subject
  const moved = a.operations.move(request(24), entry, { parent, name: '' })
  const madeAgain = b.operations.create(creation, { parent: '', name: 'plan.md' }, '')

  const all = [...made, renamed, deleted, directory, moved, ...madeAgain]
  for (const updates of [all, all.toReversed()]) {
    const { folder, take } = server('c')
    take(...updates)
    const result = folder.get(creation.operation)!
    assert.equal(result.name?.value, 'idea.md')
    assert.equal(result.deleted?.value, true)
    assert.equal(folder.parentOf(result.id), parent)
  }
})

test('of two changes of a field before one is on the disk the later counts, in any order', () => {
  const { operations, take, folder } = server('a')
  const made = operations.create(request(1), { parent: '', name: 'plan.md' }, '')
  take(...made)
  const entry = folder.get(request(1).operation)!
  const renamed = ['idea.md', 'work.md'].map((name, at) =>
    operations.rename(request(2 + at), entry, name),
  )
  for (const updates of [renamed, renamed.toReversed()]) {
    const other = server('b')
    other.take(...made, ...updates)
    assert.equal(other.folder.get(entry.id)!.name?.value, 'work.md')
  }
})

/** A server with directories, made by paths. */
function withTree(...paths: string[]) {
  const made = server('a')
  let count = 0
  const fresh = () => request(100 + ++count)
  const find = (path: string) => made.folder.find(path)!
  const spot = (path: string) => {
    const [name, ...above] = path.split('/').reverse()
    return { parent: above.length === 0 ? '' : find(above.reverse().join('/')).id, name: name! }
  }
  const directory = (path: string) => made.take(made.operations.makeDirectory(fresh(), spot(path)))
  const file = (path: string) => made.take(...made.operations.create(fresh(), spot(path), 'text'))
  for (const path of paths) {
    if (path.endsWith('/')) directory(path.slice(0, -1))
    else file(path)
  }
  return { ...made, fresh, find, spot, directory, file }
}

const refused = (code: string, message: string) => ({ code, message })
const noDirectory = refused('not-found', 'No such directory.')

test('a file or directory is made where there is a directory, and nothing has its name', () => {
  const { operations, fresh, find, spot, folder, file, take } = withTree('specs/', 'specs/a.md')
  assert.equal(folder.pathOf(find('specs/a.md').id), 'specs/a.md')
  const inFile = { parent: find('specs/a.md').id, name: 'x' }
  const unknown = { parent: request(99).operation, name: 'x' }
  for (const where of [inFile, unknown]) {
    assert.throws(() => operations.create(fresh(), where, ''), noDirectory)
    assert.throws(() => operations.makeDirectory(fresh(), where), noDirectory)
  }
  const taken = refused('taken', '"a.md" is here already; choose another name.')
  assert.throws(() => operations.makeDirectory(fresh(), spot('specs/A.MD')), taken)
  file('a.md')
  const specs = find('specs')
  take(operations.setDeleted(fresh(), specs, true))
  const inTrash = { parent: specs.id, name: 'x' }
  assert.throws(() => operations.create(fresh(), inTrash, ''), noDirectory)
  for (const name of ['', '.', '..', 'a/b', 'a\\b', 'CON', 'a.', '.git', '\u202e', '\ud800']) {
    const made = () => operations.makeDirectory(fresh(), { parent: '', name })
    assert.throws(made, { code: 'invalid' }, JSON.stringify(name))
    // Nor is it later what it was not allowed to be then.
    const late = () => operations.create({ ...fresh(), isLate: true }, { parent: '', name }, '')
    assert.throws(late, { code: 'invalid' }, JSON.stringify(name))
  }
  const nowhere = { parent: '..', name: 'x' }
  assert.throws(() => operations.create({ ...fresh(), isLate: true }, nowhere, ''), noDirectory)
})

test('a directory is never moved into itself, into a file, or into the trash', () => {
  const { operations, fresh, find, take } = withTree('a/', 'a/b/', 'a/b/c/', 'file.md', 'old/')
  const move = (path: string, parent: string, name = '') =>
    operations.move(fresh(), find(path), { parent, name })
  const itself = refused('invalid', 'A directory cannot lie in itself.')
  for (const path of ['a', 'a/b', 'a/b/c']) assert.throws(() => move('a', find(path).id), itself)
  assert.throws(() => move('a', find('file.md').id), noDirectory)
  assert.throws(() => move('a', request(99).operation), noDirectory)
  const old = find('old').id
  take(operations.setDeleted(fresh(), find('old'), true))
  assert.throws(() => move('a', old), noDirectory)
  assert.throws(() => move('a/b', '', 'x/y'), { code: 'invalid' })
  assert.throws(() => move('a/b', '', 'File.md'), { code: 'taken' })
  take(move('a/b', '', 'top'))
  assert.equal(find('top/c').name?.value, 'c')
  assert.equal(find('a/b'), undefined)
  take(move('a', find('top/c').id))
  assert.ok(find('top/c/a'))
})

test('what is in a trashed directory is not restored by itself', () => {
  const { operations, fresh, find, take, folder } = withTree('a/', 'a/b.md', 'a/c.md')
  const [a, b, c] = [find('a'), find('a/b.md'), find('a/c.md')]
  take(operations.setDeleted(fresh(), b, true), operations.setDeleted(fresh(), a, true))
  const text = 'It is in the trash with "a": restore that, or move this out of it first.'
  for (const entry of [b, c]) {
    assert.throws(() => operations.setDeleted(fresh(), entry, false), refused('invalid', text))
  }
  take(operations.move(fresh(), c, { parent: '', name: '' }))
  assert.equal(folder.pathOf(c.id), 'c.md')
  assert.equal(folder.isTrashed(c.id), false)
  take(operations.setDeleted(fresh(), a, false))
  take(operations.setDeleted(fresh(), b, false))
  assert.equal(find('a/b.md').id, b.id)
})

test('a path has at most 64 names and 1,024 bytes, whatever is moved or renamed', () => {
  const { operations, fresh, find, directory, file, take } = withTree()
  const deep = (top: string, count: number) => [top, ...Array<string>(count - 1).fill('x')]
  for (let count = 1; count <= 63; count++) directory(deep('a', count).join('/'))
  const bottom = deep('a', 63).join('/')
  file(`${bottom}/64`)
  directory(`${bottom}/d`)
  const tooDeep = refused('too-large', 'A path has at most 64 names.')
  assert.throws(() => file(`${bottom}/d/65`), tooDeep)
  directory('b')
  const into = (path: string, parent: string) =>
    operations.move(fresh(), find(path), { parent: find(parent).id, name: '' })
  assert.throws(() => into('a', 'b'), tooDeep)
  take(into('a/x', 'b'))

  const long = 'é'.repeat(127)
  for (const [index, path] of [long, `${long}/${long}`, `${long}/${long}/${long}`].entries()) {
    directory(path)
    assert.equal(Buffer.byteLength(path), 254 + 255 * index)
  }
  const third = `${long}/${long}/${long}`
  // 764 bytes, a slash, and 255 are 1,020.
  directory(`${third}/${'n'.repeat(255)}`)
  const tooLong = refused('too-large', 'A path has at most 1024 bytes.')
  assert.throws(() => file(`${third}/${'n'.repeat(255)}/1234`), tooLong)
  file(`${third}/${'n'.repeat(255)}/123`)
  const rename = (path: string, name: string) => operations.rename(fresh(), find(path), name)
  assert.throws(() => rename(long, `${long}x`), tooLong)
  take(rename(long, 'short'))
  take(into('short', 'b'))
  assert.ok(find(`b/short/${long}/${long}/${'n'.repeat(255)}/123`))
})

test('directories made for what is to lie below them are the same on servers that do not meet', () => {
  const [a, b] = [server('a'), server('b')]
  const names = ['src', 'core']
  const [ofA, ofB] = [a, b].map(({ operations }, index) =>
    operations.makeDirectories(request(30 + index), '', names),
  ) as [NewUpdate[], NewUpdate[]]
  assert.deepEqual(
    ofA.map(({ subject }) => subject),
    ofB.map(({ subject }) => subject),
  )
  assert.deepEqual(
    ofA.map(({ operation }) => operation),
    ['', request(30).operation],
  )
  a.take(...ofA, ...ofB)
  b.take(...ofB, ...ofA)
  for (const { folder } of [a, b]) {
    const all = [...folder.list({ directory: '', isRecursive: true, inTrash: false })]
    assert.deepEqual(
      all.map(({ id }) => folder.pathOf(id)),
      ['src', 'src/core'],
    )
  }
  // In the trash, or elsewhere: then others are made, the same by all who do it at once.
  const both = (...updates: NewUpdate[]) => [a, b].forEach(({ take }) => take(...updates))
  for (let life = 0; life < 3; life++) {
    const { folder, operations } = a
    const [src, core] = [folder.find('src')!, folder.find('src/core')!]
    both(operations.setDeleted(request(40 + life), core, true))
    both(operations.rename(request(50 + life), src, `source ${life}`))
    const again = operations.makeDirectories(request(60 + life), '', ['src'])
    const below = b.operations.makeDirectories(request(70 + life), '', names)
    both(...again, ...below)
    assert.ok(folder.find('src/core'))
    assert.equal(folder.find('src (2)'), undefined)
    assert.equal(folder.find(`source ${life}/core`), undefined)
  }
  assert.throws(() => a.operations.makeDirectories(request(43), '', ['..', 'x']), {
    code: 'invalid',
  })
  assert.throws(() => a.operations.makeDirectories(request(43), '', ['y', '..']), {
    code: 'invalid',
  })
})

test('what was made without a server is not refused for what others did meanwhile', () => {
  const { folder, operations, take } = server('a')
  take(...operations.create(request(1), { parent: '', name: 'plan.md' }, ''))
  const late = (byte: number) => ({ ...request(byte), isLate: true })
  take(...operations.create(late(2), { parent: '', name: 'Plan.md' }, ''))
  assert.equal(folder.shownName(request(2).operation), 'Plan (2).md')
  take(operations.makeDirectory(request(3), { parent: '', name: 'ideas' }))
  const directory = folder.get(request(3).operation)!
  take(operations.setDeleted(request(4), directory, true))
  take(...operations.create(late(5), { parent: directory.id, name: 'one.md' }, 'text'))
  assert.equal(folder.pathOf(request(5).operation), 'one.md', 'not in the trash unseen')
  // It may come from another server yet; then this is in it.
  const unknown = request(9).operation
  take(...operations.create(late(6), { parent: unknown, name: 'two.md' }, ''))
  assert.equal(folder.pathOf(request(6).operation), 'two.md')
  take(operations.makeDirectory(request(9), { parent: '', name: 'later' }))
  assert.equal(folder.pathOf(request(6).operation), 'later/two.md')
  const anything = { parent: 'x'.repeat(1000), name: 'three.md' }
  assert.throws(() => operations.create(late(10), anything, ''), noDirectory)
  const one = folder.get(request(5).operation)!
  take(operations.rename(late(7), one, 'two.md'))
  assert.throws(() => operations.rename(late(8), one, '..'), /name/)
  assert.throws(() => operations.move(late(8), one, { parent: directory.id, name: '' }))
})

test('G8 a file of bytes that two servers make or change by one operation is one, without a conflict', () => {
  const [a, b] = [server('a'), server('b')]
  const spot = { parent: '', name: 'logo.png' }
  const first = { hash: 'aa'.repeat(32), size: 1, base: '' }
  const made = [a, b].map(({ operations }) => operations.createBinary(request(1), spot, first))
  for (const each of [a, b]) each.take(...made)
  const second = { hash: 'bb'.repeat(32), size: 2, base: first.hash }
  const changed = [a, b].map(({ operations, folder }) =>
    operations.setContent(request(2), folder.get(request(1).operation)!, second),
  )
  for (const each of [a, b]) {
    each.take(...changed)
    const entry = each.folder.get(request(1).operation)!
    assert.deepEqual(
      history(entry).map(({ hash, author }) => [hash, author]),
      [
        [second.hash, 'ada'],
        [first.hash, 'ada'],
      ],
    )
    assert.equal(hasConflict(entry), false)
  }
})

test('what bytes were made from is named by a hash, or by nothing', () => {
  const { operations, find, fresh } = withTree('a.png')
  const bytes = { hash: 'aa'.repeat(32), size: 1 }
  for (const base of ['x', 'AA'.repeat(32), 'aa'.repeat(33)]) {
    const change = () => operations.setContent(fresh(), find('a.png'), { ...bytes, base })
    assert.throws(change, { code: 'invalid' }, base)
  }
  operations.setContent(fresh(), find('a.png'), { ...bytes, base: '' })
})
