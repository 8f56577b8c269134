// Several tabs of one browser: what one of them leaves behind when it goes, the others bring.

import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { readFile } from '../siege/whole-files.ts'
import { until } from '../until.ts'
import { keptKeys } from './page-storage.ts'
import { Stage } from './stage.ts'

let stage: Stage
before(async () => {
  stage = await Stage.start()
})
afterEach(() => stage.clear())
after(() => stage.end())

async function everybody(): Promise<void> {
  await stage.fleet.startAll()
  await stage.fleet.well()
}

/** A server has this text in a file, sooner or later. */
async function stored(path: string, wanted: string): Promise<void> {
  const there = () => readFile(stage.fleet.address('c'), path).catch(String)
  await until(async () => (await there()) === wanted, there)
}

test('a tab that stays open brings what a closed one could not send', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.create('shared.md')
  await ana.type('by Ana, ')
  await ana.create('other.md')
  await ana.chip('Saved · 4/4').waitFor()
  await ana.open('shared.md')
  const cy = await stage.tab(ana)
  await cy.signIn('Cy')
  await cy.open('other.md')
  await cy.type('begun, ')
  await cy.chip('Saved · 4/4').waitFor()
  await cy.isKept('other.md')
  await stage.fleet.killAll()
  await cy.append('gone on with, ')
  await cy.open('shared.md')
  await cy.append('by Cy, ')
  await cy.create('new.md')
  await cy.type('made alone')
  await cy.chip('Saved on this device').waitFor()
  for (const text of ['begun, gone on with, ', 'by Ana, by Cy, ', 'made alone']) {
    await cy.keeps(text)
  }
  await cy.page.close()

  // What is open shows it, and one writes on behind it.
  await ana.reads('by Ana, by Cy, ')
  await ana.row('new.md').waitFor()
  await ana.append('and Ana')
  await everybody()
  await stored('shared.md', 'by Ana, by Cy, and Ana')
  await stored('other.md', 'begun, gone on with, ')
  await stored('new.md', 'made alone')
  await ana.chip('Saved · 4/4').waitFor()
  await ana.open('new.md')
  await ana.reads('made alone')
})

test('a tab that was duplicated while its edits wait goes on with them, and so after a crash', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.create('twice.md')
  await ana.type('begun, ')
  await ana.chip('Saved · 4/4').waitFor()
  await ana.isKept('twice.md')
  await stage.fleet.killAll()
  await ana.append('alone, ')
  await ana.keeps('begun, alone, ')
  const other = await stage.duplicate(ana)
  await other.reads('begun, alone, ')
  await other.append('and twice')
  await ana.editor.focus()
  await ana.page.keyboard.press('Control+Home')
  await ana.page.keyboard.type('by Ana: ')
  await other.keeps('by Ana: begun, alone, and twice')
  await ana.page.close()
  await other.reads('by Ana: begun, alone, and twice')
  const last = await stage.tab(other)
  await last.signIn('Ana')
  const before = await keptKeys(last.page)
  await last.open('twice.md')
  await last.reads('by Ana: begun, alone, and twice')
  await last.editor.focus()
  await last.page.keyboard.press('Control+End')
  const isExpected = async () => (await keptKeys(last.page)) > before
  await until(isExpected, 'the key is kept before the first letter')
  await last.page.keyboard.press('!')
  await stage.crash(last)
  await other.reads('by Ana: begun, alone, and twice!')
  await everybody()
  await stored('twice.md', 'by Ana: begun, alone, and twice!')
  await other.chip('Saved · 4/4').waitFor()
})

test('a second tab has the name of the first, also on other servers, and nobody else has it', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.create('both.md')
  await ana.type('one, ')
  const second = await stage.tab(ana)
  await second.signIn('Ana')
  await second.open('both.md')
  await second.reads('one, ')
  await second.append('two, ')
  await ana.reads('one, two, ')
  const other = await stage.visit('b')
  await other.signIn('Ana')
  await other.page.getByText('"Ana" is here already').waitFor()
  await other.signIn('Ben')
  await other.open('both.md')
  const avatars = other.page.getByRole('list', { name: 'People in this file' }).getByRole('button')
  const twice = other.page.getByRole('button', { name: 'Ana, in 2 places: go to their caret' })
  await twice.waitFor()
  assert.equal(await avatars.count(), 1)

  await stage.fleet.kill('a')
  await ana.append('three, ')
  await second.reads('one, two, three, ')
  await second.append('four')
  await ana.reads('one, two, three, four')
  await stage.fleet.start('a')
  for (const tab of [ana, second]) {
    await tab.chip('Saved · 4/4').waitFor()
    await tab.page.getByRole('button', { name: 'You, in another tab: go to that caret' }).waitFor()
  }
  await twice.waitFor()
  await second.page.reload()
  await second.reads('one, two, three, four')
  const third = await stage.duplicate(ana)
  await third.reads('one, two, three, four')
  await third.chip('Saved · 4/4').waitFor()
})
