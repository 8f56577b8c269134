// A real browser's IndexedDB keeps what a device must, and is read by pages that are newer than what is there.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { build, type Rolldown } from 'vite'
import { parseConfiguration } from '../../src/server/configuration.ts'
import { startServer } from '../../src/server/server.ts'
import { localContract } from '../../src/adapters/storage/testing/local-contract.ts'
import { temporaryFolder } from '../lone-server.ts'
import { keepHere, oldPages, unpackPage } from '../old-pages/pages.ts'
import { readFile } from '../siege/whole-files.ts'
import { until } from '../until.ts'
import { launched, Visitor } from './stage.ts'

/** Pages that are closed as soon as they have asked for something to be kept. */
const closedCount = 8

/** What device-page.ts puts there. */
interface DevicePage {
  append: (document: string) => Promise<void>
  count: (document: string) => Promise<number>
}

let browser: Browser
before(async () => {
  browser = await launched()
})
after(() => browser.close())

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

/** The address of a page that is this program and nothing else. */
async function programServed(t: TestContext): Promise<string> {
  const program = await bundle()
  const server = createServer((request, response) => {
    const isProgram = request.url === '/page.js'
    response.setHeader('content-type', isProgram ? 'text/javascript' : 'text/html')
    response.end(isProgram ? program : '<script type="module" src="/page.js"></script>')
  }).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

test('IndexedDB keeps the contract of a device’s storage, also when the page is closed at once', async (t) => {
  const address = await programServed(t)
  const context = await browser.newContext()
  t.after(() => context.close())
  const page = await context.newPage()
  await page.goto(address)
  await page.waitForFunction(() => 'runContract' in globalThis)
  const kept = await page.evaluate(() =>
    (globalThis as unknown as { runContract: () => Promise<string[]> }).runContract(),
  )
  assert.deepEqual(
    kept,
    localContract.map(({ sentence }) => sentence),
  )
  for (let count = 1; count <= closedCount; count++) {
    const closed = await context.newPage()
    await closed.goto(address)
    await closed.evaluate(() => (globalThis as unknown as DevicePage).append('closed'))
    await closed.close()
    const isKept = async () =>
      (await page.evaluate(() => (globalThis as unknown as DevicePage).count('closed'))) === count
    await until(isKept, `update ${count} is kept`, 5000)
  }
})

for (const { commit, of } of oldPages) {
  test(`what a page with ${of} kept is opened, and brought to a server`, async (t) => {
    const data = temporaryFolder(t)
    const { texts, kept } = unpackPage(commit, join(data, 'a'))
    const address = await served(t, data)
    const page = await browser.newPage()
    t.after(() => page.close())
    // Nothing of the page runs there.
    await page.goto(`${address}/favicon.ico`)
    await page.evaluate(keepHere, kept)
    await page.goto(address)
    const ada = new Visitor(page)
    await ada.signIn('Ada')
    for (const [path, text] of Object.entries(texts)) {
      await ada.open(path)
      await ada.reads(text)
    }
    await ada.chip('Saved · 1/1').waitFor()
    for (const [path, text] of Object.entries(texts)) {
      let there = ''
      const isThere = async () => (there = await readFile(address, path)) === text
      await until(isThere, () => `${path} is ${there} on the server`)
    }
  })
}

test('words of a page whose keys are lost are told of, and kept as texts', async (t) => {
  const data = temporaryFolder(t)
  const { texts, kept } = unpackPage(oldPages.at(-1)!.commit, join(data, 'a'))
  const address = await served(t, data)
  const page = await browser.newPage()
  t.after(() => page.close())
  await page.goto(`${address}/favicon.ico`)
  const values = kept.values.filter(([key]) => !key.endsWith('keys'))
  assert.ok(values.length < kept.values.length)
  await page.evaluate(keepHere, { ...kept, values })
  await page.goto(address)
  const ada = new Visitor(page)
  await ada.signIn('Ada')
  const count = Object.keys(texts).length
  const bar = page.getByRole('alert').filter({ hasText: `${count} texts have words` })
  await bar.getByRole('button', { name: 'Decide…' }).click()
  const listed = page.getByRole('list', { name: 'Texts on this device' }).getByRole('listitem')
  const there = (await listed.allTextContents()).sort()
  assert.deepEqual(
    there,
    Object.entries(texts)
      .map(([path, text]) => `${path}${text}`)
      .sort(),
  )
})

/** The address of a server alone, with its data below this folder. */
async function served(t: TestContext, data: string): Promise<string> {
  const servers = [{ id: 'a', address: 'http://127.0.0.1:2' }]
  const json = { set: 'test', data, servers, listen: '127.0.0.1:0', diskFreeBytesMin: 0 }
  const log = () => {}
  const configuration = parseConfiguration(json, 'test.json')
  const server = await startServer({ configuration, isFirst: false, log, failed: log })
  t.after(() => server.stop())
  const address = `http://127.0.0.1:${server.port}`
  await until(async () => (await fetch(`${address}/healthz`)).ok, 'it serves')
  return address
}
