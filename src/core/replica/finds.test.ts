// Finding by words of the path: what is found, what comes first, how much was looked at.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { Folder } from '../model/folder.ts'
import { findWordsMax } from '../model/limits.ts'
import { EntrySchema, Kind } from '../model/wire.ts'
import { find } from './finds.ts'

function folderOf(paths: string[]): Folder {
  const folder = new Folder()
  let counter = 0
  for (const path of paths) {
    const isDirectory = path.endsWith('/')
    const id = isDirectory ? path.slice(0, -1) : path
    const stamp = { counter: ++counter, origin: 'a' }
    folder.apply(
      create(EntrySchema, {
        id,
        kind: isDirectory ? Kind.DIRECTORY : Kind.TEXT,
        created: stamp,
        name: { value: id.slice(id.lastIndexOf('/') + 1), stamp },
        parent: { value: id.slice(0, Math.max(0, id.lastIndexOf('/'))), stamp },
      }),
    )
  }
  return folder
}

const folder = folderOf([
  'docs/',
  'docs/Start/',
  'docs/Start/guide.md',
  'docs/start.md',
  'guide to docs start.md',
  'src/',
  'src/main.ts',
])

const found = (words: string, rest: Partial<Parameters<typeof find>[1]> = {}) => {
  const { best } = find(folder, { words, directory: '', kinds: 'both', limit: 10, ...rest })
  return best.map(({ id }) => id)
}

test('all words are in the path, in any case; those with all in their name come first', () => {
  assert.deepEqual(found('start guide'), ['guide to docs start.md', 'docs/Start/guide.md'])
  assert.deepEqual(found('START'), [
    'docs/Start',
    'docs/start.md',
    'guide to docs start.md',
    'docs/Start/guide.md',
  ])
  assert.deepEqual(found('docs/st g'), ['docs/Start/guide.md'])
  assert.deepEqual(found('nowhere'), [])
})

test('only files, only directories, only some, only below a directory', () => {
  assert.deepEqual(found('', { kinds: 'directories' }), ['src', 'docs', 'docs/Start'])
  assert.deepEqual(found('', { kinds: 'files', limit: 2 }), ['src/main.ts', 'docs/start.md'])
  assert.deepEqual(found('start', { directory: 'docs/Start' }), ['docs/Start/guide.md'])
})

test('it is told how many there are, and among how many', () => {
  const all = { words: 'start', directory: '', kinds: 'both' as const, limit: 1 }
  const { found: count, looked } = find(folder, all)
  assert.deepEqual([count, looked], [4, 7])
})

test('a search has a bounded number of words', () => {
  const words = (count: number) => Array.from({ length: count }, () => 'a').join(' ')
  assert.ok(found(words(findWordsMax)))
  assert.throws(() => found(words(findWordsMax + 1)), { code: 'too-large' })
})
