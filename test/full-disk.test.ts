// G14 for bytes: a server whose disk fills while files are uploaded says so, keeps nothing half, and
// another one takes them.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import * as http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { Fleet } from './fleet.ts'
import { onSmallDisk } from './small-disk.ts'
import { program } from './tool.ts'
import { until } from './until.ts'

const MiB = 1024 * 1024

function freshFile(t: TestContext, bytes: number) {
  const directory = mkdtempSync(join(tmpdir(), 'fourfold-full-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, 'film.bin')
  const content = randomBytes(bytes)
  writeFileSync(path, content)
  return { path, content, hash: createHash('sha256').update(content).digest('hex') }
}

/** `fourfold put`, which asks the full server first. */
async function put(fleet: Fleet, path: string): Promise<string> {
  const env = { ...process.env, FOURFOLD_SERVERS: fleet.addresses.join(',') }
  const words = [program, 'put', path]
  const { stdout } = await promisify(execFile)(process.execPath, words, { env })
  return stdout
}

/** What a server has of blobs, whole or half. */
function filesOf(directory: string): string[] {
  return readdirSync(join(directory, 'blobs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
}

interface Refusal {
  status: number
  text: string
}

/** An upload whose bytes are given one by one. */
function upload(address: string, hash: string, size: number) {
  const headers = { 'upload-offset': '0', 'content-length': String(size) }
  const url = `${address}/blobs/${hash}?size=${size}`
  const request = http.request(url, { method: 'PATCH', headers, agent: false })
  // The answer says what there is to say.
  request.on('error', () => {})
  const answered = once(request, 'response').then(async ([response]): Promise<Refusal> => {
    const { statusCode } = response as http.IncomingMessage
    let text = ''
    for await (const chunk of response as http.IncomingMessage) text += String(chunk)
    return { status: statusCode!, text }
  })
  return { request, answered }
}

test('G14 files that may not grow: 507, nothing half is kept, and another server takes it', async (t) => {
  const limited = ['sh', '-c', 'ulimit -f 40000 && exec "$@"', 'sh']
  const fleet = await Fleet.start({
    configuration: { diskFreeBytesMin: 0 },
    within: (id) => (id === 'a' ? limited : []),
  })
  t.after(() => fleet.end())
  const { path, content, hash } = freshFile(t, 48 * MiB)
  const { request, answered } = upload(fleet.address('a'), hash, content.length)
  request.end(content)
  const { status, text } = await answered
  assert.equal(status, 507, text)
  assert.equal(text, 'The disk of this server is full. Try another.\n')
  await until(() => filesOf(fleet.data('a')).length === 0, 'what came is dropped')
  const saved = await fetch(`${fleet.address('a')}/dav/film.bin`, { method: 'PUT', body: content })
  assert.equal(saved.status, 507)
  assert.equal(await saved.text(), 'The disk of this server is full. Try another.\n')
  assert.match(await put(fleet, path), /^stored on [1-3] of 4 servers: [bcd]/)
  for (const id of ['b', 'c', 'd']) {
    await until(() => filesOf(fleet.data(id)).includes(hash.slice(2)), `${id} has it`)
  }
  assert.ok(!filesOf(fleet.data('a')).includes(hash.slice(2)))
  // Text goes on there.
  assert.ok(await fleet.isWell('a'))
})

const smallDisk = '128m'

test('G14 a disk that fills during an upload: health is red, others serve, and it comes back', async (t) => {
  // Where nothing may be mounted the test above has to do.
  if (!onSmallDisk(smallDisk, tmpdir())) return t.diagnostic('no file system can be mounted here')
  const fleet = await Fleet.start({
    configuration: { diskFreeBytesMin: 8 * MiB },
    prepare: async (each) => void mkdirSync(each.data('a'), { recursive: true, mode: 0o700 }),
    within: (id, each) => (id === 'a' ? onSmallDisk(smallDisk, each.data('a'))! : []),
  })
  t.after(() => fleet.end())
  // Its disk, as it sees it.
  const disk = join('/proc', String(fleet.pid('a')), 'root', fleet.data('a'))
  const freeBytes = () => {
    const { bavail, bsize } = statfsSync(disk)
    return bavail * bsize
  }
  const { path, content, hash } = freshFile(t, 48 * MiB)
  const { request, answered } = upload(fleet.address('a'), hash, content.length)
  request.write(content.subarray(0, MiB))
  await until(() => filesOf(disk).length > 0, 'it is under way')
  // What was promised to one upload is not there for another.
  const other = freshFile(t, freeBytes() - 32 * MiB)
  const second = upload(fleet.address('a'), other.hash, other.content.length)
  second.request.end()
  assert.equal((await second.answered).status, 507)
  const filler = join(disk, 'filler')
  writeFileSync(filler, Buffer.alloc(freeBytes() - 2 * MiB))
  await until(async () => !(await fleet.isWell('a')), 'its health is red')
  const health = (await (await fetch(`${fleet.address('a')}/healthz`)).json()) as { status: string }
  assert.equal(health.status, 'full')
  request.end(content.subarray(MiB))
  const { status, text } = await answered
  assert.equal(status, 507, text)
  await until(() => filesOf(disk).length === 0, 'what came is dropped')
  assert.match(await put(fleet, path), /^stored on [1-3] of 4 servers: [bcd]/)
  rmSync(filler)
  await fleet.well()
  await until(() => filesOf(disk).includes(hash.slice(2)), 'it has what the others took')
})
