// Two people in one file on two servers: names, letters, carets, and whose undo is whose.

import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
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

test('a name that somebody here has is refused with a proposal, on every server', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.create('present.md')
  // Whoever is at b already sees her: b has heard of her.
  const ben = await stage.join('Ben', 'b')
  await ben.open('present.md')
  await ben.page.getByRole('button', { name: /^Ana(, typing)?: go to their caret$/ }).waitFor()
  const other = await stage.visit('b')
  await other.signIn('Ana')
  const proposal = other.page.getByRole('button', { name: 'Join as “Ana 2”' })
  await proposal.waitFor()
  const field = other.page.getByLabel('Your name')
  assert.equal(await field.getAttribute('aria-invalid'), 'true')
  const described = await field.getAttribute('aria-describedby')
  assert.ok(described, 'the field says what is wrong with it')
  await proposal.click()
  await other.isIn()
  await other.page.getByRole('button', { name: 'You are Ana 2' }).waitFor()
})

test('the browser remembers the name, and a reload of the tab does not ask again', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.page.reload()
  await ana.page.getByRole('button', { name: 'You are Ana' }).waitFor()
  const tab = await ana.page.context().newPage()
  await tab.goto(stage.fleet.address('a'))
  assert.equal(await tab.getByLabel('Your name').inputValue(), 'Ana')
})

test('two people on two servers see each other’s letters, carets and names', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.create('together.md')
  const ben = await stage.join('Ben', 'c')
  await ben.open('together.md')

  await ana.type('Ana was here. ')
  await ben.reads('Ana was here. ')
  await ben.page.locator('.cm-editor').getByText('Ana', { exact: true }).waitFor()

  await ben.append('So was Ben.')
  await ana.reads('Ana was here. So was Ben.')
  await ana.page.locator('.cm-editor').getByText('Ben', { exact: true }).waitFor()

  await ana.page.getByRole('button', { name: /^Ben(, typing)?: go to their caret$/ }).waitFor()
  await ana.page.getByRole('img', { name: 'Here: Ben' }).waitFor()
  await ana.chip('Saved · 4/4').waitFor()
  await ben.chip('Saved · 4/4').waitFor()
})

test('the flag of a caret at the right edge stands to its left, and nothing scrolls for it', async () => {
  // So narrow that the text goes up to the edge.
  const ana = await stage.join('Ana', 'a', { viewport: { width: 1050, height: 600 } })
  await ana.create('edge.md')
  const ben = await stage.join('Benjamin at the edge', 'c')
  await ben.open('edge.md')
  await ben.insert('wwwwwwwwww')
  await ana.reads('wwwwwwwwww')
  const room = await ana.page.evaluate(() => {
    const line = document.querySelector('.cm-line')!
    const letters = new Range()
    letters.selectNodeContents(line)
    const { left, width } = letters.getBoundingClientRect()
    const { right } = line.getBoundingClientRect()
    return Math.floor((right - left) / (width / 10))
  })
  await ben.insert('w'.repeat(room - 12))
  await ana.reads('w'.repeat(room - 2))
  await until(
    () =>
      ana.page.evaluate(() => {
        const { right } = document.querySelector('.cm-scroller')!.getBoundingClientRect()
        const flag = document.querySelector('.remote-flag')?.getBoundingClientRect()
        return flag !== undefined && flag.right <= right
      }),
    () => 'the flag is cut at the edge',
  )
  const scrolls = await ana.page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.querySelector('.cm-scroller')!
    return scrollWidth > clientWidth
  })
  assert.equal(scrolls, false)
})

test('both type at the same place at once, and nothing is lost or torn', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.create('race.md')
  const ben = await stage.join('Ben', 'b')
  await ben.open('race.md')
  await Promise.all([ana.type('aaaaaaaaaaaaaaaaaaaa'), ben.type('bbbbbbbbbbbbbbbbbbbb')])
  await ana.chip('Saved · 4/4').waitFor()
  await ben.chip('Saved · 4/4').waitFor()
  const letters = (text: string) => [...text].toSorted().join('')
  await ana.readsPart('a')
  const wanted = `${'a'.repeat(20)}${'b'.repeat(20)}`
  for (const person of [ana, ben]) {
    await person.page.waitForFunction(
      (count) => document.querySelector('.cm-line')?.textContent?.length === count,
      wanted.length,
    )
    assert.equal(letters(await person.text()), wanted)
  }
  assert.equal(await ana.text(), await ben.text())
})

test('undo takes back what this person wrote, and nothing of the other', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.create('undo.md')
  const ben = await stage.join('Ben', 'd')
  await ben.open('undo.md')
  await ana.insert('from Ana')
  await ben.reads('from Ana')
  await ben.editor.focus()
  await ben.page.keyboard.press('Control+End')
  await ben.insert(' from Ben')
  await ana.reads('from Ana from Ben')

  await ana.page.keyboard.press('Control+z')
  await ben.reads(' from Ben')
  await ana.page.getByRole('button', { name: 'Redo' }).click()
  await ben.reads('from Ana from Ben')
  await ben.page.keyboard.press('Control+z')
  await ana.reads('from Ana')
})

test('a word that was composed for a while is undone as a whole', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.create('composed.md')
  await ana.insert('before ')
  // Whoever goes elsewhere does another thing.
  await ana.page.keyboard.press('Home')
  await ana.page.keyboard.press('End')
  const keyboard = await ana.page.context().newCDPSession(ana.page)
  for (const text of ['に', 'にほ', 'にほん']) {
    const at = text.length
    await keyboard.send('Input.imeSetComposition', {
      text,
      selectionStart: at,
      selectionEnd: at,
    })
    await ana.reads(`before ${text}`)
    // For longer than what is undone at once may take.
    await ana.page.waitForTimeout(600)
  }
  await keyboard.send('Input.insertText', { text: '日本' })
  await ana.reads('before 日本')
  await ana.page.keyboard.press('Control+z')
  await ana.reads('before ')
  await ana.page.keyboard.press('Control+y')
  await ana.reads('before 日本')
})

test('undo is still there after a look at another file', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.create('first.md')
  await ana.insert('one')
  await ana.create('second.md')
  await ana.open('first.md')
  await ana.reads('one')
  await ana.page.getByRole('button', { name: 'Undo what you did' }).click()
  await ana.reads('')
})

test('whoever comes back to a name that is taken meanwhile keeps the text and takes another', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.create('mine.md')
  await ana.type('by the first Ana')
  await ana.chip('Saved · 4/4').waitFor()
  await ana.keeps('by the first Ana')
  const { page } = ana
  const address = page.url()
  const ben = await stage.join('Ben', 'b')
  await ben.open('mine.md')
  const avatar = ben.page.getByRole('button', { name: /^Ana(, typing)?: go to their caret$/ })
  await avatar.waitFor()
  await page.goto('about:blank')
  // Until b has heard that she left, the name is hers there.
  await avatar.waitFor({ state: 'hidden' })
  const other = await stage.join('Ana', 'b')
  await page.goto(address)
  const bar = page.getByRole('alert').filter({ hasText: '"Ana" is here already' })
  await bar.getByLabel('Another name').fill('Ana the first')
  await ana.reads('by the first Ana')
  await ana.chip('Name taken').waitFor()
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'You are Ana the first' }).waitFor()
  await ana.type('!')
  await ana.chip('Saved · 4/4').waitFor()
  await other.open('mine.md')
  await other.readsPart('!')
})

test('one may leave and come back under another name', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.create('left.md')
  await ana.type('before')
  await ana.page.getByRole('button', { name: 'You are Ana' }).click()
  await ana.page.getByRole('menuitem', { name: 'Change name…' }).click()
  await ana.signIn('Anna')
  await ana.page.getByRole('button', { name: 'You are Anna' }).waitFor()
  await ana.reads('before')
})

test('whoever looks at another file is not shown in this one, until they come back', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.create('crowded.md')
  await ana.create('quiet.md')
  await ana.open('crowded.md')
  const ben = await stage.join('Ben', 'b')
  await ben.open('crowded.md')
  const avatar = ben.page.getByRole('button', { name: /^Ana(, typing)?: go to their caret$/ })
  await avatar.waitFor()
  await ana.open('quiet.md')
  await avatar.waitFor({ state: 'hidden' })
  await ana.open('crowded.md')
  await avatar.waitFor()
})

test('a reload leaves caret and scroll where they were', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.create('long.md')
  await ana.type(Array.from({ length: 80 }, (_, line) => `line ${line}`).join('\n'))
  await ana.chip('Saved · 4/4').waitFor()
  for (let step = 0; step < 20; step++) await ana.page.keyboard.press('ArrowUp')
  const topLine = () =>
    ana.page.evaluate(() => {
      const scroller = document.querySelector('.cm-scroller')!
      const { top } = scroller.getBoundingClientRect()
      const lines = [...document.querySelectorAll('.cm-line')]
      return lines.find((line) => line.getBoundingClientRect().bottom > top + 2)?.textContent
    })
  const before = await topLine()
  assert.notEqual(before, 'line 0')
  await ana.page.reload()
  await ana.page.getByText('Ln 60, Col 8').waitFor()
  await until(
    async () => (await topLine()) === before,
    async () => `the first line is ${await topLine()}, not ${before}`,
  )
  await ana.type('!')
  await ana.readsPart('line 59!')
})
