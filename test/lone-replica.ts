// One server's mind towards clients over a disk that stores at once, for tests of what calls answer.

import { createHash } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { create } from '@bufbuild/protobuf'

import { MemoryDisk, MemoryStorage } from '../src/adapters/storage/memory.ts'
import { base64url, type Origin, type ReplicaId } from '../src/core/model/ids.ts'
import { sealUpdate } from '../src/core/model/snapshot.ts'
import { ServerState, UpdateSchema, type Update } from '../src/core/model/wire.ts'
import type { EngineRequest } from '../src/core/ports.ts'
import type { Answer, Call, CallId, ReplicaInput } from '../src/core/replica/messages.ts'
import { Replica } from '../src/core/replica/replica.ts'

let ids = 0

/** An operation id that no other test of this process has. */
export function freshId(): string {
  const bytes = new Uint8Array(16)
  new DataView(bytes.buffer).setUint32(0, ++ids)
  return base64url(bytes)
}

export class LoneReplica {
  readonly storage = new MemoryStorage(new MemoryDisk())
  readonly replica: Replica
  readonly origin: Origin
  readonly #answers = new Map<CallId, Answer[]>()
  /** What it asked for in the last tick that may be on another disk. */
  sought: Extract<EngineRequest, { type: 'seek' }>[] = []
  #asked: EngineRequest[] = []
  #seq = 0
  #calls = 0

  /** `random`: uniform in [0, 1), another one for each server. */
  constructor(id: string, random = () => 0.5) {
    this.origin = `${id}.0123456789abc` as Origin
    this.replica = new Replica({
      now: 1000,
      replica: id as ReplicaId,
      set: 'test',
      version: '0',
      origin: this.origin,
      reader: this.storage.reader,
      safeCount: 1,
      rates: { pushesPerSecond: 50, pushBurst: 500, caretsPerSecond: 20 },
      random,
      seal: () => new Uint8Array(16),
      hash: (text) => createHash('sha256').update(text).digest('hex'),
      deflate: (text) => deflateRawSync(text),
    })
    const server = { id: id as ReplicaId, address: 'http://a', state: ServerState.LIVE }
    const servers = [{ ...server, lag: 0, heardAt: 0 }]
    this.turn({ type: 'event', event: { type: 'servers', servers, isServing: true } })
  }

  /** Takes the inputs as one turn, and stores what they ask for. */
  turn(...inputs: ReplicaInput[]): void {
    this.#step([...inputs, { type: 'settle' }])
    while (this.#asked.length > 0) {
      const events = this.#asked.splice(0).flatMap((request) => this.#carryOut(request))
      this.#step([...events, { type: 'settle' }])
    }
  }

  /** A call to its end, or as far as it is answered by itself. */
  call(request: Call): Answer[] {
    const call = this.begin(request)
    return this.#answers.get(call)!
  }

  /** A call that goes on: `answers` grow. */
  begin(request: Call): CallId {
    const call = ++this.#calls
    this.#answers.set(call, [])
    this.turn({ type: 'called', call, author: 'ada', request })
    return call
  }

  /** Calls that come before any of them is on disk. */
  callTogether(...requests: Call[]): Answer[][] {
    const calls = requests.map(() => ++this.#calls)
    for (const call of calls) this.#answers.set(call, [])
    this.turn(
      ...requests.map((request, index) => {
        return { type: 'called' as const, call: calls[index]!, author: 'ada', request }
      }),
    )
    return calls.map((call) => this.#answers.get(call)!)
  }

  /** So long after its start. */
  tick(ms: number): void {
    this.sought = []
    this.#step([{ type: 'tick' }, { type: 'settle' }], 1000 + ms)
  }

  /** What was answered since the last look. */
  take(call: CallId): Answer[] {
    const answers = this.#answers.get(call)!
    this.#answers.set(call, [])
    return answers
  }

  save(file: string, text: string): void {
    this.call({ type: 'save', file, text, baseVersion: '', operation: freshId() })
  }

  /** Every update on its disk, as it would come to another server. */
  updates(after = 0): Update[] {
    return this.storage.reader.after(this.origin, after, Infinity)
  }

  /** Updates of another server are on this disk. */
  heard(updates: Update[]): void {
    this.storage.commit({ updates, snapshots: [] })
    this.turn(
      ...updates.map((update) => ({
        type: 'event' as const,
        event: { type: 'changed' as const, update },
      })),
    )
  }

  #step(inputs: ReplicaInput[], now = 1000): void {
    for (const output of this.replica.turn(now, inputs)) {
      if (output.type === 'answer') this.#answers.get(output.call)?.push(output.answer)
      if (output.type !== 'ask') continue
      if (output.request.type === 'seek') this.sought.push(output.request)
      else this.#asked.push(output.request)
    }
  }

  #carryOut(request: EngineRequest): ReplicaInput[] {
    if (request.type !== 'append' && request.type !== 'barrier') return []
    const { tag } = request
    if (request.type === 'barrier') {
      return [{ type: 'event', event: { type: 'appended', tag, mark: this.#seq + 1 } }]
    }
    const { origin } = this
    const update = sealUpdate(create(UpdateSchema, { ...request.update, origin, seq: ++this.#seq }))
    this.storage.commit({ updates: [update], snapshots: [] })
    return [{ type: 'event', event: { type: 'appended', tag, mark: this.#seq + 1, update } }]
  }
}
