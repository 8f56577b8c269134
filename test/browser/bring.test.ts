// Any bytes from a person's device: uploads, other versions, conflicts, archives, pictures in a text.

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { Code, ConnectError, createClient } from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-node'
import {
  BlobReader,
  Uint8ArrayReader,
  Uint8ArrayWriter,
  ZipReader,
  ZipWriter,
} from '@zip.js/zip.js'
import type { Locator } from 'playwright-core'
import { connect } from '../../src/client/index.ts'
import { FolderService } from '../../src/core/model/wire.ts'
import { until } from '../until.ts'
import { Stage, type Visitor } from './stage.ts'

const MiB = 1024 * 1024
/** No worker of its own for an archive of a few bytes. */
const direct = { useWebWorkers: false }

let stage: Stage
/** A directory of this machine, for each test. */
let disk: string
before(async () => {
  stage = await Stage.start({ configuration: { diskFreeBytesMin: 0 } })
})
beforeEach(() => {
  disk = mkdtempSync(join(tmpdir(), 'fourfold-bring-'))
})
afterEach(async () => {
  rmSync(disk, { recursive: true })
  await stage.clear()
})
after(() => stage.end())

// ----------------------------------------------------------------------------------- uploads

test('files of any bytes go up from the menu, in their person’s name, to the disks of all servers', async () => {
  const ana = await stage.join('Ana', 'a')
  const [logo, data] = [await ana.draw(200, 100, 'teal'), randomBytes(3 * MiB)]
  await chooseFiles(ana, /^Upload/, {
    'logo.png': logo,
    'data.bin': data,
    'note.md': Buffer.from('# Hi'),
  })
  await ana.page.getByText('3 files are here.', { exact: true }).waitFor()
  for (const name of ['logo.png', 'data.bin', 'note.md']) await ana.row(name).waitFor()
  await ana.row('data.bin').click()
  await ana.page
    .getByRole('region', { name: 'About this file' })
    .getByText(/^Ana, today /)
    .waitFor()
  await ana.chip('Saved · 4/4').waitFor()
  for (const id of stage.fleet.ids) {
    assert.deepEqual(await bytesAt(id, data), data, id)
    await holds('data.bin', [[hashOf(data), 'Ana']], id)
  }
  // The same name again: what is there stays as it is.
  await chooseFiles(ana, /^Upload/, { 'data.bin': randomBytes(100) })
  await ana.page.getByText(/^Not brought in: data\.bin\. "data\.bin" is here already/).waitFor()
})

test('a long upload shows how far it is, is stopped, and goes on later where it was', async () => {
  const ana = await stage.join('Ana', 'b')
  const film = randomBytes(24 * MiB)
  const patches = patchesOf(ana)
  const unthrottle = await throttle(ana, 1.5 * MiB)
  await chooseFiles(ana, /^Upload/, { 'film.mov': film })
  const bar = ana.page.getByRole('progressbar', { name: 'film.mov' })
  await bar.waitFor()
  await until(
    async () => Number((await bar.getAttribute('aria-valuenow')) ?? 0) > 4 * MiB,
    async () => `the upload is at ${await bar.getAttribute('aria-valuenow')}`,
  )
  await ana.page.getByText(/^[1-9]\d?% of 24\.0 MiB$/).waitFor()
  await ana.page.getByRole('button', { name: 'Stop' }).click()
  await ana.page.getByText('Stopped; nothing came in.').waitFor()
  await bar.waitFor({ state: 'detached' })
  assert.equal(await ana.row('film.mov').count(), 0)
  await unthrottle()
  const address = stage.fleet.address('b')
  const isKept = async () => {
    const answer = await fetch(urlOf(address, film), { method: 'HEAD' })
    return Number(answer.headers.get('upload-offset') ?? 0) > 0
  }
  await until(isKept, () => 'nothing is kept of what was sent')
  patches.length = 0
  await chooseFiles(ana, /^Upload/, { 'film.mov': film })
  await ana.row('film.mov').waitFor()
  assert.deepEqual(await bytesAt('b', film), film)
  assert.ok(
    patches.length > 0 && patches.every(({ offset }) => offset > 0),
    JSON.stringify(patches),
  )
})

test('on a phone a notice covers no button that stops an upload, beside the text or in the drawer', async () => {
  const phone = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true }
  const ana = await stage.join('Ana', 'b', phone)
  await ana.create('told.md')
  await throttle(ana, MiB / 4)
  await chooseFiles(ana, /^Upload/, { 'film.mov': randomBytes(8 * MiB) })
  await ana.page.getByRole('progressbar', { name: 'film.mov' }).waitFor()
  await ana.page.getByRole('button', { name: 'Files', exact: true }).tap()
  await ana.page.getByRole('button', { name: 'Actions for told.md' }).tap()
  await ana.page.getByRole('menuitem', { name: /^Delete/ }).tap()
  // In one look: the notice goes by itself.
  const looked = await ana.page.waitForFunction(() => {
    const notice = document.querySelector('.toast')?.getBoundingClientRect()
    const stops = [...document.querySelectorAll('.bringing .button')]
    if (!notice || stops.length < 2) return undefined
    const boxes = stops.map((stop) => stop.getBoundingClientRect())
    return boxes.map(({ top, bottom }) => bottom <= notice.top || top >= notice.bottom)
  })
  assert.deepEqual(await looked.jsonValue(), [true, true])
  await ana.page.getByRole('button', { name: 'Stop' }).last().tap()
  await ana.page.getByText('Stopped; nothing came in.').waitFor()
})

test('a name is whole beside the badge of two versions, and in the trash', async () => {
  const ana = await stage.join('Ana', 'c')
  const [first, one, two] = await pictures(ana)
  await conflict('harbour map.png', first, one, two)
  const row = ana.row('harbour map.png')
  await row.hover()
  await row.getByText('2 versions').waitFor()
  const isCut = (name: Locator) =>
    name.evaluate((element) => element.scrollWidth > element.clientWidth)
  assert.equal(await isCut(row.getByText('harbour map.png')), false)
  const long = 'what the harbour was like before the lighthouse.md'
  await ana.create(long)
  await ana.choose(/^Delete/)
  await ana.page.getByRole('button', { name: /^Trash/ }).click()
  const trash = ana.page.getByRole('list', { name: 'Trash' })
  await trash.getByRole('button', { name: `Restore ${long}` }).waitFor()
  assert.equal(await isCut(trash.getByText(long)), false)
  await folderAt('a').deleteFile({ file: 'harbour map.png' })
})

test('a text that is long on its way is counted, as bytes are', async () => {
  const ana = await stage.join('Ana', 'a')
  const unthrottle = await throttle(ana, 100_000)
  await chooseFiles(ana, /^Upload/, { 'log.txt': Buffer.from('a long line\n'.repeat(40_000)) })
  await ana.page.getByText('0 of 1', { exact: true }).waitFor()
  await unthrottle()
  await ana.isAt('log.txt')
})

test('an upload behind the beginning of other bytes, which somebody left there, begins anew', async () => {
  // The whole has another hash than was said: that is how the page learns of it.
  stage.expect(/^Failed to load resource: the server responded with a status of 400 /)
  const ana = await stage.join('Ana', 'b')
  const film = randomBytes(2 * MiB)
  const left = await fetch(urlOf(stage.fleet.address('b'), film), {
    method: 'PATCH',
    headers: { 'upload-offset': '0' },
    body: randomBytes(MiB),
  })
  assert.equal(left.status, 204)
  await chooseFiles(ana, /^Upload/, { 'film.mov': film })
  await ana.row('film.mov').waitFor()
  assert.deepEqual(await bytesAt('b', film), film)
})

test('an upload whose server is killed goes on at another, by itself', async () => {
  const ana = await stage.join('Ana', 'd')
  const film = randomBytes(24 * MiB)
  const patches = patchesOf(ana)
  const unthrottle = await throttle(ana, 1.5 * MiB)
  const from = await ana.server()
  await chooseFiles(ana, /^Upload/, { 'second film.mov': film })
  const bar = ana.page.getByRole('progressbar', { name: 'second film.mov' })
  await until(
    async () =>
      Number((await bar.getAttribute('aria-valuenow', { timeout: 30_000 })) ?? 0) > 4 * MiB,
    () => 'the upload does not come forward',
  )
  await stage.fleet.kill(from)
  await unthrottle()
  await ana.row('second film.mov').waitFor()
  const other = await ana.server()
  assert.notEqual(other, from)
  await holds('second film.mov', [[hashOf(film), 'Ana']], other)
  assert.deepEqual(await bytesAt(other, film), film)
  assert.ok(patches.some(({ url }) => !url.startsWith(stage.fleet.address(from))))
  await stage.fleet.start(from)
  await stage.fleet.well()
  assert.deepEqual(await bytesAt(from, film), film)
})

test('without a server an upload waits, and goes up when one can be reached', async () => {
  const ana = await stage.join('Ana', 'b')
  const bytes = randomBytes(MiB)
  await ana.page.context().setOffline(true)
  await chooseFiles(ana, /^Upload/, { 'waiting.bin': bytes })
  await ana.page.getByText('waits for a server', { exact: true }).waitFor()
  await ana.page.context().setOffline(false)
  await ana.row('waiting.bin').waitFor()
  await holds('waiting.bin', [[hashOf(bytes), 'Ana']])
})

test('what cannot be kept says why, and the rest comes in', async () => {
  const ana = await stage.join('Ana', 'a')
  await chooseFiles(ana, /^Upload/, { 'kept.bin': Buffer.of(0, 1), 'com1.bin': Buffer.of(0, 2) })
  await ana.page
    .getByText(
      /^kept\.bin is here\. Not brought in: com1\.bin\. "com1\.bin" is the name of a device/,
    )
    .waitFor()
})

// ---------------------------------------------------------------------------------- versions

test('other bytes take the place of a file’s, by the button and by a drop, and undo brings them back', async () => {
  const ana = await stage.join('Ana', 'a')
  const [red, blue] = [await ana.draw(40, 30, 'crimson'), await ana.draw(80, 50, 'navy')]
  await chooseFiles(ana, /^Upload/, { 'sign.png': red })
  const preview = ana.page.getByRole('img', { name: 'Preview of sign.png' })
  await shows(preview, 40, 30)
  const chooser = ana.page.waitForEvent('filechooser')
  await ana.page.getByRole('button', { name: 'Replace…' }).click()
  await (await chooser).setFiles(onDisk({ 'other name.png': blue }))
  await shows(preview, 80, 50)
  await (await ana.notice('Replaced sign.png')).getByRole('button', { name: 'Undo' }).click()
  await shows(preview, 40, 30)
  await ana.page.getByText('sign.png is as it was', { exact: true }).waitFor()
  const green = await ana.draw(60, 60, 'green')
  await drop(preview, onDisk({ 'dropped.png': green }))
  await shows(preview, 60, 60)
  // What it held is still among its versions, and can be put back.
  await ana.page
    .getByRole('button', { name: /^Put back the version of Ana/ })
    .last()
    .click()
  await shows(preview, 40, 30)
  const versions = [red, green, red, blue, red]
  await holds(
    'sign.png',
    versions.map((bytes) => [hashOf(bytes), 'Ana']),
  )
  await drop(preview, onDisk({ 'one.png': green, 'two.png': blue }))
  await ana.page.getByText('Drop one file here to replace sign.png.').waitFor()
})

test('of two versions made at once both are shown; one keeps both, and both are files', async () => {
  const ana = await stage.join('Ana', 'c')
  const [first, one, two] = await pictures(ana)
  await conflict('map.png', first, one, two)
  await ana.row('map.png').getByText('2 versions').waitFor()
  await ana.row('map.png').click()
  const panel = ana.page.getByRole('region', { name: 'Two versions' })
  await panel.getByText(/changed it in two places at the same time/).waitFor()
  await panel.getByRole('img').nth(1).waitFor()
  await shows(panel.getByRole('img').first(), 50, 50)
  await shows(panel.getByRole('img').last(), 40, 40)
  await panel.getByRole('button', { name: 'Keep both' }).click()
  await ana.page.getByText('Kept both: the other is map (2).png').waitFor()
  await panel.waitFor({ state: 'detached' })
  assert.equal(await ana.page.getByText('2 versions').count(), 0)
  await ana.row('map (2).png').click()
  await shows(ana.page.getByRole('img', { name: 'Preview of map (2).png' }), 40, 40)
  await holds('map.png', [
    [hashOf(two), 'guest'],
    [hashOf(one), 'guest'],
    [hashOf(first), 'guest'],
  ])
  await holds('map (2).png', [[hashOf(one), 'Ana']])
})

test('of two versions made at once one is kept; the other stays among the versions', async () => {
  const ana = await stage.join('Ana', 'b')
  const ben = await stage.join('Ben', 'd')
  const [first, one, two] = await pictures(ana)
  await conflict('plan.png', first, one, two)
  for (const each of [ana, ben]) await each.row('plan.png').click()
  const panel = ana.page.getByRole('region', { name: 'Two versions' })
  await panel
    .getByRole('button', { name: /^Keep this/ })
    .last()
    .click()
  await panel.waitFor({ state: 'detached' })
  const preview = ana.page.getByRole('img', { name: 'Preview of plan.png' })
  await shows(preview, 40, 40)
  // It is over for everybody.
  await shows(ben.page.getByRole('img', { name: 'Preview of plan.png' }), 40, 40)
  const kept = await ana.notice('plan.png holds that version now')
  await kept.getByRole('button', { name: 'Undo' }).click()
  await shows(preview, 50, 50)
  await holds('plan.png', [
    [hashOf(two), 'Ana'],
    [hashOf(one), 'Ana'],
    [hashOf(two), 'guest'],
    [hashOf(one), 'guest'],
    [hashOf(first), 'guest'],
  ])
})

// ---------------------------------------------------------------------------------- archives

test('an archive is unpacked where it was dropped, and what stays out is named with the reason', async () => {
  const ana = await stage.join('Ana', 'a')
  const logo = await ana.draw(10, 10, 'olive')
  const archive = await packed([
    ['notes/plan.md', Buffer.from('# Plan')],
    ['notes/logo.png', logo],
    ['../evil.md', Buffer.from('evil')],
    ['to-passwd', Buffer.from('/etc/passwd'), { unixMode: 0o120777 }],
    ['secret.md', Buffer.from('secret'), { password: 'x' }],
  ])
  const files = onDisk({ 'bundle.zip': archive })
  await drop(ana.upload, files)
  const dialog = ana.page.getByRole('dialog')
  await dialog.getByRole('heading', { name: 'bundle.zip' }).waitFor()
  await dialog.getByRole('button', { name: 'Unpack here' }).click()
  await ana.page.getByText(/^2 files are here\. Not brought in: bundle\/\.\.\/evil\.md, /).waitFor()
  await ana.page.getByRole('button', { name: 'Why' }).click()
  const list = ana.page.getByRole('list', { name: 'Not brought in' })
  assert.deepEqual(await list.getByRole('listitem').allTextContents(), [
    'bundle/../evil.mdA name must not be "..".',
    'bundle/to-passwdIt is a link; links are not followed.',
    'bundle/secret.mdIt is encrypted.',
  ])
  await ana.page.getByRole('button', { name: 'Close', exact: true }).click()
  await openRow(ana, 'bundle')
  await openRow(ana, 'notes')
  await ana.open('plan.md')
  await ana.reads('# Plan')
  await holds('bundle/notes/logo.png', [[hashOf(logo), 'Ana']])

  // Kept as a file it is one, to the byte; from the menu it is unpacked without a question.
  await drop(ana.upload, files)
  await dialog.getByRole('button', { name: 'Keep as a file' }).click()
  await ana.row('bundle.zip').waitFor()
  await holds('bundle.zip', [[hashOf(archive), 'Ana']])
  const chooser = ana.page.waitForEvent('filechooser')
  await ana.choose(/^Import zip/)
  await (await chooser).setFiles(files)
  await ana.row('bundle (2)').waitFor()
})

test('what is called an archive and is none says so', async () => {
  const ana = await stage.join('Ana', 'b')
  const chooser = ana.page.waitForEvent('filechooser')
  await ana.choose(/^Import zip/)
  await (await chooser).setFiles(onDisk({ 'none.zip': randomBytes(5000) }))
  await ana.page.getByText(/^none\.zip cannot be read as a zip archive/).waitFor()
})

test('a directory with files of any bytes is duplicated, and comes down as an archive of them', async () => {
  const ana = await stage.join('Ana', 'c')
  const [data, text] = [randomBytes(200_000), Buffer.from('# Both\n')]
  const archive = await packed([
    ['mixed/data.bin', data],
    ['mixed/deep/note.md', text],
  ])
  const chooser = ana.page.waitForEvent('filechooser')
  await ana.choose(/^Import zip/)
  await (await chooser).setFiles(onDisk({ 'mixed.zip': archive }))
  await ana.page.getByText('2 files are here.', { exact: true }).waitFor()
  await fromMenu(ana, 'mixed', 'Duplicate')
  await ana.row('mixed copy').waitFor()
  await holds('mixed copy/data.bin', [[hashOf(data), 'Ana']])
  const begun = ana.page.waitForEvent('download')
  await fromMenu(ana, 'mixed copy', 'Download')
  const download = await begun
  assert.equal(download.suggestedFilename(), 'mixed copy.zip')
  const reader = new ZipReader(new BlobReader(new Blob([await readFile(await download.path())])))
  const found: { [path: string]: Buffer } = {}
  for (const entry of await reader.getEntries()) {
    if (entry.directory) continue
    found[entry.filename] = Buffer.from(await entry.getData(new Uint8ArrayWriter(), direct))
  }
  assert.deepEqual(found, {
    'mixed copy/data.bin': data,
    'mixed copy/deep/note.md': text,
  })
})

// ------------------------------------------------------------------------ pictures in a text

test('a pasted picture is kept beside the text and linked in it; undo takes the link out', async () => {
  const permissions = ['clipboard-read', 'clipboard-write']
  const ana = await stage.join('Ana', 'a', { permissions })
  const ben = await stage.join('Ben', 'b')
  await ana.create('letter.md')
  await ana.type('Look: ')
  await ben.open('letter.md')
  await ben.reads('Look: ')
  await copyPicture(ana)
  await ana.editor.press('ControlOrMeta+v')
  await ana.reads('Look: ![image](assets/image.png)')
  await ben.reads('Look: ![image](assets/image.png)')
  // One goes on writing behind it.
  await ana.page.keyboard.type('!')
  await ben.reads('Look: ![image](assets/image.png)!')
  await until(
    async () => (await contents('assets/image.png'))[0]?.[1] === 'Ana',
    () => 'the picture is not there, or not by Ana',
  )
  await ana.editor.press('ControlOrMeta+v')
  await ana.readsPart('![image (2)](assets/image%20%282%29.png)')
  await ana.editor.press('ControlOrMeta+z')
  await ana.reads('Look: ![image](assets/image.png)!')
  await ben.reads('Look: ![image](assets/image.png)!')

  await ana.editor.press('ControlOrMeta+a')
  await copy(
    ana,
    '<meta charset="utf-8"><style>p{}</style><p>One\n <b>and</b> two<br>' +
      '<table><tr><td>a<td><td>b</table><div>c</div><div><br></div><pre> d\n  e</pre><p>f&nbsp; g',
    'text/html',
  )
  await ana.editor.press('ControlOrMeta+v')
  await ana.reads('One and two\n\na\t\tb\n\nc\n\n d\n  e\n\nf\u00a0 g')
  await ana.editor.press('ControlOrMeta+a')
  await copy(ana, '<hr>', 'text/html')
  await ana.editor.press('ControlOrMeta+v')
  await ana.page.getByText('There is no text on the clipboard.').waitFor()
  await ana.readsPart('One and two')
})

test('a picture that is dropped goes where it was dropped; one that cannot be kept leaves nothing', async () => {
  const ana = await stage.join('Ana', 'c')
  const ben = await stage.join('Ben', 'c')
  await ana.choose(/^New folder/)
  const dialog = ana.page.getByRole('dialog', { name: 'New folder' })
  await dialog.getByLabel('Name').fill('essays')
  await dialog.getByRole('button', { name: 'Create' }).click()
  await ana.row('essays').waitFor()
  await ana.create('essay.md')
  await ana.type('end')
  const files = onDisk({ 'sunny day.png': await ana.draw(20, 20, 'gold') })
  const unthrottle = await throttle(ana, 1)
  const line = ana.page.locator('.cm-line').first()
  const { x, y, height } = (await line.boundingBox())!
  await dropAt(ana, x + 2, y + height / 2, files)
  await ana.page.getByText(/^sunny day\.png: /).waitFor()
  assert.equal(await ben.page.getByText(/sunny day/).count(), 0)
  await unthrottle()
  await ana.reads('![sunny day](assets/sunny%20day.png)end')
  await until(
    async () => (await contents('essays/assets/sunny day.png')).length === 1,
    () => 'the picture is not there',
  )

  // A file stands where the directory would be.
  const client = connect({ servers: [stage.fleet.address('d')], name: 'Cleo', agent: 'cli' })
  await client.joined()
  const { id } = await client.makeDirectory('plain')
  await client.create('assets', 'no directory', id)
  await client.create('second.md', '', id)
  client.close()
  await openRow(ana, 'plain')
  await ana.open('second.md')
  await dropAt(ana, x + 2, y + height / 2, files)
  await ana.page.getByText(/"assets" is here already/).waitFor()
  assert.equal(await ana.page.locator('.cm-picture-sign').count(), 0)
  await ana.reads('')
})

// -------------------------------------------------------------------------------- what is used

/** Chooses files of this machine in the dialog that an entry of the file menu opens. */
async function chooseFiles(visitor: Visitor, entry: RegExp, files: { [name: string]: Buffer }) {
  const chooser = visitor.page.waitForEvent('filechooser')
  await visitor.choose(entry)
  await (await chooser).setFiles(onDisk(files))
}

/** Files of this machine with these bytes: their paths. */
function onDisk(files: { [name: string]: Buffer }): string[] {
  return Object.entries(files).map(([name, bytes]) => {
    const path = join(disk, name)
    writeFileSync(path, bytes)
    return path
  })
}

/** Chooses from the menu of a row. */
async function fromMenu(visitor: Visitor, row: string, label: string): Promise<void> {
  await visitor.row(row).click({ button: 'right' })
  await visitor.page.getByRole('menuitem', { name: label, exact: true }).click()
}

async function openRow(visitor: Visitor, name: string): Promise<void> {
  const row = visitor.row(name)
  await row.waitFor()
  if ((await row.getAttribute('aria-expanded')) !== 'true') await row.click()
}

/** Drops files of this machine's disk on something, as the browser does it. */
async function drop(target: Locator, files: string[]): Promise<void> {
  const { x, y } = (await target.boundingBox())!
  await dropAt({ page: target.page() }, x + 20, y + 20, files)
}

async function dropAt({ page }: Pick<Visitor, 'page'>, x: number, y: number, files: string[]) {
  const protocol = await page.context().newCDPSession(page)
  const data = { items: [], files, dragOperationsMask: 1 }
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await protocol.send('Input.dispatchDragEvent', { type, x, y, data })
  }
  await protocol.detach()
}

/** Lets so many bytes a second up, until the function that is returned is called. */
async function throttle(visitor: Visitor, uploadThroughput: number): Promise<() => Promise<void>> {
  const protocol = await visitor.page.context().newCDPSession(visitor.page)
  const free = { offline: false, latency: 0, downloadThroughput: -1 }
  await protocol.send('Network.enable')
  await protocol.send('Network.emulateNetworkConditions', { ...free, uploadThroughput })
  return async () => {
    await protocol.send('Network.emulateNetworkConditions', { ...free, uploadThroughput: -1 })
    await protocol.detach()
  }
}

interface Patch {
  url: string
  offset: number
}

/** What this page sends of uploads, from now on. */
function patchesOf(visitor: Visitor): Patch[] {
  const patches: Patch[] = []
  visitor.page.on('request', (request) => {
    if (request.method() !== 'PATCH') return
    patches.push({ url: request.url(), offset: Number(request.headers()['upload-offset']) })
  })
  return patches
}

/** Puts a picture on the clipboard, as a program for pictures does. */
async function copyPicture(visitor: Visitor): Promise<void> {
  await visitor.page.evaluate(async () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 30, height: 20 })
    canvas.getContext('2d')!.fillRect(5, 5, 10, 10)
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve))
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': blob! })])
  })
}

/** Puts this alone on the clipboard. */
async function copy(visitor: Visitor, text: string, type: string): Promise<void> {
  await visitor.page.evaluate((item) => navigator.clipboard.write([new ClipboardItem(item)]), {
    [type]: text,
  })
}

/** Three of different sizes: 30, 40 and 50 pixels. */
async function pictures(visitor: Visitor): Promise<[Buffer, Buffer, Buffer]> {
  return [
    await visitor.draw(30, 30, 'gray'),
    await visitor.draw(40, 40, 'tomato'),
    await visitor.draw(50, 50, 'royalblue'),
  ]
}

/** A picture of this size is on the screen. */
async function shows(image: Locator, width: number, height: number): Promise<void> {
  let size = ''
  await until(
    async () => {
      if ((await image.count()) !== 1) return false
      size = await image
        .evaluate(
          (element) => {
            const { naturalWidth, naturalHeight } = element as HTMLImageElement
            return `${naturalWidth} × ${naturalHeight}`
          },
          undefined,
          { timeout: 1000 },
        )
        // It was just exchanged for another.
        .catch(() => '')
      return size === `${width} × ${height}`
    },
    () => `the picture is ${size}, not ${width} × ${height}`,
  )
}

/** Makes a file of which two versions were made from the same one. */
async function conflict(file: string, first: Buffer, one: Buffer, two: Buffer): Promise<void> {
  await put(file, first)
  await put(file, one, hashOf(first))
  await put(file, two, hashOf(first))
}

/** Uploads bytes and gives them to a file, as any program may. */
async function put(file: string, bytes: Buffer, base?: string): Promise<void> {
  const answer = await fetch(urlOf(stage.fleet.address('a'), bytes), {
    method: 'PATCH',
    headers: { 'upload-offset': '0' },
    body: new Uint8Array(bytes),
  })
  assert.ok(answer.ok || answer.status === 409, await answer.text())
  const name = { hash: hashOf(bytes), size: bytes.length }
  await folderAt('a').saveBinary({ file, ...name, ...(base !== undefined && { base }) })
}

/** Waits until a file held this, newest first, each by hash and person. */
async function holds(file: string, wanted: [string, string][], server = 'a'): Promise<void> {
  let held: [string, string][] = []
  await until(
    async () => {
      held = await contents(file, server)
      return JSON.stringify(held) === JSON.stringify(wanted)
    },
    () => `${file} held ${JSON.stringify(held)}, not ${JSON.stringify(wanted)}`,
  )
}

/** What a server knows that a file held; nothing while it knows no such file. */
async function contents(file: string, server = 'a'): Promise<[string, string][]> {
  try {
    const { contents: held } = await folderAt(server).listContents({ file })
    return held.map(({ hash, author }) => [hash, author])
  } catch (error) {
    if (ConnectError.from(error).code === Code.NotFound) return []
    throw error
  }
}

function folderAt(server: string) {
  const baseUrl = stage.fleet.address(server)
  return createClient(FolderService, createConnectTransport({ baseUrl, httpVersion: '1.1' }))
}

/** The bytes as a server gives them, as soon as it has them. */
async function bytesAt(server: string, bytes: Buffer): Promise<Buffer> {
  const url = urlOf(stage.fleet.address(server), bytes)
  await until(
    async () => (await fetch(url, { method: 'HEAD' })).ok,
    () => `${server} has not got the bytes`,
  )
  return Buffer.from(await (await fetch(url)).arrayBuffer())
}

function urlOf(address: string, bytes: Buffer): string {
  return `${address}/blobs/${hashOf(bytes)}?size=${bytes.length}`
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

type Packed = [name: string, bytes: Buffer, options?: { unixMode?: number; password?: string }]

async function packed(entries: Packed[]): Promise<Buffer> {
  const writer = new ZipWriter(new Uint8ArrayWriter(), direct)
  for (const [name, bytes, options] of entries) {
    await writer.add(name, new Uint8ArrayReader(new Uint8Array(bytes)), options)
  }
  return Buffer.from(await writer.close())
}
