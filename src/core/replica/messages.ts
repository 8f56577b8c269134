// What goes into and comes out of the mind that faces clients.

import type { ErrorCode, FourfoldError } from '../model/errors.ts'
import type { Place } from '../model/directory.ts'
import type { SubjectId } from '../model/ids.ts'
import type { EngineEvent, EngineRequest } from '../ports.ts'
import type { VersionVector } from '../model/version-vector.ts'
import type { ClientMessage, Content, Entry, ServerMessage, Version } from '../model/wire.ts'
import type { Wanted } from './finds.ts'
import type { Pattern } from './line-finder.ts'

/** Names one channel to a client, for as long as it lives; given by the runtime, never reused. */
export type ClientChannel = number
/** Names one call of a whole-file client; given by the runtime, never reused. */
export type CallId = number

/** A file or directory as people see it. */
export interface FileView {
  entry: Entry
  /** Unique in its directory, but for the trash. */
  name: string
  /** The id of the directory it is shown in; empty: the top. */
  parent: string
  path: string
  /** Whether it is in the trash, by itself or with a directory above it. */
  isDeleted: boolean
}

/** A line of a file that a search found. */
export interface LineView {
  file: FileView
  /** From 1. */
  line: number
  text: string
}

/** A text without its text. */
export interface Measure {
  /** Names it for `save`. */
  version: string
  /** In UTF-8. */
  bytes: number
  /** Milliseconds since 1970; 0: what is known to have changed it is merged, and tells no time. */
  changedAt: number
}

/** Where a listing goes on: after this entry, told by its places from the listed directory down. */
export type Page = Place[]

/** What a watch is to tell first; without both all that is there, outside the trash. */
export interface Extent {
  /** What is known: what lies beyond it. */
  since?: VersionVector
  /** And all that is there, in the trash or not. */
  listsAll?: boolean
}

/** What a whole-file client asks. `file` and `directory` are a path or an id. */
export type Call =
  | {
      type: 'list'
      /** Empty: the top. */
      directory: string
      isRecursive: boolean
      inTrash: boolean
      /** Where to go on: that of the answer before. */
      page?: Page
      /** At most so many. */
      count: number
    }
  /** `directory`: a path or id; empty: the top. */
  | ({ type: 'find' } & Wanted)
  | { type: 'get'; file: string; inTrash?: boolean }
  | { type: 'read'; file: string }
  | {
      type: 'save'
      file: string
      text: string
      baseVersion: string
      baseText?: string
      /** What the base consisted of, as a reading told: the save has one effect at any server. */
      baseState?: Uint8Array
      /** The operation was named by this server for this call: it is carried out nowhere else. */
      isOnce?: boolean
      /** A file is to be made: `taken` when there is one that another operation made. */
      isNew?: boolean
      operation: string
    }
  | {
      type: 'saveBinary'
      file: string
      /** Of bytes that this server has. */
      hash: string
      size: number
      /** What they were made from; absent: what is there. */
      base?: string
      isNew?: boolean
      operation: string
    }
  | { type: 'contents'; file: string }
  /** Ids of text files; answered for the first of them. */
  | { type: 'measure'; texts: string[] }
  | { type: 'delete' | 'restore'; file: string; operation: string }
  | { type: 'erase'; file: string; operation: string }
  /** Which of these ids were deleted for good. */
  | { type: 'erased'; files: string[] }
  | { type: 'rename'; file: string; name: string; operation: string }
  | { type: 'move'; file: string; path: string; operation: string }
  | { type: 'makeDirectory'; path: string; hasParents: boolean; operation: string }
  | { type: 'versions'; file: string }
  /** Answered many times, until `uncalled`. */
  | ({ type: 'watch'; file: string } & Extent)
  /** Answered by `found`; where that is not done, `asked` brings the next. */
  | { type: 'search'; pattern: Pattern; directory: string }
  /** Takes a screen name for a session with this secret key. */
  | { type: 'signIn'; name: string; key: Uint8Array }

export type Answer =
  /** By path. Without a page that was the end. */
  | {
      type: 'list'
      files: FileView[]
      page: Page | undefined
      /** How many there are in all; 0 of a recursive listing. */
      total: number
    }
  | { type: 'finding'; files: FileView[]; found: number; looked: number }
  | { type: 'got'; file: FileView }
  /** `state` is for `save.baseState`; empty: too long to be told. */
  | { type: 'read'; file: FileView; text: string; version: string; state: Uint8Array }
  /** `servers` hold it, fsynced. `version` is that of the resulting text; empty but for saves. */
  | {
      type: 'kept'
      file: FileView
      version: string
      /** What the text of that version consists of; empty: it is not told. */
      state: Uint8Array
      servers: string[]
      serverCount: number
    }
  | { type: 'versions'; versions: Version[] }
  /** Undefined: it cannot be read here. */
  | { type: 'measured'; measures: (Measure | undefined)[] }
  /** Newest first. */
  | { type: 'contents'; contents: Content[] }
  | { type: 'erased'; files: string[] }
  | {
      type: 'watched'
      event: 'present' | 'ready' | 'created' | 'changed' | 'renamed' | 'moved' | 'deleted'
      file?: FileView
      /** Of `ready` all that was taken in; of a change the updates it stands for. */
      seen?: VersionVector
      /** Of a change: the operation that did it, where one alone did. */
      operation?: string
    }
  /** `isCut`: done, because more lines are not told. */
  | { type: 'found'; lines: LineView[]; isDone: boolean; isCut: boolean }
  | { type: 'signedIn'; name: string }
  | { type: 'failed'; error: FourfoldError }

export type ReplicaInput =
  | { type: 'event'; event: EngineEvent }
  | { type: 'opened'; channel: ClientChannel; address: string }
  | { type: 'closed'; channel: ClientChannel }
  | { type: 'received'; channel: ClientChannel; message: ClientMessage; bytes: number }
  | { type: 'called'; call: CallId; author: string; request: Call }
  /** The caller has read the last answer, and wants the next. */
  | { type: 'asked'; call: CallId }
  | { type: 'uncalled'; call: CallId }
  /** A turn of the loop ends: receipts gathered in it are told. */
  | { type: 'settle' }
  | { type: 'tick' }

export type ReplicaOutput =
  /** The same message to each of these; encode it once. */
  | { type: 'send'; channels: ClientChannel[]; message: ServerMessage }
  /** Send what was sent before, then close. */
  | { type: 'hangUp'; channel: ClientChannel; why: string }
  | { type: 'ask'; request: EngineRequest }
  | { type: 'answer'; call: CallId; answer: Answer }
  /** Entries name these bytes: this server has to have them. */
  | { type: 'named'; contents: Content[] }
  | { type: 'log'; level: 'info' | 'error'; text: string }

/** What an operator sees of this mind. */
export interface ReplicaStatus {
  sessions: number
  entries: number
  documentsInMemory: number
}

export type { ErrorCode, SubjectId }
