// New, open, save, save as, delete and its undo, rename: what a person does with files.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, afterEach, before, test } from 'node:test'
import type { Route } from 'playwright-core'
import { connect } from '../../src/client/index.ts'
import { versionTextsBytesMax } from '../../src/core/model/limits.ts'
import { call } from '../requests.ts'
import { readFile as storedFile } from '../siege/whole-files.ts'
import { until } from '../until.ts'
import { Stage } from './stage.ts'

let stage: Stage
before(async () => {
  stage = await Stage.start()
})
afterEach(async () => {
  await stage.clear()
})
after(() => stage.end())

test('an empty folder says how things are and offers the first note', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.page.getByText(/^Four servers are up and agree/).waitFor()
  const create = ana.page.getByRole('button', { name: 'Create a note' })
  await ana.hasFocus(create)
  await ana.page.keyboard.press('F6')
  await ana.hasFocus(ana.page.getByRole('banner'))
  await ana.page.keyboard.press('Shift+F6')
  await ana.hasFocus(create)
  await ana.page.keyboard.press('Enter')
  const dialog = ana.page.getByRole('dialog', { name: 'New file' })
  assert.equal(await dialog.getByLabel('Name').inputValue(), 'untitled.md')
  await ana.page.keyboard.type('first note')
  await ana.page.keyboard.press('Enter')
  await ana.isAt('first note.md')
})

test('the address of a file opens it for somebody else, and again after a reload', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.create('linked.md')
  await ana.type('found by its address')
  const { hash } = new URL(ana.page.url())
  const ben = await stage.visit('b')
  await ben.page.goto(`${stage.fleet.address('b')}/${hash}`)
  await ben.signIn('Ben')
  await ben.reads('found by its address')
  await ben.page.reload()
  await ben.reads('found by its address')
  await ben.page.goto(`${stage.fleet.address('b')}/${hash.slice(0, -1)}`)
  await ben.page.getByText(/^No such file\./).waitFor()
})

test('a file is opened by a part of its name', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.create('needle one.md')
  await ana.create('needle two.md')
  await ana.page.keyboard.press('Control+p')
  await ana.pick('one nee', 'needle one.md')
  await ana.isAt('needle one.md')
})

test('Enter takes the first that is offered, also when nothing was typed or found yet', async () => {
  const ana = await stage.join('Ana', 'a')
  for (const name of ['first.md', 'second.md']) await ana.create(name)
  const { keyboard } = ana.page
  await ana.choose(/^Move to/)
  const top = ana.page.getByRole('menuitem', { name: 'The top of the folder' })
  await top.waitFor()
  await keyboard.press('Enter')
  await top.waitFor({ state: 'hidden' })
  await ana.choose(/^Move to/)
  await top.waitFor()
  // All that is offered stays.
  await keyboard.type('top')
  await keyboard.press('Enter')
  await top.waitFor({ state: 'hidden' })
  await ana.isAt('second.md')
  await keyboard.press('Control+p')
  await ana.page.getByRole('dialog', { name: 'Open a file' }).waitFor()
  // Before a server can have answered.
  await keyboard.type('first')
  await keyboard.press('Enter')
  await ana.isAt('first.md')
})

test('what is changed in very many places at once is so at once, for all, and undone at once', async () => {
  const ana = await stage.join('Ana', 'a')
  const places = 40_000
  for (const [name, replacement, line] of [
    ['many.txt', '', ' b\n'],
    ['more.txt', 'xyz', 'xyz b\n'],
  ] as const) {
    await ana.create(name)
    await ana.editor.focus()
    await ana.page.evaluate((text) => {
      const clipboardData = new DataTransfer()
      clipboardData.setData('text/plain', text)
      const paste = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true })
      document.activeElement!.dispatchEvent(paste)
    }, 'a b\n'.repeat(places))
    await ana.page.keyboard.press('Control+f')
    await ana.page.getByRole('textbox', { name: 'Find' }).fill('a')
    await ana.page.getByRole('textbox', { name: 'Replace' }).fill(replacement)
    await ana.page.getByRole('button', { name: 'Replace all' }).click()
    const there = () => storedFile(stage.fleet.address('b'), name).catch(String)
    await until(async () => (await there()) === line.repeat(places), `a server has ${name} so`)
    await ana.chip('Saved · 4/4').waitFor()
    await ana.page.getByRole('button', { name: 'Undo what you did' }).click()
    await until(async () => (await there()) === 'a b\n'.repeat(places), `${name} is as it was`)
    await ana.chip('Saved · 4/4').waitFor()
  }
})

test('what is looked for is what was written, and how often it is there is said', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.create('paper.tex')
  await ana.insert('one \\textbf{two} \\textbf{three}')
  await ana.page.keyboard.press('Control+f')
  const find = ana.page.getByRole('textbox', { name: 'Find' })
  const count = (words: string) => ana.page.getByRole('status').getByText(words, { exact: true })
  await find.fill('\\textbf')
  await count('2').waitFor()
  await find.press('Enter')
  await count('1 of 2').waitFor()
  await ana.page.getByRole('textbox', { name: 'Replace' }).fill('\\new')
  await ana.page.getByRole('button', { name: 'Replace all' }).click()
  await ana.reads('one \\new{two} \\new{three}')
  await count('None').waitFor()
  await ana.page.setViewportSize({ width: 390, height: 844 })
  const height = await ana.page.locator('.cm-search').evaluate((panel) => panel.clientHeight)
  assert.ok(height < 130, `three rows, not ${height} pixels`)
})

test('save names the present version; history brings it back, and whoever is there takes that back', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.create('versions.md')
  await ana.type('the first words')
  await ana.chip('Saved · 4/4').waitFor()
  await ana.page.keyboard.press('Control+s')
  const dialog = ana.page.getByRole('dialog', { name: 'Save this version' })
  await dialog.getByText('Already saved on 4 servers. Give this version a name?').waitFor()
  await dialog.getByLabel('Name of this version').fill('Sent to client')
  await dialog.getByRole('button', { name: 'Name this version' }).click()
  await ana.page.getByText('This version is named “Sent to client”').waitFor()

  await ana.page.keyboard.press('Control+a')
  await ana.type('other words')
  const ben = await stage.join('Ben', 'c')
  await ben.open('versions.md')
  await ben.reads('other words')
  await ben.page.getByRole('button', { name: 'History' }).click()
  await ben.page.getByRole('option', { name: 'Sent to client' }).click()
  const view = ben.page.getByRole('region', { name: 'Version Sent to client' })
  await ana.append('!')
  await view.locator('pre').filter({ hasText: '!' }).waitFor()
  await view.getByRole('button', { name: 'Restore' }).click()
  await ben.reads('the first words')
  await ana.reads('the first words')

  const told = await ana.notice('Ben restored “Sent to client”')
  const own = await ben.notice('Restored “Sent to client”')
  const cleo = await stage.join('Cleo', 'b')
  await cleo.open('versions.md')
  await cleo.reads('the first words')
  await ana.append(', and then')
  await told.getByRole('button', { name: 'Undo' }).click()
  for (const each of [ana, ben, cleo]) await each.reads('other words!, and then')
  await own.waitFor({ state: 'hidden' })
  assert.equal(await cleo.page.getByRole('alertdialog').count(), 0, 'it was over when she came')
})

test('a restore is taken back by its notice, whatever was written since', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.create('taken back.md')
  await ana.insert('first')
  await ana.page.keyboard.press('Control+s')
  await ana.page.getByLabel('Name of this version').fill('One')
  await ana.page.keyboard.press('Enter')
  await ana.page.getByText('This version is named “One”').waitFor()
  await ana.insert(' and second')
  await ana.page.getByRole('button', { name: 'History' }).click()
  const restore = async () => {
    await ana.page.getByRole('option', { name: 'One' }).click()
    await ana.page.getByRole('button', { name: 'Restore', exact: true }).click()
    await ana.reads('first')
    return ana.notice('Restored “One”')
  }
  await (await restore()).getByRole('button', { name: 'Undo' }).click()
  await ana.reads('first and second')
  const notice = await restore()
  await ana.append('!')
  await notice.getByRole('button', { name: 'Undo' }).click()
  await ana.reads('first and second!')
})

test('a version whose text came not with the list is shown, too', async (t) => {
  const address = stage.fleet.address('a')
  const namer = connect({ servers: [address], name: 'Namer', agent: 'cli' })
  t.after(() => namer.close())
  const { file } = (await call(address, 'SaveFile', { file: 'long.md', text: 'old words' })).body
  await namer.nameVersion(file.id, 'The old one')
  const long = 'x'.repeat(versionTextsBytesMax)
  await call(address, 'SaveFile', { file: file.id, text: long })
  await namer.nameVersion(file.id, 'The long one')
  await call(address, 'SaveFile', { file: file.id, text: 'the words of now' })

  const ana = await stage.join('Ana', 'a')
  await ana.open('long.md')
  await ana.reads('the words of now')
  await ana.page.getByRole('button', { name: 'History' }).click()
  await ana.page.getByRole('option', { name: 'The old one' }).click()
  const view = ana.page.getByRole('region', { name: 'Version The old one' })
  await view.getByRole('button', { name: 'Restore' }).click()
  await ana.reads('old words')
})

test('save as makes a copy with the text and leaves the file alone', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.create('original.md')
  await ana.type('once')
  await ana.choose(/^Save as/)
  const dialog = ana.page.getByRole('dialog', { name: 'Save as' })
  assert.equal(await dialog.getByLabel('Name of the copy').inputValue(), 'original copy.md')
  await dialog.getByRole('button', { name: 'Save copy' }).click()
  await ana.isAt('original copy.md')
  await ana.reads('once')
  await ana.append(' more')
  await ana.open('original.md')
  await ana.reads('once')
})

test('a name that a file has already is refused under the field', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.create('plan.md')
  await ana.choose(/^New file/)
  const dialog = ana.page.getByRole('dialog', { name: 'New file' })
  await dialog.getByLabel('Name').fill('plan.md')
  await ana.page.keyboard.press('Enter')
  await dialog.getByText('"plan.md" is here already; choose another name.').waitFor()
  await dialog.getByLabel('Name').fill('plan 2.md')
  await ana.page.keyboard.press('Enter')
  await ana.isAt('plan 2.md')
})

test('a name against the rules is refused under the field, and the dialog stays', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.choose(/^New file/)
  const dialog = ana.page.getByRole('dialog', { name: 'New file' })
  await dialog.getByLabel('Name').fill('../etc/passwd')
  await dialog.getByRole('button', { name: 'Create' }).click()
  await dialog.locator('[aria-invalid=true]').waitFor()
  await dialog.getByLabel('Name').fill('passwd')
  await dialog.getByRole('button', { name: 'Create' }).click()
  await ana.isAt('passwd')
})

test('delete puts a file in the trash, undo takes it out, for everybody', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.create('mistake.md')
  await ana.type('kept')
  await ana.choose(/^Delete/)
  const notice = await ana.notice('Deleted mistake.md')
  await ana.row('mistake.md').waitFor({ state: 'hidden' })
  await notice.getByRole('button', { name: 'Undo', exact: true }).click()
  await ana.isAt('mistake.md')
  await ana.reads('kept')
  await ana.row('mistake.md').waitFor()
})

test('whoever writes in a file that another deletes keeps it, and may restore it', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.create('shared.md')
  await ana.type('still needed')
  const ben = await stage.join('Ben', 'b')
  await ben.open('shared.md')
  await ben.reads('still needed')
  await ben.choose(/^Delete/)
  const bar = ana.page.getByRole('alert').filter({ hasText: 'Ben deleted this file.' })
  await bar.getByText('Your text is safe').waitFor()
  await ana.append(' by Ana')
  await ana.reads('still needed by Ana')
  await bar.getByRole('button', { name: 'Restore file' }).click()
  await bar.waitFor({ state: 'hidden' })
  await ben.open('shared.md')
  await ben.reads('still needed by Ana')
})

test('a file is taken out of the trash from the list', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.create('binned.md')
  await ana.choose(/^Delete/)
  const trash = ana.page.getByRole('button', { name: /^Trash/ })
  await trash.waitFor()
  await ana.create('still binned.md')
  // It is opened before the look at its count is answered, which is for one entry only.
  const looks: Route[] = []
  const lists = '**/fourfold.v1.FolderService/ListFiles'
  await ana.page.route(lists, (route) => void looks.push(route))
  await ana.choose(/^Delete/)
  await until(() => looks.length > 0, 'the trash is looked at')
  const early = looks.length
  await trash.click()
  const first = ana.page.getByRole('button', { name: 'Restore binned.md' })
  await first.focus()
  await until(() => looks.length > early, 'the trash that was opened is looked at')
  for (const look of looks) {
    const answered = ana.page.waitForResponse(look.request().url())
    await look.continue()
    await (await answered).finished()
  }
  await ana.page.unroute(lists)
  const next = ana.page.getByRole('button', { name: 'Restore still binned.md' })
  await next.waitFor()
  await ana.hasFocus(first)
  await ana.page.keyboard.press('Enter')
  await ana.row('binned.md').waitFor()
  await ana.hasFocus(next)
  await next.press('Enter')
  await ana.row('still binned.md').waitFor()
  await ana.hasFocus(ana.page.getByRole('treegrid', { name: 'Files' }))
})

test('what is deleted for good is asked for first, and gone for everybody', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.create('erased.md')
  await ana.type('gone')
  await ana.chip('Saved · 4/4').waitFor()
  const ben = await stage.join('Ben', 'c')
  await ana.row('erased.md').click({ button: 'right' })
  await ana.page.getByRole('menuitem', { name: 'Delete' }).click()
  for (const { page } of [ana, ben]) await page.getByRole('button', { name: /^Trash \(/ }).click()
  await ben.page.getByRole('button', { name: 'Restore erased.md' }).waitFor()
  await ana.page.getByRole('button', { name: 'Delete erased.md for good' }).click()
  const question = ana.page.getByRole('alertdialog', { name: 'Delete “erased.md” for good?' })
  await question.getByText('This cannot be undone.').waitFor()
  await question.getByRole('button', { name: 'Cancel' }).click()
  await question.waitFor({ state: 'hidden' })
  await ana.page.getByRole('button', { name: 'Delete erased.md for good' }).click()
  await question.getByRole('button', { name: 'Delete for good' }).click()
  for (const { page } of [ana, ben]) {
    await page.getByRole('button', { name: 'Restore erased.md' }).waitFor({ state: 'hidden' })
  }
})

test('a rename in place is seen by everybody, and an open editor follows it', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.create('draft.md')
  await ana.type('as it was')
  const ben = await stage.join('Ben', 'c')
  await ben.open('draft.md')
  await ana.page.keyboard.press('F2')
  await ana.page.keyboard.type('final')
  await ana.page.keyboard.press('Enter')
  await ana.isAt('final.md')
  await ben.isAt('final.md')
  await ben.row('final.md').waitFor()
  // The keys that end it are no words of the text, which has the focus again.
  await ana.page.keyboard.type(', ')
  await ana.page.keyboard.press('F2')
  await ana.page.keyboard.press('Escape')
  await ana.page.keyboard.type('and is')
  await ana.reads('as it was, and is')
})

test('line endings come back as they were given', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.page.locator('input[type=file]:not([webkitdirectory])').setInputFiles({
    name: 'windows.txt',
    mimeType: 'text/plain',
    buffer: Buffer.from('one\r\ntwo\r\n'),
  })
  await ana.isAt('windows.txt')
  await ana.page.getByText('CRLF').waitFor()
  await ana.append('three\n')
  const downloaded = ana.page.waitForEvent('download')
  await ana.choose(/^Download/)
  const path = await (await downloaded).path()
  assert.equal(await readFile(path, 'utf8'), 'one\r\ntwo\r\nthree\r\n')
})

test('a trash of many is shown in parts, and emptied as a whole', async () => {
  const servers = [stage.fleet.address('b')]
  const seed = connect({ servers, name: 'Seed', agent: 'cli', folder: 'shown' })
  try {
    const names = Array.from({ length: 120 }, (_, number) => `old ${number}.md`)
    for (let first = 0; first < names.length; first += 40) {
      const some = names.slice(first, first + 40)
      const made = await Promise.all(some.map((name) => seed.create(name, '')))
      await Promise.all(made.map(({ id }) => seed.remove(id)))
    }
  } finally {
    seed.close()
  }
  const ana = await stage.join('Ana', 'a')
  const trash = ana.page.getByRole('button', { name: /^Trash \(/ })
  await trash.waitFor()
  const rows = ana.page.getByRole('list', { name: 'Trash' }).getByRole('listitem')
  await ana.page.evaluate(() => {
    const seen = new Set<number>()
    Object.assign(window, { seen })
    const watch = new MutationObserver(() => {
      seen.add(document.querySelectorAll('.trash-list li').length)
    })
    watch.observe(document.body, { childList: true, subtree: true })
  })
  await trash.click()
  await rows.nth(99).waitFor()
  // Not one first, and then the others: it is all at once.
  const seen = await ana.page.evaluate(() => [...(window as unknown as { seen: Set<number> }).seen])
  assert.deepEqual(
    seen.filter((count) => count > 0),
    [100],
  )
  await ana.page.getByRole('button', { name: /^Show more of 12\d/ }).click()
  await rows.nth(119).waitFor()
  await ana.page.getByRole('button', { name: 'Empty trash' }).click()
  await ana.page.getByRole('button', { name: 'Delete for good', exact: true }).click()
  await ana.page.getByText(/^Deleted 12\d entries for good$/).waitFor()
  await trash.waitFor({ state: 'hidden' })
  await ana.hasFocus(ana.page.getByRole('treegrid', { name: 'Files' }))
})
