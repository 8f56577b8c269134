// Plain files beside the servers: what `up` and a server with "mirror" keep, come what may.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { temporaryFolder } from '../lone-server.ts'
import { until } from '../until.ts'
import { tree } from '../mirror/mirrors.ts'
import { fourPorts } from '../ports.ts'
import { onSmallDisk } from '../small-disk.ts'
import { fourfold, kept, untilServing } from './prompt.ts'
import { start, startUp, untilDead } from './running.ts'

/** The process that keeps a directory. */
function keeperOf(files: string): number {
  return (
    JSON.parse(readFileSync(join(files, '.fourfold', 'status.json'), 'utf8')) as { pid: number }
  ).pid
}

/** Resolves when a file holds this. */
async function holds(file: string, text: string): Promise<void> {
  const read = () => (existsSync(file) ? readFileSync(file, 'utf8') : undefined)
  await until(
    () => read() === text,
    () => `${file} holds ${read()}`,
  )
}

/** Resolves when the mirror of a directory says this of itself: it does so after what it did. */
async function says(files: string, what: RegExp): Promise<void> {
  let last = ''
  await until(
    async () => {
      last = (await fourfold(['mirror', files, '--status'])).out
      return what.test(last)
    },
    () => last,
  )
}

/** Resolves when the folder has this text, at any server. */
async function shared(path: string, text: string, servers: string): Promise<void> {
  let last = ''
  await until(
    async () => {
      const { out, err } = await fourfold(['cat', path], { servers })
      last = out + err
      return out === text
    },
    () => `${path}: ${last}`,
  )
}

test('up keeps plain files, both ways, and goes on when their keeper is killed', async (t) => {
  const port = await fourPorts()
  const data = join(temporaryFolder(t), 'data')
  const files = join(data, 'files')
  const servers = `http://127.0.0.1:${port + 2}`
  const up = await startUp(t, port, data)
  assert.match(up.said(), new RegExp(`\n +Files +${files}\n`))
  const put = await fourfold(['put', '-', 'specs/launch.md'], { servers, input: 'Launch\n' })
  assert.match(put.out, kept)
  const launch = join(files, 'specs', 'launch.md')
  await holds(launch, 'Launch\n')
  execFileSync('sed', ['-i', 's/Launch/Landing/', launch])
  await shared('specs/launch.md', 'Landing\n', servers)
  await says(files, /files: the same as the folder, 2 files and directories\n$/)
  execFileSync('mkfifo', [join(files, 'pipe')])
  await says(files, /folder but for what is left alone, 2 files and directories\nleft alone: pipe /)
  rmSync(join(files, 'pipe'))

  process.kill(keeperOf(files), 'SIGKILL')
  writeFileSync(join(files, 'new.md'), 'new\n')
  await up.says(/files: not kept current at the moment\. The mirror ended \(SIGKILL\)\./)
  await shared('new.md', 'new\n', servers)
  await up.says(/files: current again\.\n/)
  const listed = await fourfold(['ls', '-l', 'new.md'], { servers })
  assert.match(listed.out, /files@[^ ]+ \(mirror\)/)

  const keeper = keeperOf(files)
  up.child.kill('SIGKILL')
  await untilDead([keeper])
})

test('up says what to do when many files are missing, and hears the answer', async (t) => {
  const port = await fourPorts()
  const data = join(temporaryFolder(t), 'data')
  const files = join(data, 'files')
  const servers = `http://127.0.0.1:${port}`
  const up = await startUp(t, port, data)
  await until(
    () => existsSync(join(files, '.fourfold')),
    () => up.said(),
  )
  const names = Array.from({ length: 9 }, (_, index) => `f${index}.md`)
  for (const name of names) writeFileSync(join(files, name), name)
  for (const name of names) await shared(name, name, servers)
  for (const name of names) rmSync(join(files, name))
  await up.says(
    /files: 9 files are missing here\. [^\n]+: npx fourfold mirror [^\n]+ --accept-deletes\n/,
  )
  const listed = await fourfold(['ls'], { servers })
  assert.equal(listed.out.trim().split('\n').length, 9, listed.out)
  const agreed = await fourfold(['mirror', files, '--accept-deletes'], { servers })
  assert.deepEqual([agreed.code, agreed.out], [0, '9 deletions go on.\n'])
  await until(
    async () => (await fourfold(['ls'], { servers })).out === '',
    () => up.said(),
  )
  const nothing = await fourfold(['mirror', files, '--accept-deletes'], { servers })
  assert.deepEqual([nothing.code, nothing.out], [0, 'Nothing waits for your word.\n'])
  await up.says(/files: current again\.\n/)
  up.child.kill('SIGTERM')
  assert.equal((await once(up.child, 'exit'))[0], 0)
})

test('what others delete goes from the plain files, too, and nobody is asked again', async (t) => {
  const port = await fourPorts()
  const folder = temporaryFolder(t)
  const data = join(folder, 'data')
  const files = join(data, 'files')
  const servers = `http://127.0.0.1:${port}`
  const up = await startUp(t, port, data)
  const tall = join(folder, 'tall')
  mkdirSync(tall)
  for (let index = 0; index < 120; index++) writeFileSync(join(tall, `f${index}.md`), `${index}\n`)
  assert.match((await fourfold(['put', tall], { servers })).out, /^120 files, stored on/)
  await until(
    () => existsSync(files) && tree(files).size === 121,
    () => up.said(),
  )
  assert.match((await fourfold(['rm', '-r', 'tall'], { servers })).out, /in the trash/)
  await until(
    () => tree(files).size === 0,
    () => up.said(),
  )
  assert.doesNotMatch(up.said(), /deleted/)
  // It is all in the trash, and comes back from there.
  await fourfold(['restore', 'tall'], { servers })
  await until(
    () => tree(files).size === 121,
    () => up.said(),
  )
})

test('plain files that are removed come back, and nothing in the folder goes', async (t) => {
  const port = await fourPorts()
  const data = join(temporaryFolder(t), 'data')
  const files = join(data, 'files')
  const servers = `http://127.0.0.1:${port}`
  // It was there before, with something in it.
  mkdirSync(files, { recursive: true })
  writeFileSync(join(files, 'mine.md'), 'mine\n')
  const up = await startUp(t, port, data)
  await shared('mine.md', 'mine\n', servers)
  await fourfold(['put', '-', 'd/theirs.md'], { servers, input: 'theirs\n' })
  await holds(join(files, 'd', 'theirs.md'), 'theirs\n')
  rmSync(files, { recursive: true })
  await up.says(/files: not kept current at the moment\. [^\n]+\n/)
  await holds(join(files, 'mine.md'), 'mine\n')
  await holds(join(files, 'd', 'theirs.md'), 'theirs\n')
  const listed = await fourfold(['ls', '-R'], { servers })
  assert.deepEqual(listed.out.trim().split('\n').sort(), ['d/', 'd/theirs.md', 'mine.md'])
  assert.equal((await fourfold(['trash'], { servers })).out, '')
})

test('where plain files cannot be, up says so, and the servers serve', async (t) => {
  const port = await fourPorts()
  const data = join(temporaryFolder(t), 'data')
  const servers = `http://127.0.0.1:${port}`
  mkdirSync(data)
  writeFileSync(join(data, 'files'), 'a file where the directory should be')
  const up = await startUp(t, port, data)
  await up.says(
    /files: not kept current at the moment\. Cannot mirror [^\n]+: it is no directory\. /,
  )
  const put = await fourfold(['put', '-', 'kept.md'], { servers, input: 'kept' })
  assert.match(put.out, kept)
  // Once it can, it does.
  rmSync(join(data, 'files'))
  await holds(join(data, 'files', 'kept.md'), 'kept')
})

test('servers of one machine share the plain files, and that is nothing to look after', async (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'set.json')
  const port = await fourPorts()
  const addresses = [port, port + 1].map((each) => `http://127.0.0.1:${each}`)
  const ids = ['a', 'b']
  const servers = addresses.map((address, index) => ({ id: ids[index], address }))
  writeFileSync(file, JSON.stringify({ set: 'test', data: 'data', servers, mirror: 'plain' }))
  const both = ids.map((id) => start(t, ['serve', '--config', file, '--id', id]))
  await until(
    () => both.some((server) => / info .*plain: has a mirror already/.test(server.said())),
    () => both.map((server) => server.said()).join('\n'),
  )
  for (const server of both) assert.doesNotMatch(server.said(), /not kept current/)
})

test('a full disk under the plain files holds up nobody', async (t) => {
  const port = await fourPorts()
  const data = join(temporaryFolder(t), 'data')
  const files = join(data, 'files')
  const servers = `http://127.0.0.1:${port}`
  mkdirSync(files, { recursive: true })
  const disk = onSmallDisk('512k', files)
  const up = start(t, ['up', '--port', `${port}`, '--data', data], disk)
  await up.says(/Fourfold is running/)
  const put = await fourfold(['put', '-', 'large.md'], { servers, input: large })
  assert.match(put.out, kept)
  if (disk) {
    await up.says(/files: The disk is full\. Nothing is brought here until it has room\.\n/)
  } else {
    // Where nothing may be mounted, files that may not grow are the next best disk.
    await holds(join(files, 'large.md'), large)
    const other = join(data, 'other')
    const words = ['mirror', other, '--servers', servers]
    const limited = start(t, words, ['sh', '-c', 'ulimit -f 1000 && exec "$@"', 'sh'])
    await limited.says(/large\.md is left alone\. The disk takes no file so large\.\n/)
  }
  assert.equal((await fourfold(['cat', 'large.md'], { servers })).out, large)
  assert.equal((await fourfold(['rm', 'large.md'], { servers })).code, 0)
})

const large = `${'x'.repeat(999)}\n`.repeat(1000)

test('a server keeps plain files where people sign in, with no password of theirs', async (t) => {
  const folder = temporaryFolder(t)
  const port = await fourPorts()
  const address = `http://127.0.0.1:${port}`
  const files = join(folder, 'plain')
  const file = join(folder, 'set.json')
  const password = 'a password for tests'
  const json = {
    set: 'test',
    data: 'data',
    servers: [{ id: 'a', address }],
    auth: { password },
    mirror: { directory: 'plain', folder: 'specs' },
  }
  writeFileSync(file, JSON.stringify(json))
  const server = start(t, ['serve', '--config', file, '--first'])
  await server.says(/listening/)
  await untilServing(address)
  const env = { FOURFOLD_PASSWORD: password }
  const put = (path: string, input: string) => {
    return fourfold(['put', '-', path], { servers: address, input, env })
  }
  const refused = await fourfold(['ls'], { servers: address })
  assert.deepEqual([refused.code, /put it into FOURFOLD_PASSWORD/.test(refused.err)], [1, true])
  assert.equal((await put('specs/launch.md', 'Launch\n')).code, 0)
  assert.equal((await put('other.md', 'other\n')).code, 0)
  await holds(join(files, 'launch.md'), 'Launch\n')
  writeFileSync(join(files, 'back.md'), 'back\n')
  await until(
    async () => {
      const { out } = await fourfold(['cat', 'specs/back.md'], { servers: address, env })
      return out === 'back\n'
    },
    () => server.said(),
  )
  assert.deepEqual([...tree(files).keys()], ['back.md', 'launch.md'])
  const keeper = keeperOf(files)
  process.kill(keeper, 'SIGKILL')
  await untilDead([keeper])
  assert.equal((await put('specs/launch.md', 'Landing\n')).code, 0)
  await holds(join(files, 'launch.md'), 'Landing\n')
  assert.equal(statSync(join(files, '.fourfold')).mode & 0o777, 0o700)
  assert.deepEqual(readdirSync(join(folder, 'data')), ['a'])
  const last = keeperOf(files)
  server.child.kill('SIGKILL')
  await untilDead([last])
})
