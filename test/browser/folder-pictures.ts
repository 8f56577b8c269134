// Pictures of the shared folder: very many entries, uploads, versions, the trash, a conflict.

import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '../../src/client/api.ts'
import { connect } from '../../src/client/index.ts'
import type { ReplicaId } from '../../src/core/model/ids.ts'
import { entriesMax } from '../../src/core/model/limits.ts'
import { fillStore, freshId, type Planted } from '../filled-store.ts'
import type { Fleet } from '../fleet.ts'
import { until } from '../until.ts'
import { Stage, type Visitor } from './stage.ts'

const looks = ['light', 'dark'] as const

/** 100,000 entries take a busy machine this long, ms. */
const patienceMs = 300_000

// ----------------------------------------------------------------------------- many entries

/** The tree with as many entries as there may be. */
export async function treePictures(directory: string): Promise<void> {
  const stage = await Stage.start({ configuration: { diskFreeBytesMin: 0 }, prepare: fill })
  try {
    for (const colorScheme of looks) {
      const ana = await stage.join('Ana Kovač', 'a', { colorScheme })
      ana.page.setDefaultTimeout(patienceMs)
      await ana.row('measurements').click()
      const many = `[aria-setsize="${entriesMax - around.length - 1}"]`
      await ana.row('buoy 00001.md').and(ana.page.locator(many)).waitFor()
      const tree = ana.page.getByRole('treegrid', { name: 'Files' })
      await tree.evaluate((element) => element.scrollTo(0, element.scrollHeight))
      await ana.open(last)
      // The list of them all has just gone over the line.
      await ana.page.getByText(/^Server a · \d{1,3} ms$/).waitFor()
      await shown(ana, join(directory, `tree-100000-${colorScheme}.png`))
      await stage.clear()
    }
  } finally {
    await stage.end()
  }
}

/** The file that stands last among the many. */
const last = 'buoy 99995.md'
const around = ['charts', 'journal', 'logbook.md', 'zenith.md']

/** Writes the same entries into the stores of all servers, before they start. */
async function fill(fleet: Fleet): Promise<void> {
  const parent = freshId()
  const planted: Planted[] = [
    { id: parent, name: 'measurements', parent: '' },
    ...around.map((name) => {
      return { id: freshId(), name, parent: '', ...(name.endsWith('.md') && { text: '' }) }
    }),
  ]
  for (let number = 1; planted.length < entriesMax; number++) {
    const name = `buoy ${String(number).padStart(5, '0')}.md`
    planted.push({ id: freshId(), name, parent, text: '' })
  }
  for (const id of fleet.ids) {
    const owner = { directory: fleet.data(id), set: 'test', replica: id as ReplicaId }
    await fillStore(owner, planted)
  }
}

// -------------------------------------------------------------------------- bytes and trash

/** Uploads, versions, the trash, a conflict. */
export async function folderPictures(directory: string): Promise<void> {
  const stage = await Stage.start({ configuration: { diskFreeBytesMin: 0 } })
  try {
    await busyFolder(stage, directory)
  } finally {
    await stage.end()
  }
}

async function busyFolder(stage: Stage, directory: string): Promise<void> {
  const [cleo, mira] = [await person(stage, 'Cleo'), await person(stage, 'Mira')]
  const draftsman = await stage.join('Draftsman', 'd')
  const [sketch, night, dawn] = await Promise.all(
    [0, 1, 2].map(async (variant) => bytesOf(stage, await poster(draftsman, variant))),
  )
  const { id: design } = await cleo.makeDirectory('design')
  await cleo.create('brief.md', '# The poster\n\nA lighthouse, and four lamps.\n', design)
  await cleo.createBinary('cover.png', sketch!, design).then(async ({ id }) => {
    await mira.setContent(id, night!, sketch!.hash)
    await cleo.setContent(id, dawn!, night!.hash)
  })
  await cleo.createBinary('poster.png', sketch!, design).then(async ({ id }) => {
    await cleo.setContent(id, night!, sketch!.hash)
    await mira.setContent(id, dawn!, sketch!.hash)
  })
  await throwAway(cleo, design)

  for (const colorScheme of looks) {
    const ana = await stage.join('Ana Kovač', 'a', { colorScheme })
    await ana.row('design').click()
    await ana.row('cover.png').click()
    await ana.page.getByRole('img', { name: 'Preview of cover.png' }).waitFor()
    await ana.page.getByRole('list', { name: 'Older versions' }).scrollIntoViewIfNeeded()
    await shown(ana, join(directory, `versions-${colorScheme}.png`))
    await ana.row('poster.png').click()
    const panel = ana.page.getByRole('region', { name: 'Two versions' })
    await panel.getByRole('img').nth(1).waitFor()
    await shown(ana, join(directory, `conflict-${colorScheme}.png`))
    await ana.row('brief.md').click()
    await ana.isAt('brief.md')
    await ana.page.getByRole('button', { name: /^Trash/ }).click()
    await shown(ana, join(directory, `trash-${colorScheme}.png`))
    await ana.page.getByRole('button', { name: /^Trash/ }).click()
    await uploading(ana, colorScheme)
    await shown(ana, join(directory, `upload-${colorScheme}.png`))
    await ana.page.getByRole('button', { name: 'Stop' }).click()
    await stage.clear()
  }
  for (const client of [cleo, mira]) client.close()
}

async function person(stage: Stage, name: string): Promise<Client> {
  const client = connect({ servers: [stage.fleet.address('c')], name, agent: 'cli' })
  await client.joined()
  return client
}

async function throwAway(client: Client, design: string): Promise<void> {
  const { id: old } = await client.makeDirectory('old sketches')
  await client.create('first ideas.md', '# Ideas\n', old)
  await client.remove(old)
  for (const name of ['colours.md', 'too dark.md']) {
    await client.remove((await client.create(name, 'No.\n', design)).id)
  }
}

/** Two films on a slow line, some way up. */
async function uploading({ page }: Visitor, look: string): Promise<void> {
  const protocol = await page.context().newCDPSession(page)
  const line = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 3e6 }
  await protocol.send('Network.enable')
  await protocol.send('Network.emulateNetworkConditions', line)
  const files = ['lighthouse.mov', 'harbour.mov'].map((name, index) => ({
    name,
    mimeType: 'video/quicktime',
    buffer: Buffer.alloc((index + 1) * 16e6, `${look} ${index}`),
  }))
  await page.locator('input[type=file]:not([webkitdirectory])').first().setInputFiles(files)
  const bar = page.getByRole('progressbar', { name: 'harbour.mov' })
  await until(
    async () => Number((await bar.getAttribute('aria-valuenow')) ?? 0) > 6e6,
    () => 'the upload does not come forward',
  )
}

/** Uploads it, and tells by which name it is known. */
async function bytesOf(stage: Stage, bytes: Buffer): Promise<{ hash: string; size: number }> {
  const hash = createHash('sha256').update(bytes).digest('hex')
  const url = `${stage.fleet.address('c')}/blobs/${hash}?size=${bytes.length}`
  const headers = { 'upload-offset': '0' }
  const answer = await fetch(url, { method: 'PATCH', headers, body: new Uint8Array(bytes) })
  if (!answer.ok) throw new Error(await answer.text())
  return { hash, size: bytes.length }
}

/** A lighthouse with its beam, in the colours of a variant. */
async function poster(visitor: Visitor, variant: number): Promise<Buffer> {
  const url = await visitor.page.evaluate((chosen) => {
    const [sky, sea, light] = [
      ['#dbeafe', '#3b82f6', '#fde68a'],
      ['#1e1b4b', '#0f172a', '#fbbf24'],
      ['#fda4af', '#7c3aed', '#fff7ed'],
    ][chosen]!
    const size = { width: 960, height: 540 }
    const canvas = Object.assign(document.createElement('canvas'), size)
    const pen = canvas.getContext('2d')!
    const shape = (color: string, points: [number, number][]) => {
      pen.fillStyle = color
      pen.beginPath()
      for (const [x, y] of points) pen.lineTo(x, y)
      pen.fill()
    }
    shape(sky!, [
      [0, 0],
      [960, 0],
      [960, 540],
      [0, 540],
    ])
    shape(sea!, [
      [0, 380],
      [960, 350],
      [960, 540],
      [0, 540],
    ])
    shape(light!, [
      [690, 150],
      [0, 20 + 120 * chosen],
      [0, 200 + 120 * chosen],
    ])
    shape('#f8fafc', [
      [660, 400],
      [674, 170],
      [706, 170],
      [720, 400],
    ])
    shape('#dc2626', [
      [666, 300],
      [669, 250],
      [711, 250],
      [714, 300],
    ])
    shape('#334155', [
      [664, 170],
      [690, 120],
      [716, 170],
    ])
    return canvas.toDataURL('image/png')
  }, variant)
  return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64')
}

async function shown(visitor: Visitor, path: string): Promise<void> {
  // What moves at first has come to rest.
  await sleep(400)
  await visitor.page.screenshot({ path })
}
