// A document that a program holds open: which changes are its own, and what is kept of the others.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import * as Y from 'yjs'
import { MemoryDevice } from '../adapters/storage/local-memory.ts'
import { Relays, type Relay } from '../core/session/relays.ts'
import { Keepsake } from './keepsake.ts'
import type { Left } from './left-texts.ts'
import { OpenDocument } from './open-document.ts'

async function open(t: TestContext, device = new MemoryDevice(), left?: Left) {
  const keepsake = new Keepsake(device.open(), new Uint8Array(16), () => {})
  const edits: Uint8Array[] = []
  const recalled = Promise.withResolvers<void>()
  const relays = new Relays()
  const nowhere = { servers: [], of: 0 }
  const document = new OpenDocument({
    id: 'D',
    writer: 1,
    writers: new Set([1]),
    name: 'Ana',
    left,
    firstText: () => undefined,
    kept: keepsake.documents,
    relays,
    edited: (update) => edits.push(update),
    moved: () => {},
    recalling: () => Promise.resolve(),
    recalled: () => recalled.resolve(),
    closed: () => {},
    expected: () => {},
    stored: () => Promise.resolve(nowhere),
    receipt: () => nowhere,
  })
  t.after(() => document.destroy())
  await recalled.promise
  return { document, edits, keepsake, relays }
}

/** An update that brings this text. */
function updateOf(text: string): Uint8Array {
  const doc = new Y.Doc()
  doc.getText('text').insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}

function textOf(updates: Uint8Array[]): string {
  const doc = new Y.Doc()
  for (const update of updates) Y.applyUpdate(doc, update)
  return doc.getText('text').toString()
}

/** As it is known when it came after three letters of this person. */
function sealed(update: Uint8Array): Relay {
  return { document: 'D', at: 0, update, seal: new Uint8Array([7]), own: new Map([[1, 3]]) }
}

const atNoTime = (relay: Relay): Relay => ({ ...relay, at: 0 })

async function kept(device: MemoryDevice, keepsake: Keepsake): Promise<Uint8Array[]> {
  for (let turn = 0; turn < 1000 && keepsake.documents.isBehind('D'); turn++)
    await Promise.resolve()
  return (await device.open().load('D')).updates
}

test('what a server had is kept on the device, once, and is no edit of this person', async (t) => {
  const device = new MemoryDevice()
  const { document, edits, keepsake } = await open(t, device)
  document.integrate(updateOf('theirs'))
  assert.equal(document.text.toString(), 'theirs')
  assert.deepEqual(edits, [])
  assert.equal(textOf(await kept(device, keepsake)), 'theirs')
  const again = await open(t, device)
  assert.equal(again.document.text.toString(), 'theirs')
  assert.equal((await kept(device, again.keepsake)).length, 1)
  assert.deepEqual(again.edits, [])
})

test('an edit of others is kept as a server sealed it, also when all is put in one piece', async (t) => {
  const device = new MemoryDevice()
  const { document, keepsake, relays } = await open(t, device)
  document.text.insert(0, 'own')
  const update = updateOf('theirs')
  document.integrate(update, new Uint8Array([7]))
  document.text.insert(0, 'own')
  assert.deepEqual(relays.of('D').map(atNoTime), [sealed(update)])
  await kept(device, keepsake)
  const next = await open(t, device)
  assert.deepEqual(next.relays.of('D').map(atNoTime), [sealed(update)])
  for (let count = 0; count < 300; count++) {
    next.document.text.insert(0, 'x')
    await kept(device, next.keepsake)
  }
  assert.ok((await device.open().load('D')).updates.length < 200)
  const last = await open(t, device)
  assert.deepEqual(last.relays.of('D').map(atNoTime), [sealed(update)])
  // What others on the device keep meanwhile is known, too, and what is known already is known once.
  await device.open().append('D', updateOf('more'), {
    relays: [{ update: updateOf('more'), seal: new Uint8Array([8]), own: [] }],
  })
  await last.document.recallMore()
  assert.deepEqual(
    last.relays.of('D').map(({ seal }) => [...seal]),
    [[7], [8]],
  )
})

test('an edit that answers to the text of others is an edit like any other', async (t) => {
  const device = new MemoryDevice()
  const { document, edits, keepsake } = await open(t, device)
  document.text.observe((_, { local }) => {
    if (!local) document.text.insert(document.text.length, '!')
  })
  const theirs = updateOf('theirs')
  document.integrate(theirs)
  assert.equal(document.text.toString(), 'theirs!')
  assert.equal(edits.length, 1)
  assert.equal(textOf([theirs, ...edits]), 'theirs!')
  // And the next one too, whatever came before it.
  document.text.insert(0, '?')
  assert.equal(edits.length, 2)
  assert.equal(textOf(await kept(device, keepsake)), '?theirs!')
})

test('what the device kept and cannot be read is told, and written anew from a server', async (t) => {
  const good = updateOf('kept')
  const rubbish = [new Uint8Array(), new Uint8Array([1, 2, 3]), good.slice(0, good.length - 1)]
  for (const [index, bytes] of rubbish.entries()) {
    const device = new MemoryDevice()
    await device.open().append('D', bytes)
    const { document, edits, keepsake } = await open(t, device)
    assert.equal(keepsake.failure, 'what this device kept of a file cannot be read')
    assert.equal(document.text.toString(), '', String(index))
    // Without a server what is damaged stays: somebody may still read it.
    document.text.insert(0, 'mine ')
    assert.equal(edits.length, 1)
    assert.equal((await kept(device, keepsake)).length, 2)
    assert.notEqual(keepsake.failure, undefined)
    document.integrate(updateOf('theirs'))
    document.caughtUp()
    await document.loaded
    assert.equal(textOf(await kept(device, keepsake)), document.text.toString())
    assert.equal(keepsake.failure, undefined)
    const again = await open(t, device)
    assert.equal(again.document.text.toString(), document.text.toString())
    assert.equal(again.keepsake.failure, undefined)
  }
})

test('of what the device kept all is taken that can be read', async (t) => {
  const device = new MemoryDevice()
  for (const bytes of [new Uint8Array([255]), updateOf('kept')]) {
    await device.open().append('D', bytes)
  }
  const { document, edits, keepsake } = await open(t, device)
  await document.loaded
  assert.equal(document.text.toString(), 'kept')
  assert.deepEqual(edits, [])
  assert.notEqual(keepsake.failure, undefined)
  keepsake.documents.release('D')
  assert.equal(keepsake.failure, undefined, 'a file that is not open is nobody’s trouble')
})

test('text of others is not encoded again while it is integrated', async (t) => {
  const { document } = await open(t)
  let isListened = true
  document.doc.on('afterTransaction', () => {
    isListened = document.doc._observers.has('update')
  })
  document.integrate(updateOf('theirs'))
  assert.equal(isListened, false)
  document.text.insert(0, 'x')
  assert.equal(isListened, true)
})

test('12 what was left and is not held takes nothing before it is here again', async (t) => {
  const { document } = await open(t, new MemoryDevice(), { update: undefined, clock: 3 })
  const own = new Y.Doc()
  own.clientID = 1
  own.getText('text').insert(0, 'one')
  assert.throws(() => document.text.insert(0, 'x'), { code: 'unavailable' })
  assert.throws(() => document.text.applyDelta([{ insert: 'x' }]), { code: 'unavailable' })
  document.integrate(Y.encodeStateAsUpdate(own))
  document.text.insert(3, ' more')
  assert.equal(document.text.toString(), 'one more')
})
