// Stores in directories of their own, for tests; gone when the test process ends.

import assert from 'node:assert/strict'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { ReplicaId } from '../../../core/model/ids.ts'
import { openSqliteStorage, type SqliteStorage } from '../sqlite.ts'
import { storeFile } from '../sqlite-directory.ts'

export const folder = fs.mkdtempSync(join(tmpdir(), 'fourfold-sqlite-'))
after(() => fs.rmSync(folder, { recursive: true }))

export const victim = fileURLToPath(new URL('./victim.ts', import.meta.url))
export const world = { set: 'world', replica: 'a' as ReplicaId }
let directories = 0
export const newDirectory = () => join(folder, String(directories++))

/** Opens a store, does something with it, and closes it. */
export async function withStore<Result>(
  directory: string,
  action: (storage: SqliteStorage) => Promise<Result> | Result,
  owner = world,
): Promise<Result> {
  const storage = await openSqliteStorage({ ...owner, directory })
  try {
    return await action(storage)
  } finally {
    await storage.close()
  }
}

/** Does something to the file of a closed store. */
export function changed(directory: string, sql: string): void {
  using db = new DatabaseSync(storeFile(directory))
  db.exec(sql)
  assert.ok(Number(db.prepare('SELECT total_changes() AS count').get()?.['count']) > 0, sql)
}

export function refused(
  directory: string,
  code: string,
  words: RegExp,
  owner = world,
): Promise<void> {
  return assert.rejects(openSqliteStorage({ ...owner, directory }), (error: Error) => {
    assert.equal('code' in error && error.code, code, error.message)
    assert.ok(error.message.includes(directory), error.message)
    assert.match(error.message, words)
    return true
  })
}
