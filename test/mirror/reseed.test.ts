// A set that lost everything gets it back from a mirror, and nobody who mirrors it loses anything.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import type { Fleet } from '../fleet.ts'
import { call } from '../requests.ts'
import { program } from '../tool.ts'
import { until } from '../until.ts'
import { four, fourfold, same, stage, tree, type Mirrored } from './mirrors.ts'

type Three = [Mirrored, Mirrored, Mirrored]

/** One line of hex for all names and bytes of a directory. */
function digest(directory: string): string {
  const hash = createHash('sha256')
  for (const [path, text] of tree(directory)) {
    const bytes = text === null ? 'a directory' : readFileSync(join(directory, path))
    hash.update(`${path}\n`).update(createHash('sha256').update(bytes).digest())
  }
  return hash.digest('hex')
}

async function mirroredOnce(
  mirror: Mirrored,
  servers: string,
  ...words: string[]
): Promise<string> {
  const { code, out, err } = await fourfold(
    ['mirror', mirror.directory, '--once', ...words],
    servers,
  )
  assert.equal(code, 0, out + err)
  return out
}

/** The ids of all below the top, at a server that has them. */
async function ids(fleet: Fleet): Promise<string[]> {
  const { body } = await call(fleet.addresses[0]!, 'ListFiles', { isRecursive: true })
  const { files = [] } = body as { files?: { id: string }[] }
  return files.map(({ id }) => id).sort()
}

/** Fills the set, and is killed when so many entries are there. Resolves with how many there are then. */
async function reseedUntil(count: number, directory: string, fleet: Fleet): Promise<number> {
  const child = spawn(process.execPath, [program, 'reseed', directory], {
    env: { ...process.env, FOURFOLD_SERVERS: fleet.addresses.join(',') },
    stdio: 'ignore',
  })
  const ended = once(child, 'exit')
  await until(
    async () => (await ids(fleet)).length >= count || child.exitCode !== null,
    () => `never ${count} entries`,
  )
  child.kill('SIGKILL')
  await ended
  return (await ids(fleet)).length
}

/** What a mirror did, of what it said. */
const done = /^(added|saved|wrote|updated|moved|made|removed|deleted|restored|put aside) /m

const plant = `mkdir -p docs/deep/er empty 'odd names/ünïcödé – ✓' && echo plan > docs/plan.md
  : > docs/deep/empty.txt; printf 'no last newline' > docs/deep/er/x; printf 'a\\r\\nb\\r\\n' > crlf
  printf '\\357\\273\\277mark' > bom.txt; echo q > 'odd names/a b  c.md'; echo q > "odd names/'q'.md"
  echo 100% > 'odd names/100%.md'; echo y > 'odd names/ünïcödé – ✓/日本 👩‍👩‍👧.txt'; echo dot > .hidden
  printf 'a\\0b' > zero.bin; printf 'gr\\374n' > 'odd names/latin.txt'
  for i in $(seq 60); do mkdir -p many/d$((i % 7)); seq $i > many/d$((i % 7))/f$i.txt; done`

function planted(mirror: Mirrored): void {
  mirror.shell(plant)
  writeFileSync(mirror.path('docs', 'large.bin'), randomBytes(700_000))
}

test('a wiped set has all of it again, and its mirrors go on as if nothing had been', async (t) => {
  const { fleet, mirrors, servers } = await stage(t, 3, four)
  const [first, second, fresh] = mirrors as Three
  planted(first)
  await mirroredOnce(first, servers)
  await mirroredOnce(second, servers)
  const before = digest(first.directory)
  assert.equal(digest(second.directory), before)
  const early = await fourfold(['reseed', first.directory], servers)
  assert.deepEqual([early.code, early.err], [0, ''], 'where all is there nothing is to be done')

  await fleet.wipe()
  const strange = await fourfold(['mirror', second.directory, '--once'], servers)
  assert.equal(strange.code, 1)
  assert.match(
    strange.err,
    /^The set that answers knows nothing of [^\n]+: npx fourfold reseed [^\n]+\n$/,
  )
  assert.equal(digest(second.directory), before)

  const dry = await fourfold(['reseed', first.directory, '--dry-run'], servers)
  assert.match(dry.out, /14 directories, 70 texts and 3 other files; all of them are to be brought/)
  assert.equal((await fourfold(['ls', '-R'], servers)).out, '')
  const reseeded = await fourfold(['reseed', first.directory], servers)
  assert.deepEqual([reseeded.code, reseeded.err], [0, ''])
  assert.match(reseeded.out, /\nEverything is stored on [1-4] of 4 servers:( [a-d])+\n$/)
  // It waits ten seconds for the last disk, no longer; who asks later is told of all.
  let told = reseeded.out
  await until(
    async () => {
      if (told.endsWith(' stored on 4 of 4 servers: a b c d\n')) return true
      told = (await fourfold(['reseed', first.directory], servers)).out
      return false
    },
    () => told,
  )

  await mirroredOnce(fresh, servers)
  assert.equal(digest(fresh.directory), before)
  for (const mirror of [first, second]) {
    const said = await mirroredOnce(mirror, servers)
    assert.doesNotMatch(said, done)
    assert.equal(digest(mirror.directory), before)
  }
  assert.doesNotMatch(await mirroredOnce(fresh, servers), done)
  // It is one folder again, for all three.
  writeFileSync(second.path('docs', 'plan.md'), 'another plan\n')
  for (const mirror of [second, first]) await mirroredOnce(mirror, servers)
  assert.equal(first.read('docs/plan.md'), 'another plan\n')
  let again: { servers?: string[] } = {}
  await until(
    async () => {
      again = JSON.parse((await fourfold(['reseed', first.directory, '--json'], servers)).out)
      return again.servers!.length === 4
    },
    () => JSON.stringify(again),
  )
  assert.deepEqual(again, {
    directories: 14,
    texts: 70,
    binaries: 3,
    missing: 0,
    leftOut: [],
    servers: ['a', 'b', 'c', 'd'],
    serverCount: 4,
  })
})

test('a mirror that runs while its set is wiped stops, and goes on when it is filled', async (t) => {
  const { fleet, mirrors, servers } = await stage(t, 2, four)
  const [first, second] = mirrors as [Mirrored, Mirrored]
  planted(first)
  first.start()
  second.start()
  const before = await same(mirrors)
  await fleet.wipe()
  for (const mirror of mirrors) {
    await until(
      () => !mirror.isRunning,
      () => mirror.said,
    )
    assert.match(mirror.said, /The set that answers knows nothing of .+: npx fourfold reseed /)
    assert.deepEqual(tree(mirror.directory), before)
  }
  const reseeded = await fourfold(['reseed', second.directory], servers)
  assert.equal(reseeded.code, 0, reseeded.err)
  writeFileSync(first.path('while away.md'), 'written while no mirror ran\n')
  for (const mirror of mirrors) mirror.start()
  const after = await same(mirrors)
  before.set('while away.md', 'written while no mirror ran\n')
  assert.deepEqual(after, before)
})

test('a mirror that meets a set while it is filled from another brings nothing of its own', async (t) => {
  const { fleet, mirrors, servers } = await stage(t, 2, four)
  const [first, second] = mirrors as [Mirrored, Mirrored]
  planted(first)
  for (const mirror of mirrors) await mirroredOnce(mirror, servers)
  const before = await ids(fleet)
  await fleet.wipe()
  const count = await reseedUntil(20, second.directory, fleet)
  assert.ok(count < before.length, `killed in between: ${count} of ${before.length}`)
  first.start()
  await until(
    () => first.said.includes('The folder is being filled again'),
    () => first.said,
  )
  const reseeded = await fourfold(['reseed', second.directory], servers)
  assert.deepEqual([reseeded.code, reseeded.err], [0, ''], reseeded.out)
  await until(
    () => first.said.includes('Directory and folder are the same.'),
    () => first.said,
  )
  assert.deepEqual(await ids(fleet), before)
  assert.doesNotMatch(first.said, done)
})

test('a mirror that knows more than the one a set was filled from loses nothing', async (t) => {
  const { fleet, mirrors, servers } = await stage(t, 2, four)
  const [behind, ahead] = mirrors as [Mirrored, Mirrored]
  behind.shell('mkdir d && echo one > d/changed.md && echo same > same.md && echo gone > gone.md')
  for (const mirror of mirrors) await mirroredOnce(mirror, servers)
  ahead.shell('echo two > d/changed.md && echo new > d/new.md && rm gone.md')
  await mirroredOnce(ahead, servers)
  await fleet.wipe()
  const reseeded = await fourfold(['reseed', behind.directory], servers)
  assert.equal(reseeded.code, 0, reseeded.err)
  assert.match(await mirroredOnce(ahead, servers), /The folder was filled again from a mirror/)
  const found = tree(ahead.directory)
  const texts = [...found.values()].filter((text) => text !== null).sort()
  assert.deepEqual(texts, ['gone\n', 'new\n', 'one\n', 'same\n', 'two\n'])
  assert.equal(found.get('d/changed.md'), 'one\n')
  await mirroredOnce(behind, servers)
  assert.deepEqual(tree(behind.directory), found)
  assert.doesNotMatch(await mirroredOnce(ahead, servers), done)
})

test('a set that is not empty, a mirror at work and what was never one are refused', async (t) => {
  const { fleet, mirrors, servers, folder } = await stage(t, 1, four)
  const [first] = mirrors as [Mirrored]
  const never = await fourfold(['reseed', folder], servers)
  assert.equal(never.code, 1)
  assert.match(never.err, /was never a mirror; [^\n]+\n$/)
  first.shell('mkdir d && echo mine > d/mine.md')
  await mirroredOnce(first, servers)
  await fleet.wipe()
  await fourfold(['put', first.path('d', 'mine.md'), 'theirs.md'], servers)
  const refused = await fourfold(['reseed', first.directory], servers)
  assert.equal(refused.code, 1)
  assert.match(
    refused.err,
    /^The set is not empty: it has 1 entry, among them "theirs\.md", [^\n]+\n$/,
  )
  assert.equal((await fourfold(['ls', '-R'], servers)).out, 'theirs.md\n')
})

test('G8 a reseed that is killed again and again makes everything once', async (t) => {
  const { fleet, mirrors, servers } = await stage(t, 2, four)
  const [first, fresh] = mirrors as [Mirrored, Mirrored]
  planted(first)
  await mirroredOnce(first, servers)
  await fleet.wipe()
  const counts: number[] = []
  for (const count of [3, 20, 45]) counts.push(await reseedUntil(count, first.directory, fleet))
  assert.ok(counts[0]! < 87, `killed in between: ${counts.join(', ')}`)
  const last = await fourfold(['reseed', first.directory], servers)
  assert.equal(last.code, 0, last.err)
  await mirroredOnce(fresh, servers)
  assert.equal(digest(fresh.directory), digest(first.directory))
  assert.doesNotMatch(await mirroredOnce(first, servers), done)
})
