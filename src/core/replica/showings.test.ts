// What clients are told of the folder that show only a part of it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { Folder } from '../model/folder.ts'
import { shownMax } from '../model/limits.ts'
import { EntrySchema, Extent, HelloSchema, Kind, type Entry } from '../model/wire.ts'
import { Showings } from './showings.ts'
import { Visitor } from './visitor.ts'
import { Voice } from './voice.ts'

const rates = { pushesPerSecond: 1, pushBurst: 1, caretsPerSecond: 1 }
let counter = 0
const stamp = () => ({ counter: ++counter, origin: 'a' })

function made(id: string, parent = '', kind: Kind = Kind.TEXT, name = id): Entry {
  return create(EntrySchema, {
    id,
    kind,
    created: stamp(),
    name: { value: name, stamp: stamp() },
    parent: { value: parent, stamp: stamp() },
  })
}

class Desk {
  readonly folder = new Folder()
  readonly #voice = new Voice()
  readonly showings = new Showings(this.folder, this.#voice)
  #channels = 0

  visitor(): Visitor {
    const own = { key: new Uint8Array(16), name: 'ada', protocol: 1 }
    const asked = create(HelloSchema, { ...own, showsDirectories: true })
    return new Visitor(0, ++this.#channels, asked, rates)
  }

  show(visitor: Visitor, entry: string, extent: Extent): void {
    const value = { $typeName: 'fourfold.v1.Show' as const, entry, extent, number: 7 }
    this.showings.show(visitor, value)
  }

  take(...changes: Entry[]): void {
    for (const change of changes) this.showings.changed(this.folder.apply(change))
    this.showings.renumbered(this.folder.takeRenumbered())
    this.showings.gone([...this.folder.takeHidden().keys()])
  }

  /** What was told since the last look: "1: D a" of changes, "1 D: D a." of listings, to their end; "-D": gone. */
  heard(): string[] {
    return this.#voice.take().flatMap((output) => {
      if (output.type === 'hangUp') return [`${output.channel} hung up`]
      if (output.type !== 'send' || output.message.message.case !== 'entries') return []
      const { entries, isComplete, shown, names, gone } = output.message.message.value
      const told = entries.map(({ id }) => (names[id] ? `${id}=${names[id]}` : id))
      const ids = [...told, ...gone.map((id) => `-${id}`)].join(' ')
      const of = shown === undefined ? '' : ` ${shown || 'top'}`
      return output.channels.map((channel) => `${channel}${of}: ${ids}${isComplete ? '.' : ''}`)
    })
  }
}

test('a directory is listed with those above it, directories first, the trash left out', () => {
  const desk = new Desk()
  const ada = desk.visitor()
  desk.take(made('D', '', Kind.DIRECTORY), made('E', 'D', Kind.DIRECTORY), made('a', 'E'))
  desk.take(made('z', 'E', Kind.DIRECTORY), made('b', 'E'), made('c', 'D'))
  desk.take(create(EntrySchema, { id: 'b', deleted: { value: true, stamp: stamp() } }))
  desk.show(ada, 'E', Extent.OPEN)
  assert.deepEqual(desk.heard(), ['1 E: D E z a.'])
  desk.show(ada, '', Extent.OPEN)
  assert.deepEqual(desk.heard(), ['1 top: D.'])
  desk.show(ada, 'a', Extent.ALONE)
  assert.deepEqual(desk.heard(), ['1 a: D E a.'])
  desk.show(ada, 'nothing', Extent.ALONE)
  assert.deepEqual(desk.heard(), ['1 nothing: .'])
})

test('a screen full comes at once, then two pages for each that was read, to four ahead', () => {
  const desk = new Desk()
  const ada = desk.visitor()
  const names = Array.from({ length: 2550 }, (_, count) => `f${String(count).padStart(4, '0')}`)
  desk.take(...names.map((name) => made(name)))
  desk.show(ada, '', Extent.OPEN)
  const pages = () => desk.heard().map((line) => line.split(' ').length - 2)
  const more = () => desk.showings.more(ada, '')
  assert.deepEqual(pages(), [100])
  more()
  assert.deepEqual(pages(), [500, 500])
  more()
  assert.deepEqual(pages(), [500, 500])
  more()
  assert.deepEqual(desk.heard(), [`1 top: ${names.slice(2100).join(' ')}.`])
  more()
  assert.deepEqual(desk.heard(), [])
  // Of a long one no more than four are ahead, whatever is asked for beyond what was told.
  desk.take(...names.map((name) => made(`g${name}`)))
  desk.heard()
  desk.show(ada, '', Extent.OPEN)
  for (let count = 0; count < 3; count++) more()
  assert.deepEqual(pages(), [100, 500, 500, 500, 500, 500, 500])
  more()
  assert.deepEqual(pages(), [500])
})

test('directories come first, a page of them after the other, also those that came just now', () => {
  const desk = new Desk()
  const ada = desk.visitor()
  const kinds = [Kind.TEXT, Kind.DIRECTORY]
  const names = Array.from({ length: 900 }, (_, count) => `n${count + 100}`)
  desk.take(...names.map((name, count) => made(name, '', kinds[count % 2])))
  const listed = () => {
    desk.show(ada, '', Extent.OPEN)
    const told: string[] = []
    for (let lines = desk.heard(); lines.length > 0; lines = desk.heard()) {
      told.push(...lines.flatMap((line) => line.replace('.', '').split(' ').slice(2)))
      desk.showings.more(ada, '')
    }
    return told
  }
  const inOrder = (kind: number) => names.filter((_, count) => count % 2 === kind)
  assert.deepEqual(listed(), [...inOrder(1), ...inOrder(0)])
  desk.take(made('m', '', Kind.DIRECTORY))
  desk.heard()
  assert.deepEqual(listed(), ['m', ...inOrder(1), ...inOrder(0)])
})

test('a change is told to those who show where it is, where it was, it, or what is below it', () => {
  const desk = new Desk()
  const [inOld, inNew, below, elsewhere] = [1, 2, 3, 4].map(() => desk.visitor())
  desk.take(made('old', '', Kind.DIRECTORY), made('new', '', Kind.DIRECTORY))
  desk.take(made('other', '', Kind.DIRECTORY), made('D', 'old', Kind.DIRECTORY), made('f', 'D'))
  desk.show(inOld!, 'old', Extent.OPEN)
  desk.show(inNew!, 'new', Extent.OPEN)
  desk.show(below!, 'f', Extent.ALONE)
  desk.show(elsewhere!, 'other', Extent.OPEN)
  desk.show(elsewhere!, '', Extent.ALONE)
  desk.heard()
  desk.take(create(EntrySchema, { id: 'D', parent: { value: 'new', stamp: stamp() } }))
  assert.deepEqual(desk.heard(), ['2: D', '1: new D', '3: new D'])
  desk.showings.left(below!)
  desk.take(create(EntrySchema, { id: 'f', name: { value: 'g', stamp: stamp() } }))
  assert.deepEqual(desk.heard(), [])
})

test('of an entry whose directory is not shown open the number in its name is told', () => {
  const desk = new Desk()
  const ada = desk.visitor()
  desk.take(made('a', '', Kind.TEXT, 'plan'), made('b', '', Kind.TEXT, 'plan'))
  desk.show(ada, 'b', Extent.ALONE)
  assert.deepEqual(desk.heard(), ['1 b: b=plan (2).'])
  desk.take(create(EntrySchema, { id: 'a', name: { value: 'other', stamp: stamp() } }))
  assert.deepEqual(desk.heard(), ['1: b'])
  desk.show(ada, '', Extent.OPEN)
  assert.deepEqual(desk.heard(), ['1 top: a b.'])
  desk.take(create(EntrySchema, { id: 'a', name: { value: 'plan', stamp: stamp() } }))
  assert.deepEqual(desk.heard(), ['1: a'], 'who has all of it numbers by itself')
  desk.show(ada, '', Extent.UNSPECIFIED)
  assert.deepEqual(desk.heard(), ['1: b=plan (2)'])
})

test('who shows too much is sent away', () => {
  const desk = new Desk()
  const ada = desk.visitor()
  for (let count = 0; count < shownMax; count++) desk.show(ada, `E${count}`, Extent.ALONE)
  desk.heard()
  desk.show(ada, 'E1', Extent.OPEN)
  assert.deepEqual(desk.heard(), ['1 E1: .'])
  desk.show(ada, 'one more', Extent.ALONE)
  assert.deepEqual(desk.heard(), ['1 hung up'])
})

test('what is gone for good everybody hears who may hold it, with what lies elsewhere by that', () => {
  const desk = new Desk()
  const [below, atTop] = [desk.visitor(), desk.visitor()]
  const directory = made('D', '', Kind.DIRECTORY)
  desk.take(directory, made('E', 'D', Kind.DIRECTORY), made('f', 'E'))
  desk.show(below!, 'f', Extent.ALONE)
  desk.show(atTop!, '', Extent.OPEN)
  const deletion = stamp()
  desk.take(create(EntrySchema, { id: 'D', deleted: { value: true, stamp: deletion } }))
  desk.heard()
  // Whoever made E in it did not know that it goes, nor did the server that said so.
  const purged = { root: 'D', deletion, place: directory.parent!.stamp! }
  desk.take(create(EntrySchema, { id: 'D', purged }))
  assert.deepEqual(desk.heard(), ['2: E -D', '1: E -D', '1: -D', '2: -D'])
  desk.show(below!, 'f', Extent.ALONE)
  assert.deepEqual(desk.heard(), ['1 f: E f -D.'], 'who was away may hold it still')
  desk.showings.left(below!)
  desk.take(create(EntrySchema, { id: 'f', purged: { ...purged, root: 'f', isDone: true } }))
  assert.deepEqual(desk.heard(), ['2: -f'])
})

test('what is gone for good in one turn is told in one message', () => {
  const desk = new Desk()
  desk.show(desk.visitor(), '', Extent.OPEN)
  const names = ['a', 'b', 'c']
  desk.take(...names.map((name) => made(name)))
  const deletion = stamp()
  desk.take(
    ...names.map((id) => create(EntrySchema, { id, deleted: { value: true, stamp: deletion } })),
  )
  desk.heard()
  const purged = { deletion, isDone: true }
  desk.take(...names.map((id) => create(EntrySchema, { id, purged: { ...purged, root: id } })))
  assert.deepEqual(desk.heard(), ['1: -a -b -c'])
})
