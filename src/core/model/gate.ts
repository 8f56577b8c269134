// The gate: every update of a client is checked here, before it touches a document.

import * as Y from 'yjs'
import { byteLength } from './byte-length.ts'
import { manyCuts } from './cutting.ts'
import { cutSteps, Draft, itemAt } from './draft.ts'
import { FourfoldError } from './errors.ts'
import {
  deletedRangesMax,
  gateStepsMax,
  structsMax,
  textBytesMax,
  updateBytesMax,
  writersPerUpdateMax,
} from './limits.ts'
import { itemsOf, liveBytes } from './text-bytes.ts'
import {
  causalOrder,
  decodeTextUpdate,
  isItem,
  malformed,
  refersToItself,
  structFrom,
  textRoot,
  type Deletes,
  type Range,
  type TextStruct,
  type TextUpdate,
  within,
} from './text-update.ts'

/** In a text of nearly too many structs every update is looked at. */
const sparedStructs = 1000

/** To pass by an item is so much of a step: nothing is made of it. */
const passedSteps = 1 / 20

/** What one look at an update has taken so far. */
interface Work {
  steps: number
}

export type GateAnswer =
  /**
   * May be applied. isNoop: everything in it is known. mayGoOn: one struct of it is new, nothing waits
   * in the document for it to come, and of room for structs there is plenty. `structs`: how many would
   * be added. `steps`: what it took to look, and about what it takes to merge.
   */
  | {
      type: 'pass'
      isNoop: boolean
      mayGoOn: boolean
      structs: number
      steps: number
      update: TextUpdate
    }
  /** It rests on text that is not here: the client must open the document again. */
  | { type: 'gap' }
  | { type: 'refused'; steps: number; error: FourfoldError }

/** How large a document is, before the update. */
export interface TextSizes {
  /** Of its text as UTF-8; or more, if the update has room beside that. */
  bytes: number
  structs: number
}

/**
 * Whether `bytes`, sent by a client that may write as `writers` ('any' when a server of the set has
 * taken the bytes before, and says so by its seal), may be applied to `doc`. Changes
 * nothing, throws nothing whatever the bytes are.
 */
export function gate(
  doc: Y.Doc,
  bytes: Uint8Array,
  writers: ReadonlySet<number> | 'any',
  sizes: TextSizes,
): GateAnswer {
  const work: Work = { steps: 0 }
  try {
    if (bytes.length > updateBytesMax) {
      throw tooLarge(`The update is larger than ${mebibytes(updateBytesMax)}; send it in parts.`)
    }
    const update = decodeTextUpdate(bytes)
    checkForm(update, writers)
    const added = newStructs(doc, update)
    if (added === undefined) return { type: 'gap' }
    checkSize(doc, update, added, sizes)
    // Typing: one run between two neighbours that still stand beside each other.
    const isTyping = added.length === 1 && areBeside(doc, added[0]!)
    const stepsMax = gateStepsMax + sizes.structs
    checkPlaces(doc, isTyping ? [] : added, update.deletes, { work, stepsMax })
    const isNoop = added.length === 0 && areDeleted(doc, update.deletes, work)
    const mayGoOn = added.length === 1 && hasPlenty(doc, sizes)
    const { steps } = work
    return { type: 'pass', isNoop, mayGoOn, structs: added.length, steps, update }
  } catch (error) {
    if (error instanceof FourfoldError) return { type: 'refused', steps: work.steps, error }
    throw error
  }
}

/**
 * Whether an update that is well made leaves room in the text. Throws FourfoldError 'too-large'.
 */
export function checkGrowth(doc: Y.Doc, bytes: Uint8Array, sizes: TextSizes): void {
  const update = decodeTextUpdate(bytes)
  checkSize(doc, update, newStructs(doc, update) ?? [], sizes)
}

/** What can be said without the document. */
function checkForm({ structs, deletes }: TextUpdate, writers: ReadonlySet<number> | 'any'): void {
  if (structs.size > writersPerUpdateMax) {
    throw tooLarge(`The update has more than ${writersPerUpdateMax} writers; send it in parts.`)
  }
  let ranges = 0
  for (const list of deletes.values()) ranges += list.length
  if (ranges > deletedRangesMax) {
    const limit = deletedRangesMax.toLocaleString('en')
    throw tooLarge(`The update deletes more than ${limit} ranges; send it in parts.`)
  }
  for (const [writer, list] of structs) {
    if (writers !== 'any' && !writers.has(writer)) {
      throw new FourfoldError('forbidden', `The writer id ${writer} belongs to somebody else.`)
    }
    if (!list.every(isItem)) throw malformed('a gap has no place in an update of a text file')
    // Yjs always says it twice. Said once, it would reach only those who lack the clocks: whoever got
    // them as text before, in another update of that writer, would keep the text for ever.
    for (const { clock, length, kind } of list) {
      if (kind !== 'deleted') continue
      if (unitsWithin(deletes.get(writer), clock, clock + length) === length) continue
      throw malformed('text is gone that it does not delete')
    }
  }
}

/**
 * The structs, or parts of them, that the document lacks, each after its neighbours. Undefined when
 * something they rest on, or text to be deleted, is neither in the document nor before them.
 */
function newStructs(doc: Y.Doc, { structs, deletes }: TextUpdate): TextStruct[] | undefined {
  const order = causalOrder(structs)
  if (order === undefined) throw malformed('the update refers to itself')
  const ends = new Map<number, number>()
  const endOf = (writer: number) => ends.get(writer) ?? Y.getState(doc.store, writer)
  const added: TextStruct[] = []
  for (const struct of order) {
    const { writer, clock, left, right } = struct
    if (refersToItself(struct)) throw malformed('the update refers to itself')
    const known = endOf(writer)
    if (clock > known) return undefined
    if (left && left.clock >= endOf(left.writer)) return undefined
    if (right && right.clock >= endOf(right.writer)) return undefined
    const end = clock + struct.length
    if (end <= known) continue
    added.push(clock < known ? structFrom(struct, known - clock) : struct)
    ends.set(writer, end)
  }
  for (const [writer, ranges] of deletes) {
    const [clock, length] = ranges.at(-1)!
    if (clock + length > endOf(writer)) return undefined
  }
  return added
}

/** An update that only deletes is always within bounds. */
function checkSize(doc: Y.Doc, update: TextUpdate, added: TextStruct[], sizes: TextSizes): void {
  if (added.length === 0) return
  if (sizes.structs + added.length > structsMax) {
    const limit = structsMax.toLocaleString('en')
    throw tooLarge(`The file would be larger than ${limit} pieces of text.`)
  }
  let bytes = sizes.bytes
  for (const { text } of added) bytes += byteLength(text)
  if (bytes <= textBytesMax) return
  for (const { writer, clock, text } of added) {
    for (const [start, length] of within(update.deletes.get(writer), clock, clock + text.length)) {
      bytes -= byteLength(text, start - clock, start - clock + length)
    }
  }
  for (const [writer, ranges] of update.deletes) {
    for (const range of ranges) bytes -= liveBytes(doc, writer, range)
  }
  // Servers that were apart may have made it longer together: whatever leaves it no longer is let in.
  if (bytes > textBytesMax && bytes > sizes.bytes) {
    throw tooLarge(`The file would be larger than ${mebibytes(textBytesMax)}.`)
  }
}

/** Where the new text would come to stand, and what that and the deletes would cost. */
function checkPlaces(
  doc: Y.Doc,
  added: TextStruct[],
  deletes: Deletes,
  { work, stepsMax }: { work: Work; stepsMax: number },
): void {
  const cuts = manyCuts(deletes, added)
  if (added.length > 0) {
    const draft = new Draft(doc, cuts)
    for (const struct of added) {
      const fits = draft.place(struct, stepsMax)
      work.steps = draft.steps
      if (!fits) throw malformed('neighbours of the text do not fit')
      if (work.steps >= stepsMax) break
    }
  }
  if (cuts) {
    // All pieces of a writer are put into a new row.
    for (const writer of cuts.keys()) {
      work.steps += (doc.store.clients.get(writer)?.length ?? 0) / 1000
    }
    for (const ranges of deletes.values()) work.steps += ranges.length
  } else {
    for (const [writer, ranges] of deletes) {
      // Both ends of a range may cut an item.
      for (const [clock] of ranges) {
        if (work.steps < stepsMax) work.steps += 2 * cutSteps(doc, writer, clock)
      }
    }
  }
  if (work.steps >= stepsMax) throw tooLarge('The update would take too long to merge.')
}

/**
 * Whether a gate would let more in that many writers put behind what they put last: it would find no
 * text of a server that waited for theirs, and room for some structs of each.
 */
function hasPlenty({ store }: Y.Doc, { structs }: TextSizes): boolean {
  return store.pendingStructs === null && structs + sparedStructs <= structsMax
}

/** Whether a struct's neighbours stand directly beside each other in the document. */
function areBeside(doc: Y.Doc, { left, right }: TextStruct): boolean {
  const leftItem = left && itemAt(doc, left)
  const rightItem = right && itemAt(doc, right)
  if ((left && !leftItem) || (right && !rightItem)) return false
  if (left && right && leftItem === rightItem) return left.clock + 1 === right.clock
  if (left && leftItem && left.clock + 1 < leftItem.id.clock + leftItem.length) return false
  if (right && rightItem && right.clock > rightItem.id.clock) return false
  const next = leftItem ? leftItem.right : doc.getText(textRoot)._start
  return next === (rightItem ?? null)
}

function areDeleted(doc: Y.Doc, deletes: Deletes, work: Work): boolean {
  for (const [writer, ranges] of deletes) {
    for (const range of ranges) {
      for (const item of itemsOf(doc, writer, range)) {
        work.steps += passedSteps
        if (!item.deleted) return false
      }
    }
  }
  return true
}

/** How many of the clocks from `clock` to before `end` are in these ascending ranges. */
function unitsWithin(ranges: Range[] | undefined, clock: number, end: number): number {
  let units = 0
  for (const [, length] of within(ranges, clock, end)) units += length
  return units
}

const tooLarge = (text: string) => new FourfoldError('too-large', text)
const mebibytes = (bytes: number) => `${bytes / 1024 / 1024} MiB`
