// ReplicationService: where other servers of the set dial in.

import type { HandlerContext, ServiceImpl } from '@connectrpc/connect'
import { FourfoldError } from '../../core/model/errors.ts'
import type { ReplicationService } from '../../core/model/wire.ts'
import { acceptedPeer, StreamChannel } from '../../adapters/channel/grpc.ts'
import { toConnectError } from '../errors.ts'
import type { Runtime } from '../runtime.ts'
import type { Tokens } from '../tokens.ts'
import { certifiedKey } from './address.ts'

/** Carries `Tokens.proof`. */
export const proofHeader = 'fourfold-proof'

export interface PeerRules {
  tokens: Tokens
  /** Whether a peer must show a certificate of the set's authority. */
  needsCertificate: boolean
}

export function replicationService(
  runtime: Runtime,
  rules: PeerRules,
): ServiceImpl<typeof ReplicationService> {
  return {
    async *exchange(requests, context) {
      if (!isPeer(context, rules, runtime.now())) {
        throw toConnectError(
          new FourfoldError('forbidden', 'Only servers of this set may exchange updates.'),
        )
      }
      const channel = new StreamChannel(acceptedPeer)
      void channel.read(requests)
      runtime.addPeer(channel)
      yield* channel.outgoing(context.signal)
    },
  }
}

function isPeer(context: HandlerContext, rules: PeerRules, now: number): boolean {
  if (rules.needsCertificate && !context.values.get(certifiedKey)) return false
  return rules.tokens.isProof(context.requestHeader.get(proofHeader) ?? '', now)
}
