// A real browser's IndexedDB keeps what a device must.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build, type Rolldown } from 'vite'
import { localContract } from '../../src/adapters/storage/testing/local-contract.ts'
import { launched } from './stage.ts'

/** The page's program in one piece. */
async function bundle(): Promise<string> {
  const built = (await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      target: 'es2024',
      lib: {
        entry: fileURLToPath(new URL('device-page.ts', import.meta.url)),
        formats: ['es'],
      },
    },
  })) as Rolldown.RolldownOutput[]
  return built[0]!.output[0].code
}

test('IndexedDB keeps the contract of a device’s storage', async (t) => {
  const program = await bundle()
  const server = createServer((request, response) => {
    const isProgram = request.url === '/page.js'
    response.setHeader('content-type', isProgram ? 'text/javascript' : 'text/html')
    response.end(isProgram ? program : '<script type="module" src="/page.js"></script>')
  }).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const browser = await launched()
  t.after(() => browser.close())
  const page = await browser.newPage()
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  await page.waitForFunction(() => 'runContract' in globalThis)
  const kept = await page.evaluate(() =>
    (globalThis as unknown as { runContract: () => Promise<string[]> }).runContract(),
  )
  assert.deepEqual(
    kept,
    localContract.map(({ sentence }) => sentence),
  )
})
