// `fourfold up` and `fourfold demo`: four servers of one machine.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { temporaryFolder } from '../lone-server.ts'
import { fourPorts } from '../ports.ts'
import { program } from '../tool.ts'
import { fourfold, kept, oneSentence, settled, untilServing } from './prompt.ts'
import { startUp, untilDead } from './running.ts'

/** The processes of the four, when all are well. */
async function pids(servers: string): Promise<number[]> {
  const told = await settled((...words) => fourfold(words, { servers }))
  return told.servers.map(({ pid }) => pid!)
}

test('up starts four, revives one that dies, and takes them along when it ends', async (t) => {
  const port = await fourPorts()
  const data = join(temporaryFolder(t), 'data')
  const servers = `http://127.0.0.1:${port}`
  const first = await startUp(t, port, data)
  assert.match(first.said(), new RegExp(`Open +http://127\\.0\\.0\\.1:${port}\n`))
  assert.match(first.said(), new RegExp(`Prompt +export FOURFOLD_SERVERS=${servers},`))
  const put = await fourfold(['put', '-', 'kept.md'], { servers, input: 'kept' })
  assert.match(put.out, kept)
  const before = await pids(servers)
  process.kill(before[1]!, 'SIGKILL')
  await first.says(/Server b ended \(SIGKILL\); again in 1 s\.\n/)
  await first.says(/Server b is back\.\n/)

  const configuration = readFileSync(join(data, 'fourfold.json'), 'utf8')
  for (const other of [port, await fourPorts()]) {
    const second = await fourfold(['up', '--port', `${other}`, '--data', data])
    assert.equal(second.code, 2, 'a second one finds the first')
    assert.match(second.err, new RegExp(`running already on .*: open ${servers}, or end it`))
    assert.match(second.err, oneSentence)
  }
  // A server that starts again goes by it.
  assert.equal(readFileSync(join(data, 'fourfold.json'), 'utf8'), configuration)
  const beside = join(temporaryFolder(t), 'data')
  const third = await fourfold(['up', '--port', `${port + 3}`, '--data', beside])
  assert.equal(third.code, 2, 'one with another directory finds the port')
  assert.match(
    third.err,
    new RegExp(`Another set of Fourfold runs at http://127.0.0.1:${port + 3}`),
  )
  assert.match(third.err, oneSentence)

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

test('up starts though a store is damaged, and takes that server in when it may fill itself', async (t) => {
  const port = await fourPorts()
  const data = join(temporaryFolder(t), 'data')
  const servers = `http://127.0.0.1:${port}`
  const first = await startUp(t, port, data)
  assert.match((await fourfold(['put', '-', 'kept.md'], { servers, input: 'kept' })).out, kept)
  first.child.kill('SIGTERM')
  await once(first.child, 'exit')
  for (const id of ['b', 'd']) writeFileSync(join(data, id, 'store.sqlite'), 'no store')
  const { says, said } = await startUp(t, port, data)
  assert.equal((await fourfold(['cat', 'kept.md'], { servers })).out, 'kept')
  await says(/Server b ended \(The store in [^\n]+ is damaged [^\n]+others\); again in 1 s\.\n/)
  rmSync(join(data, 'b'), { recursive: true })
  await says(/Server b is back\.\n/)
  await untilServing(`http://127.0.0.1:${port + 1}`)
  const one = { servers: `http://127.0.0.1:${port + 1}` }
  assert.equal((await fourfold(['cat', 'kept.md'], one)).out, 'kept')
  assert.doesNotMatch(said(), /Server d is back/)
})

test('up says what is wrong when no store can be used', async (t) => {
  const data = join(temporaryFolder(t), 'data')
  for (const id of ['a', 'b', 'c', 'd']) {
    mkdirSync(join(data, id), { recursive: true })
    writeFileSync(join(data, id, 'store.sqlite'), 'no store')
  }
  const { code, err } = await fourfold(['up', '--data', data, '--port', `${await fourPorts()}`])
  assert.equal(code, 1)
  assert.match(err, /^The store in [^\n]+ is damaged [^\n]+\.\n$/)
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
    for (let tries = 0; tries < 12_000; tries++) {
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
