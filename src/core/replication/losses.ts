// What is damaged here and can be read on no other server is given up, so that everything else goes on:
// until then no log in which it lies could be sent beyond it, nor a set of whole subjects with it.
//
//   wanted ── every peer was asked, thrice ──> in vain ── all are there, none has it sound ──> given up
//
// Safety: with equal version vectors whoever had it would have another text (5). So nobody may be away,
// and whoever has come so far in its log must have said that it is damaged there, too. Such a one has
// sent what it can read, and got what can be read here: what all of them put in its place is the same,
// and holds whatever is sound on any of them. What is damaged is set aside on the disk, for people; a
// client that kept the edit has it taken anew.

import type { Origin, SubjectId } from '../model/ids.ts'
import { mergeStored } from '../model/snapshot.ts'
import { covers, fromSeen, raise, type VersionVector } from '../model/version-vector.ts'
import type { Snapshot } from '../model/wire.ts'
import { CorruptError, type StorageReader } from '../ports.ts'
import type { Asking } from './asking.ts'
import type { Links } from './links.ts'
import type { Peer } from './peer.ts'
import type { Voice } from './voice.ts'

/** All that is stored of a subject is read for it. */
const lookEveryMs = 5000

export interface LossesOptions {
  reader: StorageReader
  /** What is on this disk. */
  vector: VersionVector
  links: Links
  asking: Asking
  /** Puts a whole subject in the place of what is damaged and it stands for. */
  replace: (snapshot: Snapshot) => void
  voice: Voice
}

export class Losses {
  readonly #options: LossesOptions
  #lookedAt = -Infinity
  /** Of which it was said that they wait for somebody. */
  readonly #waiting = new Set<SubjectId>()

  constructor(options: LossesOptions) {
    this.#options = options
  }

  tick(now: number): void {
    if (now - this.#lookedAt < lookEveryMs) return
    const subjects = this.#options.asking.inVain()
    if (subjects.length > 0) this.#lookedAt = now
    for (const subject of subjects) this.#look(subject)
  }

  #look(subject: SubjectId): void {
    const { reader, vector, links, asking, replace, voice } = this.#options
    const { lost, ...stored } = reader.sound(subject)
    if (!covers(vector, lost)) return
    const held: VersionVector = new Map()
    for (const { covers: reach } of stored.snapshots) raise(held, fromSeen(reach?.seen))
    const peers = [...links.peers()]
    // What they sent of it may still be on its way to this disk.
    if (peers.some(({ waitsForUs }) => waitsForUs)) return
    const mayHave = ({ have, damaged }: Peer) =>
      !damaged.has(subject) &&
      [...lost].some(([origin, seq]) => {
        return seq > (held.get(origin) ?? 0) && (have.get(origin) ?? 0) >= seq
      })
    const isElsewhere = !links.areAllOpen || peers.some(mayHave)
    if (lost.size > 0 && isElsewhere) {
      if (this.#waiting.has(subject)) return
      this.#waiting.add(subject)
      voice.log('error', `nobody who is there has what is damaged of ${subject}; it waits for all`)
      return
    }
    this.#waiting.delete(subject)
    for (const { origin, seq } of stored.updates) raise(held, [[origin as Origin, seq]])
    raise(held, lost)
    replace(mergeStored(stored, held, subject))
    asking.gaveUp(subject)
    for (const { damaged } of peers) damaged.delete(subject)
    if (lost.size === 0) return
    voice.event({ type: 'lost', subject })
    voice.log('error', `no server has what is damaged of ${subject}: it goes on without that`)
  }
}

/** Whether all that is stored of a subject can be read, what a piece stands for included. */
export function isSound(reader: StorageReader, subject: SubjectId): boolean {
  try {
    reader.load(subject)
    return reader.sound(subject).lost.size === 0
  } catch (error) {
    if (error instanceof CorruptError) return false
    throw error
  }
}
