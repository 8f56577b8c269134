// What was refused, by a server or by the disk: left alone for a while, and told with the reason, by how
// the mirror stands.

import { Code } from '@connectrpc/connect'
import { doubling } from '../../core/model/doubling.ts'
import { errorCodeOf } from '../../adapters/error-code.ts'
import { AnswerError } from '../set-client.ts'
import type { FolderView } from './folder-view.ts'
import type { Report } from './report.ts'

/** What was refused is tried again after: it may have been refused for what passes. */
const refusedMs = 2000
const refusedForGoodMs = 30_000
/** What the disk refuses it may take in a moment, or in days: each time it is waited twice as long. */
const byDiskFirstMs = 1000

export interface Refusal {
  path: string
  why: string
  until: number
}

export class Refusals {
  /** By id or path. */
  readonly all = new Map<string, Refusal>()
  /** How often the disk was asked in vain, and until when it was given time last, by the same. */
  readonly #patience = new Map<string, { tries: number; until: number }>()
  readonly #folder: FolderView
  readonly #report: Report

  constructor(folder: FolderView, report: Report) {
    this.#folder = folder
    this.#report = report
  }

  /** When the first may be tried again. */
  get nextAt(): number {
    return Math.min(Infinity, ...[...this.all.values()].map(({ until }) => until))
  }

  addTo(waiting: Set<string>): void {
    const now = performance.now()
    for (const [key, { until }] of this.all) {
      if (until <= now) this.all.delete(key)
      else waiting.add(key)
    }
  }

  refuse(key: string, path: string, why: string, ms = refusedMs): void {
    this.all.set(key, { path, why, until: performance.now() + ms })
  }

  /** What became of a call that failed. Throws what it does not know, and NoServerError. */
  answered(error: unknown, key: string, path: string): void {
    if (!(error instanceof AnswerError)) throw error
    if (error.code === Code.Unauthenticated || error.code === Code.PermissionDenied) throw error
    const isPassing = [Code.NotFound, Code.AlreadyExists, Code.DataLoss].includes(error.code)
    if (isPassing) this.#folder.doubt()
    this.refuse(key, path, error.message, isPassing ? refusedMs : refusedForGoodMs)
  }

  /** What the disk did not take. Throws what is no matter of this one file. */
  byDisk(error: unknown, key: string, path: string): void {
    const why = reasons[errorCodeOf(error) ?? '']
    if (why === undefined) throw error
    this.refuse(key, path, why, this.#longer(key))
    if (isDiskFull(error)) this.#report.warn('disk', nothingIsBrought)
  }

  #longer(key: string): number {
    const now = performance.now()
    const last = this.#patience.get(key)
    // Long after the last time it is another matter.
    const isSame = last !== undefined && now < last.until + refusedForGoodMs
    const tries = isSame ? last.tries + 1 : 0
    const ms = doubling(byDiskFirstMs, refusedForGoodMs, tries)
    this.#patience.set(key, { tries, until: now + ms })
    return ms
  }
}

export const diskIsFull = 'The disk is full.'
export const nothingIsBrought = `${diskIsFull} Nothing is brought here until it has room.`

const full = 'The disk is full; it is tried again.'
const noName = 'This disk does not take its name.'
const forbidden = 'It may not be written here.'

const reasons: { [code: string]: string } = {
  ENOSPC: full,
  EDQUOT: full,
  EFBIG: 'The disk takes no file so large.',
  ENAMETOOLONG: noName,
  EINVAL: noName,
  EILSEQ: noName,
  EACCES: forbidden,
  EPERM: forbidden,
  EROFS: forbidden,
  EISDIR: 'A directory came into its place.',
  EMLINK: 'The disk takes no further name of it.',
  EXDEV: 'It lies on another disk than its directory.',
  EIO: 'The disk failed.',
}

/** SQLITE_FULL, SQLITE_IOERR, SQLITE_READONLY, SQLITE_CANTOPEN */
const storeCodes = new Set([13, 10, 8, 14])

/** The disk takes nothing: not even what the mirror notes. */
export function isDiskFull(error: unknown): boolean {
  const { code, errcode } = error as { code?: string; errcode?: number }
  if (code === 'ENOSPC' || code === 'EDQUOT') return true
  return code === 'ERR_SQLITE_ERROR' && errcode !== undefined && storeCodes.has(errcode & 0xff)
}
