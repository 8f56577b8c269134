// Makes what a page of an older Fourfold leaves in its browser when all servers are gone, and one writes
// on and closes the tab: `node test/old-pages/make.ts CLONE COMMIT`, where CLONE has that commit, its page
// is built, and the packages are there. Nothing but people runs it: its use is to say how it was made.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import type { Stage as StageOfToday, Visitor } from '../browser/stage.ts'
import { bytesIn } from '../old-stores/stores.ts'
import { keptHere, packPage } from './pages.ts'

const [clone, commit] = process.argv.slice(2)
if (!clone || !commit) throw new Error('node test/old-pages/make.ts CLONE COMMIT')

/** More than a page of any commit waits before it writes. */
const writtenMs = 10_000

const url = pathToFileURL(join(clone, 'test/browser/stage.ts')).href
const { Stage } = (await import(url)) as { Stage: typeof StageOfToday }
const stage = await Stage.start({ ids: ['a'] })
const canWait = readFileSync(join(clone, 'src/client/keepsake.ts'), 'utf8').includes("'operations'")
const texts: { [path: string]: string } = {}

async function write(ada: Visitor, name: string, words: string): Promise<void> {
  await ada.editor.focus()
  await ada.page.keyboard.press('ControlOrMeta+End')
  await ada.page.keyboard.type(words)
  texts[name] = (texts[name] ?? '') + words
}

const ada = await stage.join('Ada', 'a')
for (const name of ['plan.md', 'notes.md']) {
  await ada.create(name)
  await write(ada, name, 'on a server')
  await ada.chip('Saved · 1/1').waitFor()
}
await stage.fleet.kill('a')
await write(ada, 'notes.md', ', and not yet')
await ada.row('plan.md').click()
await ada.page.getByRole('textbox', { name: 'Text of plan.md' }).waitFor()
await write(ada, 'plan.md', ', and 🐉 not yet')
if (canWait) {
  await ada.create('alone.md')
  await write(ada, 'alone.md', 'made without a server')
}
await ada.chip('Saved on this device').waitFor()
await sleep(writtenMs)
const kept = await ada.page.evaluate(keptHere)
packPage(commit, { texts, kept, bytes: bytesIn(stage.fleet.data('a')) })
await stage.end()
