// Whole files and directories at the prompt.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { Fleet } from '../fleet.ts'
import { temporaryFolder } from '../lone-server.ts'
import { fourfold, kept, oneSentence, settled, type Row } from './prompt.ts'

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
    assert.match(row.life!, /^[a-d]\.\S{13}$/)
    assert.equal(row.life, status.servers[0]!.life)
  }

  await Promise.all([fleet.kill('a'), fleet.kill('b'), fleet.kill('c')])
  assert.deepEqual((await run('cat', 'notes.md')).bytes, bytes)
  // What is printed to be typed is for the same servers: those of the option, as nothing else names them.
  const removed = await fourfold(['rm', 'piped.txt', `--servers=${servers}`])
  const back = `npx fourfold restore --servers ${servers} piped.txt`
  assert.equal(removed.out, `in the trash, stored on 1 of 4 servers: d; back with: ${back}\n`)
  assert.equal((await run('ls')).out, 'notes.md\n')
  assert.match((await run('trash')).out, /^guest {2}[-0-9]+ [0-9:]+ {2}\S{22} {2}piped\.txt\n$/)
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
      life: null,
      warnings: [],
    },
  )
  const shown = (await run('status')).out
  assert.match(shown, /^server +state +address +lag +entries /)
  assert.match(shown, /\n1 of 4 servers are live\.\n$/)
  assert.match((await run('restore', 'piped.txt')).out, /^restored as piped\.txt, stored on 1 of 4/)
  const listed = JSON.parse((await run('ls', '--json')).out) as { files: { name: string }[] }
  assert.deepEqual(
    listed.files.map(({ name }) => name),
    ['notes.md', 'piped.txt'],
  )

  const missing = await run('cat', 'none.md')
  assert.deepEqual(
    [missing.code, missing.out, missing.err],
    [1, '', 'No such file or directory: none.md.\n'],
  )
  const unreadable = await run('put', join(folder, 'none'))
  assert.equal(unreadable.code, 1)
  assert.match(unreadable.err, /^Cannot read [^\n]+\n$/)
  const bytesAsName = await run('put', join(folder, 'notes.md'), 'a\ufffd')
  assert.deepEqual(
    [bytesAsName.code, bytesAsName.err],
    [1, 'A name must be valid Unicode; give another.\n'],
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
