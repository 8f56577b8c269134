// Named versions over the wire: however many there are, an answer has room for it.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'

import { connect } from '../src/client/index.ts'
import {
  compactAfterUpdates,
  messageBytesMax,
  versionTextsBytesMax,
} from '../src/core/model/limits.ts'
import { Fleet } from './fleet.ts'
import { call } from './requests.ts'

interface Told {
  id: string
  name: string
  text?: string
  isTextLeftOut?: boolean
}

test('12 texts of versions for which an answer has no room are left out, and told alone', async (t) => {
  const fleet = await Fleet.start({ ids: ['a'] })
  t.after(() => fleet.end())
  const address = fleet.address('a')
  const namer = connect({ servers: [address], name: 'Namer', agent: 'test' })
  t.after(() => namer.close())

  // As long as there is room for, less one that is short: the one before gets none.
  const long = '0123456789abcdef'.repeat(versionTextsBytesMax / 16 - 1)
  const texts = ['', 'older', `older ${long}`, long, 'newest']
  const { file } = (await call(address, 'SaveFile', { file: 'a.md', text: 'first' })).body
  for (const [index, text] of texts.entries()) {
    await call(address, 'SaveFile', { file: file.id, text })
    await namer.nameVersion(file.id, `version ${index}`)
  }

  const listed = await call(address, 'ListVersions', { file: file.id })
  const versions = listed.body.versions as Told[]
  assert.deepEqual(
    versions.map(({ name, text, isTextLeftOut }) => [name, text?.length ?? 0, isTextLeftOut]),
    [
      ['version 0', 0, true],
      ['version 1', 0, true],
      ['version 2', 0, true],
      ['version 3', long.length, undefined],
      ['version 4', 6, undefined],
    ],
  )
  for (const [index, { id }] of versions.entries()) {
    const alone = await call(address, 'ListVersions', { file: file.id, version: id })
    const told = alone.body.versions as Told[]
    assert.equal(told.length, 1)
    assert.equal(told[0]!.id, id)
    assert.equal(told[0]!.text ?? '', texts[index])
    assert.equal(told[0]!.isTextLeftOut, undefined)
  }
  const none = await call(address, 'ListVersions', { file: file.id, version: file.id })
  assert.deepEqual([none.status, none.body.message], [404, 'No such version.'])
})

test('an empty server gets a file whose named versions are more than a client may say at once', async (t) => {
  const fleet = await Fleet.start({ ids: ['a', 'b'] })
  t.after(() => fleet.end())
  const [address, other] = fleet.addresses as [string, string]
  const namer = connect({ servers: [address], name: 'Namer', agent: 'test' })
  t.after(() => namer.close())
  const text = randomBytes(4 * 1024 * 1024).toString('base64')
  const { file } = (await call(address, 'SaveFile', { file: 'a.md', text })).body
  // Busy with a long text, a server may send the namer to the other one.
  await fleet.same()
  const count = Math.ceil(messageBytesMax / (4 * 1024 * 1024)) + 1
  for (let number = 1; number <= count; number++) await namer.nameVersion(file.id, `${number}`)
  // From now on all of it is one piece: it is in no log any more.
  for (let number = 0; number <= compactAfterUpdates; number++) {
    await call(address, 'SaveFile', { file: file.id, text: `${number}` })
  }
  await fleet.wipe(['b'])
  await fleet.same()
  const { body } = await call(other, 'ListVersions', { file: file.id })
  assert.equal((body.versions as Told[]).length, count)
})
