// What tools can say about the code without running it: types, lint, format.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { tool } from './tool.ts'

test('the types fit', () => {
  const said = tool('tsc', '-p', '.')
  assert.equal(said.status, 0, said.text)
})

test('core compiles without any ambient world', () => {
  const said = tool('tsc', '-p', 'src/core')
  assert.equal(said.status, 0, said.text)
})

test('oxlint has nothing to object to', () => {
  const said = tool('oxlint', '--type-aware', '--deny-warnings', '--format=unix')
  assert.equal(said.status, 0, said.text)
})

test('the code is formatted by oxfmt', () => {
  const said = tool('oxfmt', '--check')
  assert.equal(said.status, 0, `${said.text}\nRun: npx oxfmt`)
})
