// A set with a password: who gives it is let in, and bytes go up and come down as elsewhere.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { after, afterEach, before, test } from 'node:test'
import { BlobReader, Uint8ArrayWriter, ZipReader } from '@zip.js/zip.js'
import type { BrowserContextOptions } from 'playwright-core'
import { Stage, Visitor } from './stage.ts'

const password = 'four lamps, one light'
/** What the browser says of an answer that the page expects. */
const refused = /401 \(Unauthorized\)/

let stage: Stage
before(async () => {
  const configuration = { auth: { password }, diskFreeBytesMin: 0 }
  stage = await Stage.start({ configuration })
})
afterEach(async () => {
  await stage.clear()
})
after(() => stage.end())

test('the page asks for the password, says when it is wrong, and asks a device once', async () => {
  const ana = await stage.visit('a')
  await ana.signIn('Ana')
  const field = ana.page.getByLabel('Password')
  await ana.hasFocus(field)
  // It was only left out: nobody did anything wrong yet.
  assert.equal(await field.getAttribute('aria-invalid'), null)
  stage.expect(refused)
  await ana.page.keyboard.type('four lamps')
  await ana.page.keyboard.press('Enter')
  await ana.page.getByText('That is not the password.').waitFor()
  await field.fill(password)
  await ana.page.keyboard.press('Enter')
  await ana.isIn()
  await ana.create('inside.md')
  await ana.type('let in')
  await ana.chip('Saved · 4/4').waitFor()
  await ana.page.reload()
  await ana.reads('let in')

  const second = await ana.page.context().newPage()
  await second.goto(stage.fleet.address('a'))
  await new Visitor(second).signIn('Ana at the other table')
  await new Visitor(second).isIn()

  await ana.page.getByRole('button', { name: 'You are Ana' }).click()
  await ana.page.getByRole('menuitem', { name: 'Sign out' }).click()
  await field.waitFor()
  await ana.signIn('Ana')
  await ana.page.getByText('Type the password.').waitFor()
})

test('bytes go up, are shown and come down, alone and as an archive; no address has a token', async () => {
  const ana = await enter('Ana', 'b')
  const addresses: string[] = []
  ana.page.on('request', (request) => addresses.push(request.url()))
  const picture = await ana.draw(120, 80, 'crimson')
  const data = randomBytes(300_000)
  const bring = ana.page.locator('input[type=file]:not([webkitdirectory])')
  await bring.setInputFiles([
    { name: 'lamp.png', mimeType: 'image/png', buffer: picture },
    { name: 'data.bin', mimeType: 'application/octet-stream', buffer: data },
  ])
  await ana.page.getByText('2 files are here.', { exact: true }).waitFor()
  await ana.row('lamp.png').click()
  await ana.page.getByRole('img', { name: 'Preview of lamp.png' }).waitFor()
  const card = ana.page.getByRole('region', { name: 'About this file' })
  await card.getByText(/^Ana, today /).waitFor()
  const [download] = await Promise.all([
    ana.page.waitForEvent('download'),
    card.getByRole('button', { name: 'Download', exact: true }).click(),
  ])
  assert.equal(download.suggestedFilename(), 'lamp.png')
  assert.deepEqual(await readFile(await download.path()), picture)

  await ana.row('data.bin').click({ modifiers: ['ControlOrMeta'] })
  await ana.row('data.bin').click({ button: 'right' })
  const [zip] = await Promise.all([
    ana.page.waitForEvent('download'),
    ana.page.getByRole('menuitem', { name: 'Download' }).click(),
  ])
  const reader = new ZipReader(new BlobReader(new Blob([await readFile(await zip.path())])))
  const found: { [name: string]: Buffer } = {}
  for (const entry of await reader.getEntries()) {
    if (entry.directory) continue
    const options = { useWebWorkers: false }
    found[entry.filename] = Buffer.from(await entry.getData(new Uint8ArrayWriter(), options))
  }
  assert.deepEqual(found, { 'data.bin': data, 'lamp.png': picture })

  const token = await ana.page.evaluate(() => localStorage.getItem('fourfold.token'))
  const [secret] = JSON.parse(token!).split('.')
  assert.ok(addresses.length > 0 && secret.length > 20)
  assert.deepEqual(
    addresses.filter((address) => address.includes(secret)),
    [],
  )
})

test('named versions are asked for with the token too', async () => {
  const ana = await enter('Ana', 'c')
  await ana.create('versions.md')
  await ana.type('first')
  await ana.page.keyboard.press('Control+s')
  const dialog = ana.page.getByRole('dialog', { name: 'Save this version' })
  await ana.hasFocus(dialog.getByLabel('Name of this version'))
  await ana.page.keyboard.type('sent')
  await ana.page.keyboard.press('Enter')
  // No key opens anything while a dialog is over the page.
  await dialog.waitFor({ state: 'detached' })
  await ana.page.keyboard.press('Control+Shift+H')
  await ana.page.getByRole('complementary').getByText('sent').waitFor()
})

test('when the servers want the password again, one goes on writing and gives it in place', async () => {
  const ana = await enter('Ana', 'd')
  await ana.create('evening.md')
  await ana.type('before')
  await ana.chip('Saved · 4/4').waitFor()
  stage.expect(refused)
  // As after thirty days, or when the password was changed.
  await ana.page.evaluate(() => localStorage.setItem('fourfold.token', '"old.token"'))
  await ana.page.reload()
  await ana.chip('Sign in again').waitFor()
  await ana.append(', and after')
  await ana.page.getByLabel('Password').fill(password)
  await ana.page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await ana.chip('Saved · 4/4').waitFor()
  await ana.reads('before, and after')
  const ben = await enter('Ben', 'a')
  await ben.open('evening.md')
  await ben.reads('before, and after')
})

/** Somebody on a device of their own, who knows the password. */
async function enter(
  name: string,
  server: string,
  options: BrowserContextOptions = {},
): Promise<Visitor> {
  const visitor = await stage.visit(server, options)
  await visitor.signIn(name)
  await visitor.page.getByLabel('Password').fill(password)
  await visitor.page.keyboard.press('Enter')
  await visitor.isIn()
  return visitor
}
