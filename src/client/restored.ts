// What is said of a restore, beside where its person is: which version, and the units that it put in and
// took out. It comes from another client, and servers do not look into it.

import { restoredTookMax, versionNameShownMax } from '../core/model/limits.ts'
import { countOf, type UnitEdit } from '../core/model/taken-text.ts'
import type { Deletes, Range } from '../core/model/text-update.ts'

export interface Restored extends UnitEdit {
  /** The restore's own. */
  id: string
  /** What the version is called; may be empty. */
  name: string
  /** When that was named: milliseconds since 1970. */
  at: number
  /** How many units it took: more than `took` tells of when these stood in too many places to say all. */
  units: number
}

/** As an awareness has it: see docs/protocol.md. */
export type RestoredJson = { [field: string]: unknown }

/** What fits in beside a caret is said. */
export function restoredJson(restored: Restored): RestoredJson {
  const { id, name, at, put, took, units } = restored
  const { lists, count } = listsOf(took)
  const said = { id, name: name.slice(0, versionNameShownMax), at, put, took: lists }
  return count < units ? { ...said, units } : said
}

/** By writer: each range by how far behind the one before it begins, and by its length. */
function listsOf(took: Deletes): { lists: number[][]; count: number } {
  const lists: number[][] = []
  let count = 0
  let room = restoredTookMax
  for (const [writer, ranges] of took) {
    const list = [writer]
    room -= `[${writer}],`.length
    let end = 0
    for (const [clock, length] of ranges) {
      const gap = clock - end
      end = clock + length
      room -= `,${gap},${length}`.length
      if (room < 0) return { lists, count }
      if (list.length === 1) lists.push(list)
      list.push(gap, length)
      count += length
    }
  }
  return { lists, count }
}

/** What `writer` says of a restore; undefined: nothing, or nothing that can be. */
export function restoredOf(json: unknown, writer: number): Restored | undefined {
  if (typeof json !== 'object' || json === null) return undefined
  const { id, name, at, put, took, units } = json as RestoredJson
  if (!isRestoreId(id) || typeof name !== 'string' || !isInstant(at)) return undefined
  const read = unitsOf(took)
  if (!isRange(put) || read === undefined) return undefined
  const shown = name.slice(0, versionNameShownMax)
  const count = units ?? countOf(read)
  if (!isCount(count) || count < countOf(read)) return undefined
  return { id, name: shown, at, writer, put, took: read, units: count }
}

/** 22 characters of base64url, as of any operation. */
export function isRestoreId(json: unknown): json is string {
  return typeof json === 'string' && /^[\w-]{22}$/.test(json)
}

function isInstant(json: unknown): json is number {
  return typeof json === 'number' && !Number.isNaN(new Date(json).getTime())
}

function isRange(json: unknown): json is Range {
  if (!Array.isArray(json) || json.length !== 2) return false
  const [clock, length] = json as unknown[]
  return isCount(clock) && isCount(length) && isCount(clock + length)
}

function unitsOf(json: unknown): Deletes | undefined {
  if (!Array.isArray(json)) return undefined
  const units: Deletes = new Map()
  for (const list of json) {
    if (!Array.isArray(list) || !list.every(isCount)) return undefined
    const [writer, ...gaps] = list
    if (writer === undefined || units.has(writer) || gaps.length % 2 > 0) return undefined
    const ranges: Range[] = []
    let end = 0
    for (let index = 0; index < gaps.length; index += 2) {
      const clock = end + gaps[index]!
      end = clock + gaps[index + 1]!
      ranges.push([clock, end - clock])
    }
    if (!isCount(end)) return undefined
    units.set(writer, ranges)
  }
  return units
}

function isCount(json: unknown): json is number {
  return Number.isSafeInteger(json) && (json as number) >= 0
}
