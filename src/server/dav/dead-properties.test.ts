// Properties that clients gave: kept by file and name, and bounded.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { davPropertiesCharactersMax } from '../../core/model/limits.ts'
import { DeadProperties } from './dead-properties.ts'

const name = { uri: 'urn:z', local: 'label' }

test('names of two namespaces are two, and a copy has what its source has', () => {
  const properties = new DeadProperties()
  properties.set('a', name, '<label/>')
  properties.set('a', { ...name, uri: '' }, '<label xmlns=""/>')
  properties.set('b', { ...name, local: 'old' }, '<old/>')
  properties.copy('a', 'b')
  assert.deepEqual([...properties.of('b')], [...properties.of('a')])
  properties.remove('a', name)
  assert.equal(properties.get('a', name), undefined)
  assert.equal(properties.get('b', name), '<label/>')
})

test('when there are too many, those of the file that was given some longest ago go', () => {
  const properties = new DeadProperties()
  const half = 'x'.repeat(davPropertiesCharactersMax / 2)
  for (const entry of ['a', 'b', 'c']) properties.set(entry, name, half)
  assert.deepEqual(
    ['a', 'b', 'c'].map((entry) => properties.get(entry, name)?.length),
    [undefined, undefined, half.length],
  )
})
