// Who sits at a terminal is asked; a script is not.

import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { saysYes } from './yes.ts'

function terminal(isTTY: boolean) {
  const stream = () => Object.assign(new PassThrough(), { isTTY })
  return { input: stream(), output: stream() }
}

test('only a yes is one', async () => {
  for (const [typed, isYes] of [
    ['y\n', true],
    ['Yes\n', true],
    ['\n', false],
    ['n\n', false],
    ['yellow\n', false],
  ] as const) {
    const at = terminal(true)
    const answer = saysYes('Delete all?', at)
    at.input.write(typed)
    assert.equal(await answer, isYes, typed)
    assert.match(String(at.output.read()), /Delete all\? \[y\/N\]/)
  }
})

test('who leaves does not say yes', async () => {
  const at = terminal(true)
  const answer = saysYes('Delete all?', at)
  at.input.end()
  assert.equal(await answer, false)
})

test('where nobody sits nobody is asked', async () => {
  const at = terminal(false)
  assert.equal(await saysYes('Delete all?', at), true)
  assert.equal(at.output.read(), null)
})
