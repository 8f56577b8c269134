// ReplicationService: where other servers of the set dial in.

import type { HandlerContext, ServiceImpl } from '@connectrpc/connect'
import { FourfoldError } from '../../core/model/errors.ts'
import type { PeerMessage, ReplicationService } from '../../core/model/wire.ts'
import type { Channel } from '../../core/ports.ts'
import { acceptedPeer, StreamChannel } from '../../adapters/channel/grpc.ts'
import { toConnectError } from '../errors.ts'
import type { Tokens } from '../tokens.ts'
import { certifiedKey } from './address.ts'

/** Carries `Tokens.proof`. */
export const proofHeader = 'fourfold-proof'

export interface PeerRules {
  tokens: Tokens
  /** Whether a peer must show a certificate of the set's authority. */
  needsCertificate: boolean
  now: () => number
  accept: (channel: Channel<PeerMessage, PeerMessage>) => void
}

export function replicationService(rules: PeerRules): ServiceImpl<typeof ReplicationService> {
  return {
    async *exchange(requests, context) {
      if (!isPeer(context, rules)) {
        throw toConnectError(
          new FourfoldError('forbidden', 'Only servers of this set may exchange updates.'),
        )
      }
      const channel = new StreamChannel(acceptedPeer)
      void channel.read(requests)
      rules.accept(channel)
      yield* channel.outgoing(context.signal)
    },
  }
}

function isPeer(context: HandlerContext, { needsCertificate, tokens, now }: PeerRules): boolean {
  if (needsCertificate && !context.values.get(certifiedKey)) return false
  return tokens.isProof(context.requestHeader.get(proofHeader) ?? '', now())
}
