// The page, as a server gives it to browsers; and what it says of its health.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Page } from '../src/server/page.ts'
import { pagePort, rawStatus } from './page-port.ts'

test('the page is served with its rules, its parts for ever', async (t) => {
  const { address } = await pagePort(t)
  const page = await fetch(`${address}/`)
  assert.equal(page.status, 200)
  assert.equal(await page.text(), '<title>Fourfold</title>')
  assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8')
  assert.equal(page.headers.get('cache-control'), 'no-cache')
  assert.equal(page.headers.get('x-content-type-options'), 'nosniff')
  const policy = page.headers.get('content-security-policy')!
  assert.match(policy, /default-src 'none'; script-src 'self';/)
  assert.match(policy, /connect-src 'self' http:\/\/127.0.0.1:4400 https:\/\/b.example.org ws:/)
  const part = await fetch(`${address}/assets/page-1a2b3c.js`)
  assert.equal(part.headers.get('cache-control'), 'public, max-age=31536000, immutable')
  assert.equal(part.headers.get('content-encoding'), 'gzip')
  assert.equal((await part.text()).length, 7000)
  const head = await fetch(`${address}/`, { method: 'HEAD' })
  assert.equal(head.headers.get('content-length'), '23')
})

test('any path without a file is the page; a missing part is missing', async (t) => {
  const { address } = await pagePort(t)
  assert.equal((await fetch(`${address}/file/AbC`)).status, 200)
  assert.equal((await fetch(`${address}/assets/page-0.js`)).status, 404)
  assert.equal((await fetch(`${address}/`, { method: 'PUT', body: 'x' })).status, 405)
})

test('nothing outside the page is served', async (t) => {
  const { port } = await pagePort(t)
  const paths = [
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/assets/..%2f..%2fsecret.txt',
    '/..\\secret.txt',
    '/%00',
    '/%',
    '//secret.txt',
    '/.git/config',
  ]
  for (const path of paths) {
    const status = await rawStatus(
      port,
      `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    )
    assert.equal(status, '404', path)
  }
})

test('where the page is not built, a sentence says so', async (t) => {
  const { address } = await pagePort(t, { page: new Page('nowhere', []) })
  const answer = await fetch(`${address}/`)
  assert.equal(answer.status, 503)
  assert.match(await answer.text(), /^The page is not built here: run "npm run page" once/)
})

test('health says 200 when work is taken and 503 when it is not', async (t) => {
  let isWell = true
  const { address } = await pagePort(t, { health: () => ({ isWell, body: { isWell } }) })
  assert.equal((await fetch(`${address}/healthz`)).status, 200)
  isWell = false
  const ill = await fetch(`${address}/healthz`)
  assert.equal(ill.status, 503)
  assert.deepEqual(await ill.json(), { isWell: false })
})
