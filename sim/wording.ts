// Messages as the simulated wire carries them, and as a trace shows them: one short line each.

import { fromBinary, toBinary } from '@bufbuild/protobuf'
import {
  ClientMessageSchema,
  PeerMessageSchema,
  ServerMessageSchema,
  type Caret,
  type ClientMessage,
  type PeerMessage,
  type ServerMessage,
  type VersionVector,
} from '../src/core/model/wire.ts'

export type AnyMessage = ClientMessage | PeerMessage | ServerMessage

/** Encodes and decodes a message: what the other side gets of it on a real wire. */
export function recoded(message: object): AnyMessage {
  const known = message as AnyMessage
  switch (known.$typeName) {
    case 'fourfold.v1.ClientMessage':
      return fromBinary(ClientMessageSchema, toBinary(ClientMessageSchema, known))
    case 'fourfold.v1.ServerMessage':
      return fromBinary(ServerMessageSchema, toBinary(ServerMessageSchema, known))
    case 'fourfold.v1.PeerMessage':
      return fromBinary(PeerMessageSchema, toBinary(PeerMessageSchema, known))
  }
}

/** One line for a trace. */
export function wordingOf(message: object): string {
  const known = message as AnyMessage
  const said = known.message
  const more = known.$typeName === 'fourfold.v1.PeerMessage' ? peerDetails(known) : details(known)
  return more === '' ? String(said.case) : `${said.case} ${more}`
}

function peerDetails({ message }: PeerMessage): string {
  switch (message.case) {
    case 'hello':
      return `${message.value.origin} ${vectorWords(message.value.vector)}`
    case 'gossip':
    case 'advance':
      return vectorWords(message.value.vector)
    case 'have':
      return vectorWords(message.value.changed)
    case 'updates':
      return message.value.updates.map(({ origin, seq }) => `${brief(origin)}/${seq}`).join(' ')
    case 'snapshot':
    case 'want':
    case 'damaged':
      return brief(message.value.subject)
    case 'ephemeral': {
      const { topic } = message.value
      return topic.case === 'caret' ? `caret ${caretWords(topic.value)}` : String(topic.case)
    }
    case undefined:
      return ''
  }
}

function caretWords({ document, session, clock, state }: Caret): string {
  return `${brief(document)} ${brief(session)} ${clock} "${state}"`
}

function details({ message }: ClientMessage | ServerMessage): string {
  switch (message.case) {
    case 'caret':
      return caretWords(message.value)
    case 'hello':
      return message.value.isStandby ? 'standby' : message.value.name
    case 'open':
    case 'close':
    case 'unavailable':
      return brief(message.value.document)
    case 'push':
      return `${message.value.ticket} ${brief(message.value.document)} ${message.value.update.length} B`
    case 'operation':
      return `${message.value.ticket} ${message.value.operation.case}`
    case 'opened':
      return `${brief(message.value.document)} ${message.value.number} ${message.value.piece.length} B`
    case 'changed':
      return `${brief(message.value.document)} ${message.value.number} ${message.value.update.length} B`
    case 'stored':
      return message.value.holdings.map(({ server, ticket }) => `${server}:${ticket}`).join(' ')
    case 'rejected':
      return `${message.value.ticket} ${message.value.text}`
    case 'resync':
      return `${brief(message.value.document)} ${message.value.ticket}`
    case 'done':
      return `${message.value.ticket} ${brief(message.value.entry)}`
    case 'entries': {
      const { entries, shown } = message.value
      const all = entries.map(({ id }) => brief(id)).join(' ')
      return shown === undefined ? all : `of ${brief(shown) || 'the top'}: ${all}`
    }
    case 'show': {
      const { entry, extent } = message.value
      return `${brief(entry) || 'the top'} ${['not', 'alone', 'open'][extent]}`
    }
    case 'refused':
      return message.value.text
    case 'servers':
      return message.value.servers.map(({ id, state, lag }) => `${id}:${state}/${lag}`).join(' ')
    case 'welcome':
      return message.value.server
    default:
      return ''
  }
}

function vectorWords(vector: VersionVector | undefined): string {
  return Object.entries(vector?.seen ?? {})
    .map(([origin, seq]) => `${brief(origin)}:${seq}`)
    .join(' ')
}

/** Enough of an id to tell it from others: "a.Xy3f", "Xy3f". */
export function brief(id: string): string {
  const dot = id.indexOf('.')
  return dot < 0 ? id.slice(0, 5) : id.slice(0, dot + 5)
}
