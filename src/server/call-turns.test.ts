// However many calls come at once from one caller, those of others are among the next.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as untilOthersRan } from 'node:timers/promises'
import { callsPerTurnMax } from '../core/model/limits.ts'
import { CallTurns } from './call-turns.ts'

test('12 so many begin at once; of what waits, that of others is among the next', async () => {
  const turns = new CallTurns()
  const begun: string[] = []
  const much = { network: 'ana', connection: {} }
  const ask = (place: typeof much, name: string) => turns.take(place, () => begun.push(name))
  for (let count = 0; count < 4 * callsPerTurnMax; count++) ask(much, 'much')
  ask({ network: 'ana', connection: {} }, 'other connection')
  ask({ network: 'ben', connection: {} }, 'other network')
  assert.equal(begun.length, callsPerTurnMax)

  await untilOthersRan()
  assert.equal(begun.length, 2 * callsPerTurnMax)
  assert.deepEqual(begun.slice(callsPerTurnMax, callsPerTurnMax + 3), [
    'much',
    'other network',
    'other connection',
  ])
  // What comes meanwhile does not overtake.
  ask(much, 'late')
  while (begun.length < 4 * callsPerTurnMax + 3) await untilOthersRan()
  assert.equal(begun.at(-1), 'late')
  await untilOthersRan()
  ask(much, 'idle again')
  assert.equal(begun.at(-1), 'idle again')
})
