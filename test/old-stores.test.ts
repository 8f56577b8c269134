// Stores that servers of older commits left when they were killed: opened, read and passed on (rule 15).

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { parseConfiguration } from '../src/server/configuration.ts'
import { startServer } from '../src/server/server.ts'
import { blobOf, url } from './blob-requests.ts'
import { temporaryFolder } from './lone-server.ts'
import { oldStores, unpack, type OldFile } from './old-stores/stores.ts'
import { freePorts } from './ports.ts'
import { until } from './until.ts'
import { answered, ask, call } from './requests.ts'

for (const { commit, of } of oldStores) {
  test(`15 a store of ${of} is opened, and an empty server fills itself from it`, async (t) => {
    const data = temporaryFolder(t)
    const files = unpack(commit, join(data, 'a'))
    const addresses = await startTwo(t, data)
    for (const address of addresses) {
      for (const isInTrash of [false, true]) {
        const expected = files.filter((file) => file.isInTrash === isInTrash).map(shown)
        const { files: listed = [] } = await answered(address, 'ListFiles', listing(isInTrash))
        assert.deepEqual(new Set((listed as OldFile[]).map(shown)), new Set(expected))
      }
      for (const file of files) await holds(address, file)
    }
    // Of what is in the trash no text is told.
    const file = files.find(({ path }) => path === 'gone.md')!.id
    await answered(addresses[1], 'RestoreFile', { file })
    assert.equal((await answered(addresses[1], 'ReadFile', { file })).text, 'in the trash\n')
  })
}

/** Servers in this process, "a" and "b" of the set "test", with their data below a folder; both serve. */
async function startTwo(t: TestContext, data: string): Promise<[string, string]> {
  const [a, b] = (await freePorts(2)).map((port) => `http://127.0.0.1:${port}`) as [string, string]
  const servers = [
    { id: 'a', address: a },
    { id: 'b', address: b },
  ]
  const json = { set: 'test', data, servers, diskFreeBytesMin: 0 }
  // The one that has nothing is dialled by the other at once when it listens first.
  for (const { id } of servers.toReversed()) {
    const configuration = parseConfiguration(json, 'test.json', { id })
    const log = () => {}
    const server = await startServer({ configuration, isFirst: false, log, failed: log })
    t.after(() => server.stop())
  }
  const isServing = async (at: string) => (await call(at, 'ListFiles', {})).status === 200
  await until(async () => (await isServing(a)) && (await isServing(b)), 'both serve')
  return [a, b]
}

const listing = (inTrash: boolean) => ({ inTrash, isRecursive: true })

const shown = ({ id, path, kind }: Pick<OldFile, 'id' | 'path' | 'kind'>) => `${id} ${kind} ${path}`

/** Fails unless a server tells of what is in a live file what the one told that left the store. */
async function holds(address: string, then: OldFile): Promise<void> {
  const { id: file, path, text, versions, contents = [] } = then
  if (text !== undefined) {
    assert.equal((await answered(address, 'ReadFile', { file })).text ?? '', text, path)
    assert.deepEqual((await answered(address, 'ListVersions', { file })).versions, versions, path)
  }
  if (contents.length === 0) return
  assert.deepEqual((await answered(address, 'ListContents', { file })).contents, contents, path)
  for (const { hash, size } of contents) {
    const place = url(address, { hash, size: Number(size) })
    // Bytes come after the files that have them.
    await until(async () => (await ask(place, 'GET')).status === 200, `${address} has ${path}`)
    assert.equal(blobOf((await ask(place, 'GET')).body).hash, hash)
  }
}
