// What goes into the folder: texts by a call, other bytes uploaded first. An intent is noted before it
// is sent, and sent again, the same, until it was answered.

import { Code, ConnectError } from '@connectrpc/connect'
import { changeOf, type Change } from '../../core/mirror/base-choice.ts'
import type { Act } from '../../core/mirror/messages.ts'
import { pathNow } from '../../core/mirror/paths.ts'
import { farther, reachAfter, reachOf, type Reach } from '../../core/mirror/reach.ts'
import { messageBytesMax } from '../../core/model/limits.ts'
import { editedText, mergeText } from '../../core/model/text-merge.ts'
import { hasBlob, uploadBlob } from '../../adapters/channel/blob-client.ts'
import type { OpenFile } from '../../adapters/mirror/directory.ts'
import { hash, type Found } from '../../adapters/mirror/look.ts'
import type { Grounds, Intent } from '../../adapters/mirror/store.ts'
import { newOperation } from '../../adapters/system.ts'
import {
  answerMs,
  AnswerError,
  NoServerError,
  type CallOptions,
  type ServerClients,
  type SetClient,
} from '../set-client.ts'
import { SaveCalls } from '../save-calls.ts'
import type { Parts } from './parts.ts'

/** Remembered at most. */
const refusedNewMax = 10_000
/** Two texts and a state fit into one message. */
const groundsBytesMax = messageBytesMax - 64 * 1024
/** Servers that answer, and still lack what a save is made from, have lost it. */
const regroundAfterMs = 10_000
/** How long after one try the next is made when no server answers. */
const retryMs = 1000

/** A text that came into a file after it was replaced. */
export interface Rescued {
  id: string
  path: string
  text: string
  change: Change
}

type Saving = Extract<Act, { type: 'create' | 'save' }>

export class Outgoing {
  readonly #options: Parts
  readonly #calls: SaveCalls
  readonly #intents = new Map<string, Intent>()
  /** Operations of files that were to be made where something else lies, by what they are. */
  readonly #refusedNew = new Map<string, string>()
  /** When saves were first sent in this life. */
  readonly #sentAt = new Map<string, number>()
  /** When bytes that no server took are sent again; undefined: there are none. */
  #retryAt: number | undefined

  constructor(options: Parts) {
    this.#options = options
    this.#calls = new SaveCalls(options.set)
    for (const intent of options.store.intents()) this.#intents.set(intent.operation, intent)
  }

  get isEmpty(): boolean {
    return this.#intents.size === 0
  }

  get nextAt(): number {
    return this.#retryAt ?? Infinity
  }

  addTo(waiting: Set<string>): void {
    for (const intent of this.#intents.values()) {
      for (const each of aboutOf(intent)) waiting.add(each)
    }
  }

  /** Identities of the files that a server is asked to make. */
  making(): Set<string> {
    const intents = [...this.#intents.values()]
    return new Set(intents.flatMap(({ isNew, identity }) => (isNew ? [identity] : [])))
  }

  /**
   * Resolves when a text was sent; bytes are on their way then. `file`: its id, or for the folder the path
   * of what is new. Rejects with NoServerError.
   */
  async save(act: Saving, item: Found, file: string): Promise<void> {
    const saved = this.#intent(act, item, file)
    const intent =
      item.kind === 'binary' ? this.#bytes(act, item, saved) : this.#text(act, item, saved)
    if (!intent) return
    const { store } = this.#options
    this.#intents.set(intent.operation, intent)
    await store.soon(() => store.addIntent(intent))
    if (intent.bytes) this.#upload(intent)
    else await this.#send(intent)
  }

  #intent(act: Saving, item: Found, file: string): Intent {
    const { path } = act
    const { version, identity, stamp } = item
    const isNew = act.type === 'create'
    const operation = (isNew && this.#refusedNew.get(essenceOf(item))) || newOperation()
    const place = { operation, file, isNew, path, identity, stamp, version }
    return { ...place, text: '', baseText: '', isRescue: false }
  }

  #text(act: Saving, item: Found, saved: Intent): Intent | undefined {
    const { directory, store, commons } = this.#options
    const text = directory.text(item)
    if (text === undefined) return undefined
    const intent = { ...saved, text }
    if (act.type === 'create') return intent
    const row = commons.get(act.id)
    if (row?.kind === 'binary') return { ...intent, baseHash: row.version }
    const common = store.text(act.id) ?? ''
    const change = changeOf(text, common, store.earlier(act.id), Date.now())
    return { ...intent, ...saidOf(text, change) }
  }

  #bytes(act: Saving, item: Found, saved: Intent): Intent | undefined {
    if (!item.stamp) return undefined
    const row = act.type === 'save' ? this.#options.commons.get(act.id) : undefined
    const { size } = item.stamp
    const bytes =
      row?.kind === 'text'
        ? { size, base: '', text: row.version }
        : { size, base: row?.version ?? '' }
    return { ...saved, bytes }
  }

  /** Text that came into a file after it was replaced: it is saved all the same. */
  rescue({ id, path, text, change }: Rescued): void {
    const place = { file: id, isNew: false, path, identity: '', stamp: undefined }
    const version = hash(text)
    const intent: Intent = {
      operation: newOperation(),
      ...place,
      text,
      version,
      ...saidOf(text, change),
      isRescue: true,
    }
    this.#options.store.addIntent(intent)
    this.#intents.set(intent.operation, intent)
  }

  /** Sends what was not answered. Rejects with NoServerError. */
  async settle({ isLast }: { isLast: boolean }): Promise<void> {
    const open = [...this.#intents.values()]
    const texts = open.filter(({ bytes }) => bytes === undefined)
    if (isLast) {
      // Rescued just now; what cannot be sent waits for the next life.
      await Promise.all(texts.map((intent) => this.#send(intent).catch(ignoreNoServer)))
      return
    }
    for (const intent of texts) await this.#send(intent)
    if (performance.now() < this.nextAt && this.#retryAt !== undefined) return
    this.#retryAt = undefined
    for (const intent of open) if (intent.bytes) this.#upload(intent)
  }

  // ----------------------------------------------------------------------------------- texts

  async #send(intent: Intent): Promise<void> {
    const { operation, file, isNew } = intent
    try {
      const change = await this.#changeOf(intent)
      const answer = await this.#calls.save({ file, ...change, isNew, operation })
      this.#options.folder.know(answer.file, answer.version)
      await this.#kept(intent, answer.file!.id, reachOf(answer.state))
    } catch (error) {
      this.#refused(intent, error)
    }
  }

  /** What is sent: always the same, once it may have reached a server. */
  async #changeOf(intent: Intent) {
    const { isNew, baseText, baseHash, meant: text = intent.text } = intent
    if (baseHash !== undefined) return { text, baseVersion: baseHash }
    if (isNew) return { text, baseVersion: '', baseText }
    const grounds = await this.#groundsOf(intent)
    if (!grounds) return fitting({ text, baseVersion: hash(baseText), baseText })
    const { base, state } = grounds
    const baseState = new Uint8Array(Buffer.from(state, 'base64'))
    return { text: grounds.text, baseVersion: hash(base), baseText: base, baseState }
  }

  async #groundsOf(intent: Intent): Promise<Grounds | undefined> {
    const { operation } = intent
    const sentAt = this.#sentAt.get(operation) ?? performance.now()
    this.#sentAt.set(operation, sentAt)
    if (intent.grounds && performance.now() - sentAt < regroundAfterMs) return intent.grounds
    const { set, store } = this.#options
    const { file, baseText, meant: text = intent.text } = intent
    try {
      const read = await set.ask(({ folder }, call) => folder.readFile({ file }, call))
      const merged = editedText(read.text, mergeText(baseText, read.text, text))
      const bytes = Buffer.byteLength(read.text) + Buffer.byteLength(merged) + read.state.length
      if (read.state.length === 0 || bytes > groundsBytesMax) return undefined
      const state = Buffer.from(read.state).toString('base64')
      const grounds = { text: merged, base: read.text, state }
      intent.grounds = grounds
      await store.soon(() => store.changeIntent(intent))
      this.#sentAt.set(operation, performance.now())
      return grounds
    } catch (error) {
      // What stands in the way of the save is told by the save.
      if (error instanceof AnswerError) return undefined
      throw error
    }
  }

  async #kept(intent: Intent, id: string, told?: Reach): Promise<void> {
    const { store, commons, report } = this.#options
    const { path, isNew, version, identity, stamp, text, bytes, isRescue } = intent
    await store.soon(() => {
      if (!isRescue) {
        // What was in it is what a program that is about to write into it has read, or others' since.
        if (text === '' && !bytes) store.keepEarlier(id, Date.now())
        const at = commons.get(id)?.path ?? pathNow(intent.file, commons.rows) ?? path
        const kind = bytes ? 'binary' : 'text'
        const row = { id, path: at, kind, version, identity, stamp } as const
        const reach = bytes ? undefined : this.#reachOf(intent, id, told)
        commons.keep(row, { intent: intent.operation }, reach)
      }
      this.#drop(intent)
    })
    report.done(isNew ? 'added' : 'saved', path)
  }

  /** How far a text has come at least that was saved. Something of it may have been lost before that. */
  #reachOf({ text, grounds, isNew }: Intent, id: string, told?: Reach): Reach | undefined {
    const before = this.#options.store.reach(id)
    if (told) return farther(told, before)
    if (isNew) return farther(reachAfter(undefined, '', text), before)
    if (!grounds) return before
    const read = reachOf(new Uint8Array(Buffer.from(grounds.state, 'base64')))
    return farther(reachAfter(read, grounds.base, grounds.text), before)
  }

  #drop({ operation }: Intent): void {
    this.#options.store.removeIntent(operation)
    this.#intents.delete(operation)
    this.#sentAt.delete(operation)
  }

  #refused(intent: Intent, error: unknown): void {
    const { path, file, isNew } = intent
    if (error instanceof AnswerError) {
      this.#drop(intent)
      // Others turned bytes into a text, or the other way round.
      if (intent.baseHash !== undefined) this.#options.folder.doubt()
    }
    this.#noteRefusedNew(intent, error)
    this.#options.refusals.answered(error, isNew ? path : file, path)
  }

  /**
   * Another file has its path. A server that died may have made it, and forgotten to say so: under
   * another name it is to be the same one.
   */
  #noteRefusedNew(intent: Intent, error: unknown): void {
    if (!intent.isNew || !(error instanceof AnswerError)) return
    if (error.code !== Code.AlreadyExists) return
    if (this.#refusedNew.size >= refusedNewMax) this.#refusedNew.clear()
    this.#refusedNew.set(essenceOf(intent), intent.operation)
  }

  // ----------------------------------------------------------------------------------- bytes

  #upload(intent: Intent): void {
    this.#options.transfers.start({
      key: intent.operation,
      about: aboutOf(intent),
      bytes: intent.bytes!.size,
      run: (set, signal) => this.#sendBytes(intent, set, signal),
    })
  }

  async #sendBytes(intent: Intent, set: SetClient, signal: AbortSignal): Promise<void> {
    const { directory, refusals } = this.#options
    const { path, isNew, file: shared } = intent
    let file: OpenFile | undefined
    try {
      file = directory.open(intent)
      const id = await this.#talk(intent, file, set, signal)
      if (id !== undefined) await this.#kept(intent, id)
      else {
        this.#drop(intent)
        this.#options.folder.doubt()
      }
    } catch (error) {
      if (error instanceof NoServerError || signal.aborted) {
        this.#retryAt = performance.now() + retryMs
        return
      }
      if (file && !file.isSame()) this.#drop(intent)
      else if (error instanceof AnswerError) this.#refused(intent, error)
      else {
        this.#drop(intent)
        refusals.byDisk(error, isNew ? path : shared, path)
      }
    } finally {
      file?.close()
    }
  }

  /**
   * The id of the file; undefined: there are no such bytes any more, or others changed the text in whose
   * place they were to come.
   */
  async #talk(
    intent: Intent,
    local: OpenFile | undefined,
    set: SetClient,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { version, file, isNew, operation } = intent
    const { size, base, text } = intent.bytes!
    const name = { hash: version, size }
    const answer = await set.talk(async (server, call, address) => {
      const line = { ...call, address, signal: AbortSignal.any([call.signal, signal]) }
      if (local) await uploadBlob(line, local.path, name, () => {})
      // The life before may have uploaded them.
      else if (!(await hasBlob(line, name))) return undefined
      if (text !== undefined && !(await isStill(server, call, file, text))) return undefined
      const request = { file, ...name, ...(!isNew && { base }), isNew, operation }
      return server.folder.saveBinary(request, { ...call, timeoutMs: answerMs })
    })
    if (!answer) return undefined
    this.#options.folder.know(answer.file)
    return answer.file!.id
  }
}

/** Whether a file is no text, or this one. */
async function isStill(
  { folder }: ServerClients,
  call: CallOptions,
  file: string,
  version: string,
): Promise<boolean> {
  try {
    const answer = await folder.readFile({ file }, { ...call, timeoutMs: answerMs })
    return answer.version === version
  } catch (error) {
    // It holds bytes already: these, or others that it keeps as well.
    if (ConnectError.from(error).code === Code.NotFound) return true
    throw error
  }
}

/** A base that is too long to go along is known by its version to who has it. */
function fitting({
  text,
  baseVersion,
  baseText,
}: Record<'text' | 'baseVersion' | 'baseText', string>) {
  const bytes = Buffer.byteLength(text) + Buffer.byteLength(baseText)
  return { text, baseVersion, ...(bytes <= groundsBytesMax && { baseText }) }
}

/** A change as an intent keeps it: a text that is on the disk as well is written once. */
function saidOf(text: string, change: Change): Pick<Intent, 'baseText' | 'meant'> {
  return { baseText: change.base, meant: change.text === text ? undefined : change.text }
}

/** What waits for an intent; the operation is the id of the file that it makes. */
function aboutOf({ file, path, isNew, operation }: Intent): string[] {
  return isNew ? [file, path, operation] : [file, path]
}

/** A file and what is in it. */
function essenceOf({ identity, version }: { identity: string; version: string }): string {
  return `${identity} ${version}`
}

function ignoreNoServer(error: unknown): void {
  if (!(error instanceof NoServerError)) throw error
}
