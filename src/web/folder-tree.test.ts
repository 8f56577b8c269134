// The tree that the page makes of a client's list, and the rows it shows.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FileInfo } from '../client/api.ts'
import { FolderTree, top } from './folder-tree.ts'
import { TreeRows } from './tree-rows.ts'

/** An entry by its path: its id is its path, "d/" makes a directory. */
function entry(path: string, changes: Partial<FileInfo> = {}): FileInfo {
  const names = path.split('/').filter((name) => name !== '')
  const name = names.at(-1)!
  return {
    id: names.join('/'),
    kind: path.endsWith('/') ? 'directory' : 'text',
    name,
    givenName: name,
    parent: names.slice(0, -1).join('/'),
    path: names.join('/'),
    isDeleted: false,
    isInTrashItself: false,
    deletedBy: '',
    createdBy: 'Ana',
    createdAt: 0,
    ...changes,
  }
}

const names = (files: readonly FileInfo[]) => files.map(({ name }) => name)

function rowsOf(tree: FolderTree, open: string[], wanted = '', before?: TreeRows): TreeRows {
  const options = { tree, open: new Set(open), wanted, render: () => null!, pressed: () => {} }
  return new TreeRows(options, before)
}

const shown = (rows: TreeRows) =>
  [...rows].map(({ level, textValue }) => '.'.repeat(level) + textValue)

test('directories come first, names by their numbers, whatever their case', () => {
  const tree = new FolderTree([entry('b10'), entry('B2'), entry('z/'), entry('a1')])
  assert.deepEqual(names(tree.children(top)), ['z', 'a1', 'B2', 'b10'])
})

test('what no longer waits for a server is not taken for what it was', () => {
  const waiting = new FolderTree([entry('new.md', { isWaiting: true })])
  const told = new FolderTree([entry('new.md')], waiting)
  assert.equal(told.children(top)[0]?.isWaiting, undefined)
})

test('another list sorts as if it had been the first, and keeps what did not change', () => {
  let seed = 7
  const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below
  let files: FileInfo[] = []
  let tree = new FolderTree(files)
  for (let step = 0; step < 300; step++) {
    const id = `file ${random(40)}`
    const others = files.filter((file) => file.id !== id)
    const fresh = entry(`${id}`, {
      name: `name ${random(100)}`,
      kind: random(3) ? 'text' : 'directory',
    })
    files = random(4) === 0 ? others : [...others, { ...fresh, parent: top }]
    // Clients make every entry anew.
    const next = new FolderTree(
      files.map((file) => ({ ...file })),
      tree,
    )
    const whole = new FolderTree(files)
    assert.deepEqual(names(next.children(top)), names(whole.children(top)))
    for (const { id: same } of others) assert.equal(next.get(same), tree.get(same))
    tree = next
  }
})

test('what lies in a trashed directory is not shown, and is not in the trash by itself', () => {
  const tree = new FolderTree([
    entry('docs/', { isDeleted: true, isInTrashItself: true }),
    entry('docs/a', { isDeleted: true }),
    entry('docs/b', { isDeleted: true, isInTrashItself: true }),
    entry('c'),
  ])
  assert.deepEqual(names(tree.children(top)), ['c'])
  assert.deepEqual(names(tree.trash), ['docs', 'b'])
  assert.equal(tree.size, 1)
})

test('an entry of a directory that is not known is at the top', () => {
  const tree = new FolderTree([entry('lost/a')])
  assert.deepEqual(names(tree.children(top)), ['a'])
  assert.deepEqual(tree.ancestors('lost/a'), [])
})

test('of several entries the outermost are enough', () => {
  const tree = new FolderTree([entry('a/'), entry('a/b/'), entry('a/b/c'), entry('d')])
  assert.deepEqual(names(tree.outermost(['a/b/c', 'a/b', 'd', 'gone'])), ['b', 'd'])
  assert.deepEqual(names(tree.ancestors('a/b/c')), ['a', 'b'])
  assert.ok(tree.isWithin('a/b/c', new Set(['a'])))
  assert.ok(!tree.isWithin('d', new Set(['a'])))
})

test('rows are what is in open directories, each with its place among its siblings', () => {
  const tree = new FolderTree([
    entry('a/'),
    entry('a/b/'),
    entry('a/b/c'),
    entry('a/d'),
    entry('e'),
  ])
  assert.deepEqual(shown(rowsOf(tree, [])), ['a', 'e'])
  const rows = rowsOf(tree, ['a', 'a/b'])
  assert.deepEqual(shown(rows), ['a', '.b', '..c', '.d', 'e'])
  assert.deepEqual(rows.rowOf('a/d'), {
    entry: tree.get('a/d'),
    level: 1,
    index: 1,
    setSize: 2,
    isOpen: false,
  })
  assert.equal(rows.getKeyAfter('a/b/c'), 'a/d')
  assert.equal(rows.getKeyBefore('a'), null)
  assert.equal(rows.getKeyAfter('e'), null)
  assert.equal(rows.getKeyAfter('gone'), null)
  assert.equal(rows.parentRow('a/b/c')?.entry.id, 'a/b')
  assert.equal(rows.getLastKey(), 'e')
})

test('a filter shows what matches, with the directories above it', () => {
  const tree = new FolderTree([
    entry('a/'),
    entry('a/b/'),
    entry('a/b/see'),
    entry('a/d'),
    entry('e'),
  ])
  assert.deepEqual(shown(rowsOf(tree, [], 'see')), ['a', '.b', '..see'])
  assert.deepEqual(shown(rowsOf(tree, [], 'B SEE')), ['a', '.b', '..see'])
  assert.deepEqual(shown(rowsOf(tree, ['a'], 'nowhere')), [])
})

test('a row that did not change is the same node, so that it is not drawn again', () => {
  const files = [entry('a/'), entry('a/b'), entry('c')]
  const tree = new FolderTree(files)
  const before = rowsOf(tree, ['a'])
  const nodes = [...before]
  const after = rowsOf(new FolderTree([...files, entry('d')], tree), ['a'], '', before)
  assert.equal(after.getItem('a/b'), nodes[1])
  assert.notEqual(after.getItem('c'), nodes[2], 'it has a sibling more')
})

test('a file that holds other bytes is another', () => {
  const bytes = { hash: 'x', size: 3, hasConflict: false }
  const before = new FolderTree([entry('a', { kind: 'binary', bytes })])
  const same = new FolderTree([entry('a', { kind: 'binary', bytes: { ...bytes } })], before)
  assert.equal(same.get('a'), before.get('a'))
  for (const change of [{ hash: 'y' }, { hasConflict: true }]) {
    const fresh = entry('a', { kind: 'binary', bytes: { ...bytes, ...change } })
    assert.equal(new FolderTree([fresh], before).get('a'), fresh)
  }
})
