// What a client tells programs of its session: where it stands, and how the servers are.

import { ServerState, type Server } from '../core/model/wire.ts'
import type { Session } from '../core/session/session.ts'
import type { Connection, ServerInfo } from './api.ts'

/** Of a session that is begun, or will be: since `beganAt`. */
export function connectionOf(session: Session | undefined, beganAt: number): Connection {
  const state = session?.state ?? { name: 'joining' as const, since: beganAt }
  switch (state.name) {
    case 'online':
      return { ...state, roundTripMs: session?.roundTripMs ?? 0 }
    case 'stopped':
      return { name: 'offline', since: beganAt, retryAt: Infinity }
    case 'outlived':
      return { name: 'outlived' }
    default:
      return state
  }
}

export function serverInfo({ id, address, state, lag, heardAt }: Server): ServerInfo {
  return { id, address, state: stateNames[state] ?? 'down', lag, heardAt }
}

const stateNames: Record<ServerState, ServerInfo['state']> = {
  [ServerState.UNSPECIFIED]: 'down',
  [ServerState.LIVE]: 'live',
  [ServerState.BEHIND]: 'behind',
  [ServerState.DOWN]: 'down',
}
