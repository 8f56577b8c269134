// The folder by gRPC: what whole-file clients of other makers save, list, file and watch.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'

import * as grpc from '@grpc/grpc-js'

import { clientOf, failsWith, folder, watching, type Answer } from './grpc-client.ts'
import { startLone } from './lone-server.ts'

/** What is listed, by path, through as many pages as it takes. */
function placeOf(answer: Answer): [path: string, isDeleted: boolean] {
  const { path, isDeleted } = answer['file'] as { path: string; isDeleted: boolean }
  return [path, isDeleted]
}

async function listed(
  call: (method: string, request: object) => Promise<Answer>,
  request: object,
): Promise<string[]> {
  const paths: string[] = []
  let page = ''
  do {
    const answer = await call('listFiles', { ...request, page })
    for (const { path, kind } of answer['files'] as { path: string; kind: string }[]) {
      paths.push(kind === 'KIND_DIRECTORY' ? `${path}/` : path)
    }
    page = answer['nextPage'] as string
  } while (page !== '')
  return paths
}

test('14 two whole-file saves of one base keep both', async (t) => {
  const { address } = await startLone(t)
  const { call } = clientOf(t, address, folder)
  const { version } = await call('saveFile', { file: 'a.txt', text: 'one\ntwo\nthree\n' })
  const baseVersion = version
  await call('saveFile', { file: 'a.txt', text: 'ONE\ntwo\nthree\n', baseVersion })
  await call('saveFile', { file: 'a.txt', text: 'one\ntwo\nTHREE\n', baseVersion })
  assert.equal((await call('readFile', { file: 'a.txt' }))['text'], 'ONE\ntwo\nTHREE\n')
})

test('an operation has one effect, however often it is sent, and one content', async (t) => {
  const { address } = await startLone(t)
  const { call } = clientOf(t, address, folder)
  const operation = Buffer.from(randomBytes(16)).toString('base64url')
  const first = await call('saveFile', { file: 'once.md', text: 'once', operation })
  const second = await call('saveFile', { file: 'once.md', text: 'once', operation })
  assert.deepEqual(second['file'], first['file'])
  const { files } = await call('listFiles', {})
  assert.equal((files as Answer[]).length, 1)
})

test('what is to be a new file is merged into no other', async (t) => {
  const { address } = await startLone(t)
  const { call } = clientOf(t, address, folder)
  const fresh = () => Buffer.from(randomBytes(16)).toString('base64url')
  const asked = { file: 'plan.md', text: 'mine\n', isNew: true, operation: fresh() }
  const made = await call('saveFile', asked)
  assert.deepEqual((await call('saveFile', asked))['file'], made['file'])
  const taken = failsWith(grpc.status.ALREADY_EXISTS, /^"plan.md" is here already/)
  await assert.rejects(call('saveFile', { ...asked, operation: fresh() }), taken)
  await assert.rejects(call('saveFile', { ...asked, file: 'PLAN.md', operation: fresh() }), taken)
  const { id } = made['file'] as { id: string }
  await call('moveFile', { file: id, path: 'moved.md' })
  await call('saveFile', { ...asked, text: 'of another\n', operation: fresh() })
  const again = await call('saveFile', asked)
  assert.deepEqual(again['file'], {
    ...(made['file'] as object),
    name: 'moved.md',
    path: 'moved.md',
  })
  assert.equal((await call('readFile', { file: 'plan.md' }))['text'], 'of another\n')
  await call('deleteFile', { file: id })
  const dead = (await call('saveFile', asked))['file'] as { isDeleted: boolean }
  assert.equal(dead.isDeleted, true)
})

test('a text at the limit comes whole, one over it is refused', async (t) => {
  const { address } = await startLone(t)
  const { call } = clientOf(t, address, folder, {
    'grpc.max_receive_message_length': 16 * 1024 * 1024,
  })
  const text = 'x'.repeat(10 * 1024 * 1024)
  await call('saveFile', { file: 'large.txt', text })
  assert.equal((await call('readFile', { file: 'large.txt' }))['text'], text)
  await assert.rejects(
    call('saveFile', { file: 'larger.txt', text: `${text}x` }),
    failsWith(grpc.status.RESOURCE_EXHAUSTED, /at most 10485760 bytes/),
  )
})

test('the listing comes in pages of any size, and a page belongs to its list', async (t) => {
  const { address } = await startLone(t)
  const { call } = clientOf(t, address, folder)
  for (const name of ['c', 'a', 'b']) await call('saveFile', { file: name, text: name })
  const names: unknown[] = []
  let page = ''
  do {
    const answer = await call('listFiles', { pageSize: 1, page })
    const files = answer['files'] as Answer[]
    assert.equal(files.length, 1)
    names.push(files[0]!['name'])
    page = answer['nextPage'] as string
  } while (page !== '')
  assert.deepEqual(names, ['a', 'b', 'c'])
  const size = async (pageSize: number) =>
    ((await call('listFiles', { pageSize }))['files'] as Answer[]).length
  assert.deepEqual([await size(0), await size(-1), await size(2 ** 31 - 1)], [3, 1, 3])
  const first = await call('listFiles', { pageSize: 1 })
  for (const wrong of [first['nextPage'] as string, 'rubbish', 'bnVsbA']) {
    await assert.rejects(
      call('listFiles', { page: wrong, inTrash: true }),
      failsWith(grpc.status.INVALID_ARGUMENT, /not one of this list/),
    )
  }
})

test('directories are made, listed, moved, deleted and restored by path', async (t) => {
  const { address } = await startLone(t)
  const { call } = clientOf(t, address, folder)
  const made = await call('makeDirectory', { path: 'specs' })
  assert.deepEqual(made['servers'], ['a'])
  const specs = made['file'] as Answer
  assert.equal(specs['kind'], 'KIND_DIRECTORY')
  assert.equal(specs['path'], 'specs')
  const deep = await call('makeDirectory', { path: 'specs/old/2025', hasParents: true })
  assert.equal((deep['file'] as Answer)['path'], 'specs/old/2025')
  const again = await call('makeDirectory', { path: 'Specs/OLD/2025', hasParents: true })
  assert.deepEqual(again['file'], deep['file'])
  const saved = await call('saveFile', { file: 'specs/launch.md', text: 'go\n' })
  const launch = saved['file'] as Answer
  assert.equal(launch['name'], 'launch.md')
  assert.equal(launch['parent'], specs['id'])
  await call('saveFile', { file: 'specs/launch.md', text: 'go now\n' })
  await call('saveFile', { file: 'launch.md', text: 'another' })
  await call('saveFile', { file: 'specs/old/2025/x.md', text: 'x' })
  assert.equal((await call('readFile', { file: 'specs/launch.md' }))['text'], 'go now\n')

  const all = ['launch.md', 'specs/', 'specs/launch.md', 'specs/old/', 'specs/old/2025/']
  const tree = [...all, 'specs/old/2025/x.md']
  for (const pageSize of [1, 2, 3, 0]) {
    assert.deepEqual(await listed(call, { isRecursive: true, pageSize }), tree)
  }
  assert.deepEqual(await listed(call, {}), ['launch.md', 'specs/'])
  const inSpecs = ['specs/launch.md', 'specs/old/']
  for (const directory of ['specs', specs['id'], 'SPECS']) {
    assert.deepEqual(await listed(call, { directory, pageSize: 1 }), inSpecs)
  }

  await call('moveFile', { file: 'specs/old', path: 'archive' })
  await call('renameFile', { file: 'archive/2025', name: '2026' })
  const moved = await call('moveFile', { file: launch['id'], path: 'archive/2026/Launch.md' })
  assert.equal((moved['file'] as Answer)['path'], 'archive/2026/Launch.md')
  assert.equal((moved['file'] as Answer)['id'], launch['id'])
  const afterwards = ['archive/', 'archive/2026/', 'archive/2026/Launch.md', 'archive/2026/x.md']
  assert.deepEqual(await listed(call, { directory: 'archive', isRecursive: true }), [
    ...afterwards.slice(1),
  ])

  await call('deleteFile', { file: 'archive/2026/x.md' })
  const gone = (await call('deleteFile', { file: 'archive' }))['file'] as Answer
  assert.equal(gone['isDeleted'], true)
  assert.deepEqual(await listed(call, { isRecursive: true }), ['launch.md', 'specs/'])
  assert.deepEqual(await listed(call, { inTrash: true }), ['archive/', 'archive/2026/x.md'])
  const inArchive = { directory: 'archive', isRecursive: true, inTrash: true }
  assert.deepEqual(await listed(call, inArchive), ['archive/2026/', 'archive/2026/Launch.md'])
  await assert.rejects(
    call('readFile', { file: launch['id'] }),
    failsWith(grpc.status.NOT_FOUND, 'No such file.'),
  )
  await assert.rejects(
    call('restoreFile', { file: 'archive/2026/x.md' }),
    failsWith(grpc.status.INVALID_ARGUMENT, /in the trash with "archive"/),
  )
  // As that says: it may be moved out of there, and is in the trash by itself then, or no more.
  const out = await call('moveFile', { file: 'archive/2026/x.md', path: 'x.md' })
  assert.deepEqual(placeOf(out), ['x.md', true])
  assert.deepEqual(placeOf(await call('getFile', { file: 'x.md', inTrash: true })), ['x.md', true])
  await assert.rejects(
    call('moveFile', { file: 'x.md', path: 'y.md' }),
    failsWith(grpc.status.NOT_FOUND, 'No such file.'),
  )
  const taken = await call('moveFile', { file: launch['id'], path: 'Launch2.md' })
  assert.deepEqual(placeOf(taken), ['Launch2.md', false])
  await call('restoreFile', { file: 'archive' })
  await call('moveFile', { file: launch['id'], path: 'archive/2026/Launch.md' })
  await call('restoreFile', { file: 'x.md' })
  assert.deepEqual(await listed(call, { isRecursive: true }), [
    ...afterwards.slice(0, -1),
    'launch.md',
    'specs/',
    'x.md',
  ])
})

test('what a path cannot be is refused with a sentence', async (t) => {
  const { address } = await startLone(t)
  const { call } = clientOf(t, address, folder)
  const { NOT_FOUND, ALREADY_EXISTS, INVALID_ARGUMENT, RESOURCE_EXHAUSTED } = grpc.status
  await call('makeDirectory', { path: 'a/b', hasParents: true })
  await call('saveFile', { file: 'file.md', text: '' })
  const noDirectory = failsWith(NOT_FOUND, 'No such directory.')
  const noFile = failsWith(NOT_FOUND, 'No such file.')
  const invalid = failsWith(INVALID_ARGUMENT, /^A name /)
  const taken = failsWith(ALREADY_EXISTS, /is here already/)
  const rows: [string, object, (error: grpc.ServiceError) => boolean][] = [
    ['saveFile', { file: 'nowhere/x.md', text: '' }, noDirectory],
    ['saveFile', { file: 'file.md/x.md', text: '' }, noDirectory],
    ['saveFile', { file: 'a/b', text: '' }, failsWith(INVALID_ARGUMENT, 'That is a directory.')],
    ['saveFile', { file: '/etc/passwd', text: '' }, invalid],
    ['saveFile', { file: 'a/../../x', text: '' }, invalid],
    ['saveFile', { file: 'a/', text: '' }, invalid],
    ['saveFile', { file: 'a//x', text: '' }, invalid],
    ['saveFile', { file: 'a\\x', text: '' }, invalid],
    ['saveFile', { file: 'a/x\u0000', text: '' }, invalid],
    ['saveFile', { file: 'a/x/'.repeat(300), text: '' }, failsWith(RESOURCE_EXHAUSTED, /1024/)],
    ['readFile', { file: 'a' }, noFile],
    ['readFile', { file: '../file.md' }, noFile],
    ['listVersions', { file: 'a' }, noFile],
    ['listFiles', { directory: 'file.md' }, noDirectory],
    ['listFiles', { directory: 'nowhere' }, noDirectory],
    ['listFiles', { directory: 'a', inTrash: true }, noDirectory],
    ['makeDirectory', { path: '' }, invalid],
    ['makeDirectory', { path: '..' }, invalid],
    ['makeDirectory', { path: 'nowhere/x' }, noDirectory],
    ['makeDirectory', { path: 'a/b' }, taken],
    ['makeDirectory', { path: 'file.md', hasParents: true }, taken],
    ['makeDirectory', { path: 'file.md/x', hasParents: true }, taken],
    ['makeDirectory', { path: 'y/../x', hasParents: true }, invalid],
    ['moveFile', { file: 'nowhere', path: 'x' }, noFile],
    ['moveFile', { file: 'a', path: 'nowhere/a' }, noDirectory],
    ['moveFile', { file: 'a', path: 'file.md/a' }, noDirectory],
    ['moveFile', { file: 'a', path: 'file.md' }, taken],
    ['moveFile', { file: 'a', path: '' }, invalid],
    ['renameFile', { file: 'a/b', name: 'x/y' }, invalid],
    ['renameFile', { file: 'a', name: 'FILE.md' }, taken],
    ['deleteFile', { file: 'nowhere/x' }, noFile],
    ['restoreFile', { file: 'a/b' }, noFile],
  ]
  const itself = failsWith(INVALID_ARGUMENT, 'A directory cannot lie in itself.')
  rows.push(['moveFile', { file: 'a', path: 'a/b/c' }, itself])
  rows.push(['moveFile', { file: 'a', path: 'a/c' }, itself])
  for (const [method, request, check] of rows) {
    const why = `${method} ${JSON.stringify(request).slice(0, 100)}`
    const outcome = await call(method, request).then(
      () => assert.fail(`${why} is taken`),
      (error: grpc.ServiceError) => error,
    )
    assert.ok(check(outcome), why)
  }
  assert.deepEqual(await listed(call, { isRecursive: true }), ['a/', 'a/b/', 'file.md'])
  // An operation that was carried out is not refused when it is sent again.
  const operation = Buffer.from(randomBytes(16)).toString('base64url')
  const first = await call('makeDirectory', { path: 'once', operation })
  assert.deepEqual(
    (await call('makeDirectory', { path: 'once', operation }))['file'],
    first['file'],
  )
  assert.equal((first['file'] as Answer)['id'], operation)
})

test('a watcher hears of a directory once, and who watches a file of all above it', async (t) => {
  const { address } = await startLone(t)
  const { client, call } = clientOf(t, address, folder)
  await call('makeDirectory', { path: 'a/b', hasParents: true })
  await call('saveFile', { file: 'a/b/x.md', text: '' })
  const heard = (file: string) => watching(client, { file })
  const [all, directory, one] = [heard(''), heard('a/b'), heard('a/b/x.md')]
  for (const { until } of [all, directory, one]) await until('READY')
  await call('renameFile', { file: 'a', name: 'c' })
  await call('moveFile', { file: 'c/b', path: 'b' })
  await call('deleteFile', { file: 'b' })
  await call('restoreFile', { file: 'b' })
  await call('moveFile', { file: 'b/x.md', path: 'x.md' })
  await call('saveFile', { file: 'x.md', text: '1' })
  await call('saveFile', { file: 'b/y.md', text: '1' })
  await all.until('CREATED b/y.md')
  // Of two with one name the one made first keeps it: the other is renamed by that.
  const second = heard('b')
  await second.until('READY')
  const { file } = await call('readFile', { file: 'b/y.md' })
  await call('deleteFile', { file: 'b/y.md' })
  await call('saveFile', { file: 'b/y.md', text: '2' })
  await second.until('CREATED b/y.md')
  await call('restoreFile', { file: (file as Answer)['id'] })
  await second.until('RENAMED b/y (2).md')
  second.cancel()
  assert.deepEqual(second.events.slice(-2), ['CREATED b/y.md', 'RENAMED b/y (2).md'])
  await directory.until('RENAMED b/y (2).md')
  await one.until('CHANGED x.md')
  for (const { cancel } of [all, directory, one]) cancel()
  assert.deepEqual(all.events.slice(0, 11), [
    ...['PRESENT a', 'PRESENT a/b', 'PRESENT a/b/x.md', 'READY'],
    ...['RENAMED c', 'MOVED b', 'DELETED b', 'CREATED b', 'MOVED x.md', 'CHANGED x.md'],
    'CREATED b/y.md',
  ])
  assert.deepEqual(directory.events.slice(0, 9), [
    ...['PRESENT a/b', 'PRESENT a/b/x.md', 'READY'],
    ...['MOVED c/b', 'MOVED b', 'DELETED b', 'CREATED b', 'MOVED x.md', 'CREATED b/y.md'],
  ])
  assert.deepEqual(one.events, [
    ...['PRESENT a/b/x.md', 'READY'],
    ...['MOVED c/b/x.md', 'MOVED b/x.md', 'DELETED b/x.md', 'CREATED b/x.md', 'MOVED x.md'],
    'CHANGED x.md',
  ])
})

test('a watcher hears what is there and then each change', async (t) => {
  const { address } = await startLone(t)
  const { client, call } = clientOf(t, address, folder)
  await call('saveFile', { file: 'there.md', text: '1' })
  const { events, cancel, until } = watching(client, {})
  await until('READY')
  await call('saveFile', { file: 'there.md', text: '2' })
  await until('CHANGED there.md')
  await call('saveFile', { file: 'new.md', text: '' })
  await until('CREATED new.md')
  await call('renameFile', { file: 'new.md', name: 'newer.md' })
  await until('RENAMED newer.md')
  await call('deleteFile', { file: 'newer.md' })
  await until('DELETED newer.md')
  cancel()
  assert.deepEqual(events, [
    'PRESENT there.md',
    'READY',
    'CHANGED there.md',
    'CREATED new.md',
    'RENAMED newer.md',
    'DELETED newer.md',
  ])
})

test('many files are saved by one call, and what one is refused for is nothing to the others', async (t) => {
  const { address } = await startLone(t)
  const { call } = clientOf(t, address, folder)
  await call('saveFile', { file: 'taken.md', text: 'before\n' })
  const operation = 'AAAAAAAAAAAAAAAAAAAAAA'
  const files = [
    { file: 'one.md', text: 'one\n', isNew: true, operation },
    { file: 'taken.md', text: 'new\n', isNew: true },
    { file: 'nowhere/two.md', text: 'two\n', isNew: true },
    { file: 'taken.md', text: 'before\nafter\n' },
  ]
  const saved = async () => (await call('saveFiles', { files }))['results'] as Answer[]
  const results = await saved()
  assert.deepEqual(
    results.map(({ result }) => result),
    ['saved', 'refused', 'refused', 'saved'],
  )
  const [one, taken, nowhere] = results as [Answer, Answer, Answer]
  assert.deepEqual((one['saved'] as Answer)['servers'], ['a'])
  assert.equal((taken['refused'] as Answer)['code'], grpc.status.ALREADY_EXISTS)
  assert.match(String((taken['refused'] as Answer)['text']), /taken\.md/)
  assert.equal((nowhere['refused'] as Answer)['code'], grpc.status.NOT_FOUND)
  assert.equal((await call('readFile', { file: 'taken.md' }))['text'], 'before\nafter\n')
  // Sent again, it finds what it made.
  const [again] = await saved()
  const idOf = (result: Answer) => ((result['saved'] as Answer)['file'] as Answer)['id']
  assert.equal(idOf(again!), idOf(one))
  await assert.rejects(
    call('saveFiles', { files: Array.from({ length: 257 }, () => files[0]!) }),
    failsWith(grpc.status.INVALID_ARGUMENT, 'One call saves at most 256 files.'),
  )
})

test('many files are deleted, restored, moved and erased by one call, each or not', async (t) => {
  const { address } = await startLone(t)
  const { call } = clientOf(t, address, folder)
  for (const file of ['one.md', 'two.md', 'three.md'])
    await call('saveFile', { file, text: 'text\n' })
  await call('makeDirectory', { path: 'old' })
  const changed = async (...changes: object[]) => {
    const results = (await call('changeFiles', { changes }))['results'] as Answer[]
    return results.map(({ result, refused }) =>
      result === 'refused' ? (refused as Answer)['code'] : result,
    )
  }
  const erase = { erase: { file: 'one.md', operation: 'AAAAAAAAAAAAAAAAAAAAAQ' } }
  const remove = (file: string) => ({ delete: { file } })
  const notFound = grpc.status.NOT_FOUND
  assert.deepEqual(await changed(remove('one.md'), remove('no.md'), remove('two.md')), [
    'changed',
    notFound,
    'changed',
  ])
  const move = { move: { file: 'three.md', path: 'old/three.md' } }
  assert.deepEqual(await changed(erase, { restore: { file: 'two.md' } }, move), [
    'changed',
    'changed',
    'changed',
  ])
  // Sent again, it has no effect of its own; and a change must say what to do.
  assert.deepEqual(await changed(erase, {}), ['changed', grpc.status.INVALID_ARGUMENT])
  const { files } = await call('listFiles', { isRecursive: true })
  assert.deepEqual(
    (files as Answer[]).map(({ path }) => path),
    ['old', 'old/three.md', 'two.md'],
  )
  const { count } = await call('listFiles', { inTrash: true })
  assert.equal(count, 0)
  await assert.rejects(
    call('changeFiles', { changes: Array.from({ length: 257 }, () => erase) }),
    failsWith(grpc.status.INVALID_ARGUMENT, 'One call changes at most 256 files.'),
  )
})
