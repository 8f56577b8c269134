// What a person is asked says what was done already, and what is not.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { questionOf } from './question.ts'

test('what is asked about is not deleted, and what was deleted right before is told', () => {
  const held = { inFolder: 120, onDisk: 0 }
  const word = 'unless you say so: npx fourfold mirror d --accept-deletes'
  assert.equal(
    questionOf(held, 0, 'd'),
    `120 files are missing here. Nothing of that is deleted in the folder ${word}`,
  )
  assert.equal(
    questionOf(held, 80, 'd'),
    `120 files are missing here, after 80 others were deleted. Nothing of these 120 is deleted in the folder ${word}`,
  )
  assert.equal(
    questionOf({ inFolder: 0, onDisk: 1 }, 1, 'd'),
    `1 file was deleted in the folder, after another one was deleted. Nothing of that is deleted here ${word}`,
  )
})
