// Names that are proposed, and files that are found by a part of their name.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { screenNameMax } from '../core/model/limits.ts'
import { stemLength } from '../core/model/names.ts'
import { copyName, freeName, meantName, numberedName, suggested } from './names.ts'

test('a taken name gets the next number', () => {
  assert.equal(suggested('Ana'), 'Ana 2')
  assert.equal(suggested('Ana 2'), 'Ana 3')
  assert.equal(suggested('  Ana 9 '), 'Ana 10')
})

test('a proposed name is never longer than a name may be', () => {
  assert.equal(suggested('x'.repeat(screenNameMax)).length, screenNameMax)
})

test('a copy keeps the extension', () => {
  assert.equal(copyName('plan.md'), 'plan copy.md')
  assert.equal(copyName('Makefile'), 'Makefile copy')
  assert.equal(copyName('.profile'), '.profile copy')
})

test('a copy gets the first name that is free, whatever its case', () => {
  assert.equal(freeName('plan.md', ['plan.md']), 'plan copy.md')
  assert.equal(freeName('plan.md', ['Plan Copy.md', 'plan copy 2.md']), 'plan copy 3.md')
})

test('what is to lie beside others keeps its name, or gets the first free number', () => {
  assert.equal(numberedName('plan.md', ['other.md']), 'plan.md')
  assert.equal(numberedName('plan.md', ['Plan.md', 'plan (2).MD']), 'plan (3).md')
  assert.equal(numberedName('assets', ['assets']), 'assets (2)')
})

test('what one wants to change of a name is what stands before the extension', () => {
  assert.equal(stemLength('launch.md'), 'launch'.length)
  assert.equal(stemLength('.profile'), '.profile'.length)
  assert.equal(stemLength('README'), 'README'.length)
})

test('an ending that was typed before the offered one is meant', () => {
  for (const [typed, meant] of [
    ['plan.md', 'plan.md'],
    ['plan.md.md', 'plan.md'],
    ['plan.txt.md', 'plan.txt'],
    ['relay.ts.md', 'relay.ts'],
    ['v1.release.md', 'v1.release.md'],
    ['notes', 'notes'],
  ] as const) {
    assert.equal(meantName(typed), meant)
  }
})
