// `fourfold watch`: a line for each change as it happens, also across the death of servers.
//
// The server tells with each change which updates it stands for. Whoever comes back, to this or to
// another server, says which it was told of, and is told what lies beyond: nothing twice, nothing not.
// Two servers that carried out the same operation have different updates of it: it says which that is.

import { joined } from '../core/model/path.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import { Code } from '@connectrpc/connect'
import {
  covers,
  fromSeen,
  raise,
  toSeen,
  type VersionVector,
} from '../core/model/version-vector.ts'
import { Kind, WatchEvent, type File, type WatchResponse } from '../core/model/wire.ts'
import { fileJson, sharedPath, shownPath, written } from './answer.ts'
import { exitCodes, printable, readWords, type Command } from './command.ts'
import { untilEnded } from './ending.ts'
import { fileAt } from './listing.ts'
import {
  AnswerError,
  NoServerError,
  type SetClient,
  setHelp,
  setOptions,
  withSet,
} from './set-client.ts'

/** Where no server answers, all are tried again after this. */
const againMs = 1000
/** What was done at a server that dies is asked of the next within seconds: some 100 bytes each. */
const toldOperationsMax = 20_000

export const watch: Command = {
  help: `Usage: fourfold watch [PATH] [--json]

Prints a line for each change of the folder, or of the file or directory PATH, until Ctrl+C. When the
server dies, another goes on telling: nothing is told twice, and nothing is left out.

  --json             a line is {"event", "at", "file": {…}, "from"}: event is "created", "changed",
                     "renamed", "moved" or "deleted", file as \`fourfold ls --json\` shows it, and
                     from the path that it had before it was renamed or moved
${setHelp}
Example:
  fourfold watch specs --json | jq -r .file.path
`,
  async run(words) {
    const options = { ...setOptions, json: { type: 'boolean' } } as const
    const { values, positionals } = readWords(words, options, { may: ['PATH'] })
    const path = sharedPath(positionals[0] ?? '')
    const ending = untilEnded()
    // It has its own patience, without end.
    await withSet({ ...values, goOnMs: 0 }, async (set) => {
      const top = path === '' ? '' : (await fileAt(set, path)).id
      const tell = values.json ? jsonLine : line
      ending.addEventListener('abort', () => set.close())
      await new Watch(set, top, tell).run(ending)
    })
    return exitCodes.done
  },
}

type EventName = 'created' | 'changed' | 'renamed' | 'moved' | 'deleted'

interface Told {
  event: EventName
  file: File
  /** The path before, where that is another one. */
  from: string | undefined
}

/** A file as it was told last. */
interface Known {
  name: string
  parent: string
  isDeleted: boolean
  /** Of what it holds, where that is no text. */
  hash: string
}

class Watch {
  readonly #set: SetClient
  readonly #top: string
  readonly #show: (told: Told) => string
  /** Every file and directory ever told, by id. */
  readonly #known = new Map<string, Known>()
  /** The updates told; absent until the first listing is complete. */
  #seen: VersionVector | undefined
  /** Operations and their files of which was told lately, as long as others may be asked for the same. */
  readonly #operations = new Set<string>()
  /** What a server tells at first: complete, or as if it had not been told. */
  #listing: WatchResponse[] | undefined

  /** `top` is the id of what is watched; empty: all. */
  constructor(set: SetClient, top: string, show: (told: Told) => string) {
    this.#set = set
    this.#top = top
    this.#show = show
  }

  /** Until the signal, or an error that waiting does not mend. */
  async run(ending: AbortSignal): Promise<void> {
    let isTold = false
    while (!ending.aborted) {
      try {
        await this.#set.read(
          ({ folder }, call) => {
            isTold = false
            this.#listing = []
            return folder.watch(this.#seen ? { since: { seen: toSeen(this.#seen) } } : {}, call)
          },
          (message) => this.#take(message),
        )
      } catch (error) {
        if (ending.aborted) return
        if (!this.#seen || !mayPass(error)) throw error
        if (!isTold) process.stderr.write(`${(error as Error).message} Trying again.\n`)
        isTold = true
      }
      // Cut short by the signal.
      await sleep(againMs, undefined, { signal: ending }).catch(() => {})
    }
  }

  async #take(message: WatchResponse): Promise<void> {
    const { event, file, seen, operation } = message
    const causes = fromSeen(seen?.seen)
    if (this.#listing) {
      this.#listing.push(message)
      if (event !== WatchEvent.READY) return
      const listing = this.#listing
      this.#listing = undefined
      const isFirst = this.#seen === undefined
      this.#seen ??= new Map()
      raise(this.#seen, causes)
      if (isFirst) for (const each of listing) this.#keep(each.file)
      else await this.#missed(listing)
      return
    }
    const name = eventNames[event]
    if (!file || !name) return
    // A server that was behind tells what another has told before.
    if (causes.size > 0 && covers(this.#seen!, causes)) return
    raise(this.#seen!, causes)
    if (!this.#isKnown(name, file, operation)) await this.#tell(name, file)
  }

  /** Whether another server did the same, and told of it. */
  #isKnown(event: EventName, file: File, operation: string): boolean {
    const isTold = this.#isTold(operation, file.id)
    const before = this.#known.get(file.id)
    if (!before) return false
    const isGone = this.#above(file.id).some((each) => this.#known.get(each)?.isDeleted)
    if (event === 'deleted') return isGone
    if (event === 'created') return !isGone
    if (event !== 'changed') return before.name === file.name && before.parent === file.parent
    return isTold || (file.hash !== '' && before.hash === file.hash)
  }

  /** Whether this operation ("": one of many, or not known) was told of for this file; now it is. */
  #isTold(operation: string, file: string): boolean {
    if (operation === '') return false
    const key = `${operation} ${file}`
    const isTold = this.#operations.has(key)
    this.#operations.add(key)
    const [oldest] = this.#operations
    if (this.#operations.size > toldOperationsMax) this.#operations.delete(oldest!)
    return isTold
  }

  /** What changed while nobody told of it, against what was known. */
  async #missed(listing: WatchResponse[]): Promise<void> {
    /** Of these it need not be told that their content changed. */
    const done = new Set<string>()
    for (const { event, file, operation } of listing) {
      if (!file) continue
      const before = this.#known.get(file.id)
      if (event === WatchEvent.PRESENT) {
        const name = missedEvent(before, file)
        if (name) await this.#tell(name, file)
        else this.#keep(file)
        if (name === 'created') done.add(file.id)
      }
      const isChanged = event === WatchEvent.CHANGED && !this.#isTold(operation, file.id)
      const isOther =
        isChanged || (before && !before.isDeleted && !file.isDeleted && before.hash !== file.hash)
      if (!isOther || done.has(file.id)) continue
      done.add(file.id)
      await this.#tell('changed', file)
    }
  }

  async #tell(event: EventName, file: File): Promise<void> {
    const before = this.#known.get(file.id)
    const from = before && this.#pathOf(file.id)
    const wasMeant = this.#isMeant(file.id)
    // As it is by now: it may have come back.
    this.#keep(event === 'deleted' ? { ...file, isDeleted: true } : file)
    if (!wasMeant && !this.#isMeant(file.id)) return
    const hasMoved = event === 'moved' || event === 'renamed'
    await written(`${this.#show({ event, file, from: hasMoved ? from : undefined })}\n`)
  }

  #keep(file: File | undefined): void {
    if (!file) return
    const { id, name, parent, isDeleted, hash } = file
    this.#known.set(id, { name, parent, isDeleted, hash })
  }

  #isMeant(id: string): boolean {
    return this.#top === '' || this.#above(id).includes(this.#top)
  }

  #pathOf(id: string): string {
    return this.#above(id).reduce((path, each) => {
      const name = this.#known.get(each)?.name ?? ''
      return path === '' ? name : joined(name, path)
    }, '')
  }

  /** It and the directories above it, from below. */
  #above(id: string): string[] {
    const ids: string[] = []
    // The parents come from different moments: together they might go round.
    for (let at = id; at !== '' && !ids.includes(at); at = this.#known.get(at)?.parent ?? '') {
      ids.push(at)
    }
    return ids
  }
}

/** What happened to its place since it was known so. */
function missedEvent(before: Known | undefined, file: File): EventName | undefined {
  const wasThere = before !== undefined && !before.isDeleted
  if (!wasThere) return file.isDeleted ? undefined : 'created'
  if (file.isDeleted) return 'deleted'
  if (before.parent !== file.parent) return 'moved'
  return before.name === file.name ? undefined : 'renamed'
}

const eventNames: { [event: number]: EventName } = {
  [WatchEvent.CREATED]: 'created',
  [WatchEvent.CHANGED]: 'changed',
  [WatchEvent.RENAMED]: 'renamed',
  [WatchEvent.MOVED]: 'moved',
  [WatchEvent.DELETED]: 'deleted',
}

/** Whether another try may go better: a server comes back, or what waits too long is listed again. */
function mayPass(error: unknown): boolean {
  return (
    error instanceof NoServerError ||
    (error instanceof AnswerError && error.code === Code.ResourceExhausted)
  )
}

function line({ event, file, from }: Told): string {
  const time = new Date().toTimeString().slice(0, 8)
  const slash = file.kind === Kind.DIRECTORY ? '/' : ''
  const before = from === undefined ? '' : ` (was ${printable(from)}${slash})`
  return `${time}  ${event.padEnd(7)}  ${shownPath(file)}${before}`
}

function jsonLine({ event, file, from }: Told): string {
  return JSON.stringify({ event, at: Date.now(), file: fileJson(file), from: from ?? null })
}
