// Long texts at the doors of programs.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Code, ConnectError } from '@connectrpc/connect'

import { ServerLine } from '../src/cli/set-client.ts'
import { messageBytesMax } from '../src/core/model/limits.ts'
import { startLone } from './lone-server.ts'

/** A line to one server, for whole texts. */
function lineTo(t: TestContext, address: string) {
  const line = new ServerLine(address)
  t.after(() => line.close())
  const { folder } = line.clients
  return {
    save: (file: string, text: string) => folder.saveFile({ file, text }),
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
