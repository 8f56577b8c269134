// What a client keeps on its device: everything, in few pieces, and it says when it cannot.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as Y from 'yjs'
import type { KeptDocument, LocalStorage } from '../core/ports.ts'
import { MemoryDevice } from '../adapters/storage/local-memory.ts'
import { Keepsake } from './keepsake.ts'
import { forgetLife, nameLife, storageAt } from './lives.ts'

const key = new Uint8Array(16)

interface Written {
  keepsake: Keepsake
  doc: Y.Doc
  type: (text: string) => void
  /** Resolves when nothing is on its way to the storage. */
  still: () => Promise<void>
}

async function writing(device: MemoryDevice, changed = () => {}): Promise<Written> {
  const keepsake = new Keepsake(device.open(), key, changed)
  const doc = new Y.Doc()
  doc.on('update', (update) => keepsake.documents.append('D', update, true))
  await keepsake.documents.load('D', () => Y.encodeStateAsUpdate(doc))
  return {
    keepsake,
    doc,
    type: (text) => doc.getText('text').insert(0, text),
    async still() {
      for (let turn = 0; turn < 1000 && keepsake.documents.isBehind('D'); turn++)
        await Promise.resolve()
      assert.ok(!keepsake.documents.isBehind('D'))
    },
  }
}

async function text(device: MemoryDevice): Promise<string> {
  const doc = new Y.Doc()
  for (const update of (await device.open().load('D')).updates) Y.applyUpdate(doc, update)
  return doc.getText('text').toString()
}

test('every edit is there for the next program, and the key of the session before it', async () => {
  const device = new MemoryDevice()
  const { type, still } = await writing(device)
  type('b')
  type('a')
  await still()
  assert.equal(await text(device), 'ab')
  const next = new Keepsake(device.open(), new Uint8Array(16).fill(1), () => {})
  assert.deepEqual((await next.begin()).keys, [key])
})

test('a storage that does not answer is waited for once', async () => {
  const device = new MemoryDevice()
  const asked: string[] = []
  const answer = Promise.withResolvers<void>()
  const storage = device.open()
  const { get, change } = storage
  await storage.set('keys', {})
  // What all else depends on comes first.
  const first = new Set(['lives', 'keys', 'suspects'])
  const slow: LocalStorage = Object.assign(storage, {
    get: async (name: string) => {
      if (first.delete(name)) return get.call(storage, name)
      asked.push(name)
      await answer.promise
      return get.call(storage, name)
    },
    change: async (name: string, alter: (value: unknown) => unknown) => {
      asked.push(name)
      await answer.promise
      return change.call(storage, name, alter)
    },
  })
  const kept = new Keepsake(slow, key, () => {}).begin()
  for (let turn = 0; turn < 100; turn++) await Promise.resolve()
  assert.deepEqual(asked.sort(), ['addresses', 'device', 'entries', 'keys', 'operations', 'rest'])
  answer.resolve()
  assert.deepEqual((await kept).keys, [])
})

test('what is written before the storage answers for the first time is not written after the rest', async () => {
  const device = new MemoryDevice()
  const answers: (() => void)[] = []
  const storage = device.open()
  const { get } = storage
  const slow: LocalStorage = Object.assign(storage, {
    get: (name: string) =>
      new Promise<void>((resolve) => answers.push(resolve)).then(() => get.call(storage, name)),
  })
  const keepsake = new Keepsake(slow, key, () => {})
  const settle = async () => {
    for (let turn = 0; turn < 50; turn++) await Promise.resolve()
  }
  for (const document of ['D', 'E'])
    void keepsake.documents.load(document, () => new Uint8Array([0, 0]))
  keepsake.documents.append('D', new Uint8Array([0, 0]), true)
  // The lives, and then the keys and what is suspect.
  for (let answered = 0; answered < 3; answered++) {
    await settle()
    answers.shift()!()
  }
  await settle()
  keepsake.documents.append('E', new Uint8Array([0, 0]), true)
  await settle()
  for (const answer of answers) answer()
  await keepsake.documents.written()
  const records = (await device.open().get('keys')) as {
    [session: string]: { documents: string[] }
  }
  assert.deepEqual(records[keepsake.session]?.documents, ['D', 'E'])
})

test('many edits do not become as many pieces', async () => {
  const device = new MemoryDevice()
  const { type, still } = await writing(device)
  for (let count = 0; count < 500; count++) {
    type('x')
    await still()
  }
  assert.equal((await text(device)).length, 500)
  assert.ok((await device.open().load('D')).updates.length <= 201)
})

test('what another tab wrote in an open text stays, whoever asks whether anything is kept', async () => {
  const device = new MemoryDevice()
  const { keepsake, type, still } = await writing(device)
  type('x')
  await still()
  const other = new Y.Doc()
  other.getText('text').insert(0, 'by another tab')
  await device.open().append('D', Y.encodeStateAsUpdate(other))
  assert.equal(await keepsake.documents.has('D'), true)
  for (let count = 0; count < 300; count++) {
    type('x')
    await still()
  }
  assert.ok((await text(device)).includes('by another tab'))
})

test('what is read again of an open text is in the piece that takes the place of all', async () => {
  const device = new MemoryDevice()
  const { keepsake, doc, type, still } = await writing(device)
  type('x')
  const other = new Y.Doc()
  other.getText('text').insert(0, 'by another tab')
  await device.open().append('D', Y.encodeStateAsUpdate(other))
  const take = ({ updates }: KeptDocument) => updates.forEach((each) => Y.applyUpdate(doc, each))
  assert.ok(await keepsake.documents.again('D', take))
  for (let count = 0; count < 300; count++) {
    type('x')
    await still()
  }
  assert.ok((await device.open().load('D')).updates.length <= 201)
  assert.ok((await text(device)).includes('by another tab'))
})

test('a failing storage is told, and when it works again all is there', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const device = new MemoryDevice()
  const failures: (string | undefined)[] = []
  const written = await writing(device, () => failures.push(written.keepsake.failure))
  device.failure = 'the disk is full'
  written.type('b')
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  assert.deepEqual(failures, ['the disk is full'])
  assert.ok(written.keepsake.documents.isBehind('D'))
  device.failure = undefined
  assert.equal(await text(device), '')
  t.mock.timers.tick(5000)
  await written.still()
  assert.equal(await text(device), 'b')
  assert.deepEqual(failures, ['the disk is full', undefined])
})

test('what a storage does not answer for seconds is told, though other things are kept', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const device = new MemoryDevice()
  const storage = device.open()
  const answer = Promise.withResolvers<void>()
  const { append } = storage
  const stuck: LocalStorage = Object.assign(storage, {
    append: async (document: string, update: Uint8Array) => {
      await answer.promise
      return append.call(storage, document, update)
    },
  })
  const keepsake = new Keepsake(stuck, key, () => {})
  await keepsake.begin()
  await keepsake.documents.load('D', () => new Uint8Array([0, 0]))
  keepsake.documents.append('D', new Uint8Array([0, 0]), true)
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  assert.equal(keepsake.failure, undefined)
  t.mock.timers.tick(3000)
  assert.equal(keepsake.failure, undefined, 'it may be that this program stood still')
  t.mock.timers.tick(100)
  await keepsake.keepOperations([], ['x'])
  assert.match(keepsake.failure!, /does not answer/)
  answer.resolve()
  await keepsake.documents.written()
  assert.equal(keepsake.failure, undefined)
})

test('a storage that lost what it had gets the text again, and the key of its session', async () => {
  const device = new MemoryDevice()
  const { type, still } = await writing(device)
  type('c')
  await still()
  // As when a browser's storage is emptied while a page is open: the next use fails, and then it is another.
  await device.open().forget('D')
  await device.open().set('keys', undefined)
  device.failure = 'the connection is closed'
  type('b')
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  device.failure = undefined
  type('a')
  await still()
  assert.equal(await text(device), 'abc')
  const next = new Keepsake(device.open(), new Uint8Array(16).fill(1), () => {})
  assert.deepEqual((await next.begin()).keys, [key])
})

test('what could not be written of a text that is opened again is written with what comes then', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const device = new MemoryDevice()
  const { keepsake, doc, type } = await writing(device)
  device.failure = 'full'
  type('b')
  await keepsake.documents.written()
  device.failure = undefined
  keepsake.documents.release('D')
  await keepsake.documents.load('D', () => Y.encodeStateAsUpdate(doc))
  assert.equal(keepsake.failure, 'full')
  type('a')
  await keepsake.documents.written()
  assert.equal(await text(device), 'ab')
  assert.equal(keepsake.failure, undefined)
})

test('who ends tries once more to write what could not be written, and nothing later', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const device = new MemoryDevice()
  const { keepsake, type } = await writing(device)
  device.failure = 'full'
  type('a')
  await keepsake.documents.written()
  device.failure = undefined
  keepsake.documents.retry()
  keepsake.close()
  await keepsake.documents.written()
  assert.equal(await text(device), 'a')
  device.failure = 'full'
  type('b')
  await keepsake.documents.written()
  device.failure = undefined
  t.mock.timers.tick(100_000)
  await keepsake.documents.written()
  assert.equal(await text(device), 'a')
})

test('what could not be written is told until it is, whatever else is written meanwhile', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const device = new MemoryDevice()
  const storage = device.open()
  const { append, compact } = storage
  const keepsake = new Keepsake(storage, key, () => {})
  const full = () => Promise.reject(new Error('the disk is full'))
  await keepsake.documents.load('D', () => new Uint8Array([0, 0]))
  Object.assign(storage, { append: full, compact: full })
  keepsake.documents.append('D', new Uint8Array([0, 0]), true)
  for (let turn = 0; turn < 50; turn++) await Promise.resolve()
  keepsake.keepAddresses(['http://a'])
  for (let turn = 0; turn < 50; turn++) await Promise.resolve()
  assert.equal(keepsake.failure, 'the disk is full')
  Object.assign(storage, { append, compact })
  t.mock.timers.tick(5000)
  for (let turn = 0; turn < 50; turn++) await Promise.resolve()
  assert.equal(keepsake.failure, undefined)
})

test('what was asked of the folder and could not be kept is told until it is, whatever else is', async () => {
  const device = new MemoryDevice()
  const storage = device.open()
  const { change } = storage
  let isFull = true
  const full: LocalStorage = Object.assign(storage, {
    change: async (name: string, alter: (value: unknown) => unknown) => {
      if (isFull && name === 'operations') throw new Error('the disk is full')
      return change.call(storage, name, alter)
    },
  })
  const keepsake = new Keepsake(full, key, () => {})
  await keepsake.begin()
  const operation = { id: 'x', bytes: new Uint8Array() }
  assert.equal(await keepsake.keepOperations([operation], []), false)
  await keepsake.documents.load('D', () => new Uint8Array([0, 0]))
  keepsake.documents.append('D', new Uint8Array([0, 0]), true)
  await keepsake.documents.written()
  assert.equal(keepsake.failure, 'the disk is full')
  isFull = false
  assert.ok(await keepsake.keepOperations([operation], []))
  assert.equal(keepsake.failure, undefined)
})

test('edits count as kept only with the key of their session', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const device = new MemoryDevice()
  const storage = device.open()
  const { append, change, compact } = storage
  const keepsake = new Keepsake(storage, key, () => {})
  await keepsake.documents.load('D', () => new Uint8Array([0, 0]))
  const full = () => Promise.reject(new Error('the disk is full'))
  storage.change = full
  storage.append = (document, update, also) => {
    return also?.note ? full() : append.call(storage, document, update)
  }
  storage.compact = storage.append
  keepsake.documents.append('D', new Uint8Array([0, 0]), true)
  for (let turn = 0; turn < 50; turn++) await Promise.resolve()
  assert.equal(keepsake.failure, 'the disk is full')
  assert.ok(keepsake.documents.isBehind('D'))
  Object.assign(storage, { append, change, compact })
  t.mock.timers.tick(5000)
  for (let turn = 0; turn < 50; turn++) await Promise.resolve()
  assert.equal(keepsake.failure, undefined)
  const next = new Keepsake(device.open(), new Uint8Array(16).fill(1), () => {})
  assert.deepEqual((await next.begin()).keys, [key])
})

test('a program that crashes while its first letter is kept leaves it with its key, or neither', async () => {
  for (const writes of [0, 1]) {
    const device = new MemoryDevice()
    let left = Infinity
    const crashing = storageAt(device.open(), '')
    for (const name of ['append', 'change', 'compact', 'set'] as const) {
      const write = crashing[name] as (...words: unknown[]) => Promise<void>
      const never = () => new Promise<void>(() => {})
      Object.assign(crashing, {
        [name]: (...words: unknown[]) => (left-- > 0 ? write(...words) : never()),
      })
    }
    const keepsake = new Keepsake(crashing, key, () => {})
    await keepsake.begin()
    const doc = new Y.Doc()
    await keepsake.documents.load('D', () => Y.encodeStateAsUpdate(doc))
    left = writes
    doc.on('update', (update) => keepsake.documents.append('D', update, true))
    doc.getText('text').insert(0, 'a')
    for (let turn = 0; turn < 100; turn++) await Promise.resolve()
    const next = new Keepsake(device.open(), new Uint8Array(16).fill(1), () => {})
    const { keys } = await next.begin()
    assert.deepEqual([await text(device), keys], writes === 0 ? ['', []] : ['a', [key]])
  }
})

test('a storage that is emptied while nobody writes gets all that is open again, and its key', async () => {
  const device = new MemoryDevice()
  const { keepsake, type, still } = await writing(device)
  type('b')
  type('a')
  await still()
  device.empty()
  await still()
  await keepsake.documents.written()
  assert.equal(await text(device), 'ab')
  const next = new Keepsake(device.open(), new Uint8Array(16).fill(1), () => {})
  assert.deepEqual((await next.begin()).keys, [key])
})

test('the first letter of a text where it was expected is asked to be kept before anything else is done', async () => {
  const device = new MemoryDevice()
  const storage = storageAt(device.open(), '')
  const keepsake = new Keepsake(storage, key, () => {})
  await keepsake.begin()
  await keepsake.documents.load('D', () => new Uint8Array([0, 0]))
  keepsake.keyring.expect(Date.now(), 'D')
  for (let turn = 0; turn < 50; turn++) await Promise.resolve()
  const asked: Uint8Array[] = []
  storage.append = async (_document, update) => void asked.push(update)
  keepsake.documents.append('D', new Uint8Array([0, 0]), true)
  assert.deepEqual(asked, [new Uint8Array([0, 0])])
})

test('all of a text is put in one piece after the more edits the longer it is', async () => {
  for (const [length, kept] of [
    [1, 51],
    [64 * 1024, 451],
  ] as const) {
    const device = new MemoryDevice()
    const { type, still } = await writing(device)
    type('x'.repeat(length))
    for (let count = 0; count < 450; count++) {
      type('y')
      await still()
    }
    assert.equal((await device.open().load('D')).updates.length, kept, `of ${length} letters`)
  }
})

test('nothing takes the place of what was loaded before that is in the document', async () => {
  const device = new MemoryDevice()
  const before = await writing(device)
  for (let count = 0; count < 200; count++) {
    before.type('x')
    await before.still()
  }
  const { type, still } = await writing(device)
  type('new')
  await still()
  assert.ok((await text(device)).includes('x'.repeat(200)))
})

test('without a storage nothing is kept, and that is said', async () => {
  const keepsake = new Keepsake(undefined, key, () => {})
  const nothing = {
    sessions: [],
    suspects: [],
    keys: [],
    addresses: [],
    entries: [],
    operations: [],
  }
  assert.deepEqual(await keepsake.begin(), { life: '', device: new Uint8Array(), ...nothing })
  assert.deepEqual(await keepsake.documents.load('D', () => new Uint8Array()), {
    updates: [],
    relays: [],
  })
  keepsake.documents.append('D', new Uint8Array([1]), true)
  assert.ok(!keepsake.documents.isBehind('D'))
  assert.equal(keepsake.failure, 'this program keeps nothing on this device')
})

test('all programs of a device have one secret of it, also when they begin at once', async () => {
  const device = new MemoryDevice()
  const begin = async () => (await new Keepsake(device.open(), key, () => {}).begin()).device
  const [first, second] = await Promise.all([begin(), begin()])
  assert.equal(first!.length, 16)
  assert.deepEqual(second, first)
  assert.deepEqual(await begin(), first)
  await device.open().set('device', 'damaged')
  assert.notDeepEqual(await begin(), first)
})

test('a list of files that does not decode keeps no program from beginning', async () => {
  const device = new MemoryDevice()
  await device.open().set('entries', [new Uint8Array([255])])
  const keepsake = new Keepsake(device.open(), key, () => {})
  assert.deepEqual((await keepsake.begin()).entries, [])
})

test('what is kept of one life of the set never meets what is kept of another', async () => {
  const device = new MemoryDevice()
  const keepsakes = [
    new Keepsake(device.open(), key, () => {}),
    new Keepsake(device.open(), key, () => {}),
  ]
  const [one, other] = keepsakes as [Keepsake, Keepsake]
  for (const keepsake of keepsakes) {
    await keepsake.begin()
    await keepsake.documents.load('D', () => new Uint8Array())
    keepsake.keepLife('a.0000000000001')
  }
  one.documents.append('D', new Uint8Array([0, 0]), true)
  assert.equal(await one.leave('a.0000000000002'), true)
  // Another tab has not heard of it yet.
  other.documents.append('D', new Uint8Array([0, 0]), true)
  assert.equal(await other.leave('a.0000000000002'), true)
  const next = new Keepsake(device.open(), key, () => {})
  assert.equal((await next.begin()).life, 'a.0000000000002')
  assert.deepEqual(next.places.earlier, [''])
  assert.deepEqual(await next.documents.load('D', () => new Uint8Array()), {
    updates: [],
    relays: [],
  })
  next.documents.append('D', new Uint8Array([0, 0]), true)
  await next.leave('a.0000000000003')
  const last = new Keepsake(device.open(), key, () => {})
  await last.begin()
  assert.deepEqual(last.places.earlier, ['', 'a.0000000000002/'])
})

test('what was written while another program left a life and forgot it is found whole', async () => {
  const device = new MemoryDevice()
  const { keepsake: late, type, still } = await writing(device)
  late.keepLife('a.0000000000001')
  type('word')
  await still()
  const early = new Keepsake(device.open(), key, () => {})
  await early.begin()
  await early.leave('a.0000000000002')
  // Its successor finds all of it at the servers.
  await device.open().forget('D')
  await forgetLife(device.open(), '')
  type('after')
  await still()
  assert.equal(await text(device), '', 'it builds on what is gone')
  assert.equal(await late.leave('a.0000000000002'), true)
  assert.equal(await text(device), 'afterword')
  const next = new Keepsake(device.open(), key, () => {})
  await next.begin()
  assert.deepEqual(next.places, { ...next.places, place: 'a.0000000000002/', earlier: [''] })
})

test('on a device that takes no writes the next program is in the life that was left for', async () => {
  const device = new MemoryDevice()
  await nameLife(device.open(), 'a.0000000000001')
  const full = device.open()
  full.change = () => Promise.reject(new Error('the disk is full'))
  const before = new Keepsake(full, key, () => {})
  assert.equal((await before.begin()).life, 'a.0000000000001')
  assert.equal(await before.leave('a.0000000000002'), false)
  const next = new Keepsake(full, key, () => {}, 'a.0000000000002')
  assert.equal((await next.begin()).life, 'a.0000000000002')
  assert.deepEqual(next.places.earlier, [''])
})
