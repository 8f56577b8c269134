// A port with nothing behind it but a page, and requests spelled out in bytes.

import { mkdirSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

import { Addresses } from '../src/server/addresses.ts'
import { Origins } from '../src/server/origins.ts'
import { Page } from '../src/server/page.ts'
import { openPort, type PortOptions } from '../src/server/port.ts'
import { temporaryFolder } from './lone-server.ts'

/** Where RPC lists the files. */
export const listFiles = '/fourfold.v1.FolderService/ListFiles'

/** A port with a page and nothing else behind it. */
export async function pagePort(t: TestContext, overrides: Partial<PortOptions> = {}) {
  const root = temporaryFolder(t)
  mkdirSync(join(root, 'web', 'assets'), { recursive: true })
  writeFileSync(join(root, 'secret.txt'), 'secret')
  writeFileSync(join(root, 'web', 'index.html'), '<title>Fourfold</title>')
  writeFileSync(join(root, 'web', 'assets', 'page-1a2b3c.js'), 'start()'.repeat(1000))
  const port = await openPort({
    listen: { host: '127.0.0.1', port: 0 },
    routes: () => {},
    isSignedIn: () => true,
    answerPeer: () => {},
    answerBlob: () => Promise.resolve(),
    answerDav: () => Promise.resolve(),
    page: new Page(join(root, 'web'), ['http://127.0.0.1:4400', 'https://b.example.org']),
    origins: new Origins(['http://127.0.0.1:4400']),
    addresses: new Addresses(),
    health: () => ({ isWell: true, body: { status: 'ok' } }),
    log: () => {},
    accept: () => {},
    ...overrides,
  })
  t.after(() => port.close())
  return { port: port.number, address: `http://127.0.0.1:${port.number}` }
}

/** The status of a request spelled out in bytes, '' when the connection ends without one. */
export async function rawStatus(port: number, head: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  let text = ''
  socket.on('data', (chunk) => (text += chunk.toString()))
  socket.write(head)
  await closed(socket)
  return /^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? ''
}

/** Resolves when a connection is over, be it cut short while something was on its way. */
export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()))
}
