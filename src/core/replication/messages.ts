// What goes into and comes out of the mind of replication.

import type { Batch, Ending, EngineEvent, EngineRequest } from '../ports.ts'
import type { ReplicaId, SubjectId } from '../model/ids.ts'
import type { VersionVector } from '../model/version-vector.ts'
import type { PeerMessage, ServerMessage } from '../model/wire.ts'

/** Names one channel to a peer, for as long as it lives; given by the runtime, never reused. */
export type PeerChannel = number

export type ReplicationInput =
  | { type: 'asked'; request: EngineRequest }
  /** A channel is open: dialled by us to `dialled`, or accepted when that is absent. */
  | { type: 'opened'; channel: PeerChannel; dialled?: ReplicaId }
  /** `refusal`: why the other side turned this server away, if it did. */
  | { type: 'closed'; channel: PeerChannel; refusal?: string }
  /** A dial failed. */
  | { type: 'undialled'; replica: ReplicaId; why: Ending }
  | { type: 'received'; channel: PeerChannel; message: PeerMessage }
  /** Some of a long message has come. */
  | { type: 'progressed'; channel: PeerChannel }
  /** The batch under way is on stable storage, or taken in and what follows from it waits for that. */
  | { type: 'stored' }
  /** `isPurged`: of the subject only the tombstone is left. */
  | { type: 'compacted'; subject: SubjectId; isPurged: boolean }
  /** A turn of the loop ends: what gathered in it goes to the disk as one batch. */
  | { type: 'settle' }
  | { type: 'tick' }

export type ReplicationOutput =
  /** Perform, then answer `stored` (`Storage.take`, or `write`). Never two at once. */
  | { type: 'store'; batch: Batch }
  /** Perform, then answer `compacted`. Never two at once. */
  | { type: 'compact'; subject: SubjectId; upTo: VersionVector; isPurge: boolean }
  | { type: 'dial'; replica: ReplicaId }
  | { type: 'send'; channel: PeerChannel; message: PeerMessage }
  /** `isRefusal`: the other side is to hear why. */
  | { type: 'hangUp'; channel: PeerChannel; why: string; isRefusal: boolean }
  /** For this server's mind towards its clients. */
  | { type: 'event'; event: EngineEvent }
  /** One line for the operator. */
  | { type: 'log'; level: 'info' | 'error'; text: string }

/**
 * Whether it is worth nothing later: where somebody is in a text is told anew every 10 s. That somebody
 * left is told once.
 */
export function mayGetLost({ message }: Pick<PeerMessage, 'message'>): boolean {
  if (message.case !== 'ephemeral') return false
  const { topic } = message.value
  return topic.case === 'caret' && topic.value.state !== ''
}

/** Whether all that a peer hears in it is that this server lives: it rests on nothing stored. */
export function isHeartbeat({ message }: Pick<PeerMessage | ServerMessage, 'message'>): boolean {
  if (message.case !== 'have') return false
  const { changed, digest, life, stored } = message.value
  const isNews = digest !== '' || life !== '' || stored > 0
  return !isNews && Object.keys(changed?.seen ?? {}).length === 0
}
