// Long texts at the doors of programs: several at once, and those that servers made too long together.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Code, ConnectError } from '@connectrpc/connect'

import { ServerLine } from '../src/cli/set-client.ts'
import { messageBytesMax, textBytesMax } from '../src/core/model/limits.ts'
import { Dav } from './dav-client.ts'
import { startLone, temporaryFolder } from './lone-server.ts'
import { fourfold } from './mirror/mirrors.ts'
import { PartableSet } from './siege/partition.ts'
import { until } from './until.ts'

/** A line to one server, for whole texts. */
function lineTo(t: TestContext, address: string) {
  const line = new ServerLine(address)
  t.after(() => line.close())
  const { folder } = line.clients
  return {
    save: (file: string, text: string) => folder.saveFile({ file, text }),
    read: (file: string) => folder.readFile({ file }),
  }
}

test('several long texts go over one line at once, and what is too long for it is refused', async (t) => {
  const { address } = await startLone(t)
  const { save } = lineTo(t, address)
  const text = 'long '.repeat(messageBytesMax / 10)
  const saved = await Promise.all(['one', 'two', 'three'].map((name) => save(name, text)))
  assert.equal(saved.length, 3)
  const tooLong = new ConnectError('A message has at most 16 MiB.', Code.ResourceExhausted)
  await assert.rejects(save('four', text.repeat(3)), ({ message }: Error) => {
    assert.equal(message, tooLong.message)
    return true
  })
})

test('a text that two servers filled apart is read, mirrored and shortened by all programs', async (t) => {
  const set = await PartableSet.start(['a', 'b'])
  t.after(() => set.end())
  const { fleet } = set
  const [ana, ben] = fleet.addresses.map((address) => lineTo(t, address)) as [Line, Line]
  const { id } = (await ana.save('plan.md', '')).file!
  await until(() => ben.read(id).then(isTrue, isFalse), 'both have it')
  set.part(['a'], ['b'])
  for (const each of [ana, ben]) await each.save(id, 'x'.repeat(textBytesMax))
  set.heal()
  const length = async () => (await ana.read(id)).text.length
  await until(async () => (await length()) === 2 * textBytesMax, 'the text of both is one')

  const servers = fleet.address('a')
  const whole = (await ana.read(id)).text
  const { out } = await fourfold(['cat', 'plan.md'], servers)
  assert.ok(out === whole)
  const directory = temporaryFolder(t)
  const mirror = () => fourfold(['mirror', directory, '--once'], servers)
  await mirror()
  const onDisk = join(directory, 'plan.md')
  assert.ok(readFileSync(onDisk, 'utf8') === whole)

  /** Each of it longer than a text may be. */
  const shortened = [7, 6, 5, 4].map((quarters) =>
    whole.slice(0, (quarters * textBytesMax) / 4 + 1),
  )
  const isShortenedTo = async (text: string) => assert.ok((await ana.read(id)).text === text)
  const [byDav, byMirror, byPut, bySave] = shortened as [string, string, string, string]
  assert.equal(await new Dav(servers).status('PUT', '/plan.md', {}, byDav), 204)
  await isShortenedTo(byDav)
  await mirror()
  assert.ok(readFileSync(onDisk, 'utf8') === byDav)
  writeFileSync(onDisk, byMirror)
  const { code, out: said } = await mirror()
  assert.equal(code, 0, said)
  await isShortenedTo(byMirror)
  const local = join(temporaryFolder(t), 'plan.md')
  writeFileSync(local, byPut)
  await fourfold(['put', local], servers)
  await isShortenedTo(byPut)
  await ana.save(id, bySave)
  await isShortenedTo(bySave)
})

type Line = ReturnType<typeof lineTo>

const isTrue = () => true
const isFalse = () => false
