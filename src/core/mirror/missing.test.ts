// What is missing is believed late enough, and not too late.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Missing, signsIn, signsOf } from './missing.ts'

const never = () => assert.fail('it is not asked of a look that confirms nothing')

/** A look that was to find "file", and did or did not. */
function look(isThere: boolean, isTorn: () => boolean = never) {
  return { expected: ['file'], items: new Set(isThere ? ['file'] : []), isTorn }
}

test('G14 what is missing is believed after a second look, 400 ms later', () => {
  const missing = new Missing()
  missing.looked(0, look(true))
  assert.equal(missing.isBelieved, false)
  assert.equal(missing.sureAt, 400)
  missing.looked(399, look(true))
  assert.equal(missing.isBelieved, false)
  missing.looked(
    400,
    look(true, () => false),
  )
  assert.equal(missing.isBelieved, true)
  assert.equal(missing.sureAt, Infinity)
  missing.looked(500, look(false))
  assert.equal(missing.isBelieved, false)
  missing.looked(
    900,
    look(false, () => false),
  )
  assert.equal(missing.isBelieved, true)
})

test('G14 what was put there after the last look is missing for the first time, too', () => {
  const missing = new Missing()
  missing.looked(0, { ...look(false), expected: [] })
  missing.looked(400, { ...look(false, () => false), expected: [] })
  assert.equal(missing.isBelieved, true)
  missing.looked(500, look(false))
  assert.equal(missing.isBelieved, false)
})

test('G14 a look in which directories changed confirms nothing, but for the ninth in a row', () => {
  const missing = new Missing()
  missing.looked(0, look(false))
  for (let round = 1; round <= 8; round++) {
    missing.looked(
      round * 400,
      look(false, () => true),
    )
    assert.equal(missing.isBelieved, false)
  }
  missing.looked(
    9 * 400,
    look(false, () => true),
  )
  assert.equal(missing.isBelieved, true)
  // What was seen once more and is missing again is counted anew.
  missing.looked(4000, look(true))
  missing.looked(4100, look(false))
  missing.looked(
    4500,
    look(false, () => true),
  )
  assert.equal(missing.isBelieved, false)
})

test('G14 a directory is missing when another is seen at its path', () => {
  const missing = new Missing()
  const directory = (path: string, identity: string) =>
    ({ path, kind: 'directory', identity }) as const
  const seen = (a: string, b: string) =>
    new Map([directory('a', a), directory('b', b)].map((each) => [each.path, each]))
  const both = seen('A', 'B')
  // They change places while it is looked at them.
  const torn = seen('A', 'A')
  const isTorn = () => false
  const expected = [...signsOf(both.values())]
  missing.looked(0, { expected: [], items: signsIn(both), isTorn })
  missing.looked(400, { expected, items: signsIn(both), isTorn })
  assert.equal(missing.isBelieved, true)
  missing.looked(500, { expected, items: signsIn(torn), isTorn })
  assert.equal(missing.isBelieved, false)
})
