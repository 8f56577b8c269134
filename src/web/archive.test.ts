// Archives as somebody sends them, good and bad: what comes in, what stays out, and why.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  Uint8ArrayReader,
  Uint8ArrayWriter,
  ZipWriter,
  type ZipWriterAddDataOptions,
} from '@zip.js/zip.js'
import { downloadZip } from 'client-zip'
import { FourfoldError } from '../core/model/errors.ts'
import { archiveBytesMax, archiveEntriesMax } from '../core/model/limits.ts'
import { archiveSources } from './archive.ts'

interface Packed {
  name: string
  bytes?: Uint8Array
  options?: ZipWriterAddDataOptions
}

const letters = (text: string) => new TextEncoder().encode(text)

async function archive(name: string, entries: Packed[]): Promise<File> {
  const options = { useWebWorkers: false, extendedTimestamp: false }
  const writer = new ZipWriter(new Uint8ArrayWriter(), options)
  for (const { name: path, bytes, options: own } of entries) {
    const directory = path.endsWith('/')
    await writer.add(path, directory ? undefined : new Uint8ArrayReader(bytes ?? letters('x')), {
      ...own,
      directory,
    })
  }
  return new File([await writer.close()], name)
}

/** Each path with what it would hold, or why it stays out. */
async function read(file: File, taken: string[] = []): Promise<{ [path: string]: string }> {
  const found: { [path: string]: string } = {}
  const { signal } = new AbortController()
  for await (const source of archiveSources(file, taken)) {
    const path = source.path.join('/')
    if (source.kind === 'directory') found[path] = '(directory)'
    else if (source.kind === 'refused') found[path] = source.why
    else {
      const held = await source.held(signal).catch((error: Error) => ({ text: error.message }))
      found[path] = 'text' in held ? held.text : 'blob' in held ? `${held.blob.size} bytes` : ''
    }
  }
  return found
}

test('texts and bytes come in, in a directory of the archive’s name', async () => {
  const file = await archive('photos.zip', [
    { name: 'read me.md', bytes: letters('# Grüße\n') },
    { name: 'a/' },
    { name: 'a/b/logo.png', bytes: Uint8Array.of(0x89, 0x50, 0, 0xff) },
  ])
  assert.deepEqual(await read(file, ['PHOTOS']), {
    'photos (2)/read me.md': '# Grüße\n',
    'photos (2)/a': '(directory)',
    'photos (2)/a/b/logo.png': '4 bytes',
  })
})

test('what has one directory of its own keeps it', async () => {
  const file = await archive('download.zip', [{ name: 'project/a.md' }, { name: 'project/b/c.md' }])
  assert.deepEqual(Object.keys(await read(file)), ['project/a.md', 'project/b/c.md'])
  assert.deepEqual(Object.keys(await read(file, ['project'])), [
    'project (2)/a.md',
    'project (2)/b/c.md',
  ])
})

test('what leads out, is a link, encrypted, or breaks the rules of names stays out, with the reason', async () => {
  const link = { unixMode: 0o120777 }
  const file = await archive('x.zip', [
    { name: 'good.md', bytes: letters('good') },
    { name: '../evil.md' },
    { name: 'a/../../evil.md' },
    { name: '/etc/passwd' },
    { name: 'C:\\evil.md' },
    { name: 'CON' },
    { name: '.git/config' },
    { name: 'link', bytes: letters('/etc/passwd'), options: link },
    { name: 'pipe', options: { unixMode: 0o010644 } },
    { name: 'secret.md', options: { password: 'x' } },
  ])
  const found = await read(file)
  assert.equal(found['x/good.md'], 'good')
  const reasons = Object.entries(found).filter(([path]) => path !== 'x/good.md')
  assert.equal(reasons.length, 9)
  const wanted = [
    /must not be "\.\."/,
    /must not be "\.\."/,
    /does not begin inside the archive/,
    /must not contain \\|must not contain :/,
    /name of a device/,
    /belongs to Git/,
    /links are not followed/,
    /no file and no directory/,
    /encrypted/,
  ]
  reasons.forEach(([path, why], index) => assert.match(why, wanted[index]!, path))
})

test('12 of one archive so much is unpacked, and no more', async () => {
  const packed = await archive('x.zip', [
    { name: 'first.bin', options: { level: 0 } },
    { name: 'second.bin', options: { level: 0 } },
    { name: 'last.bin', options: { level: 0 } },
  ])
  const bytes = new Uint8Array(await packed.arrayBuffer())
  const sizes = [archiveBytesMax / 2, archiveBytesMax / 2 - 1, 2]
  // In the list at the end each says how long it is, packed and unpacked.
  const view = new DataView(bytes.buffer)
  for (let at = 0; at < bytes.length - 4; at++) {
    if (view.getUint32(at, true) !== 0x02014b50) continue
    const size = sizes.shift()!
    for (const place of [20, 24]) view.setUint32(at + place, size, true)
  }
  const kinds: string[] = []
  for await (const source of archiveSources(new File([bytes], 'x.zip'), [])) {
    kinds.push(source.kind === 'refused' ? source.why : source.kind)
  }
  assert.deepEqual(kinds, ['file', 'file', 'More than 4.0 GiB of one archive are not unpacked.'])
})

test('a bomb, and what is other than it says, stays out', async () => {
  const bomb = new Uint8Array(12 * 1024 * 1024)
  const file = await archive('x.zip', [
    { name: 'bomb.bin', bytes: bomb },
    { name: 'a.md', bytes: letters('a text that is long enough') },
  ])
  const found = await read(file)
  assert.match(found['x/bomb.bin']!, /more than 200 times as long/)

  const bytes = new Uint8Array(
    await (
      await archive('y.zip', [
        {
          name: 'a.bin',
          bytes: crypto.getRandomValues(new Uint8Array(1000)),
          options: { level: 0 },
        },
      ])
    ).arrayBuffer(),
  )
  bytes[200] = bytes[200]! ^ 1
  assert.match((await read(new File([bytes], 'y.zip')))['y/a.bin']!, /damaged/)
})

test('what is no archive, or has too many entries, is refused as a whole', async () => {
  const refused = (code: string, words: RegExp) => (error: unknown) => {
    assert.ok(error instanceof FourfoldError)
    assert.equal(error.code, code)
    assert.match(error.message, words)
    return true
  }
  await assert.rejects(
    read(new File(['no archive'], 'a.zip')),
    refused('invalid', /a\.zip cannot be read/),
  )
  await assert.rejects(read(new File([], 'a.zip')), refused('invalid', /cannot be read/))
  const count = archiveEntriesMax + 1
  const many = Array.from({ length: count }, (_, index) => ({ name: `${index}`, input: '' }))
  const packed = await downloadZip(many).blob()
  await assert.rejects(
    read(new File([packed], 'many.zip')),
    refused('too-large', /more than 10,000 entries/),
  )
  assert.deepEqual(await read(await archive('empty.zip', [])), {})
})
