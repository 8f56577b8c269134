// Four real servers under siege, in short: what was acknowledged is there, whoever is killed.

import assert from 'node:assert/strict'
import { cpSync, rmSync } from 'node:fs'
import { test, type TestContext } from 'node:test'

import { Random } from '../../sim/random.ts'
import { allDeadRound, orderRound, subsetRound, walkRound, wipedRound } from './plan.ts'
import { Siege } from './siege.ts'

const seed = 'siege.test'

async function begin(t: TestContext): Promise<{ siege: Siege; random: Random }> {
  const random = new Random(seed)
  const siege = await Siege.begin({
    processes: 2,
    peopleEach: 4,
    documents: 2,
    gapMs: 200,
    // How soon is measured by `npm run siege`, where the machine is its own.
    patienceMs: 60_000,
    random: random.fork('siege'),
  })
  t.after(() => siege.end())
  return { siege, random }
}

test('nothing that was acknowledged is lost, doubled or different after a siege', async (t) => {
  const { siege, random } = await begin(t)
  const { ledger, servers } = siege
  const rounds = [
    subsetRound(['a', 'b', 'd'], false, random),
    orderRound(['d', 'c', 'a'], 0, true, random),
    orderRound(['b', 'd', 'c'], 1000, false, random),
    walkRound(servers, random),
    allDeadRound(servers, random),
    wipedRound(servers, random),
  ]
  for (const round of rounds) {
    const before = ledger.acknowledgedCount
    await siege.round(round)
    t.diagnostic(`${round.title}: ${ledger.acknowledgedCount - before} edits acknowledged`)
    assert.deepEqual(ledger.violations, [], round.title)
    assert.ok(ledger.acknowledgedCount > before, 'people went on typing')
  }
  // Each of the four, started alone, has everything.
  await siege.finish()
  assert.deepEqual(ledger.violations, [])
})

test('a siege notices a server that lost what it had acknowledged', async (t) => {
  const { siege, random } = await begin(t)
  const { ledger } = siege
  const older = `${siege.directory}/older`
  await siege.round(subsetRound(['a'], false, random))
  // A copy of a running store is as good as the disk of a crash.
  cpSync(siege.storeOf('a'), older, { recursive: true })
  await siege.round(subsetRound(['b'], false, random))
  assert.deepEqual(ledger.violations, [])
  await siege.finish(() => {
    rmSync(siege.storeOf('a'), { recursive: true })
    cpSync(older, siege.storeOf('a'), { recursive: true })
  })
  assert.ok(ledger.count('C1') > 0, 'acknowledged words are missed')
  assert.ok(ledger.count('C2') > 0, 'another text than that of the set is seen')
})
