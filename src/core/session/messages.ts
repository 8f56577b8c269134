// What goes into and comes out of a client's mind.

import type { FourfoldError } from '../model/errors.ts'
import type {
  Caret,
  ClientMessage,
  Entry,
  Extent,
  Server,
  ServerMessage,
  Undone,
} from '../model/wire.ts'
import type { OperationBody } from './parcel.ts'

/** Names one dialled connection, for as long as it lives; given by the session, never reused. */
export type ConnectionId = number

export type SessionInput =
  | { type: 'started' }
  /** The connection is open: say Hello. */
  | { type: 'opened'; connection: ConnectionId }
  | { type: 'closed'; connection: ConnectionId; why: string }
  /** `bytes`: of the frame it came in; 0 for the second message of a frame and later ones. */
  | { type: 'received'; connection: ConnectionId; message: ServerMessage; bytes: number }
  /** The person changed the text: `update` holds only what is new. */
  | { type: 'edited'; document: string; update: Uint8Array }
  /** Start or stop following a document. */
  | { type: 'follow'; document: string }
  | { type: 'unfollow'; document: string }
  /** What earlier sessions wrote in a document that is followed came to be in it just now. */
  | { type: 'recalled'; document: string }
  /** What of an entry is shown from here on; empty: the top. Of use with `showsDirectories`. */
  | { type: 'show'; entry: string; extent: Extent }
  /** `isLate`: whoever asked for it is not there to be told at once what becomes of it. */
  | { type: 'operate'; operation: OperationBody; isLate?: boolean }
  /** JSON of where the person is; empty: nowhere. */
  | { type: 'caret'; document: string; state: string }
  /** Of further sessions of this person, whose edits may stand in what is followed from here on. */
  | { type: 'keys'; keys: readonly Uint8Array[] }
  /** The network is back, or the person asks: dial at once. From now on by this name and this token. */
  | { type: 'retry'; name?: string; token?: string }
  /** Nothing more is wanted: what can be sent is sent, then all connections end. */
  | { type: 'stopped' }
  | { type: 'tick' }

export type SessionOutput =
  | { type: 'dial'; connection: ConnectionId; address: string }
  | { type: 'hangUp'; connection: ConnectionId }
  | { type: 'send'; connection: ConnectionId; message: ClientMessage }
  /**
   * Integrate this into the document: somebody else's text, or what a server had more. `seal`: it is to
   * be found in `Documents.relays` from here on; see `relayOf`.
   */
  | { type: 'integrate'; document: string; update: Uint8Array; seal?: Uint8Array }
  /**
   * Seals of others' edits in it do not hold any more, for the password is another one: they are to be
   * forgotten, or servers would end every connection on which they come.
   */
  | { type: 'unsealed'; document: string }
  /** The document is complete as far as this server knows. */
  | { type: 'caughtUp'; document: string }
  | { type: 'unavailable'; document: string; text: string }
  /** It was deleted for good. `isOwed`: edits of it are not safe, and no server will take them. */
  | { type: 'gone'; document: string; isOwed: boolean }
  /** Name of the life that the set is in: to be remembered with what is kept. */
  | { type: 'life'; life: string }
  | { type: 'caret'; caret: Caret }
  /**
   * Entries as they are. `isComplete`: these were the last of all. `names`: what is shown of those whose
   * directory is not shown open, where it is another name than their own.
   */
  | {
      type: 'entries'
      entries: Entry[]
      isComplete: boolean
      names: { [id: string]: string }
      /** The last of them lies in this, and comes without those above it because this is shown open. */
      directory?: string
      /** Ids of those that are deleted for good. */
      gone?: string[]
      /** Of what is shown; `present` with the last: all that lies there, and it, if it is there. */
      answer?: { entry: string; present: ReadonlySet<string> | undefined }
    }
  | { type: 'servers'; servers: Server[] }
  /**
   * The operation with this id took effect, and is on the disks of these servers / never will. `undone`:
   * of several entries, those to which it was not done.
   */
  | {
      type: 'done'
      operation: string
      entry: string
      undone: readonly Undone[]
      servers: string[]
    }
  | { type: 'failed'; operation: string; error: FourfoldError }
  /** A push was turned down for ever: the edit stays here only. */
  | { type: 'turnedDown'; document: string; error: FourfoldError }
  /** The person's name, granted or changed. */
  | { type: 'named'; name: string; text: string }
  /** State or receipts changed: read the session's getters. */
  | { type: 'changed' }
