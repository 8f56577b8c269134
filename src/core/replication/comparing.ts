// Comparing digests of all that is held with the peers' (5): a difference is told to the operator.

import { covers, type VersionVector } from '../model/version-vector.ts'
import type { Mark } from '../ports.ts'
import type { Links } from './links.ts'
import type { Marks } from './marks.ts'
import type { Peer } from './peer.ts'
import type { Sending } from './sending.ts'
import type { Voice } from './voice.ts'

export interface ComparingOptions {
  links: Links
  marks: Marks
  sending: Sending
  /** What is on this disk. */
  vector: VersionVector
  voice: Voice
}

export class Comparing {
  readonly #options: ComparingOptions
  /** What was told last, and the mark it stands for. */
  #digest: { mark: Mark; value: string } | undefined

  constructor(options: ComparingOptions) {
    this.#options = options
  }

  /** Tells every peer the digest of what is on this disk now, and looks at theirs. */
  tell(now: number, digest: string): void {
    const { links, marks, sending } = this.#options
    this.#digest = { mark: marks.last, value: digest }
    for (const peer of links.peers()) {
      sending.tellHave(now, peer, new Map(), digest)
      this.look(peer)
    }
  }

  /**
   * Compares with what this peer told last, if both speak of the same updates: equal version vectors
   * mean equal documents and entries, a difference is a bug or a broken disk.
   */
  look(peer: Peer): void {
    const { marks, vector, voice } = this.#options
    const mine = this.#digest
    if (!mine || mine.mark !== marks.last || peer.digest === '') return
    if (!covers(vector, peer.have) || !covers(peer.have, vector)) return
    if (peer.digest === mine.value) return
    const values = `${mine.value.slice(0, 12)}, not ${peer.digest.slice(0, 12)}`
    voice.log('error', `differs from ${peer.id}, with the same updates: ${values}`)
  }
}
