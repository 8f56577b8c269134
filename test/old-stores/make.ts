// Makes a store as a server of an older Fourfold leaves it when it is killed, and notes what that server
// told of it: `node test/old-stores/make.ts CLONE COMMIT`, where CLONE has that commit and the packages
// for it. Nothing but people runs it: its use is to say how the stores here were made.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import type { Client, ClientOptions } from '../../src/client/api.ts'
import { call } from '../requests.ts'
import { freePorts } from '../ports.ts'
import { until } from '../until.ts'
import { bytesIn, pack, type OldFile } from './stores.ts'

const [clone, commit] = process.argv.slice(2)
if (!clone || !commit) throw new Error('node test/old-stores/make.ts CLONE COMMIT')

/** More than what is merged at once. */
const keystrokes = 600

// ----------------------------------------------------------------------------------- two servers

const directory = mkdtempSync(join(tmpdir(), 'fourfold-old-'))
const configuration = join(directory, 'fourfold.json')
const addresses = (await freePorts(2)).map((port) => `http://127.0.0.1:${port}`)
const servers = addresses.map((address, index) => ({ id: 'ab'[index]!, address }))
const [first, second] = addresses as [string, string]
writeFileSync(
  configuration,
  JSON.stringify({ set: 'test', data: 'data', servers, diskFreeBytesMin: 0 }),
)
const children = servers.map(({ id }) => {
  const words = ['src/cli/main.ts', 'serve', '--config', configuration, '--id', id]
  return spawn(process.execPath, words, { stdio: 'inherit', cwd: clone })
})
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})
const isServing = async (address: string) =>
  (await fetch(`${address}/healthz`).catch(() => undefined))?.ok === true
for (const address of addresses) {
  while (!(await isServing(address))) await new Promise((resolve) => setTimeout(resolve, 50))
}

async function done(method: string, request: object, address = first) {
  const { status, body } = await call(address, method, request)
  if (status !== 200) throw new Error(`${method}: ${JSON.stringify(body)}`)
  return body
}
const save = async (file: string, text: string, address = first): Promise<string> =>
  (await done('SaveFile', { file, text }, address)).file.id

// -------------------------------------------------------------------------------- what people do

const sdk = (await import(pathToFileURL(join(clone, 'src/client/index.ts')).href)) as {
  connect: (options: ClientOptions) => Client
}
const ada = sdk.connect({ servers: [first, second], name: 'Ada', agent: 'old' })
const bob = sdk.connect({ servers: [second, first], name: 'Bob', agent: 'old' })
await Promise.all([ada.joined(), bob.joined()])
const plan = await ada.create('plan.md', 'The plan\n')
await until(() => bob.files.some(({ id }) => id === plan.id), 'Bob sees the plan')
const documents = [ada, bob].map((person) => person.open(plan.id))
await Promise.all(documents.map((document) => document.loaded))
const stored = () => Promise.all(documents.map((document) => document.stored()))
for (let typed = 0; typed < keystrokes; typed++) {
  const { text } = documents[typed % 3 === 0 ? 1 : 0]!
  if (typed % 7 === 6) text.delete(text.length - 1, 1)
  else text.insert(text.length, typed % 20 === 0 ? '\n' : 'of the plan'.charAt(typed % 11))
  if (typed % 10 === 0) await stored()
  if (typed === keystrokes / 2) await ada.nameVersion(plan.id, 'half of it')
}
await stored()
await bob.nameVersion(plan.id, 'all of it')
for (const person of [ada, bob]) person.close()
const { text, version } = await done('ReadFile', { file: 'plan.md' })
await done('SaveFile', { file: 'plan.md', text: `# ${text}`, baseVersion: version })

await save('Zoë 🐉.md', 'one\r\ntwo\r\n🐉 and no last newline', second)
await save('empty.md', '')
await save('gone.md', 'in the trash\n')
await done('DeleteFile', { file: 'gone.md' })
const back = await save('back.md', 'deleted and restored\n')
await done('DeleteFile', { file: back })
await done('RestoreFile', { file: back })
const named = await save('first name.md', 'renamed\n')
await done('RenameFile', { file: named, name: 'second name.md' })

const can = readFileSync(join(clone, 'proto/fourfold/v1/folder.proto'), 'utf8')
if (can.includes('rpc MakeDirectory(')) {
  for (const path of ['specs', 'specs/old', 'attic']) await done('MakeDirectory', { path })
  await save('specs/old/note.md', 'far below\n')
  await save('attic/box.md', 'deleted with its directory\n')
  await done('DeleteFile', { file: 'attic' })
  await done('MoveFile', { file: 'empty.md', path: 'specs/empty.md' })
}
if (can.includes('rpc SaveBinary(')) {
  for (const [index, path] of ['picture.bin', 'picture.bin', 'specs/film.bin'].entries()) {
    const body = Uint8Array.from({ length: 3000 }, (_, at) => (at * (index + 1)) % 251)
    const { ok, status } = await fetch(`${first}/dav/${path}`, { method: 'PUT', body })
    if (!ok) throw new Error(`PUT ${path}: ${status}`)
  }
}
if (can.includes('rpc EraseFile(')) {
  const erased = await save('erased.md', 'deleted for good\n')
  await done('DeleteFile', { file: erased })
  await done('EraseFile', { file: erased })
}

// --------------------------------------------------------------------- what is noted and packed

const files: OldFile[] = []
for (const inTrash of [false, true]) {
  const { files: listed = [] } = await done('ListFiles', { inTrash, isRecursive: true })
  for (const { id, name, path = name, kind } of listed) {
    const found: OldFile = { id, path, kind, isInTrash: inTrash }
    files.push(found)
    if (inTrash) continue
    if (kind === 'KIND_TEXT') {
      found.text = (await done('ReadFile', { file: id })).text ?? ''
      found.versions = (await done('ListVersions', { file: id })).versions
    } else if (kind === 'KIND_BINARY') {
      found.contents = (await done('ListContents', { file: id })).contents
    }
  }
}
const ends = children.map((child) => once(child, 'exit'))
for (const child of children) child.kill('SIGKILL')
await Promise.all(ends)

pack(new URL(`${commit}.br`, import.meta.url), { files, bytes: bytesIn(join(directory, 'data/a')) })
rmSync(directory, { recursive: true })
