// Light, dark and phone; the keyboard alone; what assistive technology is told.

import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import type { Locator } from 'playwright-core'
import { connect } from '../../src/client/connect.ts'
import { until } from '../until.ts'
import { Stage, type Visitor } from './stage.ts'

let stage: Stage
before(async () => {
  stage = await Stage.start()
})
afterEach(async () => {
  await stage.clear()
})
after(() => stage.end())

const background = (visitor: Visitor) =>
  visitor.page.evaluate(() => getComputedStyle(document.body).backgroundColor)

const white = 'rgb(255, 255, 255)'
const night = 'rgb(22, 24, 29)'

test('the page follows the system until a person chooses, and remembers the choice', async () => {
  const ana = await stage.join('Ana', 'a', { colorScheme: 'light' })
  assert.equal(await background(ana), white)
  await ana.page.emulateMedia({ colorScheme: 'dark' })
  assert.equal(await background(ana), night)
  await ana.page.getByRole('button', { name: 'Theme: System' }).click()
  await ana.page.getByRole('menuitemradio', { name: 'Light' }).click()
  assert.equal(await background(ana), white)
  await ana.page.reload()
  await ana.page.getByRole('button', { name: 'Theme: Light' }).waitFor()
  assert.equal(await background(ana), white)
})

test('on a phone the files are a drawer, and everything fits the width', async (t) => {
  const phone = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true }
  const ana = await stage.join('Ana', 'a', phone)
  await ana.create('phone.md')
  await ana.type('on the way')
  await ana.page.getByRole('toolbar', { name: 'Keys' }).waitFor()
  await ana.page.getByRole('button', { name: 'Task' }).tap()
  await ana.reads('on the way- [ ] ')
  await ana.page.getByRole('button', { name: 'Undo what you did' }).tap()

  // Into smaller letters a phone zooms.
  await ana.page.getByRole('button', { name: 'Find', exact: true }).tap()
  for (const name of ['Find', 'Replace']) {
    const field = ana.page.getByRole('textbox', { name, exact: true })
    assert.equal(await field.evaluate((each) => getComputedStyle(each).fontSize), '16px')
  }
  await ana.page.getByRole('button', { name: 'Close', exact: true }).tap()

  await ana.page.getByRole('button', { name: 'Files', exact: true }).tap()
  await ana.page.getByRole('dialog', { name: 'Files' }).waitFor()
  await ana.row('phone.md').tap()
  await ana.page.getByRole('dialog', { name: 'Files' }).waitFor({ state: 'hidden' })

  // Who deletes the file shown among the files stays there.
  const long = `${'trash '.repeat(30)}can.md`
  for (const name of [long, 'can.md']) {
    await ana.create(name)
    await ana.page.getByRole('button', { name: 'Files', exact: true }).tap()
    await ana.page.getByRole('button', { name: `Actions for ${name}`, exact: true }).tap()
    await ana.page.getByRole('menuitem', { name: /^Delete/ }).tap()
    await ana.notice(`Deleted ${name}`)
    // Beside the drawer.
    if (name === long) await ana.page.touchscreen.tap(380, 400)
  }
  // The notice of what was done is above the trash, not over it.
  await ana.page.getByRole('button', { name: /^Trash/ }).tap()
  await ana.page.getByRole('button', { name: 'Restore can.md' }).waitFor()
  const notice = await ana.notice('Deleted can.md')
  const edge = async (what: Locator) => (await what.boundingBox())!
  const trash = ana.page.getByRole('button', { name: /^Trash/ })
  await until(async () => {
    const { y, height } = await edge(notice)
    return y + height <= (await edge(trash)).y
  })
  // A long name takes no more than two lines there.
  const rows = ana.page.getByRole('list', { name: 'Trash' }).getByRole('listitem')
  for (const row of await rows.all()) assert.ok((await edge(row)).height < 60)
  await ana.page.getByRole('button', { name: 'Restore can.md' }).tap()
  await ana.row('can.md').waitFor()
  await ana.row('phone.md').tap()

  // Of several people one has room, and the others can be found, too.
  const id = ana.page.url().split('/').at(-1)!
  const others = ['Ben', 'Cy', 'Di'].map((name) => {
    return connect({ servers: [stage.fleet.address('b')], name, agent: 'cli' })
  })
  t.after(() => others.forEach((other) => other.close()))
  for (const other of others) other.open(id)
  await ana.page.getByRole('button', { name: '2 more in this file' }).tap()
  await ana.page.getByRole('menuitem', { name: 'Di' }).tap()
  await ana.notice('Di has not been in the text yet')

  await ana.page.getByRole('button', { name: /^Saved/ }).tap()
  await ana.page.getByRole('heading', { name: 'Saved · 4/4' }).waitFor()
  const isWider = await ana.page.evaluate(
    () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
  )
  assert.equal(isWider, false)
})

test('everything is done from the keyboard, and the focus comes back to the text', async () => {
  const ana = await stage.visit('a')
  await ana.hasFocus(ana.page.getByLabel('Your name'))
  await ana.page.keyboard.type('Ana')
  await ana.page.keyboard.press('Enter')
  await ana.isIn()
  await ana.page.keyboard.press('Control+Alt+n')
  await ana.page.keyboard.type('keys')
  await ana.page.keyboard.press('Enter')
  await ana.isAt('keys.md')
  await ana.page.keyboard.type('typed at once')
  await ana.reads('typed at once')
  await ana.page.keyboard.press('Control+s')
  await ana.page.getByRole('dialog', { name: 'Save this version' }).waitFor()
  await ana.page.keyboard.press('Escape')
  await ana.isWriting()
  await ana.page.keyboard.type(', and again')
  await ana.reads('typed at once, and again')

  await ana.page.keyboard.press('Control+f')
  await ana.page.getByRole('textbox', { name: 'Find' }).waitFor()
  await ana.page.keyboard.press('Escape')
  await ana.page.keyboard.press('Control+\\')
  await ana.page.getByRole('navigation', { name: 'Files' }).waitFor({ state: 'hidden' })
  await ana.page.keyboard.press('Control+\\')
  await ana.page.getByRole('navigation', { name: 'Files' }).waitFor()
  await ana.page.keyboard.press('F1')
  await ana.page.keyboard.type('search all')
  await ana.page.getByRole('menuitem', { name: 'Search all files' }).waitFor()
  await ana.page.keyboard.press('Enter')
  const search = ana.page.getByRole('dialog', { name: 'Search all files' })
  await ana.hasFocus(search)
  await ana.page.keyboard.type('AND AGAIN')
  await search.getByText('1 line in one file').waitFor()
  await ana.page.keyboard.press('ArrowDown')
  await ana.page.keyboard.press('Enter')
  await search.waitFor({ state: 'detached' })
  await ana.page.getByText('Ln 1, Col 25 (9 selected)').waitFor()
  await ana.page.keyboard.press('F6')
  await ana.page.keyboard.press('?')
  await ana.page.getByRole('dialog', { name: 'Keys' }).waitFor()
})

test('the menu of any row fits the window; where there is no room for it, it scrolls', async () => {
  const ana = await stage.join('Ana', 'a')
  const names = Array.from({ length: 20 }, (_, index) => `row ${String(index + 10)}.md`)
  const bring = ana.page.locator('input[type=file]:not([webkitdirectory])')
  const files = names.map((name) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(name) }))
  await bring.setInputFiles(files)
  await ana.page.getByText('20 files are here.', { exact: true }).waitFor()
  const menu = ana.page.getByRole('menu')
  const isWhole = () =>
    menu.evaluate((element) => {
      const { scrollHeight, clientHeight } = element.parentElement!
      const { top, bottom } = element.getBoundingClientRect()
      return scrollHeight <= clientHeight && top >= 0 && bottom <= innerHeight
    })
  for (const name of ['row 10.md', 'row 19.md', 'row 29.md']) {
    await ana.row(name).click({ button: 'right' })
    await menu.waitFor()
    assert.equal(await isWhole(), true, name)
    await ana.page.keyboard.press('Escape')
    await menu.waitFor({ state: 'detached' })
  }
  await ana.page.setViewportSize({ width: 1280, height: 400 })
  await ana.row('row 10.md').click({ button: 'right' })
  await ana.page.getByRole('menuitem', { name: 'Delete' }).scrollIntoViewIfNeeded()
  assert.equal(await isWhole(), false)
})

test('the focus is back in the text as soon as a dialog is closed: no letter is lost', async () => {
  const ana = await stage.join('Ana', 'b')
  await ana.create('at once.md')
  await ana.type('before')
  await ana.page.keyboard.press('Control+s')
  await ana.page.getByRole('dialog', { name: 'Save this version' }).waitFor()
  // There is no next frame to wait for.
  await ana.page.evaluate(() => (globalThis.requestAnimationFrame = () => 0))
  await ana.page.keyboard.press('Escape')
  await ana.page.keyboard.type(', and after')
  await ana.reads('before, and after')
})

test('what is typed while a file opens is in its text, or where one went meanwhile', async () => {
  const ana = await stage.join('Ana', 'b')
  const filter = ana.page.getByLabel('Filter files')
  await ana.create('soon.md')
  await ana.insert('here ')
  await ana.create('soon too.md')
  const keyboard = await ana.page.context().newCDPSession(ana.page)
  const press = async (place: Locator) => {
    // Until it is where it stays.
    await place.hover()
    const { x, y } = (await place.boundingBox())!
    const at = { x: x + 60, y: y + 10, button: 'left' as const, clickCount: 1 }
    return (['mousePressed', 'mouseReleased'] as const).map(
      (type) => () => keyboard.send('Input.dispatchMouseEvent', { type, ...at }),
    )
  }
  const type = (letters: string) =>
    Array.from(
      letters,
      (text) => () => keyboard.send('Input.dispatchKeyEvent', { type: 'keyDown', text }),
    )
  // All is sent before any of it is answered: the page has had no time to open the file.
  const atOnce = (...sends: (() => Promise<unknown>)[][]) =>
    Promise.all(sends.flat().map((send) => send()))
  const [soon, tooSoon, inFilter] = [
    await press(ana.row('soon.md')),
    await press(ana.row('soon too.md')),
    await press(filter),
  ]
  await atOnce(soon, type('later it is'))
  await ana.isAt('soon.md')
  await ana.reads('here later it is')
  await ana.isWriting()
  await atOnce(soon, type(', again'))
  await ana.reads('here later it is, again')

  await atOnce(tooSoon, inFilter, type('soon'))
  await ana.isAt('soon too.md')
  await ana.hasFocus(filter)
  assert.equal(await filter.inputValue(), 'soon')
  await ana.reads('')

  await ana.page.keyboard.press('Control+Alt+n')
  await ana.page.getByLabel('Name', { exact: true }).fill('new.md')
  const enter = () =>
    keyboard.send('Input.dispatchKeyEvent', {
      type: 'keyDown',
      key: 'Enter',
      code: 'Enter',
      text: '\r',
      windowsVirtualKeyCode: 13,
    })
  await atOnce([enter], type('straight on'))
  await ana.isAt('new.md')
  await ana.reads('straight on')
  await ana.isWriting()
})

test('a folder that was made from a menu has the focus', async () => {
  const ana = await stage.join('Ana', 'b')
  const name = ana.page.getByRole('dialog', { name: 'New folder' }).getByLabel('Name')
  await ana.choose(/^New folder/)
  await name.fill('above')
  await name.press('Enter')
  await ana.hasFocus(ana.row('above'))
  await ana.page.keyboard.press('Shift+F10')
  await ana.page.getByRole('menuitem', { name: /^New folder here/ }).click()
  await name.fill('below')
  await name.press('Enter')
  await ana.hasFocus(ana.row('below'))
})

test('who restores a version, or closes the history, is back in the text', async () => {
  const ana = await stage.join('Ana', 'b')
  await ana.create('back.md')
  await ana.type('first')
  await ana.page.keyboard.press('Control+s')
  await ana.page.getByLabel('Name of this version').fill('w'.repeat(120))
  await ana.page.keyboard.press('Enter')
  await ana.page.getByText('This version is named').waitFor()
  await ana.type(' second')
  await ana.page.keyboard.press('Control+Shift+h')
  const version = ana.page.getByRole('option')
  const fits = (name: string, place: Locator) =>
    place
      .evaluate((element) => element.scrollWidth <= element.clientWidth)
      .then((is) => {
        assert.equal(is, true, `${name} fits`)
      })
  await fits('the name in the list', version)
  await version.click()
  await fits('the name over the text', ana.page.locator('.version-view .bar'))
  await fits('the name in the notice', ana.page.getByRole('alertdialog'))
  const wanted = ana.page.getByRole('region', { name: /^Version www/ })
  // From the list on: the notices, what is above, the files, the version.
  for (const place of [
    ana.page.getByRole('region', { name: 'Notices' }),
    ana.page.getByRole('banner'),
    ana.page.getByRole('navigation', { name: 'Files' }),
    wanted,
  ]) {
    await ana.page.keyboard.press('F6')
    await ana.hasFocus(place)
  }
  await ana.page.keyboard.press('Tab')
  await ana.page.keyboard.press('Enter')
  await ana.isWriting()
  await ana.reads('first')
  await version.focus()
  await ana.page.keyboard.press('Control+Shift+h')
  await ana.isWriting()
  await ana.page.keyboard.press('Control+Shift+h')
  await version.waitFor()
  await ana.choose(/^Delete/)
  await ana.page.getByRole('main', { name: 'No file is open' }).waitFor()
  await ana.page.locator('.right').waitFor({ state: 'detached' })
})

test('the line of the caret stays in sight when the text gets another size', async () => {
  const ana = await stage.join('Ana', 'b')
  await ana.create('sizes.md')
  await ana.insert(`${'one word after another '.repeat(500)}\n`.repeat(9))
  const scroller = ana.page.locator('.cm-scroller')
  const isInSight = () =>
    scroller.evaluate((element) => {
      const caret = element.querySelector('.cm-cursor-primary')!.getBoundingClientRect()
      const { top, bottom } = element.getBoundingClientRect()
      return caret.height > 0 && caret.top >= top && caret.bottom <= bottom
    })
  const becomesVisible = (what: string) => until(isInSight, `the caret is in sight, ${what}`)
  await becomesVisible('at the end')
  await ana.page.keyboard.press('Control+Shift+h')
  await ana.page.getByRole('complementary', { name: 'History' }).waitFor()
  await becomesVisible('beside the history')
  await ana.page.keyboard.press('Control+Shift+h')
  await ana.page.setViewportSize({ width: 640, height: 400 })
  await becomesVisible('at twice the size')
  // The edge of the window is dragged: in each frame another size, right behind what was drawn for the last.
  await scroller.evaluate(async (element) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const editor = element.parentElement!
    const widths = [90, 80, 70, 60, 50]
    const shrink = () => {
      const width = widths.shift()
      if (width === undefined) resolve()
      else editor.style.width = `${width}%`
    }
    const observer = new ResizeObserver(() => requestAnimationFrame(shrink))
    observer.observe(element)
    await promise
    observer.disconnect()
  })
  await becomesVisible('after it shrank frame by frame')
})

test('on paper a text is whole and alone, and dark on white where the page is dark', async () => {
  const ana = await stage.join('Ana', 'b', { colorScheme: 'dark' })
  await ana.create('paper.md')
  await ana.insert('one line\n'.repeat(300))
  await ana.page.evaluate(() => {
    // Behind what CodeMirror does then: it draws what is out of sight.
    matchMedia('print').addEventListener('change', ({ matches }) => {
      const lines = document.querySelectorAll('.cm-line').length
      if (matches) document.body.dataset['printed'] = String(lines)
    })
  })
  await ana.page.pdf()
  assert.equal(await ana.page.locator('body').getAttribute('data-printed'), '301')
  await ana.page.emulateMedia({ media: 'print' })
  assert.equal(await background(ana), white)
  for (const role of ['banner', 'navigation', 'contentinfo'] as const) {
    assert.equal(await ana.page.getByRole(role).isVisible(), false, role)
  }
})

test('where the system gives the colours, what is chosen, found and others’ is still seen', async () => {
  const ana = await stage.join('Ana', 'b', { forcedColors: 'active' })
  await ana.create('forced.md')
  await ana.insert('find this, and this')
  const ben = await stage.join('Ben', 'b')
  await ben.page.goto(ana.page.url())
  await ben.isAt('forced.md')
  await ben.editor.focus()
  await ben.page.keyboard.press('Control+Home')
  await ben.page.keyboard.press('Shift+End')
  /** It has a line round it, or is of another colour than the page, once it is drawn there. */
  const isSeen = (place: Locator) =>
    place.first().evaluate((element) => {
      const { backgroundColor, outlineStyle } = getComputedStyle(element)
      const pen = document.createElement('canvas').getContext('2d')!
      const [page, drawn] = [getComputedStyle(document.body).backgroundColor, backgroundColor].map(
        (color) => {
          pen.fillStyle = color
          pen.fillRect(0, 0, 1, 1)
          return pen.getImageData(0, 0, 1, 1).data.join()
        },
      )
      return outlineStyle !== 'none' || page !== drawn
    })
  await ana.page.keyboard.press('Control+a')
  const unseen: string[] = []
  for (const name of ['cm-selectionBackground', 'remote-selection', 'remote-caret', 'dot']) {
    if (!(await isSeen(ana.page.locator(`.${name}`)))) unseen.push(name)
  }
  if (!(await isSeen(ana.row('forced.md')))) unseen.push('the row that is chosen')
  await ana.page.keyboard.press('Control+f')
  await ana.page.getByLabel('Find', { exact: true }).fill('this')
  if (!(await isSeen(ana.page.locator('.cm-searchMatch')))) unseen.push('a match')
  await ana.page.keyboard.press('F1')
  await ana.page.keyboard.type('s')
  const chosen = ana.page.locator('.menu-item[data-focused]')
  await chosen.waitFor()
  if (!(await isSeen(chosen))) unseen.push('what Enter takes')
  assert.deepEqual(unseen, [])
})

test('a line of Hebrew runs from right to left, beside others that do not', async () => {
  const ana = await stage.join('Ana', 'b')
  await ana.create('peace.md')
  await ana.insert('peace\n– שלום, world')
  await ana.reads('peace\n– שלום, world')
  const directions = await ana.page
    .locator('.cm-line')
    .evaluateAll((lines) => lines.map((line) => getComputedStyle(line).direction))
  assert.deepEqual(directions, ['ltr', 'rtl'])
  for (const key of ['Control+Home', 'End', 'ArrowRight']) await ana.page.keyboard.press(key)
  await ana.page.getByText('Ln 2, Col 1', { exact: true }).waitFor()
  // Left is onwards there.
  await ana.page.keyboard.press('ArrowLeft')
  await ana.page.getByText('Ln 2, Col 2', { exact: true }).waitFor()
  // Zeros are text, too: of very many only the first are drawn as dots, each an element of its own.
  await ana.insert('\0'.repeat(1000))
  await ana.page.getByText('Ln 2, Col 1002', { exact: true }).waitFor()
  assert.equal(await ana.page.locator('.cm-specialChar').count(), 64)
})

test('the page can be installed, and every icon that is asked for is there', async () => {
  const { page } = await stage.visit('c')
  const manifest = await page.locator('link[rel=manifest]').getAttribute('href')
  const told = await (await page.request.get(new URL(manifest!, page.url()).href)).json()
  const named = (told as { icons: { src: string }[] }).icons.map(({ src }) => src)
  for (const icon of [...named, '/apple-touch-icon.png', '/favicon.ico']) {
    const answer = await page.request.get(new URL(icon, page.url()).href)
    assert.equal(answer.status(), 200, icon)
    assert.match(answer.headers()['content-type']!, /^image\//, icon)
  }
  const protocol = await page.context().newCDPSession(page)
  const { installabilityErrors } = await protocol.send('Page.getInstallabilityErrors')
  // A window that keeps nothing is the test's own.
  const errors = installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito')
  assert.deepEqual(errors, [])
})

test('the page has its landmarks, and every control has a name', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.create('named.md')
  await ana.page.getByRole('banner').waitFor()
  await ana.page.getByRole('navigation', { name: 'Files' }).waitFor()
  await ana.page.getByRole('main', { name: 'named.md' }).waitFor()
  await ana.page.getByRole('contentinfo').waitFor()
  assert.equal(await ana.page.getByRole('main').count(), 1)
  assert.equal(await ana.page.getByRole('status').count(), 1)
  const snapshot = await ana.page.locator('body').ariaSnapshot()
  const nameless = snapshot
    .split('\n')
    .filter((line) => /^\s*- (button|textbox|link):?$/.test(line))
  assert.deepEqual(nameless, [])
})
