// What a mirror notes: each text once, handed on from what is under way to what is common.

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { earlierBytesMax, earlierMax, earlierMin } from '../../core/mirror/base-choice.ts'
import type { Reach } from '../../core/mirror/reach.ts'
import { MirrorStore, type CommonRow, type Intent } from './store.ts'

function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'fourfold-store-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return directory
}

const row = (id: string, version: string): CommonRow => {
  const stamp = { size: 1, modifiedNs: 2n ** 60n, changedNs: 3n }
  return { id, path: `${id}.md`, kind: 'text', version, identity: 'i', stamp }
}

const intentOf = (operation: string, text: string): Intent => ({
  operation,
  file: `${operation}.md`,
  isNew: true,
  path: `${operation}.md`,
  identity: 'i',
  text,
  version: 'v',
  baseText: '',
  stamp: { size: 1, modifiedNs: 2n ** 60n, changedNs: 3n },
  isRescue: false,
})

/** How many texts the file of a store holds. */
function textsIn(directory: string): number {
  const database = new DatabaseSync(join(directory, '.fourfold', 'mirror.sqlite'))
  const { count } = database.prepare('SELECT count(*) AS count FROM texts').get()!
  database.close()
  return Number(count)
}

test('12 beside the texts that were noted there is half a megabyte of notes, after a long one, too', (t) => {
  const directory = directoryFor(t)
  const store = new MirrorStore(directory)
  for (let index = 0; index < 60; index++) {
    store.addIntent(intentOf(`${index}`, `${index} `.repeat(20_000)))
  }
  const sizeNow = () => statSync(join(directory, '.fourfold', 'mirror.sqlite-wal')).size
  const size = sizeNow()
  store.addIntent(intentOf('long', 'x'.repeat(5_000_000)))
  store.setMeta('key', 'value')
  const sizeLater = sizeNow()
  store.close()
  for (const each of [size, sizeLater]) assert.ok(each < 512 * 1024, `${each}`)
})

test('what was answered is common with the text that was noted before', (t) => {
  const directory = directoryFor(t)
  const first = new MirrorStore(directory)
  for (const operation of ['a', 'b', 'empty']) {
    first.addIntent(intentOf(operation, operation === 'empty' ? '' : `of ${operation}`))
  }
  first.close()
  const second = new MirrorStore(directory)
  assert.deepEqual(second.intents(), [
    intentOf('a', 'of a'),
    intentOf('b', 'of b'),
    intentOf('empty', ''),
  ])
  second.together(() => {
    second.keep(row('a', '1'), { intent: 'a' })
    for (const { operation } of second.intents()) second.removeIntent(operation)
  })
  assert.deepEqual([second.text('a'), second.intents()], ['of a', []])
  second.close()
  assert.equal(textsIn(directory), 1)
})

test('a text that is replaced is one of the earlier ones, and is forgotten with its file', (t) => {
  const directory = directoryFor(t)
  const store = new MirrorStore(directory)
  store.keep(row('a', '1'), 'one')
  const place = { path: 'a.md', temporary: 't', displaced: 'd', identity: 'i' }
  store.addWork({ id: 'a', ...place, version: '2', text: 'two' })
  assert.equal(store.works()[0]?.text, 'two')
  store.together(() => {
    store.keepEarlier('a', 5)
    store.keep(row('a', '2'), { work: 'a' })
    store.removeWork('a')
  })
  assert.equal(store.text('a'), 'two')
  assert.deepEqual(
    store.earlier('a').map(({ text, version }) => ({ text, version })),
    [{ text: 'one', version: '1' }],
  )
  store.forget('a')
  store.close()
  assert.equal(textsIn(directory), 0)
})

test('the earlier texts of ten minutes of typing stay, and of long ones the newest few', (t) => {
  const store = new MirrorStore(directoryFor(t))
  const rewrite = (count: number, text: (index: number) => string) => {
    store.together(() => {
      for (let index = 0; index < count; index++) {
        store.keep(row('a', `${index}`), text(index))
        store.keepEarlier('a', index)
      }
    })
    return store.earlier('a').map((each) => each.text)
  }
  const short = rewrite(earlierMax + 10, (index) => `text ${index}`)
  assert.deepEqual([short.length, short[0]], [earlierMax, `text ${earlierMax + 9}`])
  assert.equal(short.at(-1), 'text 10')
  // Two bytes each.
  const long = rewrite(earlierMin + 1, () => 'é'.repeat(earlierBytesMax / 4))
  assert.equal(long.length, earlierMin)
  store.close()
})

test('what an earlier version of the program noted is understood', (t) => {
  const directory = directoryFor(t)
  mkdirSync(join(directory, '.fourfold'))
  const database = new DatabaseSync(join(directory, '.fourfold', 'mirror.sqlite'))
  database.exec(`
    CREATE TABLE common (
      id TEXT PRIMARY KEY, path TEXT NOT NULL, kind TEXT NOT NULL, version TEXT NOT NULL,
      identity TEXT NOT NULL, size INTEGER, modified INTEGER, changed INTEGER, text TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE earlier (
      id TEXT NOT NULL, version TEXT NOT NULL, text TEXT NOT NULL, replaced_at REAL NOT NULL
    ) STRICT;
    CREATE TABLE intents (operation TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE works (id TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE displaced (file TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    INSERT INTO common VALUES ('b', 'b.md', 'text', '1', 'i', NULL, NULL, NULL, 'of b');
    INSERT INTO common VALUES ('a', 'a.md', 'text', '1', 'i', 1, 2, 3, 'of a');
    INSERT INTO intents VALUES ('o', '{"operation":"o","text":"of o"}');
    INSERT INTO works VALUES ('w', '{"id":"w","text":"of w"}');
    INSERT INTO works VALUES ('x', '{"id":"x","text":"of x"}');
    PRAGMA user_version = 2;
  `)
  database.close()
  const store = new MirrorStore(directory)
  assert.deepEqual([store.text('a'), store.text('b')], ['of a', 'of b'])
  assert.deepEqual(
    store
      .commons()
      .map(({ id, stamp }) => `${id} ${stamp?.size}`)
      .toSorted(),
    ['a 1', 'b undefined'],
  )
  assert.deepEqual(
    store.intents().map(({ operation, text }) => [operation, text]),
    [['o', 'of o']],
  )
  assert.deepEqual(
    store.works().map(({ id, text }) => [id, text]),
    [
      ['w', 'of w'],
      ['x', 'of x'],
    ],
  )
  store.close()
})

test('how far a text had come is known until it is told anew, or bytes take its place', (t) => {
  const store = new MirrorStore(directoryFor(t))
  const [far, farther] = [
    { units: 3, groups: [[1, 3]] },
    { units: 4, groups: [[1, 4]] },
  ] as Reach[]
  store.keep(row('a', '1'), 'text', far)
  assert.deepEqual(store.reach('a'), far)
  store.keep(row('a', '2'), 'other')
  assert.deepEqual([store.reach('a'), store.text('a')], [far, 'other'])
  store.keep(row('a', '3'), 'third', farther)
  assert.deepEqual(store.reach('a'), farther)
  store.keepReach('a', undefined)
  assert.equal(store.reach('a'), undefined)
  assert.equal(store.reach('b'), undefined)
  store.close()
})
