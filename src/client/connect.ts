// The usual way to a replica set: WebSockets, from a browser or from Node.

import { webSockets } from '../adapters/channel/websocket-client.ts'
import type { Client, ClientOptions } from './api.ts'
import { SessionClient } from './client.ts'

/** Starts a client. It dials at once and for as long as it is not closed. */
export function connect(options: ClientOptions): Client {
  return new SessionClient(options, webSockets())
}
