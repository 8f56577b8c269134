// ReplicationService: where other servers of the set dial in.

import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { Code } from '@connectrpc/connect'
import type { PeerMessage } from '../../core/model/wire.ts'
import type { Channel } from '../../core/ports.ts'
import { acceptPeer, isGrpc, refusePeer } from '../../adapters/channel/grpc-peer.ts'
import type { Tokens } from '../tokens.ts'

/** Carries `Tokens.proof`. */
export const proofHeader = 'fourfold-proof'

export interface PeerRules {
  tokens: Tokens
  /** Whether a peer must show a certificate of the set's authority. */
  needsCertificate: boolean
  now: () => number
  accept: (channel: Channel<PeerMessage, PeerMessage>) => void
}

/** A call of Exchange as it comes in. */
export interface PeerCall {
  stream: ServerHttp2Stream
  headers: IncomingHttpHeaders
  /** Whether the caller showed a certificate of the set's authority. */
  isCertified: boolean
}

/** Answers calls of Exchange: with a channel, or with why not. */
export function answerPeers(rules: PeerRules): (call: PeerCall) => void {
  return ({ stream, headers, isCertified }) => {
    if (!isGrpc(headers)) refusePeer(stream, Code.Unimplemented, 'Only gRPC is spoken here.')
    else if (!isPeer(headers, isCertified, rules)) {
      const text = 'Only servers of this set may exchange updates.'
      refusePeer(stream, Code.PermissionDenied, text)
    } else rules.accept(acceptPeer(stream))
  }
}

function isPeer(headers: IncomingHttpHeaders, isCertified: boolean, rules: PeerRules): boolean {
  if (rules.needsCertificate && !isCertified) return false
  return rules.tokens.isProof(String(headers[proofHeader] ?? ''), rules.now())
}
