// Why a store does not open or no longer writes, as a code and one sentence for the operator.

/** The codes up to `old-sqlite` come from opening only; `full`, `failed` and `closed` from use. */
export type StorageErrorCode =
  | 'in-use'
  | 'other-set'
  | 'other-replica'
  | 'unwritable'
  | 'newer-format'
  | 'corrupt'
  | 'old-sqlite'
  | 'full'
  | 'failed'
  | 'closed'

/** `message` is one sentence that names the directory and says what to do. */
export class StorageError extends Error {
  readonly code: StorageErrorCode

  constructor(code: StorageErrorCode, message: string) {
    super(message)
    this.name = 'StorageError'
    this.code = code
  }
}

/** Runs it. A StorageError is told to `failed`, anything else is thrown. */
export function orFailed(act: () => void, failed: (error: StorageError) => void): void {
  try {
    act()
  } catch (error) {
    if (!(error instanceof StorageError)) throw error
    failed(error)
  }
}

/** SQLite's primary result codes that we tell apart. */
const primary = {
  busy: 5,
  readOnly: 8,
  io: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notDatabase: 26,
}

function primaryCode(error: unknown): number {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined
  return typeof code === 'number' ? code & 255 : 0
}

export const isOfSqlite = (error: unknown) => primaryCode(error) > 0

export const isBusy = (error: unknown) => primaryCode(error) === primary.busy

/** Whether SQLite finds its file damaged; a damaged record inside a sound file is not this. */
export const isDamage = (error: unknown) =>
  [primary.corrupt, primary.notDatabase].includes(primaryCode(error))

/** Plain, as for a file without permission and for one whose header says so; not for a moved one. */
export const saysReadOnly = (error: unknown) =>
  error instanceof Error && 'errcode' in error && error.errcode === primary.readOnly

export const isReadOnly = (error: unknown) =>
  [primary.readOnly, primary.cannotOpen].includes(primaryCode(error))

/**
 * SQLite says that the disk did not do it of the memory that its processes share when no byte is free,
 * and that it cannot open a file of one that it cannot make.
 */
export const mayBeOfRoom = (error: unknown) =>
  [primary.io, primary.cannotOpen].includes(primaryCode(error))

/** Whether the disk has no room, said by SQLite or by the file system. */
export function isFull(error: unknown): boolean {
  if (primaryCode(error) === primary.full) return true
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG'
}
