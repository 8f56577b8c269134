// What a client asks for of the folder, and which answers count.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { EntriesSchema, EntrySchema, Extent, type Entries } from '../model/wire.ts'
import { Outlet } from './outlet.ts'
import { Shows } from './shows.ts'

function begun() {
  const outlet = new Outlet()
  const shows = new Shows(outlet)
  /** What went out since the last look, one line each. */
  const heard = () =>
    outlet.take().map((output) => {
      if (output.type === 'send' && output.message.message.case === 'show') {
        const { entry, extent, number } = output.message.message.value
        return `${output.connection}> show "${entry}" ${['not', 'ALONE', 'OPEN'][extent]} ${number}`
      }
      if (output.type === 'send') return `${output.connection}> ${output.message.message.case}`
      if (output.type !== 'entries') return output.type
      const { entries, answer } = output
      const told = entries.map(({ id }) => id).join(' ')
      if (!answer) return `told ${told}`
      const all = answer.present ? `, all: ${[...answer.present].join(' ')}` : ''
      return `told ${told} of "${answer.entry}"${all}`
    })
  return { shows, heard }
}

type Rest = Partial<Pick<Entries, 'shown' | 'number' | 'isComplete'>>

function told(ids: string, rest: Rest = {}): Entries {
  const entries = ids.split(' ').map((id) => create(EntrySchema, { id }))
  return create(EntriesSchema, { ...rest, entries })
}

test('what is shown is asked for on every new connection, under a number of its own', () => {
  const { shows, heard } = begun()
  shows.show('', Extent.OPEN)
  assert.deepEqual(heard(), [])
  shows.restart(1)
  assert.deepEqual(heard(), ['1> show "" OPEN 2'])
  shows.show('D', Extent.ALONE)
  shows.restart(undefined)
  shows.show('D', Extent.UNSPECIFIED)
  shows.restart(2)
  assert.deepEqual(heard(), ['1> show "D" ALONE 3', '2> show "" OPEN 5'])
})

test('a listing is asked for page by page; at its end all is named that was told since its first', () => {
  const { shows, heard } = begun()
  shows.restart(1)
  shows.show('D', Extent.OPEN)
  shows.told(told('before'))
  shows.told(told('D a b', { shown: 'D', number: 1 }))
  shows.told(told('meanwhile'))
  shows.told(told('c', { shown: 'D', number: 1, isComplete: true }))
  assert.deepEqual(heard(), [
    '1> show "D" OPEN 1',
    'told before',
    'told D a b of "D"',
    '1> more',
    'told meanwhile',
    'told c of "D", all: D a b meanwhile c',
  ])
  // A server that did not know the directory lists it again.
  shows.told(told('D x', { shown: 'D', number: 1, isComplete: true }))
  assert.deepEqual(heard(), ['told D x of "D", all: D x'])
})

test('answers to what was asked before are stale', () => {
  const { shows, heard } = begun()
  shows.restart(1)
  shows.show('D', Extent.OPEN)
  shows.show('D', Extent.UNSPECIFIED)
  shows.told(told('D a', { shown: 'D', number: 1, isComplete: true }))
  shows.show('D', Extent.OPEN)
  heard()
  shows.told(told('D a', { shown: 'D', number: 1, isComplete: true }))
  assert.deepEqual(heard(), [])
  shows.told(told('D b', { shown: 'D', number: 3, isComplete: true }))
  assert.deepEqual(heard(), ['told D b of "D", all: D b'])
})
