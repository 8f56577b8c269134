// Records that rot on the disk of a server that is stopped.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import type { Fleet } from './fleet.ts'

/** Turns a letter over in the one record of a server that has this text. */
export function spoil(fleet: Fleet, id: string, text: string): void {
  const db = new DatabaseSync(join(fleet.data(id), 'store.sqlite'))
  const spoilt = db.prepare(`
    UPDATE updates SET record = CAST(replace(record, ?1, 'X' || substr(?1, 2)) AS BLOB)
    WHERE instr(record, ?1)
  `)
  assert.equal(Number(spoilt.run(text).changes), 1)
  db.close()
}
