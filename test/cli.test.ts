// The command line as scripts use it: what it prints, and how it ends.

import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { buffer, text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { printable } from '../src/cli/command.ts'
import { Fleet } from './fleet.ts'
import { temporaryFolder } from './lone-server.ts'
import { root } from './tool.ts'

const program = join(root, 'src', 'cli', 'main.ts')

interface Ended {
  code: number | null
  /** As bytes and as text: a decoder drops a mark at the beginning. */
  bytes: Buffer
  out: string
  err: string
}

/** Runs a command to its end. */
async function fourfold(
  words: string[],
  { servers, input = '' }: { servers?: string; input?: string | Buffer } = {},
): Promise<Ended> {
  const env = { ...process.env, ...(servers !== undefined && { FOURFOLD_SERVERS: servers }) }
  const child = spawn(process.execPath, [program, ...words], { env })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const closed = once(child, 'close')
  const [bytes, err] = await Promise.all([buffer(child.stdout), text(child.stderr)])
  const [code] = (await closed) as [number | null]
  return { code, bytes, out: bytes.toString(), err }
}

/** The disk of a busy server may come after the answer, which waits for 250 ms. */
const kept = /^stored on [2-4] of 4 servers: [a-d]( [a-d]){1,3}\n$/

/** What `status` tells when all servers are live and lack nothing. */
async function settled(run: (...words: string[]) => Promise<Ended>): Promise<{ servers: Row[] }> {
  for (let tries = 0; ; tries++) {
    const told = JSON.parse((await run('status', '--json')).out) as { servers: Row[] }
    if (told.servers.every(({ state, lag }) => state === 'live' && lag === 0)) return told
    assert.ok(tries < 50, `never settled: ${JSON.stringify(told)}`)
  }
}

const oneSentence = /^[^\n]+[.)]\n$/

// ------------------------------------------------------------------------- words and help

const commands = ['up', 'serve', 'status', 'ls', 'cat', 'put', 'rm', 'restore', 'demo']

test('every command has help, and the overview names it', async () => {
  const overview = await fourfold(['--help'])
  assert.equal(overview.code, 0)
  for (const command of commands) {
    assert.match(overview.out, new RegExp(`^ {2}${command} `, 'm'))
    const { code, out } = await fourfold([command, '--help'])
    assert.equal(code, 0, command)
    assert.match(out, new RegExp(`^Usage: fourfold ${command}`))
  }
})

test('wrong use is one sentence and exit 2', async () => {
  const wrong: string[][] = [
    ['frob'],
    ['put'],
    ['put', '-'],
    ['put', 'a', 'b', 'c'],
    ['cat'],
    ['ls', 'x'],
    ['ls', '--frob'],
    ['ls', '--servers', 'here'],
    ['status', '--servers'],
    ['serve'],
    ['serve', '--config', 'none.json'],
    ['up', '--port', '0'],
    ['up', '--port', '65533'],
    ['up', 'now'],
  ]
  for (const words of wrong) {
    const { code, out, err } = await fourfold(words)
    assert.equal(code, 2, words.join(' '))
    assert.equal(out, '')
    assert.match(err, /^[^\n]+\n$/, words.join(' '))
  }
})

test('where no server answers, that is one sentence and exit 1', async () => {
  const { code, err } = await fourfold(['ls', '--servers', 'http://127.0.0.1:1,http://127.0.0.1:2'])
  assert.equal(code, 1)
  assert.match(err, /^No server answers; tried http:\/\/127.0.0.1:1, http:\/\/127.0.0.1:2 \(/)
  assert.match(err, oneSentence)
})

test('what could mislead a terminal is shown as an escape', () => {
  assert.equal(
    printable('a\u001b[31mb\nc\u202ed\u200b\u0085\ufeff'),
    'a\\x1b[31mb\\x0ac\\u{202e}d\\u{200b}\\x85\\u{feff}',
  )
  assert.equal(printable('größer – 日本語 👍.md'), 'größer – 日本語 👍.md')
})

// --------------------------------------------------------------------------- whole files

test('files are put, listed, printed, removed and restored through any living server', async (t) => {
  const fleet = await Fleet.start()
  t.after(() => fleet.end())
  const folder = temporaryFolder(t)
  const servers = fleet.addresses.join(',')
  const run = (...words: string[]) => fourfold(words, { servers })
  // A mark at the beginning, no newline at the end, both kinds of lines.
  const bytes = Buffer.from('\ufeffone\r\ntwo\nthree', 'utf8')
  const file = join(folder, 'notes.md')
  writeFileSync(file, bytes)
  const put = await run('put', file)
  assert.equal(put.code, 0)
  assert.match(put.out, kept)
  const piped = await fourfold(['put', '-', 'piped.txt'], { servers, input: 'from a pipe\n' })
  assert.match(piped.out, kept)
  assert.equal((await run('ls')).out, 'notes.md\npiped.txt\n')
  assert.deepEqual((await run('cat', 'notes.md')).bytes, bytes)

  const status = await settled(run)
  assert.deepEqual(
    status.servers.map(({ id, address, pid, state }) => ({ id, address, pid, state })),
    fleet.ids.map((id) => ({
      id,
      address: fleet.address(id),
      pid: fleet.pid(id),
      state: 'live',
    })),
  )
  for (const row of status.servers) {
    assert.deepEqual(Object.keys(row), Object.keys(status.servers[0]!))
    assert.deepEqual([row.lag, row.entries], [0, 2])
    assert.match(row.digest!, /^[0-9a-f]{64}$/)
    assert.equal(row.digest, status.servers[0]!.digest)
  }

  await Promise.all([fleet.kill('a'), fleet.kill('b'), fleet.kill('c')])
  assert.deepEqual((await run('cat', 'notes.md')).bytes, bytes)
  const removed = await run('rm', 'piped.txt')
  assert.match(removed.out, /^in the trash, stored on 1 of 4 servers: d\n$/)
  assert.equal((await run('ls')).out, 'notes.md\n')
  assert.equal((await run('ls', '--trash')).out, 'piped.txt\n')
  const thin = JSON.parse((await run('status', '--json')).out) as { servers: Row[] }
  assert.deepEqual(
    thin.servers.map(({ id, state }) => [id, state]),
    [
      ['a', 'down'],
      ['b', 'down'],
      ['c', 'down'],
      ['d', 'live'],
    ],
  )
  assert.deepEqual(
    { ...thin.servers[0], address: '', lag: 0 },
    {
      id: 'a',
      address: '',
      pid: null,
      state: 'down',
      lag: 0,
      entries: null,
      documentsInMemory: null,
      digest: null,
    },
  )
  assert.match((await run('status')).out, /\n1 of 4 servers are live\.\n$/)
  assert.match((await run('restore', 'piped.txt')).out, /^restored as piped\.txt, stored on 1 of 4/)
  const listed = JSON.parse((await run('ls', '--json')).out) as { files: { name: string }[] }
  assert.deepEqual(
    listed.files.map(({ name }) => name),
    ['notes.md', 'piped.txt'],
  )

  const missing = await run('cat', 'none.md')
  assert.deepEqual([missing.code, missing.out, missing.err], [1, '', 'No such file.\n'])
  const binary = await fourfold(['put', '-', 'x.bin'], { servers, input: Buffer.of(0xff, 0xfe) })
  assert.equal(binary.code, 1)
  assert.equal(binary.err, 'The input is not UTF-8, so it is not editable as text.\n')
  const unreadable = await run('put', join(folder, 'none'))
  assert.equal(unreadable.code, 1)
  assert.match(unreadable.err, /^Cannot read [^\n]+\n$/)
  const directory = await run('put', folder)
  assert.deepEqual(
    [directory.code, directory.err],
    [1, `Cannot read ${folder}: it is a directory.\n`],
  )
  const bytesAsName = await run('put', join(folder, 'notes.md'), 'a\ufffd')
  assert.deepEqual(
    [bytesAsName.code, bytesAsName.err],
    [1, 'A name must be valid Unicode; give another as NAME.\n'],
  )
  const badName = await fourfold(['put', '-', 'con'], { servers, input: '' })
  assert.equal(badName.code, 1)
  assert.match(badName.err, oneSentence)

  fleet.freeze('d')
  await fleet.start('a')
  await fleet.well(['a'])
  const frozen = await fourfold(['cat', 'notes.md'], {
    servers: [fleet.address('d'), fleet.address('a')].join(','),
  })
  assert.deepEqual(frozen.bytes, bytes, 'a frozen server is passed over')
  fleet.thaw('d')
})

interface Row {
  id: string
  address: string
  pid: number | null
  state: string
  lag: number | null
  entries: number | null
  documentsInMemory: number | null
  digest: string | null
}

// ------------------------------------------------------------------------------- serving

/** A configuration of a set of one, on a free port. */
function writeSet(t: TestContext, keys: { [key: string]: unknown } = {}) {
  const folder = temporaryFolder(t)
  const file = join(folder, 'set.json')
  const json = {
    set: 'test',
    data: 'data',
    servers: [{ id: 'a', address: 'http://127.0.0.1:1' }],
    listen: '127.0.0.1:0',
    diskFreeBytesMin: 0,
    ...keys,
  }
  writeFileSync(file, JSON.stringify(json))
  return { file, folder, directory: join(folder, 'data', 'a') }
}

/** Starts `serve`; resolves when it listens. */
async function serving(t: TestContext, file: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [program, 'serve', '--config', file, '--first'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  let said = ''
  for await (const chunk of child.stderr!) {
    said += String(chunk)
    if (said.includes('listening')) break
  }
  assert.match(said, /listening/)
  return child
}

test('serve refuses what it cannot work with: exit 2, one sentence that names it', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.after(() => taken.close())
  const { port } = taken.address() as { port: number }
  const busyPort = writeSet(t, { listen: `127.0.0.1:${port}` })
  const noAddress = writeSet(t, { listen: '203.0.113.7:4400', tls: undefined, auth: undefined })
  const notOurs = writeSet(t, { listen: '127.0.0.1:0', colour: 'red' })
  const noFolder = writeSet(t)
  writeFileSync(join(noFolder.folder, 'data'), 'a file where the directory should be')
  const outcomes: [file: string, sentence: RegExp][] = [
    [busyPort.file, new RegExp(`^Cannot listen on 127.0.0.1:${port}: another program does\\.`)],
    [noAddress.file, /^Refusing to listen on 203\.0\.113\.7:4400: no certificate and no sign-in/],
    [notOurs.file, /set\.json: "colour" is no key of a configuration/],
    [noFolder.file, /data/],
  ]
  for (const [file, sentence] of outcomes) {
    const { code, err } = await fourfold(['serve', '--config', file])
    assert.match(err, sentence)
    assert.equal(err.trimEnd().split('\n').length, 1, err)
    assert.equal(code, 2, err)
  }
})

test('serve refuses a store that is in use, of another set, newer, or not its own', async (t) => {
  const set = writeSet(t)
  const child = await serving(t, set.file)
  const refused = async (file: string, code: number, sentence: RegExp) => {
    const ended = await fourfold(['serve', '--config', file])
    assert.match(ended.err, sentence)
    assert.equal(ended.err.trimEnd().split('\n').length, 1, ended.err)
    assert.equal(ended.code, code, ended.err)
  }
  await refused(set.file, 2, /data\/a .*in use|data\/a .*process/)
  child.kill('SIGTERM')
  const [code] = (await once(child, 'exit')) as [number | null]
  assert.equal(code, 0)
  const other = join(set.folder, 'other.json')
  const json = JSON.parse(readFileSync(set.file, 'utf8')) as object
  writeFileSync(other, JSON.stringify({ ...json, set: 'another' }))
  await refused(other, 2, /another/)
  const store = join(set.directory, 'store.sqlite')
  const db = new DatabaseSync(store)
  db.exec("UPDATE meta SET value = '999' WHERE key = 'format'")
  db.close()
  await refused(set.file, 2, /later Fourfold/)
  writeFileSync(store, 'no database')
  await refused(set.file, 3, /data\/a/)
  rmSync(set.directory, { recursive: true })
  mkdirSync(set.directory, { recursive: true, mode: 0o755 })
  const again = await serving(t, set.file)
  again.kill('SIGKILL')
})

test('G14 a server that can write no more ends with exit 3, and keeps what it acknowledged', async (t) => {
  const set = writeSet(t, { listen: `127.0.0.1:${await fourPorts()}` })
  const { listen } = JSON.parse(readFileSync(set.file, 'utf8')) as { listen: string }
  const servers = `http://${listen}`
  // No file may grow over some 10 MB.
  const limited = ['-c', 'ulimit -f 20000; exec "$@"', 'sh', process.execPath, program]
  const child = spawn('sh', [...limited, 'serve', '--config', set.file, '--first'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  const said = text(child.stderr)
  const ended = once(child, 'exit')
  await untilServing(servers)
  const input = 'x'.repeat(4_000_000)
  const kept: string[] = []
  for (let number = 0; child.exitCode === null; number++) {
    assert.ok(number < 50, 'it never fails')
    const { code, err } = await fourfold(['put', '-', `${number}.txt`], { servers, input })
    if (code === 0) kept.push(`${number}.txt`)
    else assert.match(err, /^No server answers; .*\)\.?\n$/)
  }
  assert.deepEqual(await ended, [3, null])
  assert.match(await said, /error a: cannot save any more, ending: [^\n]+\n$/)
  assert.ok(kept.length > 0)
  await serving(t, set.file)
  await untilServing(servers)
  const { out } = await fourfold(['ls'], { servers })
  for (const name of kept) assert.ok(out.split('\n').includes(name), `${name} is lost`)
})

async function untilServing(address: string): Promise<void> {
  for (let tries = 0; tries < 3000; tries++) {
    const answer = await fetch(`${address}/healthz`).catch(() => undefined)
    if (answer?.ok) return
    await sleep(10)
  }
  throw new Error(`${address} does not serve`)
}

test('serve listens on a Unix socket for a proxy in front of it', async (t) => {
  const folder = temporaryFolder(t)
  const path = join(folder, 'fourfold.sock')
  const { file } = writeSet(t, { listen: path })
  const child = await serving(t, file)
  const socket = connect(path)
  socket.write('GET /healthz HTTP/1.1\r\nHost: notes\r\nConnection: close\r\n\r\n')
  assert.match(await text(socket), /^HTTP\/1\.1 (200|503) /)
  child.kill('SIGTERM')
  await once(child, 'exit')
})

// ------------------------------------------------------------------------------------ up

/** Four ports in a row that nobody listened on a moment ago. */
async function fourPorts(): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 30_000)
    const servers = [0, 1, 2, 3].map((each) => createServer().listen(first + each, '127.0.0.1'))
    const outcomes = await Promise.all(
      servers.map((server) =>
        Promise.race([
          once(server, 'listening').then(() => true),
          new Promise<false>((resolve) => server.once('error', () => resolve(false))),
        ]),
      ),
    )
    for (const server of servers) server.close()
    if (outcomes.every(Boolean)) return first
  }
}

async function startUp(t: TestContext, port: number, data: string) {
  const child = spawn(process.execPath, [program, 'up', '--port', `${port}`, '--data', data], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  const says = async (what: RegExp) => {
    for (let tries = 0; !what.test(said); tries++) {
      assert.ok(tries < 3000, `never said ${what.source}: ${said}`)
      assert.equal(child.exitCode, null, said)
      await sleep(10)
    }
  }
  await says(/Fourfold is running/)
  return { child, says, said: () => said }
}

async function pids(servers: string): Promise<(number | null)[]> {
  const { out } = await fourfold(['status', '--json'], { servers })
  return (JSON.parse(out) as { servers: Row[] }).servers.map(({ pid }) => pid)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false // There is no such process.
  }
}

async function untilDead(ids: (number | null)[]): Promise<void> {
  for (const pid of ids) {
    for (let tries = 0; isAlive(pid!); tries++) {
      assert.ok(tries < 3000, `${pid} lives on`)
      await sleep(10)
    }
  }
}

test('up starts four, revives one that dies, and takes them along when it ends', async (t) => {
  const port = await fourPorts()
  const data = join(temporaryFolder(t), 'data')
  const servers = `http://127.0.0.1:${port}`
  const first = await startUp(t, port, data)
  assert.match(first.said(), new RegExp(`Open +http://127\\.0\\.0\\.1:${port}\n`))
  const put = await fourfold(['put', '-', 'kept.md'], { servers, input: 'kept' })
  assert.match(put.out, kept)
  const before = await pids(servers)
  process.kill(before[1]!, 'SIGKILL')
  await first.says(/Server b ended \(SIGKILL\); again in 1 s\.\n/)
  await first.says(/Server b is back\.\n/)

  const second = await fourfold(['up', '--port', `${port}`, '--data', data])
  assert.equal(second.code, 2, 'a second one finds the first')
  assert.match(second.err, oneSentence)

  const running = await pids(servers)
  first.child.kill('SIGTERM')
  const [code] = (await once(first.child, 'exit')) as [number | null]
  assert.equal(code, 0)
  await untilDead(running)

  const again = await startUp(t, port, data)
  assert.equal((await fourfold(['cat', 'kept.md'], { servers })).out, 'kept')
  const children = await pids(servers)
  again.child.kill('SIGKILL')
  await untilDead(children)
})

test('up goes on when all that it keeps is removed', async (t) => {
  const port = await fourPorts()
  const data = join(temporaryFolder(t), 'data')
  const servers = `http://127.0.0.1:${port}`
  const { child, says, said } = await startUp(t, port, data)
  rmSync(data, { recursive: true })
  for (const id of ['a', 'b', 'c', 'd']) {
    await says(new RegExp(`Server ${id} ended \\(exit code 3\\); again in 1 s\\.\n`))
    await says(new RegExp(`Server ${id} is back\\.\n`))
  }
  assert.match(said(), /was removed or replaced while it was in use; start again: /)
  for (let at = port; at < port + 4; at++) await untilServing(`http://127.0.0.1:${at}`)
  const put = await fourfold(['put', '-', 'new.md'], { servers, input: 'new' })
  assert.match(put.out, kept)
  child.kill('SIGTERM')
  assert.equal((await once(child, 'exit'))[0], 0)
})

test('up needs a directory that it can write', async (t) => {
  const file = join(temporaryFolder(t), 'file')
  writeFileSync(file, '')
  chmodSync(file, 0o600)
  const { code, err } = await fourfold(['up', '--data', file, '--port', `${await fourPorts()}`])
  assert.equal(code, 1)
  assert.match(err, /^Cannot write [^\n]+\n$/)
})

test('demo shows a robot that goes on while servers are killed and revived', async (t) => {
  const words = ['demo', '--port', `${await fourPorts()}`, '--no-open']
  const child = spawn(process.execPath, [program, ...words], { stdio: ['pipe', 'pipe', 'pipe'] })
  t.after(() => child.kill('SIGKILL'))
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  /** The first line from here on that fits. */
  const shows = async (what: RegExp): Promise<string[]> => {
    const from = said.length
    for (let tries = 0; tries < 3000; tries++) {
      const found = what.exec(said.slice(from))
      if (found) return [...found]
      assert.equal(child.exitCode, null, said)
      await sleep(10)
    }
    throw new Error(`never showed ${what.source}: ${said}`)
  }
  const edits = async () => Number((await shows(/(\d+) edits,/))[1])
  const ids = ['a', 'b', 'c', 'd']
  const key = (id: string) => String(ids.indexOf(id) + 1)
  const line = (lives: (id: string) => boolean) =>
    ids.map((id) => `${id} ${lives(id) ? '●' : '✕'}`).join(' ')
  const [, home = ''] = await shows(/a ● b ● c ● d ● .* on ([abcd]) · saved 4\/4/)
  // The robot's own server is among the killed: it has to move.
  const [survivor, ...killed] = [...ids.filter((id) => id !== home), home]
  child.stdin.write(killed.map(key).join(''))
  const alone = line((id) => id === survivor)
  await shows(new RegExp(`${alone} .* on ${survivor} · saved 1/4`))
  const before = await edits()
  const [dead = '', ...revived] = killed
  child.stdin.write(revived.map(key).join(''))
  await shows(new RegExp(`${line((id) => id !== dead)} .* saved 3/4`))
  assert.ok((await edits()) > before)
  child.stdin.write('q')
  const [code] = (await once(child, 'exit')) as [number | null]
  assert.equal(code, 0, said)
  // The longest line there is, and a small terminal shows all of it.
  const lines = said.split('\n').filter((line) => line.includes('moved in'))
  assert.notEqual(lines.length, 0, said)
  for (const each of lines) assert.ok(each.length < 80, each)
})
