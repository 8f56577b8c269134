// A record rots on the only server that has it: all else goes on, and what can be read is everywhere.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'

import { Fleet } from './fleet.ts'
import { until } from './until.ts'

async function call(address: string, method: string, request: object) {
  const response = await fetch(`${address}/fourfold.v1.FolderService/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  })
  return (await response.json()) as { text?: string; servers?: string[]; message?: string }
}

test('5 what is damaged where alone it was keeps back no other edit of that server', async (t) => {
  const fleet = await Fleet.start({ ids: ['a', 'b'] })
  t.after(() => fleet.end())
  const [a, b] = [fleet.address('a'), fleet.address('b')]
  await fleet.stop('b')
  for (const file of ['one.md', 'two.md', 'three.md']) {
    await call(a, 'SaveFile', { file, text: `${file}\n` })
  }
  await fleet.stop('a')
  const db = new DatabaseSync(join(fleet.data('a'), 'store.sqlite'))
  // The text of the second file; its name is another record.
  const spoilt = db.prepare(`
    UPDATE updates SET record = CAST(replace(record, 'two.md' || char(10), 'tvo.md' || char(10)) AS BLOB)
    WHERE instr(record, 'two.md' || char(10))
  `)
  assert.equal(Number(spoilt.run().changes), 1)
  db.close()
  await fleet.startAll()
  await fleet.well()
  await until(async () => (await call(b, 'ReadFile', { file: 'three.md' })).text === 'three.md\n')
  assert.equal((await call(b, 'ReadFile', { file: 'one.md' })).text, 'one.md\n')
  assert.equal((await call(b, 'ReadFile', { file: 'two.md' })).text ?? '', '')
  assert.match(fleet.said('a'), /error a: no server has what is damaged of \S+: it goes on without/)
  await fleet.same()
  const saved = () => call(a, 'SaveFile', { file: 'four.md', text: 'four.md\n' })
  await until(async () => (await saved()).servers?.length === 2, 'receipts name both again')
  await fleet.killAll()
  await fleet.startAll()
  await fleet.well()
  await fleet.same()
})
