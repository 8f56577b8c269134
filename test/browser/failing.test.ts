// Servers die, freeze and come back while people write: what the chip says, and what stays.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, afterEach, before, test } from 'node:test'
import { textBytesMax } from '../../src/core/model/limits.ts'
import { connect } from '../../src/client/index.ts'
import { readFile } from '../siege/whole-files.ts'
import { until } from '../until.ts'
import { keptOperations } from './page-storage.ts'
import { Stage, Visitor } from './stage.ts'

let stage: Stage
before(async () => {
  stage = await Stage.start()
})
afterEach(async () => {
  await revive()
  await stage.clear()
})
after(() => stage.end())

/** All four serve again, whatever a test did to them. */
async function revive(): Promise<void> {
  const { fleet } = stage
  for (const id of fleet.ids) {
    if (fleet.isFrozen(id)) fleet.thaw(id)
    if (!fleet.isRunning(id)) await fleet.start(id)
  }
  await fleet.well()
}

/** Notes what these elements say from here on: some of it is there for a moment only. */
async function wordsShown(visitor: Visitor, selector: string): Promise<() => Promise<string[]>> {
  const notes = await visitor.page.evaluateHandle((wanted) => {
    const seen: string[] = []
    const note = () => {
      for (const { textContent } of document.querySelectorAll(wanted)) seen.push(textContent)
    }
    const observed = { subtree: true, childList: true, characterData: true }
    new MutationObserver(note).observe(document.body, observed)
    return seen
  }, selector)
  return () => notes.jsonValue()
}

/** In the page: as if its person had forbidden storage. */
function forbidStorage(): void {
  IDBFactory.prototype.open = () => {
    throw new DOMException('storage is forbidden here', 'SecurityError')
  }
}

/** The details behind the chip, opened. */
async function details(visitor: Visitor) {
  await visitor.page.getByRole('button', { name: /Where your text is saved$/ }).click()
  return visitor.page.getByRole('dialog', { name: 'Where your text is saved' })
}

test('three servers are killed while two people write; the chip goes to 1/4 and back', async () => {
  const { fleet } = stage
  const ana = await stage.join('Ana', 'a')
  await ana.create('killed.md')
  const ben = await stage.join('Ben', 'b')
  await ben.open('killed.md')
  await ana.type('before ')
  await ben.reads('before ')
  await ana.chip('Saved · 4/4').waitFor()

  const first = await ana.server()
  const [left] = fleet.ids.filter((id) => id !== first)
  const dead = fleet.ids.filter((id) => id !== left)
  const typing = ana.page.keyboard.type('and while three of four servers die ', { delay: 40 })
  await Promise.all(dead.map((id) => fleet.kill(id)))
  await typing
  const wanted = 'before and while three of four servers die '
  assert.equal(await ana.text(), wanted, 'what one types is there at once')
  await ben.reads(wanted)
  await ana.chip('Saved · 1/4').waitFor()
  const said = await details(ana)
  await said
    .getByText(new RegExp(`^Your last change: .*, on ${left} and on this device\\.$`))
    .waitFor()
  const [one, two, three] = dead
  const down = `^${one}, ${two} and ${three} are down since .*\\. They will catch up`
  await said.getByText(new RegExp(down)).waitFor()
  await said
    .getByText(new RegExp(`moved [a-d] → ${left} in \\d+ ms`))
    .first()
    .waitFor()
  await ana.page.keyboard.press('Escape')

  await Promise.all(dead.map((id) => fleet.start(id)))
  await ana.chip('Saved · 4/4').waitFor()
  await ana.type('and come back')
  await ben.reads(`${wanted}and come back`)
  await ana.chip('Saved · 4/4').waitFor()
})

test('a change of server leaves caret, selection, scroll and undo where they were', async () => {
  const { fleet } = stage
  const ana = await stage.join('Ana', 'a')
  await ana.create('moved.md')
  await ana.type(Array.from({ length: 80 }, (_, line) => `line ${line}`).join('\n'))
  await ana.chip('Saved · 4/4').waitFor()
  for (let step = 0; step < 10; step++) await ana.page.keyboard.press('ArrowUp')
  await ana.page.keyboard.press('Shift+ArrowLeft')
  const place = () =>
    ana.page.evaluate(async () => {
      // The editor scrolls with the frame after a key.
      for (let frames = 0; frames < 2; frames++) await new Promise(requestAnimationFrame)
      return {
        bottomBar: document.querySelector('footer')?.textContent?.match(/^Ln \d+, Col \d+/)?.[0],
        scroll: document.querySelector('.cm-scroller')?.scrollTop,
        hasFocus: document.activeElement?.classList.contains('cm-content'),
      }
    })
  const before = await place()
  assert.ok(before.scroll! > 0)
  const first = await ana.server()
  await fleet.kill(first)
  await until(
    async () => (await ana.server()) !== first,
    () => 'the page did not go to another server',
  )
  assert.deepEqual(await place(), before)
  await ana.page.keyboard.type('x')
  await ana.page.keyboard.press('Control+z')
  assert.deepEqual((await place()).bottomBar, before.bottomBar)
})

test('a frozen server: the change goes to another one', async () => {
  const { fleet } = stage
  const ana = await stage.join('Ana', 'a')
  await ana.create('frozen.md')
  await ana.type('before ')
  await ana.chip('Saved · 4/4').waitFor()
  // How soon is measured by the session's own tests, where time is an argument.
  fleet.freeze(await ana.server())
  await ana.type('after')
  await ana.chip('Saved · 3/4').waitFor()
})

test('of a change that no server has told of, the details never say that it is on any', async () => {
  const { fleet } = stage
  const ana = await stage.join('Ana', 'a')
  await ana.create('details.md')
  await ana.type('before ')
  await ana.chip('Saved · 4/4').waitFor()
  for (const id of fleet.ids) fleet.freeze(id)
  await ana.type('after')
  // The chip itself stays calm for a while.
  const shown = await wordsShown(ana, '.popover-dialog p')
  const said = await details(ana)
  await said.getByText(/not confirmed for|wait for a connection/).waitFor()
  assert.deepEqual(
    (await shown()).filter((sentence) => /, on [a-d]/.test(sentence)),
    [],
  )
  for (const id of fleet.ids) fleet.thaw(id)
  await said.getByText(/^Your last change: [0-9:]+, on a, b, c and d\.$/).waitFor()
})

test('a search goes to another server when the one that was asked is frozen', async () => {
  const { fleet } = stage
  const ana = await stage.join('Ana', 'a')
  await ana.create('sought.md')
  await ana.type('a lighthouse')
  await ana.chip('Saved · 4/4').waitFor()
  fleet.freeze(await ana.server())
  await ana.page.keyboard.press('Control+Shift+F')
  await ana.page.keyboard.type('lighthouse')
  const search = ana.page.getByRole('dialog', { name: 'Search all files' })
  await search.getByText('1 line in one file').waitFor()
})

test('all servers are frozen: saving, then saved on this device, then all is well again', async () => {
  const { fleet } = stage
  const ana = await stage.join('Ana', 'a')
  await ana.create('silent.md')
  await ana.type('before ')
  await ana.chip('Saved · 4/4').waitFor()
  const shown = await wordsShown(ana, '.chip-text')
  for (const id of fleet.ids) fleet.freeze(id)
  await ana.type('in the silence')
  await ana.chip('Saved on this device').waitFor()
  assert.ok((await shown()).includes('Saving…'))
  await ana.chip('Saved on this device').click()
  const servers = ana.page.getByRole('list', { name: 'Servers' })
  await servers.getByText('not reached').first().waitFor()
  assert.equal(await servers.getByText('up', { exact: true }).count(), 0)
  const retry = await ana.page.getByRole('button', { name: 'Retry now' }).elementHandle()
  await ana.page.getByText('Trying now.').waitFor()
  await ana.page.getByText(/^Next try in/).waitFor()
  assert.ok(await retry!.evaluate((button) => button.isConnected), 'it stays under the mouse')
  await ana.page.keyboard.press('Escape')
  for (const id of fleet.ids) fleet.thaw(id)
  await ana.chip('Saved · 4/4').waitFor()
  assert.equal(await ana.text(), 'before in the silence')
})

test('a reload with no server alive: the text is there, one writes on, it merges later', async () => {
  const { fleet } = stage
  const ana = await stage.join('Ana', 'a')
  await ana.create('alone.md')
  await ana.type('written with servers; ')
  await ana.chip('Saved · 4/4').waitFor()
  await ana.isKept('alone.md')
  await fleet.killAll()
  await ana.append('without any; ')
  await ana.chip('Saved on this device').waitFor()

  await ana.page.reload()
  await ana.reads('written with servers; without any; ')
  await ana.row('alone.md').waitFor()
  await ana.chip('Saved on this device').waitFor()
  const said = await details(ana)
  const earlier = 'Earlier changes in 1 file wait for a connection. You may close this tab.'
  await said.getByText(earlier).waitFor()
  await ana.page.keyboard.press('Escape')
  await ana.append('after a reload')
  await details(ana)
  await said.getByText(/^\d+ changes? and earlier ones in 1 file wait for a connection\./).waitFor()
  await said.getByText(/^Next try in|^Trying now/).waitFor()

  await fleet.startAll()
  await said
    .getByRole('button', { name: 'Retry now' })
    .click({ timeout: 2000 })
    .catch(() => {
      // It has connected by itself already.
    })
  await ana.page.keyboard.press('Escape')
  await ana.chip('Saved · 4/4').waitFor()
  const ben = await stage.join('Ben', 'c')
  await ben.open('alone.md')
  await ben.reads('written with servers; without any; after a reload')
})

test('a screen name that servers would refuse is refused while there is none, too', async () => {
  const ana = await stage.join('Ana', 'a')
  await ana.create('named.md')
  await ana.isKept('named.md')
  await stage.fleet.killAll()
  const other = await stage.tab(ana)
  await other.signIn('An\u200ba')
  await other.page.getByText('must not contain invisible characters').waitFor()
  await other.signIn('Anna')
  await other.isIn()
})

test('one writes on behind the unsent edits of a tab that was closed', async () => {
  const { fleet } = stage
  const ana = await stage.join('Ana', 'a')
  const ben = await stage.join('Ben', 'b')
  await ben.create('tabs.md')
  await ben.type('by Ben, ')
  await ana.row('tabs.md').waitFor()
  const page = await ana.page.context().newPage()
  await page.goto(fleet.address('a'))
  const cy = new Visitor(page)
  await cy.signIn('Cy')
  await cy.isIn()
  await cy.open('tabs.md')
  await cy.reads('by Ben, ')
  await cy.chip('Saved · 4/4').waitFor()
  await fleet.killAll()
  await cy.append('by Cy, ')
  await cy.chip('Saved on this device').waitFor()
  await cy.keeps('by Ben, by Cy, ')
  await page.close()

  await ana.open('tabs.md')
  await ana.reads('by Ben, by Cy, ')
  await ana.append('by Ana')
  await fleet.startAll()
  await ben.reads('by Ben, by Cy, by Ana')
  await ana.chip('Saved · 4/4').waitFor()
})

test('a file that is not on this device waits for a server, and one may begin to write', async () => {
  const { fleet } = stage
  const ben = await stage.join('Ben', 'b')
  await ben.create('here.md')
  await ben.type('seen')
  await ben.chip('Saved · 4/4').waitFor()
  await ben.keeps('seen')
  const ana = await stage.join('Ana', 'a')
  await ana.create('elsewhere.md')
  await ana.type('by Ana. ')
  await ana.chip('Saved · 4/4').waitFor()
  await ben.isKept('elsewhere.md')
  await fleet.killAll()
  await ben.page.reload()
  await ben.row('elsewhere.md').click()
  await ben.page.getByText('This file is not on this device.').waitFor()
  await ben.page.getByRole('link', { name: 'here.md' }).waitFor()
  await ben.page.getByRole('button', { name: 'Write all the same' }).click()
  await ben.isAt('elsewhere.md')
  await ben.type('by Ben. ')
  await fleet.startAll()
  await ben.chip('Saved · 4/4').waitFor()
  await ana.readsPart('by Ana. ')
  await ana.readsPart('by Ben. ')
  await ben.readsPart('by Ana. ')
})

test('no server and no storage: not saved, said in red, with a way to keep the text', async () => {
  const { fleet } = stage
  const ana = await stage.visit('a')
  await ana.page.addInitScript(forbidStorage)
  await ana.page.reload()
  await ana.signIn('Ana')
  await ana.create('danger.md')
  await ana.type('in danger')
  await ana.chip('Saved · 4/4').waitFor()
  await fleet.killAll()
  await ana.type('!')
  await ana.chip('Not saved').waitFor()
  const bar = ana.page.getByRole('alert').filter({ hasText: 'Not saved' })
  const downloaded = ana.page.waitForEvent('download')
  await bar.getByRole('button', { name: 'Download' }).click()
  assert.equal((await downloaded).suggestedFilename(), 'danger.md')
  await bar.getByRole('button', { name: 'Copy all text' }).waitFor()
  const asked = ana.page.waitForEvent('dialog')
  await ana.page.close({ runBeforeUnload: true })
  const question = await asked
  assert.equal(question.type(), 'beforeunload')
  await question.dismiss()
  await ana.page.getByRole('button', { name: 'You are Ana' }).click()
  await ana.page.getByRole('menuitem', { name: 'Change name…' }).click()
  const asking = ana.page.getByRole('alertdialog', { name: 'Not saved' })
  await asking.getByText('what you wrote last is lost').waitFor()
  await asking.getByRole('button', { name: 'Cancel' }).click()
  await ana.reads('in danger!')

  await fleet.startAll()
  await ana.chip('Saved · 4/4').waitFor()
  await bar.waitFor({ state: 'hidden' })
})

test('a text that no server takes is named wherever one is, and can be opened and taken along', async () => {
  const ana = await stage.join('Ana', 'a')
  const { fleet } = stage
  await ana.create('other.md')
  await ana.create('large.md')
  await ana.chip('Saved · 4/4').waitFor()
  await fleet.killAll()
  await ana.type('one too many')
  await ana.chip('Saved on this device').waitFor()
  // While her page stands still somebody else fills the file.
  const protocol = await ana.page.context().newCDPSession(ana.page)
  await protocol.send('Debugger.enable')
  await protocol.send('Debugger.pause')
  await fleet.startAll()
  await fleet.well()
  const ben = connect({ servers: fleet.addresses, name: 'Ben', agent: 'cli' })
  await until(() => ben.files.some(({ name }) => name === 'large.md'))
  const { id } = ben.files.find(({ name }) => name === 'large.md')!
  const his = ben.open(id)
  await his.loaded
  his.text.insert(0, `${'x'.repeat(1023)}\n`.repeat(textBytesMax / 1024))
  await his.stored()
  // A server that has it not yet would take what she wrote.
  await until(() => ben.save.name === 'saved' && ben.save.servers.length === fleet.ids.length)
  await protocol.send('Debugger.resume')
  await protocol.send('Debugger.disable')
  await ana.chip('Not saved').waitFor()
  const bar = ana.page.getByRole('alert').filter({ hasText: '“large.md” is not saved.' })
  await bar.getByRole('button', { name: 'Copy all text' }).waitFor()
  await ana.open('other.md')
  await bar.getByRole('button', { name: 'Open it' }).click()
  await ana.isAt('large.md')
  const downloaded = ana.page.waitForEvent('download')
  await bar.getByRole('button', { name: 'Download' }).click()
  assert.equal((await downloaded).suggestedFilename(), 'large.md')
  his.text.delete(0, 1024)
  // Once there is room it goes there by itself.
  await ana.chip('Saved · 4/4').waitFor()
  await bar.waitFor({ state: 'hidden' })
  await until(() => his.text.toString().includes('one too many'))
  ben.close()
})

test('who must take another name where the device keeps nothing is told, and keeps what was written', async () => {
  const { fleet } = stage
  const ana = await stage.visit('a')
  await ana.page.addInitScript(forbidStorage)
  await ana.page.reload()
  await ana.signIn('Ana')
  await ana.create('not kept.md')
  await ana.type('before')
  await ana.chip('Saved · 4/4').waitFor()
  await fleet.killAll()
  await ana.append(', and after')
  await ana.chip('Not saved').waitFor()
  // While her page stands still somebody else takes her name.
  const protocol = await ana.page.context().newCDPSession(ana.page)
  await protocol.send('Debugger.enable')
  await protocol.send('Debugger.pause')
  await fleet.startAll()
  await fleet.well()
  const other = connect({ servers: fleet.addresses, name: 'Ana', agent: 'cli' })
  await other.joined()
  await protocol.send('Debugger.resume')
  await protocol.send('Debugger.disable')
  const bar = ana.page.getByRole('alert').filter({ hasText: '"Ana" is here already' })
  await ana.chip('Not saved').waitFor()
  assert.equal(await bar.getByText('is kept on this device').count(), 0)
  const alert = ana.page.getByRole('alert').filter({ has: ana.page.getByLabel('Another name') })
  await alert.getByLabel('Another name').fill('An\u200ba')
  await alert.getByRole('button', { name: 'Join' }).click()
  await alert.getByText('must not contain invisible characters').waitFor()
  await alert.getByLabel('Another name').fill('Ana the first')
  await alert.getByRole('button', { name: 'Join' }).click()
  await ana.chip('Saved · 4/4').waitFor()
  await ana.reads('before, and after')
  await ana.page.getByRole('button', { name: 'Undo what you did' }).click()
  await ana.reads('before')
  other.close()
})

test('a page without servers opens no WebSocket in vain: browsers delay those that come after', async () => {
  const { fleet } = stage
  const ana = await stage.join('Ana', 'a')
  await ana.create('waiting.md')
  await ana.chip('Saved · 4/4').waitFor()
  await ana.isKept('waiting.md')
  const opened: string[] = []
  const asked: string[] = []
  ana.page.on('websocket', (socket) => opened.push(new URL(socket.url()).host))
  ana.page.on('requestfailed', (request) => asked.push(new URL(request.url()).host))
  await fleet.killAll()
  const hosts = fleet.ids.map((id) => new URL(fleet.address(id)).host)
  const times = (list: string[], host: string) => list.filter((each) => each === host).length
  await until(
    () => Promise.resolve(hosts.every((host) => times(asked, host) >= 3)),
    () => `asked ${asked.join()}, opened ${opened.join()}`,
  )
  for (const host of hosts) assert.ok(times(opened, host) <= 1, opened.join())

  // Impatient people reload, and the browser goes on counting.
  asked.length = 0
  await ana.page.reload()
  await ana.isAt('waiting.md')
  await until(
    () => Promise.resolve(hosts.every((host) => times(asked, host) >= 2)),
    () => `asked ${asked.join()} after the reload`,
  )
  for (const host of hosts) assert.ok(times(opened, host) <= 1, opened.join())

  await ana.type('!')
  await fleet.start('b')
  await ana.chip('Saved · 1/4').waitFor()
})

test('a proxy that answers for dead servers is not taken for them', async () => {
  const { fleet } = stage
  const ana = await stage.join('Ana', 'a')
  await ana.create('behind.md')
  await ana.chip('Saved · 4/4').waitFor()
  await fleet.killAll()
  stage.expect(/status of 502|blocked by CORS policy/)
  const asked: string[] = []
  const proxies = await Promise.all(
    fleet.ids.map(async (id) => {
      const proxy = createServer((request, response) => {
        if (request.method === 'HEAD') asked.push(id)
        response.writeHead(502).end()
      })
      await once(proxy.listen(Number(new URL(fleet.address(id)).port), '127.0.0.1'), 'listening')
      return proxy
    }),
  )
  const opened: string[] = []
  ana.page.on('websocket', (socket) => opened.push(new URL(socket.url()).host))
  const isAskedOften = (id: string) => asked.filter((each) => each === id).length >= 4
  await until(
    () => Promise.resolve(fleet.ids.every(isAskedOften)),
    () => `asked ${asked.join()}, opened ${opened.join()}`,
  )
  for (const proxy of proxies) {
    proxy.closeAllConnections()
    await once(proxy.close(), 'close')
  }
  assert.ok(opened.length <= fleet.ids.length, opened.join())
})

test('what is filed without a server is there at once, outlives a reload, and is made once', async () => {
  const { fleet } = stage
  const ana = await stage.join('Ana', 'a')
  await ana.create('before.md')
  await ana.chip('Saved · 4/4').waitFor()
  await ana.isKept('before.md')
  await fleet.killAll()
  await ana.chip('Saved on this device').waitFor()

  await ana.page.getByRole('button', { name: 'New folder' }).click()
  await ana.page.getByRole('dialog').getByLabel('Name').fill('alone')
  await ana.page.keyboard.press('Enter')
  await ana.row('alone').waitFor()
  await ana.create('one.md')
  await ana.type('written without any server')
  await ana.row('one.md').click({ button: 'right' })
  await ana.page.getByRole('menuitem', { name: 'Rename' }).click()
  await ana.page.getByLabel('New name of one.md').fill('two.md')
  await ana.page.keyboard.press('Enter')
  await ana.isAt('two.md')
  await ana.page.getByText(/^\d+ changes waiting$/).waitFor()
  const isAsked = () => keptOperations(ana.page)
  await until(
    async () => (await isAsked()) === 3,
    async () => `${await isAsked()} of 3 operations are kept`,
  )

  await ana.page.reload()
  await ana.isAt('two.md')
  await ana.reads('written without any server')
  await ana.page.keyboard.press('Control+End')
  await ana.type(', and after a reload')
  await ana.row('alone').getByLabel('Waits for a server').waitFor()
  await ana.row('two.md').getByLabel('Waits for a server').waitFor()
  await ana.chip('Saved on this device').waitFor()

  // A failover in the middle.
  await fleet.start('b')
  await ana.chip('Saved · 1/4').waitFor()
  await fleet.kill('b')
  await fleet.startAll()
  await ana.chip('Saved · 4/4').waitFor()
  await until(
    async () => (await isAsked()) === 0,
    async () => `${await isAsked()} operations wait still`,
  )
  await ana.page.getByLabel('Waits for a server').first().waitFor({ state: 'hidden' })
  const ben = await stage.join('Ben', 'c')
  await ben.row('alone').click()
  await ben.open('two.md')
  await ben.reads('written without any server, and after a reload')
  assert.equal(await ben.page.getByRole('row', { name: /^(alone|(one|two)\.md)$/ }).count(), 2)
})

test('two files of one name, made while the servers were apart, are both kept', async () => {
  const { fleet } = stage
  await Promise.all(['b', 'c', 'd'].map((id) => fleet.kill(id)))
  const cleo = await stage.join('Cleo', 'a')
  await cleo.create('plan.md')
  await cleo.type('by Cleo')
  await cleo.chip('Saved · 1/4').waitFor()
  // The chip may speak of the letters before: a change that is on its way is not told at once.
  const there = async () => readFile(fleet.address('a'), 'plan.md')
  await until(async () => (await there()) === 'by Cleo', there)
  // Gone for now: a page that stays would bring the file to the other server itself.
  await stage.clear()
  await fleet.kill('a')
  await fleet.start('b')
  const dora = await stage.join('Dora', 'b')
  await dora.create('plan.md')
  await dora.type('by Dora')
  await dora.chip('Saved · 1/4').waitFor()
  await fleet.start('a')
  await dora.row('plan (2).md').waitFor()
  await dora.page
    .getByText('Two are named “plan.md” here. Both are kept; one is shown as “plan (2).md”.')
    .waitFor()
  // A name may be here before all that was written under it.
  const texts = ['by Cleo', 'by Dora']
  const whole = async (name: string) => {
    await dora.open(name)
    await until(
      async () => texts.includes(await dora.text()),
      () => `the text of ${name} is none of the two`,
    )
    return dora.text()
  }
  assert.deepEqual([await whole('plan (2).md'), await whole('plan.md')].toSorted(), texts)
})
