// Filling an empty set again with what a mirror knows: every entry under its old id, so that all who
// mirror the folder find their entries again.
//
// A file has the id of the operation that made it. So the operations are the ids: however often one is
// sent, and whether or not the answer to the last one came, it makes one entry.

import { Code } from '@connectrpc/connect'
import { joined, parentOf } from '../../core/model/path.ts'
import { lstatSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { File } from '../../core/model/wire.ts'
import type { CommonRow, MirrorStore } from '../../adapters/mirror/store.ts'
import { newOperation } from '../../adapters/system.ts'
import type { Receipt } from '../answer.ts'
import { ofOneFile, sendBytes, uploadAs } from '../blobs.ts'
import { quoted, typed } from '../called.ts'
import { CommandError, printable } from '../command.ts'
import { inLanes } from '../lanes.ts'
import { AnswerError, type Ask, type SetClient } from '../set-client.ts'
import { knows } from './everybody.ts'

/** Set in the store while a set is being filled: what is in it then is no stranger's. */
const begunKey = 'reseeding'
/** So often what is missing is looked for: a server may have died with what only it had. */
const roundsMax = 5
/** How long it is waited for the last server's disk, and how often it is looked. */
const spreadMs = 10_000
const spreadLookMs = 200

export interface LeftOut {
  path: string
  why: string
}

/** What there is to bring back. */
export interface Amount {
  directories: number
  texts: number
  binaries: number
}

export interface Bringing {
  /** Something is worked on. */
  show: (path: string) => void
  /** Something is done. */
  add: () => void
}

export class Reseeding {
  readonly leftOut: LeftOut[] = []
  readonly #root: string
  readonly #store: MirrorStore
  readonly #set: SetClient
  readonly #rows: readonly CommonRow[]
  /** Of the mirrored directory of the folder; empty: the top. */
  readonly #top: { id: string; path: string }
  #present = new Map<string, File>()

  /** `root`: the mirrored directory, without links on the way to it. */
  constructor(root: string, store: MirrorStore, set: SetClient) {
    this.#root = root
    this.#store = store
    this.#set = set
    this.#rows = store.commons().sort((a, b) => (a.path < b.path ? -1 : 1))
    this.#top = { id: store.meta('root') ?? '', path: store.meta('root path') ?? '' }
  }

  get amount(): Amount {
    const count = (is: string) => this.#rows.filter(({ kind }) => kind === is).length
    return { directories: count('directory'), texts: count('text'), binaries: count('binary') }
  }

  /** How many entries are still to be made. */
  get missing(): number {
    return this.#missing().length
  }

  /** Looks at the set. Rejects with CommandError when something is there that is not ours. */
  async check(): Promise<void> {
    await this.#list()
    if (this.#present.size === 0) return
    const ids = new Set([...this.#rows.map(({ id }) => id), this.#top.id])
    const strangers = [...this.#present.values()].filter(({ id }) => !ids.has(id))
    const isBegun = this.#store.meta(begunKey) === 'begun' && strangers.length < this.#present.size
    const isComplete = strangers.length === 0 && this.#missing().length === 0
    if (isBegun || isComplete) return
    const { path } = strangers[0] ?? [...this.#present.values()][0]!
    const count = this.#present.size
    throw new CommandError(
      `The set is not empty: it has ${count} ${count === 1 ? 'entry' : 'entries'}, among them ` +
        `"${printable(path)}", and only an empty one is filled. If it is the set that was mirrored, ` +
        `"${typed('mirror', quoted(this.#root))}" goes on; "${typed('put')}" brings files into any.`,
    )
  }

  /** Makes what is missing. Resolves with where all of it is. Rejects with CommandError. */
  async bring(bringing: Bringing): Promise<Receipt[]> {
    this.#store.setMeta(begunKey, 'begun')
    await this.#sendBytes(bringing)
    await this.#makeTop()
    for (let round = 1; ; round++) {
      const missing = this.#missing()
      if (missing.length === 0) break
      if (round > roundsMax) {
        throw new CommandError(`${missing.length} entries do not stay; run it again.`)
      }
      await this.#make(missing, bringing)
      await this.#list()
    }
    const receipts = await this.#receipts()
    // What could not be brought is new on the disk, or gone.
    this.#store.together(() => {
      for (const { id, path } of this.#rows) {
        if (this.leftOut.some((each) => each.path === path)) this.#store.forget(id)
      }
      // What was told by the logs of before is no more.
      this.#store.setMeta('seen', '{}')
      this.#store.setMeta(begunKey, 'done')
    })
    return receipts
  }

  #missing(): CommonRow[] {
    const left = this.#left()
    return this.#rows.filter(({ id, path }) => !this.#present.has(id) && !left.has(path))
  }

  #left(): Set<string> {
    return new Set(this.leftOut.map(({ path }) => path))
  }

  // ------------------------------------------------------------------------------- what is there

  async #list(): Promise<void> {
    this.#present = new Map()
    for (const inTrash of [false, true]) {
      let page = ''
      do {
        const asked = { isRecursive: !inTrash, inTrash, page }
        const answer = await this.#set.ask(({ folder }, call) => folder.listFiles(asked, call))
        for (const file of answer.files) this.#present.set(file.id, file)
        page = answer.nextPage
      } while (page !== '')
    }
  }

  // --------------------------------------------------------------------------------- what is made

  /**
   * First, since it takes long and nobody sees it: mirrors that meet the set wait while entries come
   * one after the other.
   */
  async #sendBytes({ show }: Bringing): Promise<void> {
    await inLanes(this.#missing().filter(isOfBytes), async ({ path }) => {
      show(path)
      await this.#unlessLeftOut(path, () => sendBytes(this.#set, this.#local(path)))
    })
  }

  async #makeTop(): Promise<void> {
    const { id, path } = this.#top
    if (id === '' || this.#present.has(id)) return
    const above = { path: parentOf(path), hasParents: true, operation: newOperation() }
    if (above.path !== '') {
      await this.#set.ask(({ folder }, call) => folder.makeDirectory(above, call))
    }
    await this.#set.ask(makeDirectory(path, id))
  }

  async #make(rows: CommonRow[], { show, add }: Bringing): Promise<void> {
    const one = async (row: CommonRow) => {
      show(row.path)
      if (this.#left().has(parentOf(row.path))) {
        this.leftOut.push({ path: row.path, why: 'Its directory cannot be made.' })
      } else await this.#unlessLeftOut(row.path, () => this.#makeOne(row))
      add()
    }
    // What lies in a directory comes after it.
    const directories = rows.filter(({ kind }) => kind === 'directory')
    const depths = Map.groupBy(directories, ({ path }) => path.split('/').length)
    for (const depth of [...depths.keys()].sort((a, b) => a - b)) {
      await inLanes(depths.get(depth)!, one)
    }
    await inLanes(
      rows.filter(({ kind }) => kind !== 'directory'),
      one,
    )
  }

  async #makeOne(row: CommonRow): Promise<void> {
    const { id, path } = row
    const file = this.#shared(path)
    try {
      if (isOfBytes(row)) {
        await uploadAs(this.#set, this.#local(path), { file, operation: id, isNew: true })
      } else if (row.kind === 'directory') await this.#set.ask(makeDirectory(file, id))
      else await this.#set.ask(makeText(file, this.#store.text(id) ?? '', id))
    } catch (error) {
      // Another mirror made it meanwhile, as it was there.
      const isTaken = error instanceof AnswerError && error.code === Code.AlreadyExists
      if (!isTaken || !(await this.#set.ask(knows(id)))) throw error
    }
  }

  #shared(path: string): string {
    return joined(this.#top.path, path)
  }

  /** A file of the mirrored directory, and not what a link leads to. Throws CommandError. */
  #local(path: string): string {
    const local = join(this.#root, path)
    const isThere = lstatSync(local, { throwIfNoEntry: false })?.isFile()
    if (isThere && realpathSync(local) === local) return local
    throw new CommandError('Its bytes are not here any more.')
  }

  async #unlessLeftOut(path: string, make: () => Promise<void>): Promise<void> {
    try {
      await make()
    } catch (error) {
      const isAnswer = error instanceof AnswerError
      const isLocal = error instanceof CommandError && error.constructor === CommandError
      if (!isLocal && !(isAnswer && ofOneFile.includes(error.code))) throw error
      this.leftOut.push({ path, why: (error as Error).message })
    }
  }

  // -------------------------------------------------------------------------------- where it is

  /** Asked again at the end, when the other servers had their time. */
  async #receipts(): Promise<Receipt[]> {
    const made = this.#rows.filter(({ id }) => this.#present.has(id))
    const end = performance.now() + spreadMs
    const [bytes, others] = [made.filter(isOfBytes), made.filter((row) => !isOfBytes(row))]
    // One answer is for all that its server had until then, but for bytes, which go their own way.
    const asks: (() => Promise<Receipt>)[] = others.slice(0, 1).map(({ id, path, kind }) => {
      // Of a text by its id, with which it is found whatever it holds.
      const isText = kind !== 'directory'
      return () =>
        this.#set.ask(isText ? makeText(id, '', id) : makeDirectory(this.#shared(path), id))
    })
    for (const { id } of bytes) {
      const { hash, size } = this.#present.get(id)!
      const asked = { file: id, hash, size, operation: id }
      asks.push(() => this.#set.ask(({ folder }, call) => folder.saveBinary(asked, call)))
    }
    const receipts: Receipt[] = []
    await inLanes(asks, async (ask) => {
      for (;;) {
        const kept = await ask()
        if (kept.servers.length === kept.serverCount || performance.now() > end) {
          receipts.push(kept)
          return
        }
        await sleep(spreadLookMs)
      }
    })
    return receipts
  }
}

function isOfBytes({ kind }: { kind: string }): boolean {
  return kind === 'binary'
}

type Making = Ask<Receipt>

/** The call that makes a text, or finds that it was made. */
function makeText(file: string, text: string, operation: string): Making {
  return ({ folder }, call) => folder.saveFile({ file, text, operation, isNew: true }, call)
}

function makeDirectory(path: string, operation: string): Making {
  return ({ folder }, call) => folder.makeDirectory({ path, operation }, call)
}
