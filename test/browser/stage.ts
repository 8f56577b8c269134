// Real servers and real browsers for the tests, and the people who use them by what they see.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Locator,
  type Page,
} from 'playwright-core'
import { Fleet, type FleetOptions } from '../fleet.ts'
import { patienceMs, until } from '../until.ts'
import { keptNames, keptTexts } from './page-storage.ts'

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** What browsers say by themselves of servers that are killed. A refusal is an answer, and no such thing. */
const isOfNetwork = /^Failed to load resource: net::|^WebSocket connection to /

/** `npm test` says where the browser is; without it the usual places are looked at. */
function executable(): string {
  const places = ['chromium-headless-shell', 'chromium', 'google-chrome'].map(
    (name) => `/usr/bin/${name}`,
  )
  const found = [process.env['CHROMIUM'], ...places].find(
    (path) => path !== undefined && existsSync(path),
  )
  if (found === undefined) throw new Error('No browser: set CHROMIUM to the path of a Chromium.')
  return found
}

export function launched(): Promise<Browser> {
  return chromium.launch({ executablePath: executable(), args: flags, timeout: patienceMs })
}

/** In a page: the caret does not blink, which makes a browser draw 60 times a second while tests wait. */
function holdCaret(): void {
  const sheet = new CSSStyleSheet()
  sheet.replaceSync('.cm-cursorLayer { animation: none !important }')
  document.adoptedStyleSheets.push(sheet)
}

/** Four servers and a browser, until `end`. */
export class Stage {
  readonly fleet: Fleet
  readonly #browser: Browser
  readonly #contexts: BrowserContext[] = []
  /** What went wrong inside pages, or was told on their consoles as an error. */
  readonly #mishaps: string[] = []
  /** What the test asks for though it is one. */
  #expected: RegExp[] = []

  private constructor(fleet: Fleet, browser: Browser) {
    this.fleet = fleet
    this.#browser = browser
  }

  static async start(options: FleetOptions = {}): Promise<Stage> {
    const browser = await launched()
    try {
      return new Stage(await Fleet.start(options), browser)
    } catch (error) {
      await browser.close()
      throw error
    }
  }

  /** A browser of its own, with a fresh profile, at the page of a server. */
  async visit(server: string, options: BrowserContextOptions = {}): Promise<Visitor> {
    const context = await this.#browser.newContext({
      viewport: { width: 1280, height: 800 },
      ...options,
    })
    context.setDefaultTimeout(patienceMs)
    await context.addInitScript(holdCaret)
    this.#contexts.push(context)
    const page = await context.newPage()
    this.#watch(page)
    await page.goto(this.fleet.address(server))
    return new Visitor(page)
  }

  /** One more tab of the browser that this visitor uses, at the same server. */
  async tab({ page: first }: Visitor): Promise<Visitor> {
    const page = await first.context().newPage()
    this.#watch(page)
    await page.goto(first.url().replace(/#.*/, ''))
    return new Visitor(page)
  }

  /** A tab that begins with all that this one remembers, as browsers duplicate one. */
  async duplicate({ page: first }: Visitor): Promise<Visitor> {
    const opened = first.context().waitForEvent('page')
    await first.evaluate(() => void window.open(location.href))
    const page = await opened
    this.#watch(page)
    return new Visitor(page)
  }

  #watch(page: Page): void {
    page.on('pageerror', (error) => this.#mishaps.push(error.stack ?? error.message))
    page.on('console', (message) => {
      const words = `${message.text()} (${message.location().url})`
      const isExpected = [isOfNetwork, ...this.#expected].some((each) => each.test(words))
      if (message.type() === 'error' && !isExpected) this.#mishaps.push(words)
    })
  }

  /** Until the end of this test, what a console says that looks like this is no mishap. */
  expect(words: RegExp): void {
    this.#expected.push(words)
  }

  /** The process that draws this tab dies, as of a crash: the page is told nothing. */
  async crash({ page }: Visitor): Promise<void> {
    const crashed = page.waitForEvent('crash')
    const session = await page.context().newCDPSession(page)
    // It has no answer.
    session.send('Page.crash').catch(() => undefined)
    await crashed
    await page.close()
  }

  /** The same, signed in: as soon as this server has heard that whoever had the name has left. */
  async join(name: string, server: string, options: BrowserContextOptions = {}): Promise<Visitor> {
    const visitor = await this.visit(server, options)
    await visitor.signIn(name)
    const refusal = visitor.page.getByText(/is here already/)
    await until(
      async () => {
        await visitor.frame.or(refusal).first().waitFor()
        if (await visitor.frame.isVisible()) return true
        await visitor.signIn(name)
        return false
      },
      () => `${name} is not let in at ${server}`,
    )
    return visitor
  }

  /** Closes what a test opened: the names are free again. Fails when something went wrong in a page. */
  async clear(): Promise<void> {
    await Promise.all(this.#contexts.splice(0).map((context) => context.close()))
    this.#expected = []
    assert.deepEqual(this.#mishaps.splice(0), [])
  }

  async end(): Promise<void> {
    await this.#browser.close()
    await this.fleet.end()
  }
}

/** Somebody at a page. */
export class Visitor {
  readonly page: Page

  constructor(page: Page) {
    this.page = page
  }

  async signIn(name: string): Promise<void> {
    await this.page.getByLabel('Your name').fill(name)
    await this.page.getByRole('button', { name: 'Join', exact: true }).click()
  }

  async isIn(): Promise<void> {
    await this.frame.waitFor()
  }

  /** What is around the files and their text. */
  get frame(): Locator {
    return this.page.getByRole('toolbar', { name: 'File' }).or(this.menu).first()
  }

  get menu(): Locator {
    return this.page.getByRole('button', { name: 'File menu' })
  }

  /** At the foot of the left pane: what is dropped there comes to the top of the folder. */
  get upload(): Locator {
    const pane = this.page.getByRole('navigation', { name: 'Files' })
    return pane.getByRole('button', { name: 'Upload files' })
  }

  /** The text, where one writes. */
  get editor(): Locator {
    return this.page.getByRole('textbox', { name: /^Text of / })
  }

  /** The chip with these words. */
  chip(words: string): Locator {
    return this.page.getByRole('button', { name: new RegExp(`^${words}\\b|^${words}\\.`) })
  }

  row(name: string): Locator {
    return this.page.getByRole('row', { name, exact: true })
  }

  /** Chooses an entry of the file menu. */
  async choose(label: RegExp): Promise<void> {
    await this.menu.click()
    await this.page.getByRole('menuitem', { name: label }).click()
  }

  /** Makes a file and is in it. */
  async create(name: string): Promise<void> {
    await this.choose(/^New file/)
    const dialog = this.page.getByRole('dialog', { name: 'New file' })
    await dialog.getByLabel('Name').fill(name)
    await dialog.getByRole('button', { name: 'Create' }).click()
    await this.isAt(name)
  }

  async open(name: string): Promise<void> {
    await this.row(name).click()
    await this.isAt(name)
  }

  /** A file is shown, and one may write. */
  async isAt(name: string): Promise<void> {
    await this.page.getByRole('textbox', { name: `Text of ${name}`, exact: true }).waitFor()
  }

  /** Drags what is at one place to another, and lets go of it only when the page would take it. */
  async drag(
    from: Locator,
    onto: Locator,
    at: { position?: { x: number; y: number } } = {},
  ): Promise<void> {
    await from.hover()
    await this.page.mouse.down()
    // The first movement begins the drag, the second is one over the place.
    await onto.hover(at)
    await onto.hover(at)
    await this.page.locator('[data-drop-target]').waitFor()
    await this.page.mouse.up()
  }

  /** The focus is in the text: what is typed now is written there. */
  isWriting(): Promise<void> {
    return this.hasFocus(this.editor)
  }

  /** The focus is on this, or on something in it: keys go there. */
  async hasFocus(place: Locator): Promise<void> {
    let where = ''
    await until(
      async () => {
        const has = await place.evaluate((element) => {
          const { activeElement } = document
          return [element.contains(activeElement), activeElement?.outerHTML.slice(0, 300)] as const
        })
        where = has[1] ?? 'nothing'
        return has[0]
      },
      () => `the focus is not on ${String(place)}, but on ${where}`,
    )
  }

  /** A notice with these words, which stays while the mouse is over it. */
  async notice(words: string | RegExp): Promise<Locator> {
    const notice = this.page.getByRole('alertdialog').filter({ hasText: words })
    await notice.hover()
    return notice
  }

  /** In a dialog that finds an entry by its path: chooses this one, the first that is found. */
  async pick(words: string, path: string): Promise<void> {
    await this.page.keyboard.type(words)
    const found = this.page.getByRole('menuitem', { name: path })
    await found.and(this.page.locator('[data-focused]')).waitFor()
    await this.page.keyboard.press('Enter')
  }

  /** A PNG of one colour, drawn by the browser. */
  async draw(width: number, height: number, color: string): Promise<Buffer> {
    const url = await this.page.evaluate(
      ([across, down, fill]) => {
        const size = { width: across, height: down }
        const canvas = Object.assign(document.createElement('canvas'), size)
        const pen = canvas.getContext('2d')!
        pen.fillStyle = fill
        pen.fillRect(0, 0, across, down)
        return canvas.toDataURL('image/png')
      },
      [width, height, color] as [number, number, string],
    )
    return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64')
  }

  /** Writes where the caret is. */
  async type(text: string): Promise<void> {
    await this.editor.focus()
    await this.page.keyboard.type(text)
  }

  /** Writes behind all that is there. */
  async append(text: string): Promise<void> {
    await this.editor.focus()
    await this.page.keyboard.press('Control+End')
    await this.page.keyboard.type(text)
  }

  /** Writes all of it at once: one thing to undo, however slow the machine is. */
  async insert(text: string): Promise<void> {
    await this.editor.focus()
    await this.page.keyboard.insertText(text)
  }

  /** The lines that are shown; tests keep to texts that fit the window. */
  async text(): Promise<string> {
    const lines = await this.page.locator('.cm-line').evaluateAll((elements) =>
      elements.map((line) => {
        const shown = line.cloneNode(true) as Element
        for (const hint of shown.querySelectorAll('.cm-placeholder')) hint.remove()
        return shown.textContent
      }),
    )
    return lines.join('\n')
  }

  /** Resolves when the text is this; fails with the difference. */
  async reads(wanted: string): Promise<void> {
    await until(
      async () => (await this.text()) === wanted,
      async () => {
        return `the text is ${JSON.stringify(await this.text())}, not ${JSON.stringify(wanted)}`
      },
    )
  }

  /** Resolves when the text contains this. */
  async readsPart(wanted: string): Promise<void> {
    await until(
      async () => (await this.text()).includes(wanted),
      async () => {
        return `the text is ${JSON.stringify(await this.text())}, without ${JSON.stringify(wanted)}`
      },
    )
  }

  /** The id of the server this page talks to. */
  async server(): Promise<string> {
    const words = await this.page.getByText(/^Server \S+ · \d+ ms$/).textContent()
    return words!.split(' ')[1]!
  }

  /** The page, and that there is a file of this name, are kept in the browser. */
  async isKept(name: string): Promise<void> {
    await this.page.evaluate(async () => {
      await navigator.serviceWorker.ready
    })
    await until(
      () => this.page.evaluate(() => navigator.serviceWorker.controller !== null),
      () => 'no service worker took over the page',
    )
    await until(
      async () => (await keptNames(this.page)).includes(name),
      `the list of files with ${name} is kept`,
    )
  }

  /** The browser's storage holds a file with this text. */
  async keeps(wanted: string): Promise<void> {
    await until(
      async () => (await keptTexts(this.page)).includes(wanted),
      `a file with the text ${JSON.stringify(wanted)} is kept`,
    )
  }
}
