// What another server carried out, and is on its way here, is asked again here: it has one effect (G8).

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Desk, freshId, Writer } from '../../../test/replica-desk.ts'
import { MemoryDisk } from '../../adapters/storage/memory.ts'
import type { Origin } from '../model/ids.ts'
import { Code, type Operation, type Update } from '../model/wire.ts'
import type { Call } from './messages.ts'

const origins = ['a.0123456789abc', 'b.0123456789abc'] as Origin[]

/** Two servers with one file; what the second did since is not at the first. */
function two() {
  const [here, there] = origins.map((origin) => new Desk(new MemoryDisk(), origin)) as [Desk, Desk]
  const writers = [here, there].map((desk) => new Writer(desk, 1, 'ana')) as [Writer, Writer]
  const file = writers[0].create('plan.md', 'one\n')
  here.store()
  for (const update of here.storage.reader.after(origins[0]!, 0, 1e6)) there.gather(update)
  there.store()
  let told = 0
  const news = (): Update[] => {
    const updates = there.storage.reader.after(origins[1]!, told, 1e6)
    told += updates.length
    return updates
  }
  /** The same is asked of the second server, which carries it out, and of the first, to which it comes. */
  const again = (operation: Operation['operation'], cameFor: 'gathers' | 'waits') => {
    const id = freshId()
    writers[1].operate(id, operation)
    there.store()
    for (const update of news()) {
      here.come(update)
      if (cameFor === 'gathers') here.gather(update)
    }
    here.asked.length = 0
    writers[0].operate(id, operation)
  }
  const appended = () => here.asked.filter(({ type }) => type === 'append').length
  const ticket = () => writers[0].ticket
  return { here, there, file, news, again, appended, ticket }
}

test('it is answered when it is on this disk, and not carried out', () => {
  const { here, file, again, appended, ticket } = two()
  const value = { $typeName: 'fourfold.v1.Rename' as const, entry: file, name: 'other.md' }
  again({ case: 'rename', value }, 'gathers')
  assert.notEqual(here.last(1, 'done')?.ticket, ticket())
  here.store()
  assert.equal(here.last(1, 'done')?.ticket, ticket())
  assert.equal(appended(), 0)
})

test('while it waits for what it builds on nobody is told where it is', () => {
  const { here, file, again, appended, ticket } = two()
  const value = { $typeName: 'fourfold.v1.Rename' as const, entry: file, name: 'other.md' }
  again({ case: 'rename', value }, 'waits')
  here.store()
  const { ticket: rejected, code } = here.last(1, 'rejected')!
  assert.deepEqual({ rejected, code }, { rejected: ticket(), code: Code.UNAVAILABLE })
  assert.equal(appended(), 0)
})

test('of several it is told by how they are then', () => {
  const { here, file, again, appended, ticket } = two()
  const change = {
    case: 'delete' as const,
    value: { $typeName: 'fourfold.v1.Delete' as const, entry: '' },
  }
  const value = { $typeName: 'fourfold.v1.Several' as const, entries: [file], change }
  again({ case: 'several', value }, 'gathers')
  here.store()
  const { ticket: done, undone } = here.last(1, 'done')!
  assert.deepEqual({ done, undone }, { done: ticket(), undone: [] })
  assert.equal(appended(), 0)
})

test('a save is answered with the text that it became, and a file is made once', () => {
  const { here, there, news, appended } = two()
  const save = (file: string, text: string): Call => {
    return { type: 'save', file, text, baseVersion: '', operation: freshId() }
  }
  const saves = [save('plan.md', 'one\ntwo\n'), save('fresh.md', 'three\n')]
  saves.forEach((each, call) => there.call(call, each))
  there.store()
  for (const update of news()) {
    here.come(update)
    here.gather(update)
  }
  here.asked.length = 0
  saves.forEach((each, call) => here.call(call, each))
  assert.equal(here.answers.length, 0)
  here.store()
  here.cover()
  const versions = (desk: Desk) =>
    desk.answers.map(({ answer }) => (answer.type === 'kept' ? answer.version : answer.type))
  there.cover()
  assert.deepEqual(versions(here), versions(there))
  assert.equal(versions(here).length, 2)
  assert.equal(appended(), 0)
})
