// Answers of services over HTTP, whatever becomes of those who asked.

import { once } from 'node:events'
import * as http from 'node:http'
import * as http2 from 'node:http2'
import { connect, type AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { FolderService, WatchEvent } from '../gen/fourfold/v1/folder_pb.ts'
import { Unfinished } from '../adapters/channel/unfinished.ts'
import type { Addresses } from './addresses.ts'
import { rpcHandlers } from './rpc.ts'

const path = '/fourfold.v1.FolderService/Watch'
/** An empty request of a stream. */
const asked = Buffer.alloc(5)
const type = 'application/connect+proto'
/** More than Node lets wait. */
const file = { name: 'x'.repeat(100_000) }

/** A watch that tells a little and, when `more` resolves, more than anybody takes. */
async function watches(t: TestContext, kind: 'HTTP/1.1' | 'HTTP/2', more = Promise.resolve()) {
  const ended = Promise.withResolvers<void>()
  const handlers = rpcHandlers({
    routes: (router) => {
      router.service(FolderService, {
        async *watch(_request, { signal }) {
          try {
            yield { event: WatchEvent.READY }
            await more
            while (!signal.aborted) yield { event: WatchEvent.CHANGED, file }
          } finally {
            ended.resolve()
          }
        },
      })
    },
    addresses: { of: () => '127.0.0.1' } as unknown as Addresses,
    isSignedIn: () => true,
    unfinished: new Unfinished(),
  })
  const { answer } = handlers.get(path)!
  const server =
    kind === 'HTTP/1.1'
      ? http.createServer(answer)
      : http2.createServer((...call) => answer(...(call as unknown as Parameters<typeof answer>)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { server, port: (server.address() as AddressInfo).port, ended: ended.promise }
}

test('12 what tells somebody who leaves ends, be it in the middle of a piece, over HTTP/1.1', async (t) => {
  // Who has read all says nothing but that it leaves. What is told right then goes nowhere, and Node says
  // so to nobody.
  const left = Promise.withResolvers<void>()
  const { server, port, ended } = await watches(t, 'HTTP/1.1', left.promise)
  server.on('connection', (socket) => socket.on('end', left.resolve))
  const socket = connect(port, '127.0.0.1')
  const head = ['Host: a', `Content-Type: ${type}`, `Content-Length: ${asked.length}`]
  socket.write([`POST ${path} HTTP/1.1`, ...head, '', ''].join('\r\n'))
  socket.write(asked)
  await once(socket, 'data')
  socket.end()
  await ended
})

test('12 what tells somebody who leaves ends, be it in the middle of a piece, over HTTP/2', async (t) => {
  const { port, ended } = await watches(t, 'HTTP/2')
  const session = http2.connect(`http://127.0.0.1:${port}`)
  t.after(() => session.destroy())
  const request = session.request({ ':path': path, ':method': 'POST', 'content-type': type })
  request.end(asked)
  await once(request, 'readable')
  session.destroy()
  await ended
})
