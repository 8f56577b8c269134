// G8 of mirrors: a save whose answer is lost goes to another server, where others have typed since.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createClient } from '@connectrpc/connect'
import { createGrpcTransport } from '@connectrpc/connect-node'
import { FolderService } from '../../src/core/model/wire.ts'
import { Relay } from '../relay.ts'
import { PartableSet } from '../siege/partition.ts'
import { until } from '../until.ts'
import { Mirrored, tree } from './mirrors.ts'

/** Far less than the silence after which the mirror looks for another server. */
const answerMs = 400

test('G8 a change that reached two servers, with others typing at one, is there once', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'fourfold-mirror-'))
  const set = await PartableSet.start(['a', 'b'])
  const { fleet } = set
  const relay = await Relay.to(fleet.address('a'), answerMs)
  const mirror = new Mirrored(directory, [relay.address, fleet.address('b')].join(','))
  t.after(async () => {
    await mirror.end('SIGKILL')
    relay.close()
    await set.end()
    rmSync(directory, { recursive: true })
  })
  const folderAt = (id: string) =>
    createClient(FolderService, createGrpcTransport({ baseUrl: fleet.address(id) }))
  const [a, b] = [folderAt('a'), folderAt('b')]
  const textAt = async (at: typeof a) => (await at.readFile({ file: 'plan.md' })).text
  const before = 'one\ntwo\nthree\nfour\n'
  await a.saveFile({ file: 'plan.md', text: before })
  await fleet.same()
  mirror.start()
  const isOnDisk = (text: string) =>
    until(
      () => tree(directory).get('plan.md') === text,
      () => `${String(tree(directory).get('plan.md'))}\n${mirror.said}`,
    )
  await isOnDisk(before)

  set.part(['a'], ['b'])
  const text = before.replace('three\n', 'three\nby Bob\n')
  await b.saveFile({ file: 'plan.md', text })
  writeFileSync(mirror.path('plan.md'), before.replace('one', 'one and a half'))
  await until(
    // On a very busy machine it may have gone to the other one from the first.
    async () => (await Promise.all([textAt(a), textAt(b)])).join().includes('and a half'),
    () => mirror.said,
  )
  // Its answer is still on its way.
  relay.cut()
  const after = 'one and a half\ntwo\nthree\nby Bob\nfour\n'
  await until(
    async () => (await textAt(b)) === after,
    () => mirror.said,
  )
  set.heal()
  relay.heal()
  await fleet.well()
  await fleet.same()
  assert.equal(await textAt(a), after)
  assert.equal(await textAt(b), after)
  await isOnDisk(after)
})
