// Files that are no text: what the page shows of them, and that their bytes come out as they went in.

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { after, afterEach, before, test } from 'node:test'
import { createClient } from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-node'
import type { Locator } from 'playwright-core'
import { connect } from '../../src/client/index.ts'
import { FolderService } from '../../src/core/model/wire.ts'
import { until } from '../until.ts'
import { Stage, type Visitor } from './stage.ts'

let stage: Stage
before(async () => {
  stage = await Stage.start({ configuration: { diskFreeBytesMin: 0 } })
})
afterEach(async () => {
  await stage.clear()
})
after(() => stage.end())

test('a picture is shown, with what it is, and comes down as it is', async () => {
  const ana = await stage.join('Ana', 'a')
  const red = await ana.draw(320, 200, 'crimson')
  await put('logo.png', red)
  await ana.row('logo.png').click()
  const preview = ana.page.getByRole('img', { name: 'Preview of logo.png' })
  await preview.waitFor()
  await measures(preview, [320, 200])
  const card = ana.page.getByRole('region', { name: 'About this file' })
  await card.getByText(hashOf(red).slice(0, 12)).waitFor()
  await card.getByText(/^guest, today /).waitFor()
  assert.deepEqual(await downloaded(ana, 'Download', 'logo.png'), red)
  assert.equal(await ana.page.title(), 'logo.png – Fourfold')
})

test('another version comes in place; the one before it is offered', async () => {
  const ana = await stage.join('Ana', 'a')
  const [small, large] = [await ana.draw(20, 20, 'teal'), await ana.draw(60, 40, 'navy')]
  await put('changing.png', small)
  await ana.row('changing.png').click()
  const preview = ana.page.getByRole('img', { name: 'Preview of changing.png' })
  await preview.waitFor()
  await put('changing.png', large, hashOf(small))
  const older = ana.page.getByRole('list', { name: 'Older versions' })
  await older.getByRole('listitem').waitFor()
  await measures(preview, [60, 40])
  assert.deepEqual(await downloaded(ana, /^Download the version of guest/, 'changing.png'), small)
  assert.equal(await ana.page.getByText('2 versions').count(), 0)
})

test('what two people changed at the same time says so, and both are there', async () => {
  const ana = await stage.join('Ana', 'c')
  const [first, one, two] = [randomBytes(3000), randomBytes(4000), randomBytes(5000)]
  await put('plan.bin', first)
  await put('plan.bin', one, hashOf(first))
  await put('plan.bin', two, hashOf(first))
  await ana.row('plan.bin').click()
  const main = ana.page.getByRole('main')
  await main.getByText('2 versions').waitFor()
  await ana.page
    .getByText(/changed it in two places at the same time\. The newer version is shown/)
    .waitFor()
  const older = ana.page.getByRole('list', { name: 'Older versions' })
  await older.getByRole('listitem').nth(1).waitFor()
  assert.equal(await older.getByRole('listitem').count(), 2)
  assert.deepEqual(await downloaded(ana, 'Download', 'plan.bin'), two)
})

test('a text that bytes took the place of is told to who writes in it, and can be had', async () => {
  const ana = await stage.join('Ana', 'a')
  const ben = await stage.join('Ben', 'b')
  await ana.create('letter.md')
  await ana.insert('Dear all,')
  await ana.chip('Saved · 4/4').waitFor()
  const bytes = randomBytes(2000)
  await put('letter.md', bytes, '')
  const alert = ana.page.getByRole('alert', { name: 'The text before' })
  await alert.getByText('guest replaced your text by this file').waitFor()
  await ben.row('letter.md').click()
  // Ben wrote nothing in it: it is told, and he is not warned.
  const beneath = ben.page.getByRole('region', { name: 'The text before' })
  await beneath.getByText('Dear all,').waitFor()
  await alert.getByRole('button', { name: 'Keep both' }).click()
  await ana.row('letter (2).md').waitFor()
  await beneath.getByRole('button', { name: 'Put the text back' }).click()
  await ana.isAt('letter.md')
  await ana.reads('Dear all,')
  const back = await ben.notice('letter.md is text again')
  await back.getByRole('button', { name: 'Undo' }).click()
  await beneath.waitFor()
  assert.deepEqual(await downloaded(ben, 'Download', 'letter.md'), bytes)
  await ana.open('letter (2).md')
  await ana.reads('Dear all,')
})

test('what one wrote offline in a text that bytes took the place of is told to everybody', async () => {
  const ana = await stage.join('Ana', 'a')
  const ben = await stage.join('Ben', 'b')
  await ana.create('memo.md')
  await ana.insert('Dear all,')
  await ana.chip('Saved · 4/4').waitFor()
  await ana.page.context().setOffline(true)
  await ana.append(' at last')
  await ana.chip('Saved on this device').waitFor()
  const bytes = randomBytes(3000)
  await put('memo.md', bytes, '')
  await ana.page.context().setOffline(false)
  const told = /^Ana wrote in the text while this file took its place\. Both are kept\.$/
  await ana.page.getByText(told).waitFor()
  await ana.page
    .getByRole('alert', { name: 'The text before' })
    .getByText('guest replaced your text by this file')
    .waitFor()
  await ben.row('memo.md').getByText('2 versions').waitFor()
  await ben.row('memo.md').click()
  const panel = ben.page.getByRole('region', { name: 'Two versions' })
  await panel.getByText('Dear all, at last', { exact: true }).waitFor()
  await panel.getByRole('button', { name: 'Keep both' }).click()
  await ben.page.getByText('Kept both: the other is memo (2).md').waitFor()
  await panel.waitFor({ state: 'detached' })
  await ana.page.getByText(told).waitFor({ state: 'detached' })
  await ben.open('memo (2).md')
  await ben.reads('Dear all, at last')
})

test('bytes that came at the same time as the text is newer are told over it, and can be had', async () => {
  const ana = await stage.join('Ana', 'a')
  const [first, other] = [randomBytes(1000), randomBytes(2000)]
  await put('report.md', first)
  await put('report.md', other, hashOf(first))
  // Somebody who had seen only the first made a text of it.
  const maker = connect({ servers: [stage.fleet.address('a')], name: 'Cleo', agent: 'cli' })
  await maker.joined()
  await until(
    () => maker.files.some(({ name }) => name === 'report.md'),
    () => 'the file is not listed',
  )
  const { id } = maker.files.find(({ name }) => name === 'report.md')!
  const live = maker.open(id)
  await live.loaded
  live.text.insert(0, 'in words')
  await live.stored()
  await maker.setContent(id, 'text', hashOf(first))
  live.close()
  maker.close()
  await ana.row('report.md').getByText('2 versions').waitFor()
  await ana.open('report.md')
  await ana.reads('in words')
  const bar = ana.page.getByRole('alert', { name: 'Two versions' })
  await bar.getByText(/^2 versions\. guest put another file of 2\.0 KiB in its place/).waitFor()
  await bar.getByRole('button', { name: 'Keep both' }).click()
  await bar.waitFor({ state: 'detached' })
  await ana.reads('in words')
  await ana.row('report (2).md').waitFor()
  // In its history they stay.
  await ana.page.keyboard.press('Control+Shift+H')
  const held = ana.page.getByRole('region', { name: 'Before it was text' })
  await held
    .getByRole('button', { name: /^Put back/ })
    .first()
    .click()
  await ana.page
    .getByRole('region', { name: 'About this file' })
    .getByText('2.0 KiB', { exact: true })
    .waitFor()
})

test('what is no picture, whatever its name, says so and is never run', async () => {
  const ana = await stage.join('Ana', 'b')
  const page = Buffer.from('\0<script>document.title = "taken"</script>')
  await put('not a picture.png', page)
  await ana.row('not a picture.png').click()
  await ana.page.getByText('This browser cannot show it as a picture.').waitFor()
  assert.deepEqual(await downloaded(ana, 'Download', 'not a picture.png'), page)
  assert.equal(await ana.page.title(), 'not a picture.png – Fourfold')
})

test('it comes down from the tree, goes to the trash and comes back', async () => {
  const ana = await stage.join('Ana', 'a')
  const bytes = randomBytes(100_000)
  await put('archive.tar.gz', bytes)
  await ana.row('archive.tar.gz').click({ button: 'right' })
  const begun = ana.page.waitForEvent('download')
  await ana.page.getByRole('menuitem', { name: 'Download' }).click()
  assert.deepEqual(await readFile(await (await begun).path()), bytes)
  await ana.row('archive.tar.gz').click()
  const card = ana.page.getByRole('region', { name: 'About this file' })
  await card.getByText('97.7 KiB').waitFor()
  await ana.page.keyboard.press('F6')
  await ana.hasFocus(ana.page.getByRole('main', { name: 'archive.tar.gz' }))
  const { hash } = new URL(ana.page.url())
  await ana.choose(/^Delete/)
  await ana.row('archive.tar.gz').waitFor({ state: 'detached' })
  // A server has done it: until then the page only shows it so.
  await ana.page.getByRole('main', { name: 'No file is open' }).waitFor()
  await ana.page.goto(`${stage.fleet.address('a')}/${hash}`)
  await card
    .getByText('Ana deleted it. With its versions it can be restored for 30 days.')
    .waitFor()
  await card.getByRole('button', { name: 'Restore file' }).click()
  await ana.row('archive.tar.gz').waitFor()
  assert.deepEqual(await downloaded(ana, 'Download', 'archive.tar.gz'), bytes)
})

test('on a phone it fits the width', async () => {
  const phone = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true }
  const ana = await stage.join('Ana', 'd', phone)
  const wide = await ana.draw(1600, 900, 'olive')
  await put('a picture with a rather long name for a phone.png', wide)
  await ana.page.getByRole('button', { name: 'Files', exact: true }).tap()
  await ana.row('a picture with a rather long name for a phone.png').tap()
  await ana.page.getByRole('img', { name: /^Preview of/ }).waitFor()
  const isWider = await ana.page.evaluate(
    () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
  )
  assert.equal(isWider, false)
})

/** Uploads bytes and gives them to a file, as any program may. */
async function put(file: string, bytes: Buffer, base?: string): Promise<void> {
  const address = stage.fleet.address('a')
  const hash = hashOf(bytes)
  const answer = await fetch(`${address}/blobs/${hash}?size=${bytes.length}`, {
    method: 'PATCH',
    headers: { 'upload-offset': '0' },
    body: new Uint8Array(bytes),
  })
  assert.equal(answer.status, 201, await answer.text())
  const transport = createConnectTransport({ baseUrl: address, httpVersion: '1.1' })
  const folder = createClient(FolderService, transport)
  const size = bytes.length
  await folder.saveBinary({ file, hash, size, ...(base !== undefined && { base }) })
}

/** Resolves when the picture that is shown has this size. */
async function measures(image: Locator, wanted: [number, number]): Promise<void> {
  await until(
    async () => (await image.evaluate(sizeOf)).join() === wanted.join(),
    async () => `the picture has ${(await image.evaluate(sizeOf)).join(' × ')}`,
  )
}

/** Runs in the page: the size that the browser read from the picture itself. */
function sizeOf(image: Element): [number, number] {
  const { naturalWidth, naturalHeight } = image as HTMLImageElement
  return [naturalWidth, naturalHeight]
}

/** What a button's download gives, which has this name. */
async function downloaded(visitor: Visitor, button: string | RegExp, name: string) {
  const begun = visitor.page.waitForEvent('download')
  await visitor.page
    .getByRole('main')
    .getByRole('button', { name: button, exact: typeof button === 'string' })
    .click()
  const download = await begun
  assert.equal(download.suggestedFilename(), name)
  return readFile(await download.path())
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
