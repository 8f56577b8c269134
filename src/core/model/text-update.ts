// What is done with updates of text: order, cut to size, offer to a server, joined.

import * as Y from 'yjs'
import { assert } from './errors.ts'
import { deletedRangesMax, writersPerUpdateMax } from './limits.ts'
import { isHigh, isLow } from './surrogates.ts'
import {
  decodeTextUpdate,
  encodeTextUpdate,
  structFrom,
  structTo,
  textRoot,
  type Deletes,
  type Id,
  type Range,
  type TextStruct,
  type TextUpdate,
} from './update-format.ts'

export * from './update-format.ts'

/**
 * Cuts an update into parts of at most `bytesMax` (at least 256) that have its effect when applied
 * in their order, each of which a gate passes after those before it; itself when it is small.
 */
export function splitTextUpdate(bytes: Uint8Array, bytesMax: number): Uint8Array[] {
  // A range takes two bytes at least.
  if (bytes.length <= Math.min(bytesMax, 2 * deletedRangesMax)) return [bytes]
  const update = decodeTextUpdate(bytes)
  if (bytes.length <= bytesMax && isWithinCounts(update)) return [bytes]
  const order = causalOrder(update.structs)
  assert(order, 'the structs of an own update have an order')
  const parts = new Parts(bytesMax)
  const newFrom = (writer: number) => update.structs.get(writer)?.[0]?.clock ?? Infinity
  // First what was there before: a long text has no room beside it for what replaces it.
  for (const [writer, ranges] of update.deletes) {
    const before = without(ranges, [[newFrom(writer), Infinity]])
    for (const range of before) parts.addRange(writer, range)
  }
  for (const struct of order) parts.addStruct(struct)
  // Last what came with it: the text that is deleted must be there.
  for (const [writer, all] of update.deletes) {
    const ranges = rangesFrom(all, newFrom(writer))
    const gone = (update.structs.get(writer) ?? []).filter(({ kind }) => kind === 'deleted')
    const told = joined(gone.map(({ clock, length }) => [clock, length]))
    for (const range of without(ranges, told)) parts.addRange(writer, range)
  }
  return parts.finish()
}

/**
 * What must be pushed to a server that has `stateVector` and `deletes` (the joined delete sets of
 * all it sent): text of `writers` that it lacks, and deletes that it lacks, whoever wrote the text,
 * as far as it knows the text or gets it with this. Undefined when it lacks nothing.
 */
export function offer(
  doc: Y.Doc,
  stateVector: Uint8Array,
  deletes: Deletes,
  writers: ReadonlySet<number>,
): Uint8Array | undefined {
  const known = Y.decodeStateVector(stateVector)
  const update: TextUpdate = { structs: new Map(), deletes: new Map() }
  for (const [writer, items] of doc.store.clients) {
    const from = known.get(writer) ?? 0
    const until = Y.getState(doc.store, writer)
    const isOwn = writers.has(writer)
    if (isOwn && from < until) update.structs.set(writer, structsAfter(items, from))
    const reach = isOwn ? until : Math.min(from, until)
    const deleted = deletedIn(items, reach)
    // Text that is gone goes with its deletion, for those who have it as text.
    const ranges = isOwn
      ? joined([...without(deleted, deletes.get(writer) ?? []), ...rangesFrom(deleted, from)])
      : without(deleted, deletes.get(writer) ?? [])
    if (ranges.length > 0) update.deletes.set(writer, ranges)
  }
  if (update.structs.size === 0 && update.deletes.size === 0) return undefined
  return encodeTextUpdate(update)
}

/**
 * Of an update the text below these clocks that somebody who has `known` lacks. What of it is deleted
 * goes with its deletion: it may be there once more, by an undo. Undefined when it is none.
 */
export function textBelow(
  update: TextUpdate,
  clocks: ReadonlyMap<number, number>,
  known: ReadonlyMap<number, number>,
): Uint8Array | undefined {
  const part: TextUpdate = { structs: new Map(), deletes: new Map() }
  for (const [each, list] of update.structs) {
    const from = known.get(each) ?? 0
    const until = clocks.get(each) ?? 0
    const structs = list.flatMap((struct) => structWithin(struct, from, until))
    if (structs.length === 0) continue
    part.structs.set(each, structs)
    const ranges = joined(
      structs.flatMap(({ kind, clock, length }): Range[] => {
        if (kind === 'deleted') return [[clock, length]]
        return [...within(update.deletes.get(each), clock, clock + length)]
      }),
    )
    if (ranges.length > 0) part.deletes.set(each, ranges)
  }
  return part.structs.size === 0 ? undefined : encodeTextUpdate(part)
}

function structWithin(struct: TextStruct, from: number, until: number): TextStruct[] {
  const { clock, length } = struct
  const begin = Math.max(clock, from)
  const end = Math.min(clock + length, until)
  if (begin >= end) return []
  const rest = begin === clock ? struct : structFrom(struct, begin - clock)
  return [end - begin === rest.length ? rest : structTo(rest, end - begin)]
}

/** Everything of these updates in one, each unit once, whatever their order and overlaps. */
export function mergeTextUpdates(updates: Iterable<TextUpdate>): TextUpdate {
  const merged: TextUpdate = { structs: new Map(), deletes: new Map() }
  for (const { structs, deletes } of updates) {
    for (const [writer, list] of structs) appendTo(merged.structs, writer, list)
    for (const [writer, ranges] of deletes) appendTo(merged.deletes, writer, ranges)
  }
  for (const [writer, list] of merged.structs) merged.structs.set(writer, onceEach(list))
  for (const [writer, ranges] of merged.deletes) merged.deletes.set(writer, joined(ranges))
  return merged
}

/** Takes the ranges of `from` into `into`. */
export function joinDeletes(into: Deletes, from: Deletes): void {
  for (const [writer, ranges] of from) {
    const known = into.get(writer)
    into.set(writer, joined(known ? [...known, ...ranges] : ranges))
  }
}

/**
 * All structs such that each comes after those of its neighbours that are in the update; undefined
 * when some lie in a circle, which no honest writer makes.
 */
export function causalOrder(structs: Map<number, TextStruct[]>): TextStruct[] | undefined {
  if (structs.size === 1) for (const list of structs.values()) return list
  const cursors = new Map<number, Cursor>()
  for (const [writer, list] of structs) cursors.set(writer, { list, next: 0, isWaiting: false })
  const order: TextStruct[] = []
  for (const cursor of cursors.values()) {
    const stack = [{ cursor, until: Infinity }]
    while (stack.length > 0) {
      const top = stack.at(-1)!
      const struct = top.cursor.list[top.cursor.next]
      if (struct === undefined || struct.clock > top.until) {
        top.cursor.isWaiting = false
        stack.pop()
        continue
      }
      const cause =
        outstanding(struct.left, struct, cursors) ?? outstanding(struct.right, struct, cursors)
      if (cause === undefined) {
        order.push(struct)
        top.cursor.next++
      } else {
        top.cursor.isWaiting = true
        if (cause.cursor.isWaiting) return undefined
        stack.push(cause)
      }
    }
  }
  return order
}

interface Cursor {
  list: TextStruct[]
  next: number
  isWaiting: boolean
}

/** What must come before `struct` because of its neighbour `id`, if that is still to come. */
function outstanding(id: Id | undefined, struct: TextStruct, cursors: Map<number, Cursor>) {
  if (id === undefined || id.writer === struct.writer) return undefined
  const cursor = cursors.get(id.writer)
  const next = cursor?.list[cursor.next]
  if (cursor === undefined || next === undefined || next.clock > id.clock) return undefined
  const last = cursor.list.at(-1)!
  return id.clock < last.clock + last.length ? { cursor, until: id.clock } : undefined
}

/** Sorts ranges and joins those that touch. */
function joined(ranges: Range[]): Range[] {
  const result: Range[] = []
  for (const [clock, length] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = result.at(-1)
    if (last && clock <= last[0] + last[1]) last[1] = Math.max(last[1], clock + length - last[0])
    else result.push([clock, length])
  }
  return result
}

function isWithinCounts({ structs, deletes }: TextUpdate): boolean {
  let ranges = 0
  for (const list of deletes.values()) ranges += list.length
  return structs.size <= writersPerUpdateMax && ranges <= deletedRangesMax
}

function appendTo<T>(lists: Map<number, T[]>, writer: number, items: T[]): void {
  const list = lists.get(writer)
  if (list === undefined) lists.set(writer, items.slice())
  else for (const item of items) list.push(item)
}

/** Structs of one writer by clock, without overlaps and skips. */
function onceEach(list: TextStruct[]): TextStruct[] {
  const result: TextStruct[] = []
  let end = -1
  for (const struct of list.sort((a, b) => a.clock - b.clock)) {
    const next = struct.clock + struct.length
    if (struct.kind === 'skip' || next <= end) continue
    result.push(struct.clock < end ? structFrom(struct, end - struct.clock) : struct)
    end = next
  }
  return result
}

type Items = ReadonlyArray<Y.Item | Y.GC>

/** The items of one writer from this clock on, as structs. */
function structsAfter(items: Items, clock: number): TextStruct[] {
  const first = Y.findIndexSS(items as (Y.Item | Y.GC)[], clock)
  const structs = items.slice(first).map(structOf)
  const offset = clock - structs[0]!.clock
  if (offset > 0) structs[0] = structFrom(structs[0]!, offset)
  return structs
}

function structOf(item: Y.Item | Y.GC): TextStruct {
  const { client: writer, clock } = item.id
  const { length } = item
  if (item instanceof Y.GC) {
    return { writer, clock, length, kind: 'gc', left: undefined, right: undefined, text: '' }
  }
  const text = item.content instanceof Y.ContentString ? item.content.str : ''
  const kind = text.length > 0 ? 'text' : 'deleted'
  const left = idOf(item.origin)
  return { writer, clock, length, kind, left, right: idOf(item.rightOrigin), text }
}

/** The unit that Yjs names so. */
export function idOf(id: Y.ID | null): Id | undefined {
  return id ? { writer: id.client, clock: id.clock } : undefined
}

/** The deleted ranges among these items below the clock `reach`, touching ones joined. */
function deletedIn(items: Items, reach: number): Range[] {
  const ranges: Range[] = []
  let last: Range | undefined
  for (let index = 0; index < items.length; index++) {
    const item = items[index]!
    if (!item.deleted) continue
    const { clock } = item.id
    if (clock >= reach) break
    const length = Math.min(item.length, reach - clock)
    if (last && last[0] + last[1] === clock) last[1] += length
    else ranges.push((last = [clock, length]))
  }
  return ranges
}

/** What of ascending ranges is at `clock` or behind it. */
function rangesFrom(ranges: Range[], clock: number): Range[] {
  return ranges.flatMap(([start, length]): Range[] => {
    const first = Math.max(start, clock)
    return first < start + length ? [[first, start + length - first]] : []
  })
}

/** `ranges` minus `known`; both ascend. */
function without(ranges: Range[], known: Range[]): Range[] {
  if (known.length === 0) return ranges
  const rest: Range[] = []
  let index = 0
  for (const [clock, length] of ranges) {
    const end = clock + length
    let at = clock
    while (index < known.length && known[index]![0] + known[index]![1] <= at) index++
    for (let next = index; next < known.length && known[next]![0] < end; next++) {
      const [from, count] = known[next]!
      if (from > at) rest.push([at, from - at])
      at = from + count
    }
    if (at < end) rest.push([at, end - at])
  }
  return rest
}

// Sizes of numbers: at most eight bytes each, counts and lengths at most five.
const headerBytesMax = 5 + 8 + 8
const rangeBytesMax = 8 + 8
const characterBytesMax = 4

/** Most that a struct takes, apart from its text. */
function structBytesMax({ left, right }: TextStruct): number {
  const parentBytes = left || right ? 0 : 2 + textRoot.length
  return 1 + (left ? 16 : 0) + (right ? 16 : 0) + parentBytes + 8
}

/** Fills parts one after another. */
class Parts {
  readonly #bytesMax: number
  readonly #done: Uint8Array[] = []
  #structs = new Map<number, TextStruct[]>()
  #deletes: Deletes = new Map()
  #ranges = 0
  #bytes = 0

  constructor(bytesMax: number) {
    // The two counts of writers.
    this.#bytesMax = bytesMax - 10
  }

  addStruct(struct: TextStruct): void {
    let rest = struct
    for (;;) {
      const isNew = !this.#structs.has(rest.writer)
      const isGone = rest.kind === 'deleted'
      const frameBytes =
        structBytesMax(rest) +
        (isNew ? headerBytesMax : 0) +
        (isGone ? headerBytesMax + rangeBytesMax : 0)
      const room = this.#bytesMax - this.#bytes - frameBytes
      const isFull =
        room < characterBytesMax ||
        (isNew && this.#structs.size === writersPerUpdateMax) ||
        (isGone && this.#ranges === deletedRangesMax)
      if (isFull && this.#bytes > 0) {
        this.#close()
        continue
      }
      const fit = prefixWithin(rest.text, room)
      const isWhole = fit.length === rest.text.length
      this.#put(isWhole ? rest : structTo(rest, fit.length))
      if (isGone) this.#putRange(rest.writer, [rest.clock, rest.length])
      this.#bytes += frameBytes + fit.bytes
      if (isWhole) return
      this.#close()
      rest = structFrom(rest, fit.length)
    }
  }

  addRange(writer: number, range: Range): void {
    const isFull = this.#bytes + headerBytesMax + rangeBytesMax > this.#bytesMax
    if (isFull || this.#ranges === deletedRangesMax) this.#close()
    this.#bytes += rangeBytesMax + (this.#deletes.has(writer) ? 0 : headerBytesMax)
    this.#putRange(writer, range)
  }

  finish(): Uint8Array[] {
    this.#close()
    return this.#done
  }

  #put(part: TextStruct): void {
    const list = this.#structs.get(part.writer)
    if (list) list.push(part)
    else this.#structs.set(part.writer, [part])
  }

  #putRange(writer: number, range: Range): void {
    const list = this.#deletes.get(writer)
    if (list) list.push(range)
    else this.#deletes.set(writer, [range])
    this.#ranges++
  }

  #close(): void {
    if (this.#bytes === 0) return
    for (const [writer, ranges] of this.#deletes) this.#deletes.set(writer, joined(ranges))
    this.#done.push(encodeTextUpdate({ structs: this.#structs, deletes: this.#deletes }))
    this.#structs = new Map()
    this.#deletes = new Map()
    this.#ranges = 0
    this.#bytes = 0
  }
}

/** How much of a text fits into these bytes of UTF-8, without parting a surrogate pair. */
function prefixWithin(text: string, bytesMax: number): { length: number; bytes: number } {
  let bytes = 0
  let length = 0
  while (length < text.length) {
    const code = text.charCodeAt(length)
    const isPair = isHigh(code) && isLow(text.charCodeAt(length + 1))
    const next = code < 0x80 ? 1 : code < 0x800 ? 2 : isPair ? 4 : 3
    if (bytes + next > bytesMax) break
    bytes += next
    length += isPair ? 2 : 1
  }
  return { length, bytes }
}

/** Of ascending ranges the index of the first that reaches beyond a clock. */
export function firstBeyond(ranges: Range[], clock: number): number {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >> 1
    const [start, length] = ranges[middle]!
    if (start + length <= clock) low = middle + 1
    else high = middle
  }
  return low
}

/** What of these ascending ranges is between `clock` and `end`. */
export function* within(ranges: Range[] = [], clock: number, end: number): Iterable<Range> {
  for (let index = firstBeyond(ranges, clock); index < ranges.length; index++) {
    const [first, length] = ranges[index]!
    if (first >= end) return
    const start = Math.max(clock, first)
    yield [start, Math.min(end, first + length) - start]
  }
}
