// Whether the files that a running server writes are still those that the next start would open.
//
// A file that was removed goes on for those who have it open: SQLite writes, flushes, and nobody
// will ever read it. Looked at by path, because closing a second descriptor of the same file would
// drop the locks of SQLite's own.

import { stat } from 'node:fs/promises'
import { errorCodeOf } from '../error-code.ts'
import { blobDirectories } from './blob-store.ts'
import { journalFiles } from './journal.ts'
import { storeFile } from './sqlite-directory.ts'
import { StorageError } from './storage-error.ts'

export class StorePlace {
  readonly #directory: string
  /** What each file was when it was first seen. */
  readonly #known = new Map<string, string>()

  constructor(directory: string) {
    this.#directory = directory
  }

  /** To be called once the store is open, and then from time to time. Rejects with StorageError. */
  async look(): Promise<void> {
    const store = storeFile(this.#directory)
    const files = [store, `${store}-wal`, ...journalFiles(this.#directory)]
    // Beside it, where there is one: bytes that are not there nobody can be given, nor leave there.
    const blobs = Object.values(blobDirectories(this.#directory))
    for (const file of [...files, ...blobs]) {
      const found = await identityOf(file)
      const known = this.#known.get(file)
      // SQLite makes the WAL when it first needs it, and blobs are opened after the store.
      if (known === undefined && found !== undefined) this.#known.set(file, found)
      else if (known !== found) throw moved(file)
    }
  }
}

async function identityOf(file: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(file, { bigint: true })
    return `${dev} ${ino}`
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function moved(file: string): StorageError {
  return new StorageError(
    'failed',
    `${file} was removed or replaced while it was in use; start again: the server fills itself from the others`,
  )
}
