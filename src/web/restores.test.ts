// Restores as the others who are there hear of them: once, in time, and to be taken back by each.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import * as Y from 'yjs'
import type { LiveDocument } from '../client/api.ts'
import { Presence } from '../client/presence.ts'
import { textRoot } from '../core/model/snapshot.ts'
import { CaretSchema } from '../core/model/wire.ts'
import { create } from '@bufbuild/protobuf'
import { Restores } from './restores.ts'

interface Page {
  text: Y.Text
  doc: Y.Doc
  presence: Presence
  restores: Restores
  undo: Y.UndoManager
  /** What it says of where its person is. */
  said: string
}

/** Somebody's page with a text that came whole. */
async function page(t: TestContext, name: string, writer: number, text?: Page): Promise<Page> {
  const doc = new Y.Doc()
  doc.clientID = writer
  if (text) Y.applyUpdate(doc, Y.encodeStateAsUpdate(text.doc), 'server')
  const presence = new Presence(doc, name, (said) => (here.said = said))
  const live: LiveDocument = {
    id: 'D',
    doc,
    text: doc.getText(textRoot),
    awareness: presence.awareness,
    loaded: Promise.resolve(),
    stored: () => new Promise(() => {}),
    receipt: () => ({ servers: [], of: 0 }),
    expect: () => () => {},
    close: () => {},
  }
  const undo = new Y.UndoManager(live.text, { trackedOrigins: new Set([live]), captureTimeout: 0 })
  const restores = new Restores(live, undo, (act) => doc.transact(act, live))
  const here: Page = { text: live.text, doc, presence, restores, undo, said: '' }
  t.after(() => {
    restores.close()
    presence.destroy()
    doc.destroy()
  })
  // An editor reads each change, which Yjs counts as one more transaction.
  live.text.observe((event) => void event.delta)
  presence.enter()
  await live.loaded
  return here
}

let clock = 0

/** What one page says of itself comes to another. */
function tell(from: Page, to: Page): void {
  const writer = from.doc.clientID
  to.presence.heard(create(CaretSchema, { writer, clock: ++clock, state: from.said }))
}

/** What one page wrote comes to another. */
const bring = (from: Page, to: Page) => Y.applyUpdate(to.doc, Y.encodeStateAsUpdate(from.doc))

const version = (text: string) => ({
  $typeName: 'fourfold.v1.NamedVersion' as const,
  ...{ id: 'V', name: 'One', author: 'Ana', at: 0, text, isTextLeftOut: false },
})

const names = ({ restores }: Page) => restores.offered.map(({ by }) => by)

async function anaAndBen(t: TestContext): Promise<[ana: Page, ben: Page]> {
  const ana = await page(t, 'Ana', 1)
  ana.text.insert(0, 'first')
  const ben = await page(t, 'Ben', 2, ana)
  ben.text.insert(5, ' and ours')
  bring(ben, ana)
  return [ana, ben]
}

test('a restore is told when both it and word of it have come, in either order, once', async (t) => {
  const [ana, ben] = await anaAndBen(t)
  const cleo = await page(t, 'Cleo', 3, ana)
  ana.restores.restore(version('first'))
  tell(ana, ben)
  assert.deepEqual(names(ben), [])
  bring(ana, ben)
  assert.deepEqual(names(ben), ['Ana'])
  bring(ana, cleo)
  tell(ana, cleo)
  assert.deepEqual(names(cleo), ['Ana'])

  ben.restores.settle(ben.restores.offered[0]!.restored.id)
  // Another server tells who is here.
  ben.presence.forgetOthers()
  tell(ana, ben)
  assert.deepEqual(names(ben), [])
})

test('whoever takes it back does so for all, and what was written since stays', async (t) => {
  const [ana, ben] = await anaAndBen(t)
  ana.restores.restore(version('the first'))
  bring(ana, ben)
  tell(ana, ben)
  ben.text.insert(ben.text.length, '!')
  ben.restores.takeBack(ben.restores.offered[0]!)
  assert.equal(ben.text.toString(), 'first and ours!')
  assert.deepEqual(names(ben), [])
  assert.deepEqual(names(ana), [undefined])
  tell(ben, ana)
  bring(ben, ana)
  assert.deepEqual(names(ana), [])
  ana.undo.undo()
  assert.equal(ana.text.toString(), 'first and ours!')
  // Who was away meanwhile hears of nothing that is over.
  assert.equal(JSON.parse(ana.said).restored, null)
  assert.equal(JSON.parse(ben.said).undone.length, 22)
})

test('a restore that its person undid by the keys is over for all', async (t) => {
  const [ana, ben] = await anaAndBen(t)
  ana.restores.restore(version('the first'))
  bring(ana, ben)
  tell(ana, ben)
  ana.undo.undo()
  bring(ana, ben)
  tell(ana, ben)
  assert.deepEqual([names(ana), names(ben)], [[], []])
  assert.equal(ben.text.toString(), 'first and ours')
})

test('who opens the text later, or hears of what was not here, is told nothing', async (t) => {
  const [ana, ben] = await anaAndBen(t)
  ana.restores.restore(version('the first'))
  const late = await page(t, 'Late', 3, ana)
  tell(ana, late)
  assert.deepEqual(names(late), [])
  // Word of what never comes.
  tell(ana, ben)
  assert.deepEqual(names(ben), [])
})

test('a restore that only puts something in is told, too', async (t) => {
  const [ana, ben] = await anaAndBen(t)
  ana.restores.restore(version('first and ours, again'))
  bring(ana, ben)
  tell(ana, ben)
  ben.restores.takeBack(ben.restores.offered[0]!)
  assert.equal(ben.text.toString(), 'first and ours')
})

test('a restore in very many places is taken back where it came as it was made', async (t) => {
  const ana = await page(t, 'Ana', 1)
  const lines = Array.from({ length: 400 }, (_, line) => `line ${line}\n`)
  ana.text.insert(0, lines.join(''))
  const ben = await page(t, 'Ben', 2, ana)
  const [behind, cut] = [await page(t, 'Cleo', 3, ana), await page(t, 'Dan', 4, ana)]
  for (let line = 0, at = 0; line < 400; line++) {
    ben.text.insert(at, 'x~')
    // What one writes in a row is one place, wherever it stands.
    ben.text.delete(at + 1, 1)
    at += lines[line]!.length + 1
  }
  const before = ben.text.toString()
  for (const each of [ana, cut]) bring(ben, each)
  behind.text.delete(0, 1)
  ana.restores.restore(version(lines.join('')))
  ben.text.insert(0, '!')
  for (const each of [ben, cut, behind]) {
    if (each === cut) each.text.delete(0, 1)
    bring(ana, each)
    tell(ana, each)
  }
  ben.restores.takeBack(ben.restores.offered[0]!)
  assert.equal(ben.text.toString(), `!${before}`)
  // It is told all the same, without an undo that would be another: one of these was gone already.
  assert.deepEqual(names(cut), ['Ana'])
  assert.equal(cut.restores.offered[0]!.taken, undefined)
  // Who never saw what it took out has nothing to be told of.
  assert.deepEqual(names(behind), [])
})

test('12 of many restores the last are offered', async (t) => {
  const [ana, ben] = await anaAndBen(t)
  for (let count = 0; count < 5; count++) {
    ana.restores.restore(version(`${count}`))
    bring(ana, ben)
    tell(ana, ben)
  }
  assert.deepEqual(names(ben), ['Ana', 'Ana', 'Ana'])
  for (const offered of ben.restores.offered.toReversed()) ben.restores.takeBack(offered)
  assert.equal(ben.text.toString(), '1')
})
