// Finding by words: what counts, and what does not.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasWords } from './path-words.ts'

test('a file is found by parts of its path in any order, case and Unicode form', () => {
  assert.ok(hasWords('plan LAU')('Launch plan.md'))
  assert.ok(hasWords('')('Launch plan.md'))
  assert.ok(hasWords('re\u0301sume\u0301')('archive/R\u00e9sum\u00e9.md'))
  assert.ok(hasWords('docs/gui start')('docs/guides/start.md'))
  assert.ok(!hasWords('plan notes')('Launch plan.md'))
})
