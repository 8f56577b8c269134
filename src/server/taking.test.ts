// Who takes an answer slowly gets all of it; who takes nothing is cut off.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import * as http from 'node:http'
import * as http2 from 'node:http2'
import { connect, type AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { give, giveAll, inPieces } from './taking.ts'

/** More than the system keeps on its way between two sockets. */
const answer = Buffer.alloc(30_000_000, 'answer ')
/** With those who take nothing: nobody here waits for a minute. */
const littleMs = 100

type Give = (response: http.ServerResponse, patienceMs?: number) => Promise<unknown>

/** What is given when, in the three ways in which servers do it. */
const ways: { [name: string]: Give } = {
  'by a piece': async (response, patienceMs) => {
    await give(response, answer, patienceMs)
    response.end()
  },
  'as a whole': (response, patienceMs) => giveAll(response, answer, patienceMs),
  'by somebody else': (response, patienceMs) =>
    pipeline(Readable.from(inPieces(Readable.from([answer]), response, patienceMs)), response),
}

interface Stage {
  port: number
  /** Resolves when a response is over and what gave it has come to its end; tells whether all went. */
  over: Promise<boolean>
}

async function stage(
  t: TestContext,
  how: 'HTTP/1.1' | 'HTTP/2',
  way: (response: http.ServerResponse) => Promise<unknown>,
): Promise<Stage> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const answered = async (response: http.ServerResponse) => {
    const closed = once(response, 'close')
    await way(response).catch(() => {})
    await closed
    resolve(response.writableFinished)
  }
  const begin = (response: http.ServerResponse) => void answered(response)
  const server =
    how === 'HTTP/2'
      ? http2.createServer((_, response) => begin(response as unknown as http.ServerResponse))
      : http.createServer((_, response) => begin(response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { port: (server.address() as AddressInfo).port, over: promise }
}

for (const [name, way] of Object.entries(ways)) {
  const impatient: Give = (response) => way(response, littleMs)

  test(`12 given ${name}: who takes nothing over HTTP/1.1 is cut off`, async (t) => {
    const { port, over } = await stage(t, 'HTTP/1.1', impatient)
    const socket = connect(port, '127.0.0.1')
    t.after(() => socket.destroy())
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    assert.equal(await over, false)
  })

  test(`12 given ${name}: who takes nothing over HTTP/2 is cut off, though it answers pings`, async (t) => {
    const { port, over } = await stage(t, 'HTTP/2', impatient)
    const session = http2.connect(`http://127.0.0.1:${port}`, {
      settings: { initialWindowSize: 1000 },
    })
    t.after(() => session.destroy())
    const request = session.request({ ':path': '/' })
    const failed = once(request, 'error')
    request.pause()
    assert.equal(await over, false)
    assert.match(String(await failed), /NGHTTP2_INTERNAL_ERROR/)
  })

  test(`given ${name}, all of it comes`, async (t) => {
    const { port, over } = await stage(t, 'HTTP/1.1', way)
    const came = await fetch(`http://127.0.0.1:${port}`)
    assert.ok(Buffer.from(await came.arrayBuffer()).equals(answer))
    assert.equal(await over, true)
  })
}
