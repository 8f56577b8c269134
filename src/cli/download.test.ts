// What of the folder may be printed, and where.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Kind } from '../core/model/wire.ts'
import { checkOutput } from './download.ts'

test('what is no text does not go to a terminal; the way out is said', () => {
  const picture = { kind: Kind.BINARY, path: 'a b.png', id: 'x' }
  assert.throws(() => checkOutput(picture, true), /no text\. Save it: npx fourfold get 'a b\.png'/)
  checkOutput(picture, false)
  checkOutput({ ...picture, kind: Kind.TEXT }, true)
})
