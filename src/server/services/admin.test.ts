// How a server is told to be rests on what is on its disk, and is told soon or not at all.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setImmediate as untilOthersRan } from 'node:timers/promises'
import { createClient, createRouterTransport } from '@connectrpc/connect'
import { Withheld } from '../../adapters/engine/withheld.ts'
import { statusMs } from '../../core/model/limits.ts'
import { AdminService } from '../../core/model/wire.ts'
import { Tokens } from '../tokens.ts'
import { adminService } from './admin.ts'

function asked(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const [engine, flush] = [new Withheld(), Promise.withResolvers<void>()]
  void engine.until(flush.promise)
  const status = () => ({ digest: 'of what is taken in' })
  const service = adminService(new Tokens('test', undefined), status, engine)
  const transport = createRouterTransport((router) => router.service(AdminService, service))
  let answer = ''
  const told = createClient(AdminService, transport)
    .getStatus({})
    .then(
      ({ digest }) => (answer = digest),
      (error: Error) => (answer = error.message),
    )
  return { flush, told, answered: () => answer, pass: (ms: number) => t.mock.timers.tick(ms) }
}

test('how a server is waits for its disk', async (t) => {
  const { flush, told, answered } = asked(t)
  for (let turn = 0; turn < 9; turn++) await untilOthersRan()
  assert.equal(answered(), '')
  flush.resolve()
  assert.equal(await told, 'of what is taken in')
})

test('a server whose disk hangs says so, and nothing else of itself', async (t) => {
  const { told, pass, answered } = asked(t)
  for (let turn = 0; turn < 9; turn++) await untilOthersRan()
  pass(statusMs - 1)
  for (let turn = 0; turn < 9; turn++) await untilOthersRan()
  assert.equal(answered(), '')
  pass(1)
  assert.equal(await told, '[unavailable] The disk of this server hangs.')
})
