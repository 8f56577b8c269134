// A document that is closed and opened again in one session: what was written in it goes on.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from '../src/client/index.ts'
import { startLone } from './lone-server.ts'
import { until } from './until.ts'

test('a file that a person wrote in, closed and opens again takes what is typed, at once', async (t) => {
  const { address } = await startLone(t)
  const person = (name: string) => {
    const client = connect({ servers: [address], name, agent: 'test' })
    t.after(() => client.close())
    return client
  }
  const [ada, bob] = [person('Ada'), person('Bob')]
  await Promise.all([ada.joined(), bob.joined()])
  const { id } = await ada.create('plan.md', 'plan\n')
  const open = async () => {
    const document = ada.open(id)
    await document.loaded
    return document
  }
  const first = await open()
  first.text.insert(5, 'one\n')
  await first.stored()
  first.close()
  // Forgotten: the client has looked around since.
  await ada.create('other.md', '')
  const theirs = bob.open(id)
  await theirs.loaded
  theirs.text.insert(0, 'by Bob\n')
  await theirs.stored()

  const again = ada.open(id)
  assert.notEqual(again, first)
  // Before a server has answered, as a quick person types.
  again.text.insert(again.text.length, 'two\n')
  await again.loaded
  await again.stored()
  again.text.insert(again.text.length, 'three\n')
  await again.stored()
  assert.equal(ada.save.name, 'saved')
  const text = 'by Bob\nplan\none\ntwo\nthree\n'
  await until(
    () => theirs.text.toString() === text && again.text.toString() === text,
    () => `${theirs.text.toString()}\n${again.text.toString()}`,
  )
})
