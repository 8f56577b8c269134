// Files of the desktop that are dropped beside the tree: they come into the folder, wherever they fall.

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import type { Locator } from 'playwright-core'
import { Stage } from './stage.ts'

let stage: Stage
let disk: string
before(async () => {
  disk = mkdtempSync(join(tmpdir(), 'fourfold-drop-'))
  stage = await Stage.start()
})
afterEach(async () => {
  await stage.clear()
})
after(async () => {
  await stage.end()
  rmSync(disk, { recursive: true, force: true })
})

/** Files of this machine with these bytes: their paths. */
function onDisk(files: { [name: string]: string | Buffer }): string[] {
  return Object.entries(files).map(([name, bytes]) => {
    const path = join(disk, name)
    writeFileSync(path, bytes)
    return path
  })
}

/** Drops files of this machine's disk in the middle of something, as the browser does it. */
async function drop(target: Locator, files: string[]): Promise<void> {
  const { x, y, width, height } = (await target.boundingBox())!
  const page = target.page()
  const protocol = await page.context().newCDPSession(page)
  const data = { items: [], files, dragOperationsMask: 1 }
  const place = { x: x + width / 2, y: y + height / 2 }
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await protocol.send('Input.dispatchDragEvent', { type, ...place, data })
  }
  await protocol.detach()
}

test('who drops files where no text is shown has them in the folder, and stays on the page', async () => {
  const ana = await stage.join('Ana', 'a')
  const address = ana.page.url()
  mkdirSync(join(disk, 'trip/notes'), { recursive: true })
  writeFileSync(join(disk, 'trip/notes/day one.md'), 'sun')
  const [list] = onDisk({ 'list.txt': 'bread' })
  await drop(ana.page.getByRole('main', { name: 'No file is open' }), [join(disk, 'trip'), list!])
  await ana.page.getByText('2 files are here.', { exact: true }).waitFor()
  await ana.row('trip').click()
  await ana.row('notes').click()
  await ana.open('day one.md')
  await ana.reads('sun')
  assert.equal(new URL(ana.page.url()).origin, new URL(address).origin)

  // What the folder takes at its bars goes where a new file would.
  await drop(ana.page.getByRole('contentinfo'), onDisk({ 'beside.md': 'beside it' }))
  await ana.isAt('beside.md')
  await ana.row('notes').and(ana.page.locator('[aria-level="2"]')).waitFor()
  await ana.row('beside.md').and(ana.page.locator('[aria-level="3"]')).waitFor()
})

test('a file that is dropped on a text is a file of its own, and nothing of it is put into the text', async () => {
  const ana = await stage.join('Ana', 'b')
  await ana.create('mine.md')
  await ana.type('my words')
  // In a coding of before UTF-8 its letters would come in as others.
  const files = { 'old.csv': Buffer.from('Gr\u00f6\u00dfe;5', 'latin1'), 'plain.txt': 'plain' }
  await drop(ana.editor, onDisk(files))
  await ana.page.getByText('2 files are here.', { exact: true }).waitFor()
  await ana.row('old.csv').waitFor()
  await ana.reads('my words')

  // Pictures among others come along with them.
  const mixed = { 'sun.png': await ana.draw(20, 20, 'gold'), 'sun.pdf': '%PDF-1.4' }
  await drop(ana.editor, onDisk(mixed))
  await ana.row('sun.png').waitFor()
  await ana.row('sun.pdf').waitFor()
  await ana.reads('my words')
})

test('under a dialog nothing is dropped, and the page stays', async () => {
  const ana = await stage.join('Ana', 'c')
  await ana.create('asked.md')
  await ana.page.keyboard.press('Control+s')
  const dialog = ana.page.getByRole('dialog', { name: 'Save this version' })
  await dialog.waitFor()
  await drop(dialog, onDisk({ 'under.txt': 'under' }))
  await dialog.getByLabel('Name of this version').fill('still here')
  await dialog.getByRole('button', { name: 'Name this version' }).click()
  await ana.page.getByText('This version is named “still here”').waitFor()
  assert.equal(await ana.row('under.txt').count(), 0)
})
