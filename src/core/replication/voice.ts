// What this mind says: messages to peers, events for the mind of clients, lines for the operator.

import { toSeen, type VersionVector } from '../model/version-vector.ts'
import type { PeerMessage } from '../model/wire.ts'
import type { EngineEvent } from '../ports.ts'
import type { PeerChannel, ReplicationOutput } from './messages.ts'

/** Collects the outputs of a step. */
export class Voice {
  #outputs: ReplicationOutput[] = []

  /** The outputs since the last call. */
  take(): ReplicationOutput[] {
    const outputs = this.#outputs
    this.#outputs = []
    return outputs
  }

  say(output: ReplicationOutput): void {
    this.#outputs.push(output)
  }

  send(channel: PeerChannel, message: PeerMessage['message']): void {
    this.say({ type: 'send', channel, message: { $typeName: 'fourfold.v1.PeerMessage', message } })
  }

  event(event: EngineEvent): void {
    this.say({ type: 'event', event })
  }

  hangUp(channel: PeerChannel, why: string): void {
    this.say({ type: 'hangUp', channel, why, isRefusal: false })
  }

  /** The other side hears why: it is to be looked at there. */
  refuse(channel: PeerChannel, why: string): void {
    this.say({ type: 'hangUp', channel, why, isRefusal: true })
  }

  log(level: 'info' | 'error', text: string): void {
    this.say({ type: 'log', level, text })
  }
}

/** The wire's form of a vector. */
export function wireVector(vector: VersionVector): {
  $typeName: 'fourfold.v1.VersionVector'
  seen: { [origin: string]: number }
} {
  return { $typeName: 'fourfold.v1.VersionVector', seen: toSeen(vector) }
}
