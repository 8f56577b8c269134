// `fourfold serve`: what it refuses, what it survives, and how it ends.

import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'

import { temporaryFolder } from '../lone-server.ts'
import { fourPorts } from '../ports.ts'
import { program } from '../tool.ts'
import { fourfold, untilServing } from './prompt.ts'

/** A configuration of a set of one, on a free port. */
function writeSet(t: TestContext, keys: { [key: string]: unknown } = {}) {
  const folder = temporaryFolder(t)
  const file = join(folder, 'set.json')
  const json = {
    set: 'test',
    data: 'data',
    servers: [{ id: 'a', address: 'http://127.0.0.1:2' }],
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
  const nowhere = writeSet(t, { listen: '/nowhere/fourfold.sock' })
  const long = writeSet(t, { listen: `/${'x'.repeat(200)}` })
  const inUse = writeSet(t)
  const noSocket = writeSet(t, { listen: inUse.file })
  const outcomes: [file: string, sentence: RegExp][] = [
    [busyPort.file, new RegExp(`^Cannot listen on 127.0.0.1:${port}: another program does\\.`)],
    [noAddress.file, /^Refusing to listen on 203\.0\.113\.7:4400: no certificate and no sign-in/],
    [notOurs.file, /set\.json: "colour" is no key of a configuration/],
    [noFolder.file, /data\/a cannot be written \([^\n]+\); give this user the right to, or name/],
    [nowhere.file, /^Cannot listen on \/nowhere\/fourfold\.sock: its directory is not there/],
    [long.file, /^Cannot listen on \/x+: it is too long for a Unix socket\./],
    [noSocket.file, /^Cannot listen on \/[^\n]+\/set\.json: another program does, or what lies/],
    ['', /^--config FILE is missing/],
  ]
  for (const [file, sentence] of outcomes) {
    const { code, err } = await fourfold(['serve', '--config', file])
    assert.match(err, sentence)
    assert.equal(err.trimEnd().split('\n').length, 1, err)
    assert.equal(code, 2, err)
  }
})

test('serve and up end where no directory can be made, and do not try for ever', async (t) => {
  // There is a directory, and what is to be made in it is answered as if there were none.
  const data = '/proc/fourfold/data'
  const words = [
    ['serve', '--config', writeSet(t, { data }).file, '--first'],
    ['up', '--data', data, '--port', `${await fourPorts()}`],
  ]
  for (const each of words) {
    const child = spawn(process.execPath, [program, ...each], {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 60_000,
      killSignal: 'SIGKILL',
    })
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
    assert.match(said, /^(\/proc\/fourfold\/data\/a cannot be written|Cannot write) [^\n]+\n$/)
    assert.equal(code, each[0] === 'serve' ? 2 : 1)
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
    else assert.match(err, /^No server answers; .*\); [^\n]+\.\n$/)
  }
  assert.deepEqual(await ended, [3, null])
  assert.match(await said, /error a: cannot save any more, ending: [^\n]+\n$/)
  assert.ok(kept.length > 0)
  await serving(t, set.file)
  await untilServing(servers)
  const { out, err } = await fourfold(['ls'], { servers })
  assert.equal(err, '')
  for (const name of kept) assert.ok(out.split('\n').includes(name), `${name} is lost`)
})

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

test('a killed server leaves its Unix socket, and starts again by the same command', async (t) => {
  const path = join(temporaryFolder(t), 'fourfold.sock')
  const { file } = writeSet(t, { listen: path })
  const first = await serving(t, file)
  first.kill('SIGKILL')
  await once(first, 'exit')
  assert.ok(existsSync(path))
  await serving(t, file)
  const other = writeSet(t, { listen: path })
  const { code, err } = await fourfold(['serve', '--config', other.file, '--first'])
  assert.equal(code, 2, 'one that is in use stays')
  assert.match(err, /another program does/)
  const noSocket = writeSet(t, { listen: other.file })
  assert.equal((await fourfold(['serve', '--config', noSocket.file, '--first'])).code, 2)
  assert.ok(existsSync(other.file), 'a file that is no socket is not ours to remove')
})
