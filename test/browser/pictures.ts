// Takes the pictures of docs/pictures anew: node test/browser/pictures.ts [editor | tree | folder]

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from '../../src/client/index.ts'
import { root } from '../tool.ts'
import { folderPictures, treePictures } from './folder-pictures.ts'
import { Stage, type Visitor } from './stage.ts'

const text = `# Launch plan

The date is **14 December**. What is left, in order:

1. Freeze the schema
2. Write the notes for operators
3. Pull three plugs at once

> Nobody should notice. That is the whole point.

\`\`\`ts
const servers = ['a', 'b', 'c', 'd']
for (const server of servers) await kill(server) // and back
\`\`\`

See [the promise](../promise.md) for what "saved" means.
`

const folder = join(root, 'docs', 'pictures')
mkdirSync(folder, { recursive: true })
const [wanted] = process.argv.slice(2)
const takes = (what: string) => wanted === undefined || wanted === what
if (takes('tree')) await treePictures(folder)
if (takes('folder')) await folderPictures(folder)
if (!takes('editor')) process.exit()

const stage = await Stage.start()
try {
  const ana = await stage.join('Ana Kovač', 'a', { colorScheme: 'light' })
  await bring(ana, 'agenda.md', '# Agenda\n')
  await bring(ana, 'operating.md', '# Operating\n')
  await bring(ana, 'relay.ts', 'export const relay = 1\n')
  await bring(ana, 'launch.md', text)
  const ben = await stage.join('Ben Moor', 'c', { colorScheme: 'dark' })
  const cleo = await stage.join('Cleo', 'd')
  for (const person of [ben, cleo]) await person.open('launch.md')
  await cleo.page.getByText('Nobody should notice').click()
  await cleo.page.keyboard.press('Home')
  await cleo.page.keyboard.press('Shift+End')
  await writing(ben, 'Pull three plugs', ', with people typing')
  await writing(ana, 'Launch plan', ' for the winter')
  await shown(ana, 'editor-light')
  await writing(ana, 'Launch plan', '.')
  await shown(ben, 'editor-dark')

  const phone = { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true }
  const dan = await stage.join('Dan', 'b', { ...phone, deviceScaleFactor: 2 })
  await dan.page.getByRole('button', { name: 'Files', exact: true }).tap()
  await dan.open('launch.md')
  await writing(ben, 'Pull three plugs', '!')
  await shown(dan, 'phone')

  await plant()
  await dan.page.getByRole('button', { name: 'Files', exact: true }).tap()
  await dan.row('specs').tap()
  await shown(dan, 'tree-phone')
  await ana.row('specs').click()
  await ana.row('drafts').click()
  await ana.row('budget.md').click({ button: 'right' })
  await shown(ana, 'tree-menu-light')
  await ana.page.keyboard.press('Escape')
  await ben.row('specs').click()
  await ben.row('specs').click({ modifiers: ['ControlOrMeta'] })
  await ben.row('schedule.md').click({ modifiers: ['ControlOrMeta'] })
  await ben.row('budget.md').click({ modifiers: ['ControlOrMeta'] })
  await ben.page.getByRole('button', { name: /^Trash/ }).click()
  await drag(ben, 'budget.md', 'minutes')
  await shown(ben, 'tree-move-dark')
  await ben.page.mouse.up()
} finally {
  await stage.end()
}

/** Makes a file with a text, as somebody does who brings it from their disk. */
async function bring(visitor: Visitor, name: string, content: string): Promise<void> {
  const file = { name, mimeType: 'text/plain', buffer: Buffer.from(content) }
  await visitor.page.locator('input[type=file]:not([webkitdirectory])').setInputFiles(file)
  await visitor.isAt(name)
}

/** Directories with files, and something in the trash. */
async function plant(): Promise<void> {
  const client = connect({ servers: [stage.fleet.address('d')], name: 'Eva', agent: 'cli' })
  await client.joined()
  const make = async (name: string, parent: string, files: string[]): Promise<string> => {
    const { id } = await client.makeDirectory(name, parent)
    for (const file of files) await client.create(file, `# ${file}\n`, id)
    return id
  }
  const specs = await make('specs', '', ['budget.md', 'protocol.md', 'relay.ts', 'schedule.md'])
  await make('drafts', specs, ['first round.md', 'second round.md'])
  await make('minutes', '', ['monday.md', 'tuesday.md'])
  await client.remove(await make('old plans', '', ['2019.md']))
  await client.remove((await client.create('typo.md', '', specs)).id)
  client.close()
}

/** Holds a row over another, and does not let go. */
async function drag(visitor: Visitor, row: string, over: string): Promise<void> {
  const { mouse } = visitor.page
  const from = (await visitor.row(row).boundingBox())!
  const to = (await visitor.row(over).boundingBox())!
  await mouse.move(from.x + 60, from.y + 12)
  await mouse.down()
  await mouse.move(to.x + 60, to.y + 12, { steps: 4 })
  await mouse.move(to.x + 61, to.y + 12)
}

async function writing(visitor: Visitor, line: string, words: string): Promise<void> {
  await visitor.page.locator('.cm-line').filter({ hasText: line }).click()
  await visitor.page.keyboard.press('End')
  await visitor.page.keyboard.type(words)
}

async function shown(visitor: Visitor, name: string): Promise<void> {
  await visitor.chip('Saved · 4/4').waitFor()
  // Letters and carets of the others are on their way.
  await sleep(300)
  await visitor.page.screenshot({ path: join(folder, `${name}.png`) })
}
