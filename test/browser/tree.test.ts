// The tree of files: directories by several people, by mouse, by keyboard, and from the desktop.

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { createClient } from '@connectrpc/connect'
import { createGrpcTransport } from '@connectrpc/connect-node'
import { BlobReader, TextWriter, ZipReader } from '@zip.js/zip.js'
import type { Locator } from 'playwright-core'
import type { Client } from '../../src/client/api.ts'
import { connect } from '../../src/client/index.ts'
import type { ReplicaId } from '../../src/core/model/ids.ts'
import { FolderService } from '../../src/core/model/wire.ts'
import { fillStore, freshId } from '../filled-store.ts'
import { until } from '../until.ts'
import { Stage, type Visitor } from './stage.ts'

let stage: Stage
const clients: Client[] = []
before(async () => {
  stage = await Stage.start()
})
afterEach(async () => {
  // Nobody is left who could bring something in.
  await stage.clear()
  const [first] = clients
  if (first) await clear(first)
  for (const client of clients.splice(0)) client.close()
})
after(() => stage.end())

/** Empties the folder for the next test, on all servers. */
async function clear(client: Client): Promise<void> {
  for (let isEmpty = false; !isEmpty;) {
    const count = await stage.fleet.same()
    await until(
      () => client.files.length === count,
      () => `the program sees ${client.files.length} files, and the servers hold ${count}`,
    )
    const left = client.files.filter((file) => file.parent === '' && !file.isDeleted)
    for (const file of left) await client.remove(file.id)
    isEmpty = left.length === 0
  }
}

/** What is in the folder, for a program: paths outside the trash, in order. */
async function holds(client: Client, wanted: string[]): Promise<void> {
  const paths = () => {
    const present = client.files.filter((file) => !file.isDeleted)
    return present.map(({ path }) => path).toSorted()
  }
  await until(
    () => paths().join('\n') === wanted.join('\n'),
    () => `the folder holds ${JSON.stringify(paths())}, not ${JSON.stringify(wanted)}`,
  )
}

let programs = 0

/**
 * Somebody who works with the folder by a program; each under a name of its own, for a busy server may
 * not know yet that the one before has left.
 */
async function program(server: string): Promise<Client> {
  const name = `program ${++programs} at ${server}`
  const client = connect({ servers: [stage.fleet.address(server)], name, agent: 'cli' })
  clients.push(client)
  await client.joined()
  return client
}

/** Makes files and the directories above them, by paths; those that end with "/" are directories. */
async function plant(client: Client, paths: string[]): Promise<void> {
  const directories = new Map([['', '']])
  for (const path of paths) {
    const names = path.split('/')
    const last = names.pop()!
    let above = ''
    for (const name of names) {
      const at = above === '' ? name : `${above}/${name}`
      if (!directories.has(at)) {
        directories.set(at, (await client.makeDirectory(name, directories.get(above)!)).id)
      }
      above = at
    }
    if (last !== '') await client.create(last, `text of ${path}`, directories.get(above)!)
  }
}

/** What is in an archive: texts by their paths; directories' end with "/". */
async function unpacked(path: string): Promise<{ [path: string]: string }> {
  const reader = new ZipReader(new BlobReader(new Blob([await readFile(path)])))
  const found: { [path: string]: string } = {}
  for (const entry of await reader.getEntries()) {
    const text = entry.directory
      ? ''
      : await entry.getData(new TextWriter(), { useWebWorkers: false })
    found[entry.filename] = text
  }
  return found
}

/** The rows on the screen, in order, each behind as many dots as there are directories above it. */
function rows(visitor: Visitor): Promise<string[]> {
  return visitor.page
    .getByRole('treegrid', { name: 'Files' })
    .getByRole('row')
    .evaluateAll((elements) =>
      elements
        .map((row) => ({ row, top: row.getBoundingClientRect().top }))
        .toSorted((a, b) => a.top - b.top)
        .map(({ row }) => {
          const level = Number(row.getAttribute('aria-level'))
          return '.'.repeat(level - 1) + row.getAttribute('aria-label')
        }),
    )
}

async function shows(visitor: Visitor, wanted: string[]): Promise<void> {
  let seen: string[] = []
  await until(
    async () => {
      seen = await rows(visitor)
      return seen.join('\n') === wanted.join('\n')
    },
    () => `the tree is ${JSON.stringify(seen)}, not ${JSON.stringify(wanted)}`,
  )
}

/** Chooses from the menu of a row. */
async function choose(visitor: Visitor, row: string, label: string): Promise<void> {
  await visitor.row(row).click({ button: 'right' })
  await visitor.page.getByRole('menuitem', { name: label }).click()
}

function focused(visitor: Visitor): Promise<string | null> {
  return visitor.page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? null)
}

async function isFocused(visitor: Visitor, name: string): Promise<void> {
  await until(
    async () => (await focused(visitor)) === name,
    async () => `the focus is on ${await focused(visitor)}, not on ${name}`,
  )
}

/** What a screen reader says of a button after its name. */
async function description({ page }: Visitor, name: string): Promise<string> {
  const protocol = await page.context().newCDPSession(page)
  const { nodes } = await protocol.send('Accessibility.getFullAXTree')
  await protocol.detach()
  const button = nodes.find(({ role, name: own }) => {
    return role?.value === 'button' && own?.value === name
  })
  return String(button?.description?.value ?? '')
}

/** Where the shown file lies, as the top bar says. */
async function isIn(visitor: Visitor, directories: string[]): Promise<void> {
  const crumbs = visitor.page.getByRole('list', { name: 'Directories above this file' })
  await until(
    async () => (await crumbs.getByRole('button').allTextContents()).join() === directories.join(),
    async () => `the path is ${(await crumbs.getByRole('button').allTextContents()).join()}`,
  )
}

/** Drops files and folders of this machine's disk, as the browser does it. */
async function drop(target: Locator, files: string[]): Promise<void> {
  const { x, y } = (await target.boundingBox())!
  const page = target.page()
  const protocol = await page.context().newCDPSession(page)
  const data = { items: [], files, dragOperationsMask: 1 }
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await protocol.send('Input.dispatchDragEvent', { type, x: x + 60, y: y + 8, data })
  }
  await protocol.detach()
}

test('directories of two people at two servers: made, renamed, moved, deleted, restored', async () => {
  const ana = await stage.join('Ana', 'a')
  const ben = await stage.join('Ben', 'c')
  await program('b')
  await ana.page.getByRole('button', { name: 'New folder' }).click()
  const dialog = ana.page.getByRole('dialog', { name: 'New folder' })
  await dialog.getByLabel('Name').fill('specs')
  await ana.page.keyboard.press('Enter')
  await choose(ana, 'specs', 'New file here…')
  const newFile = ana.page.getByRole('dialog', { name: 'New file' })
  await newFile.getByText('In specs.').waitFor()
  await ana.hasFocus(newFile.getByLabel('Name'))
  await ana.page.keyboard.type('launch')
  await ana.page.keyboard.press('Enter')
  await ana.isAt('launch.md')
  await shows(ana, ['specs', '.launch.md'])

  await shows(ben, ['specs'])
  await ben.row('specs').click()
  await ben.open('launch.md')
  await isIn(ben, ['specs'])
  await ben.type('by Ben')
  await ana.reads('by Ben')

  await choose(ana, 'specs', 'Rename')
  await ana.page.getByLabel('New name of specs').fill('plans')
  await ana.page.keyboard.press('Enter')
  await isIn(ben, ['plans'])
  await choose(ana, 'plans', 'New folder here…')
  await ana.hasFocus(dialog.getByLabel('Name'))
  await ana.page.keyboard.type('year')
  await ana.page.keyboard.press('Enter')
  await shows(ana, ['plans', '.year', '.launch.md'])
  await choose(ana, 'launch.md', 'Move to…')
  await ana.hasFocus(ana.page.getByRole('dialog', { name: 'Move launch.md to' }))
  await ana.pick('year', 'plans/year')
  await isIn(ben, ['plans', 'year'])
  await isIn(ana, ['plans', 'year'])
  await ben.isAt('launch.md')

  await ana.row('plans').click({ button: 'right' })
  await ana.page.getByRole('menuitem', { name: 'Delete' }).click()
  await ana.page.getByText('Deleted plans').waitFor()
  // A notice beside it is an alert, too.
  const bar = ben.page.getByRole('alert').filter({ hasText: 'Ana deleted the folder' })
  await bar.getByText('Ana deleted the folder that this file is in. Your text is safe.').waitFor()
  await ben.append(', who writes on')
  await bar.getByRole('button', { name: 'Restore folder' }).click()
  await bar.waitFor({ state: 'hidden' })
  await shows(ana, ['plans', '.year', '..launch.md'])
  await ana.open('launch.md')
  await ana.reads('by Ben, who writes on')
})

test('entries are dragged onto a directory and out to the top, several at once, and back', async () => {
  const seed = await program('b')
  await plant(seed, ['archive/', 'a.md', 'b.md', 'c.md'])
  const ana = await stage.join('Ana', 'a')
  await shows(ana, ['archive', 'a.md', 'b.md', 'c.md'])
  await ana.drag(ana.row('a.md'), ana.row('archive'))
  await shows(ana, ['archive', '.a.md', 'b.md', 'c.md'])

  await ana.row('b.md').click({ modifiers: ['ControlOrMeta'] })
  await ana.row('c.md').click({ modifiers: ['ControlOrMeta'] })
  await ana.drag(ana.row('b.md'), ana.row('a.md'))
  const notice = await ana.notice('Moved 2 entries to archive')
  await shows(ana, ['archive', '.a.md', '.b.md', '.c.md'])
  await notice.getByRole('button', { name: 'Undo' }).click()
  await shows(ana, ['archive', '.a.md', 'b.md', 'c.md'])

  const tree = ana.page.getByRole('treegrid', { name: 'Files' })
  const { height } = (await tree.boundingBox())!
  await ana.drag(ana.row('a.md'), tree, { position: { x: 100, y: height - 20 } })
  await shows(ana, ['archive', 'a.md', 'b.md', 'c.md'])
  await holds(seed, ['a.md', 'archive', 'b.md', 'c.md'])
})

test('a directory does not go into itself', async () => {
  const seed = await program('b')
  await plant(seed, ['outer/inner/', 'z.md'])
  const ana = await stage.join('Ana', 'a')
  await ana.row('outer').click()
  await ana.drag(ana.row('outer'), ana.row('inner'))
  await choose(ana, 'outer', 'Move to…')
  const dialog = ana.page.getByRole('dialog', { name: 'Move outer to' })
  assert.deepEqual(await dialog.getByRole('menuitem').allTextContents(), ['The top of the folder'])
  // One Escape closes it, whatever was typed.
  await ana.page.keyboard.type('t')
  await ana.page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  await shows(ana, ['outer', '.inner', 'z.md'])
})

test('a range is chosen with Shift, deleted at once, and brought back at once', async () => {
  const seed = await program('d')
  await plant(seed, ['a.md', 'b.md', 'c.md', 'd.md'])
  const ana = await stage.join('Ana', 'a')
  await ana.open('a.md')
  await ana.row('c.md').click({ modifiers: ['Shift'] })
  await ana.page.keyboard.press('Delete')
  const notice = await ana.notice('Deleted 3 entries')
  await shows(ana, ['d.md'])
  await ana.page.getByRole('main', { name: 'No file is open' }).waitFor()
  await notice.getByRole('button', { name: 'Undo' }).click()
  await shows(ana, ['a.md', 'b.md', 'c.md', 'd.md'])
  await ana.isAt('a.md')
})

test('the keyboard alone goes through the tree, opens, renames, moves and deletes', async () => {
  const seed = await program('b')
  await plant(seed, ['alpha/one.md', 'alpha/two.md', 'beta/', 'gamma.md', 'omega.md'])
  const ana = await stage.join('Ana', 'a')
  const { keyboard } = ana.page
  await shows(ana, ['alpha', 'beta', 'gamma.md', 'omega.md'])
  await ana.page.getByLabel('Filter files').focus()
  await keyboard.press('Tab')
  // Its name is said once.
  await ana.page.getByRole('tooltip').waitFor()
  assert.equal(await description(ana, 'New file'), 'Ctrl+Alt+N')
  for (let step = 0; step < 2; step++) await keyboard.press('Tab')
  await isFocused(ana, 'alpha')
  await keyboard.press('ArrowRight')
  await shows(ana, ['alpha', '.one.md', '.two.md', 'beta', 'gamma.md', 'omega.md'])
  await keyboard.press('ArrowRight')
  await isFocused(ana, 'one.md')
  await keyboard.press('End')
  await isFocused(ana, 'omega.md')
  await keyboard.type('g')
  await isFocused(ana, 'gamma.md')
  await keyboard.press('Home')
  await isFocused(ana, 'alpha')

  await keyboard.press('ArrowDown')
  await keyboard.press('F2')
  await ana.hasFocus(ana.page.getByLabel('New name of one.md'))
  await keyboard.type('first')
  await keyboard.press('Enter')
  await shows(ana, ['alpha', '.first.md', '.two.md', 'beta', 'gamma.md', 'omega.md'])
  await isFocused(ana, 'first.md')
  await keyboard.press('F2')
  await ana.hasFocus(ana.page.getByLabel('New name of first.md'))
  await keyboard.type('nothing')
  await keyboard.press('Escape')
  await isFocused(ana, 'first.md')

  await keyboard.press('Shift+ArrowDown')
  await keyboard.press('Shift+F10')
  await ana.hasFocus(ana.page.getByRole('menu', { name: 'Actions for 2 entries' }))
  await keyboard.press('ArrowDown')
  await keyboard.press('ArrowUp')
  await keyboard.press('Enter')
  await ana.hasFocus(ana.page.getByRole('dialog', { name: 'Move 2 entries to' }))
  await ana.pick('beta', 'beta')
  await shows(ana, ['alpha', 'beta', '.first.md', '.two.md', 'gamma.md', 'omega.md'])

  await ana.row('first.md').focus()
  await keyboard.press('ArrowLeft')
  await isFocused(ana, 'beta')
  await keyboard.press('ArrowLeft')
  await shows(ana, ['alpha', 'beta', 'gamma.md', 'omega.md'])
  await keyboard.press('Delete')
  await shows(ana, ['alpha', 'gamma.md', 'omega.md'])
  await isFocused(ana, 'gamma.md')
  await keyboard.press('Enter')
  await ana.isAt('gamma.md')
})

test('what is open in the tree is remembered, and a file opened elsewhere comes into sight', async () => {
  const seed = await program('b')
  await plant(seed, ['docs/guides/start.md', 'docs/readme.md', 'src/main.ts'])
  const ana = await stage.join('Ana', 'a')
  await ana.row('docs').click()
  await shows(ana, ['docs', '.guides', '.readme.md', 'src'])
  await ana.page.reload()
  await shows(ana, ['docs', '.guides', '.readme.md', 'src'])

  await ana.page.keyboard.press('Control+p')
  await ana.pick('guides st', 'docs/guides/start.md')
  await ana.isAt('start.md')
  await shows(ana, ['docs', '.guides', '..start.md', '.readme.md', 'src'])

  await isIn(ana, ['docs', 'guides'])
  await ana.page.getByRole('button', { name: 'docs: what is beside it' }).click()
  await ana.page.getByRole('menuitemradio', { name: 'src' }).click()
  await shows(ana, ['docs', '.guides', '..start.md', '.readme.md', 'src', '.main.ts'])
  await isFocused(ana, 'src')
})

test('the filter shows what matches with the directories above it', async () => {
  const seed = await program('b')
  await plant(seed, ['docs/guides/start.md', 'docs/readme.md', 'src/main.ts'])
  const ana = await stage.join('Ana', 'a')
  await ana.page.getByLabel('Filter files').fill('start')
  await shows(ana, ['docs', '.guides', '..start.md'])
  await ana.page.getByLabel('Filter files').fill('nowhere')
  await ana.page.getByText('No name like that among 6.').waitFor()
  await ana.page.getByRole('button', { name: 'Clear the filter' }).click()
  await shows(ana, ['docs', 'src'])
})

test('people in a file are seen at the closed directory above it', async () => {
  const seed = await program('b')
  await plant(seed, ['room/talk.md'])
  const ana = await stage.join('Ana', 'a')
  await ana.row('room').click()
  await ana.open('talk.md')
  const ben = await stage.join('Ben', 'c')
  await ben.row('room').click()
  await ben.open('talk.md')
  await ana.row('talk.md').getByRole('img', { name: 'Here: Ben' }).waitFor()
  await ana.row('room').click()
  await shows(ana, ['room'])
  await ana.row('room').getByRole('img', { name: 'Here: Ben' }).waitFor()
})

test('the trash lists what was put there, with its path, also below a trashed directory', async () => {
  const seed = await program('b')
  await plant(seed, ['docs/old/plan.md', 'docs/old/kept.md', 'docs/new.md'])
  const ana = await stage.join('Ana', 'a')
  await ana.row('docs').click()
  await ana.row('old').click()
  await choose(ana, 'plan.md', 'Delete')
  await ana.row('plan.md').waitFor({ state: 'hidden' })
  // Keys go on from where it was.
  await ana.hasFocus(ana.row('new.md'))
  await choose(ana, 'old', 'Delete')
  await shows(ana, ['docs', '.new.md'])
  await ana.page.getByRole('button', { name: /^Trash \(/ }).click()
  const trash = ana.page.getByRole('list', { name: 'Trash' })
  await trash.getByRole('button', { name: 'Restore docs/old/plan.md' }).click()
  await shows(ana, ['docs', '.old', '..kept.md', '..plan.md', '.new.md'])
})

test('a folder dropped from the desktop comes in with all that is in it, text or not', async () => {
  const disk = mkdtempSync(join(tmpdir(), 'fourfold-drop-'))
  try {
    mkdirSync(join(disk, 'project/src/deep'), { recursive: true })
    mkdirSync(join(disk, 'project/empty'))
    writeFileSync(join(disk, 'project/README.md'), '# Read me\n')
    writeFileSync(join(disk, 'project/src/deep/a.ts'), 'export const a = 1\n')
    writeFileSync(join(disk, 'project/logo.png'), Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0xff]))
    writeFileSync(join(disk, 'project/large.log'), 'x'.repeat(10 * 1024 * 1024 + 1))
    writeFileSync(join(disk, 'single.txt'), 'alone')
    const seed = await program('b')
    await plant(seed, ['inbox/'])
    const ana = await stage.join('Ana', 'a')
    await drop(ana.row('inbox'), [join(disk, 'project'), join(disk, 'single.txt')])
    await ana.page.getByText('5 files are here.', { exact: true }).waitFor()
    await holds(seed, [
      'inbox',
      'inbox/project',
      'inbox/project/README.md',
      'inbox/project/empty',
      'inbox/project/large.log',
      'inbox/project/logo.png',
      'inbox/project/src',
      'inbox/project/src/deep',
      'inbox/project/src/deep/a.ts',
      'inbox/single.txt',
    ])
    // Beside the tree, but in the pane: to the top.
    await drop(ana.upload, [join(disk, 'single.txt')])
    await ana.isAt('single.txt')
    await shows(ana, ['inbox', '.project', '.single.txt', 'single.txt'])
    await ana.row('project').click()
    await ana.open('README.md')
    await ana.reads('# Read me\n')

    // Again: its directories are gone into, its files are there already and stay as they are.
    await drop(ana.row('inbox'), [join(disk, 'project')])
    await ana.page
      .getByText(/project\/README\.md/)
      .last()
      .waitFor()
    await shows(ana, [
      'inbox',
      '.project',
      '..empty',
      '..src',
      '..large.log',
      '..logo.png',
      '..README.md',
      '.single.txt',
      'single.txt',
    ])
  } finally {
    rmSync(disk, { recursive: true })
  }
})

test('what is on its way in is shown, and stopped: what is made already stays', async () => {
  const disk = mkdtempSync(join(tmpdir(), 'fourfold-drop-'))
  try {
    mkdirSync(join(disk, 'many'))
    for (let file = 0; file < 1500; file++) writeFileSync(join(disk, `many/${file}.md`), `${file}`)
    const seed = await program('b')
    await plant(seed, ['inbox/'])
    const ana = await stage.join('Ana', 'a')
    await drop(ana.row('inbox'), [join(disk, 'many')])
    const bar = ana.page.getByRole('progressbar')
    await bar.filter({ hasText: /^\d+ of 1,501/ }).waitFor()
    // What is dropped meanwhile waits, and comes in when the first has ended.
    writeFileSync(join(disk, 'next.md'), 'next')
    await drop(ana.row('inbox'), [join(disk, 'next.md')])
    await ana.page.getByRole('button', { name: 'Stop' }).click()
    await ana.page.getByText(/^Stopped; ([\d,]+ files? (is|are) here|nothing came in)\.$/).waitFor()
    await bar.waitFor({ state: 'hidden' })
    const made = seed.files.filter(({ path }) => path.startsWith('inbox/many/')).length
    assert.ok(made < 1500, `${made} files were made though it was stopped`)
    await ana.isAt('next.md')
  } finally {
    rmSync(disk, { recursive: true })
  }
})

test('what is not on this device is not downloaded while no server answers, and it is said why', async () => {
  const seed = await program('b')
  await plant(seed, ['docs/guide.md', 'docs/mine.md', 'far/deep/away.md', 'lone.md'])
  const ana = await stage.join('Ana', 'a')
  await ana.row('docs').click()
  await ana.open('mine.md')
  await ana.reads('text of docs/mine.md')
  await ana.page.context().setOffline(true)
  await ana.chip('Saved on this device').waitFor()
  await choose(ana, 'docs', 'Download')
  await ana.page
    .getByText(
      /^docs\.zip was not made\. No server answers, and docs\/guide\.md is not on this device\.$/,
    )
    .waitFor()
  await choose(ana, 'far', 'Download')
  await ana.page
    .getByText(
      'Nothing was downloaded. No server answers, and this device does not know all of it.',
    )
    .waitFor()
  await choose(ana, 'lone.md', 'Download')
  await ana.page.getByText('No server answers, and lone.md is not on this device.').waitFor()
  // What is here is had.
  const downloaded = ana.page.waitForEvent('download')
  await choose(ana, 'mine.md', 'Download')
  assert.equal(await readFile(await (await downloaded).path(), 'utf8'), 'text of docs/mine.md')
  await ana.page.context().setOffline(false)
})

test('a directory is downloaded as an archive, duplicated, and its path copied', async () => {
  const seed = await program('b')
  await plant(seed, ['docs/guides/deep/er/start.md', 'docs/none/', 'docs/readme.md'])
  const ana = await stage.join('Ana', 'a', { permissions: ['clipboard-read', 'clipboard-write'] })
  const downloaded = ana.page.waitForEvent('download')
  await choose(ana, 'docs', 'Download')
  const archive = await downloaded
  assert.equal(archive.suggestedFilename(), 'docs.zip')
  // All of it, though the page was never told what is in there.
  assert.deepEqual(await unpacked(await archive.path()), {
    'docs/': '',
    'docs/guides/': '',
    'docs/guides/deep/': '',
    'docs/guides/deep/er/': '',
    'docs/guides/deep/er/start.md': 'text of docs/guides/deep/er/start.md',
    'docs/none/': '',
    'docs/readme.md': 'text of docs/readme.md',
  })

  await choose(ana, 'docs', 'Duplicate')
  await ana.row('docs copy').click()
  await shows(ana, ['docs', 'docs copy', '.guides', '.none', '.readme.md'])
  await ana.open('readme.md')
  await ana.reads('text of docs/readme.md')
  await choose(ana, 'readme.md', 'Duplicate')
  await ana.row('readme copy.md').waitFor()
  await choose(ana, 'readme copy.md', 'Copy path')
  await ana.page.getByText('The path is on the clipboard').waitFor()
  assert.equal(
    await ana.page.evaluate(() => navigator.clipboard.readText()),
    'docs copy/readme copy.md',
  )
})

test('files of one name from several directories are each in the archive', async () => {
  const seed = await program('b')
  await plant(seed, ['one/plan.md', 'two/plan.md'])
  const ana = await stage.join('Ana', 'a')
  await ana.row('one').click()
  // What is in it moves the row below from under the pointer.
  await shows(ana, ['one', '.plan.md', 'two'])
  await ana.row('two').click()
  await shows(ana, ['one', '.plan.md', 'two', '.plan.md'])
  await ana.row('plan.md').first().click()
  await ana
    .row('plan.md')
    .last()
    .click({ modifiers: ['ControlOrMeta'] })
  await ana.row('plan.md').last().click({ button: 'right' })
  const downloaded = ana.page.waitForEvent('download')
  await ana.page.getByRole('menuitem', { name: 'Download' }).click()
  assert.deepEqual(await unpacked(await (await downloaded).path()), {
    'plan.md': 'text of one/plan.md',
    'plan (2).md': 'text of two/plan.md',
  })
})

test('10,000 entries: only what is seen is in the page, from the first to the last', async (t) => {
  const large = { id: freshId(), name: 'large', parent: '' }
  const old = Array.from({ length: 9600 }, (_, number) => {
    return { id: freshId(), name: `entry ${number}`, parent: large.id }
  })
  const full = await Stage.start({
    prepare: async (fleet) => {
      for (const id of fleet.ids) {
        const owner = { directory: fleet.data(id), set: 'test', replica: id as ReplicaId }
        await fillStore(owner, [large, ...old])
      }
    },
  })
  t.after(() => full.end())
  const left = Array.from({ length: 400 }, (_, number) => old.length + number).values()
  await Promise.all(
    full.fleet.addresses.flatMap((baseUrl) => {
      const folder = createClient(FolderService, createGrpcTransport({ baseUrl }))
      return Array.from({ length: 20 }, async () => {
        for (const number of left) await folder.makeDirectory({ path: `large/entry ${number}` })
      })
    }),
  )
  const ana = await full.join('Ana', 'a')
  const tree = ana.page.getByRole('treegrid', { name: 'Files' })
  const few = async () => assert.ok((await tree.getByRole('row').count()) < 80)
  await ana.row('large').click()
  await ana.row('entry 0').waitFor()
  await few()
  // Most of them come after that.
  await ana.page.keyboard.press('End')
  await isFocused(ana, 'entry 9999')
  await until(
    async () => (await ana.row('entry 9999').getAttribute('aria-setsize')) === '10000',
    () => 'not all entries are listed',
  )
  await few()
  await ana.page.keyboard.press('Home')
  await isFocused(ana, 'large')
  await tree.evaluate((element) => element.scrollTo(0, element.scrollHeight / 2))
  await ana.row('entry 5000').waitFor()
  await few()
  await ana.page.getByLabel('Filter files').fill('entry 9999')
  await shows(ana, ['large', '.entry 9999'])
  await full.clear()
})

test('on a phone the tree is a drawer: a tap opens, the button at the row has the rest', async () => {
  const seed = await program('b')
  await plant(seed, ['docs/readme.md', 'z.md'])
  const phone = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true }
  const ana = await stage.join('Ana', 'a', phone)
  await ana.page.getByRole('button', { name: 'Files', exact: true }).tap()
  await ana.row('docs').tap()
  await shows(ana, ['docs', '.readme.md', 'z.md'])
  await ana.page.getByRole('button', { name: 'Actions for z.md' }).tap()
  await ana.page.getByRole('menuitem', { name: 'Move to…' }).tap()
  await ana.page.getByRole('menuitem', { name: 'docs' }).tap()
  await shows(ana, ['docs', '.readme.md', '.z.md'])
  await ana.row('readme.md').tap()
  await ana.page.getByRole('dialog', { name: 'Files' }).waitFor({ state: 'hidden' })
  await ana.isAt('readme.md')
})

test('words are counted while somebody types without a pause', async () => {
  const seed = await program('b')
  await plant(seed, ['words.md'])
  const ana = await stage.join('Ana', 'a')
  await ana.open('words.md')
  await ana.editor.focus()
  const counted = ana.page.locator('footer').getByText(/^[\d,]+ words?$/)
  const seen = new Set<string>()
  for (let words = 0; words < 30; words++) {
    await ana.page.keyboard.type('word ', { delay: 20 })
    seen.add((await counted.textContent())!)
  }
  assert.ok(seen.size > 3, `while typing, only these counts were shown: ${[...seen].join()}`)
  await ana.page.getByText('33 words').waitFor()
})
