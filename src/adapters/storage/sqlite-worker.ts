// The thread that writes a store: what it is asked, in order, and between that what can wait.

import { flushCompileCache } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import type { UpdateRows, WriterReply, WriterRequest } from './sqlite-messages.ts'
import { openWriting, told } from './sqlite-directory.ts'
import { fileAfterMs, StoreWriter } from './sqlite-writer.ts'
import { isDamage, type StorageError } from './storage-error.ts'

const port = parentPort!
const directory = workerData as string

type WriterState =
  | { name: 'writing'; writer: StoreWriter }
  /** Nothing is written any more: the disk may hold less than it said (fail stop). */
  | { name: 'stopped'; writer?: StoreWriter }

let state: WriterState = { name: 'stopped' }
let isCompacting = false
let forgetBefore: number | undefined
let later: NodeJS.Timeout | undefined
let soon: NodeJS.Immediate | undefined

port.on('message', (request: WriterRequest) => {
  if (request.type === 'close') close()
  else if (state.name === 'writing') attempt(state.writer, (writer) => perform(writer, request))
})

try {
  state = { name: 'writing', writer: new StoreWriter(openWriting(directory), Date.now) }
  tell({ type: 'opened' })
  // It may end without a word: what the next start can use is kept now.
  flushCompileCache()
  rest()
} catch (error) {
  fail(error)
}

function perform(writer: StoreWriter, request: Exclude<WriterRequest, { type: 'close' }>): void {
  switch (request.type) {
    case 'rows':
      insert(writer, request.rows)
      return
    case 'commit':
      insert(writer, request.rows)
      tell({ type: 'stored', ...writer.commit(request.end) })
      break
    case 'install':
      tell({ type: 'installed', ...writer.install(request.subject, request) })
      isCompacting = true
      break
    case 'forget':
      forgetBefore = request.before
      break
  }
  rest()
}

function insert(writer: StoreWriter, rows: UpdateRows): void {
  writer.insert(rows)
  // This thread makes little else that its garbage collector would come for.
  rows.records.buffer.transfer(0)
}

/** Has what can wait done when no request waits: in slices, so that the next waits for one only. */
function rest(): void {
  soon ??= setImmediate(() => {
    soon = undefined
    if (state.name === 'writing') attempt(state.writer, tidy)
  })
}

function tidy(writer: StoreWriter): void {
  if (writer.isInBatch) return
  if (writer.removeSome()) return rest()
  if (writer.shrinkSome()) return rest()
  if (isCompacting) tell({ type: 'compacted' })
  isCompacting = false
  if (forgetBefore !== undefined && writer.forgetSome(forgetBefore)) return rest()
  forgetBefore = undefined
  if (writer.hasMore) later ??= setTimeout(goOn, fileAfterMs)
}

function goOn(): void {
  later = undefined
  if (state.name !== 'writing' || state.writer.isInBatch) return
  attempt(state.writer, (writer) => writer.file())
  rest()
}

function attempt(writer: StoreWriter, action: (writer: StoreWriter) => void): void {
  try {
    action(writer)
  } catch (error) {
    fail(error)
  }
}

function fail(error: unknown): void {
  state = { ...state, name: 'stopped' }
  const { message, code } = told(directory, error) as StorageError
  tell({ type: 'failed', code, message, isDamaged: isDamage(error) })
}

function close(): void {
  clearImmediate(soon)
  clearTimeout(later)
  state.writer?.close()
  state = { name: 'stopped' }
  port.close()
}

function tell(reply: WriterReply): void {
  port.postMessage(reply)
}
