// What the SDK gives to programs: the page and the command line are written against this alone.

import type { Awareness } from 'y-protocols/awareness'
import type * as Y from 'yjs'
import type { FourfoldError } from '../core/model/errors.ts'
import type { LocalStorage } from '../core/ports.ts'

export type { LocalStorage } from '../core/ports.ts'

/** A way to hear of changes: returns the function that ends it. */
export type Listen<T> = (listener: (value: T) => void) => () => void

/** Where this client stands. */
export type Connection =
  /** No server answers; the next try is at `retryAt` (ms since 1970). */
  | { name: 'offline'; since: number; retryAt: number }
  | { name: 'joining'; since: number }
  | { name: 'online'; server: string; roundTripMs: number }
  /** A server turned this client away for a reason that trying again does not mend. */
  | { name: 'refused'; code: string; text: string }
  /** The servers were emptied and began anew: this client is over, see `onOutlived`. */
  | { name: 'outlived' }

/**
 * What is true of this person's edits now. One of editor.md's states of the chip. `waiting`: edits that
 * no server is known to hold; `earlier`: files with such edits of sessions on this device that are over.
 * `unkept`: why what is not safe is not in this device's storage either.
 */
export type SaveState =
  /** The last edit is on `servers`, `of` are configured. isThin: fewer than the safe count. */
  | { name: 'saved'; servers: string[]; of: number; isThin: boolean; unkept?: string }
  /** Edits wait for a server's answer for longer than 1.5 s. */
  | { name: 'saving'; waiting: number; since: number }
  /** No server for 3 s; the edits are in this device's storage. */
  | { name: 'local'; waiting: number; earlier: number; since: number }
  /** No server takes the edits, and this device's storage failed (`why`): closing would lose them. */
  | { name: 'danger'; waiting: number; earlier: number; why: string }
  /** Turned away: the edits here will not be taken. */
  | { name: 'ended'; waiting: number; earlier: number; why: string }

export interface ServerInfo {
  id: string
  address: string
  state: 'live' | 'behind' | 'down'
  lag: number
  heardAt: number
}

/** One line of the chip's log: "moved b → d in 240 ms". */
export interface Moved {
  at: number
  from: string
  to: string
  tookMs: number
}

export interface FileInfo {
  id: string
  kind: 'text' | 'directory' | 'binary'
  /** The name shown, unique in its directory among what is not in the trash. */
  name: string
  /** The name it was given; `name` has a number as well while another one holds it. */
  givenName: string
  /** The id of the directory it lies in; empty: the top. */
  parent: string
  /** The shown names from the top down to it, joined by "/". */
  path: string
  /** Whether it is in the trash, by itself or with a directory above it. */
  isDeleted: boolean
  /** Whether it was put in the trash by itself: then it is what can be restored. */
  isInTrashItself: boolean
  deletedBy: string
  createdBy: string
  createdAt: number
  /** What this person did to it last waits for a server. */
  isWaiting?: boolean
  /** Of a text: somebody put bytes in its place at the same time as it became one; it is the newer. */
  hasConflict?: boolean
  /** Of a binary file: its bytes, as GET /blobs/<hash> gives them. */
  bytes?: FileBytes
}

/** Names bytes that servers have: GET /blobs/<hash>. */
export interface BytesName {
  /** SHA-256 in hex. */
  hash: string
  size: number
}

export interface FileBytes extends BytesName {
  /** Two people changed it at the same time: this is the newer. */
  hasConflict: boolean
}

/** Where something is stored now. */
export interface Receipt {
  servers: string[]
  of: number
}

/** What is done to several entries, as `remove`, `restore`, `erase` and `move` do it to one. */
export type SharedChange =
  | { name: 'remove' | 'restore' | 'erase' }
  /** The id of the directory; empty: the top. */
  | { name: 'move'; parent: string }

/** One of several entries, which is as it was, and why. */
export interface Undone {
  id: string
  error: FourfoldError
}

/** Something that was done without a server, and that no server takes. */
export interface Refusal {
  /** One sentence. */
  text: string
  /** A file that was not made, with what was written in it. */
  file?: { name: string; text: string }
}

/** A text with edits that no server takes; they are in it, and nowhere else, until that changes. */
export interface UntakenText {
  /** Of its file. */
  id: string
  /** One sentence. */
  why: string
}

/** A text that is on this device and not what the servers have under its id. */
export interface KeptText {
  id: string
  /** Where it lay when this device saw it last. */
  path: string
  text: string
  /**
   * 'outlived': the servers were emptied since, and do not have these words. 'erased': the file was
   * deleted for good while edits of it were on their way. 'unsent': the device lost the key that servers
   * ask for, and words of it are on none.
   */
  why: 'outlived' | 'erased' | 'unsent'
}

/** What a client leaves to the one that takes its place when the servers live another life. */
export interface Outlived {
  /** Name of the life that the servers are in. */
  readonly life: string
  /** Secret: so that the servers know both for one person. */
  readonly key: Uint8Array
  /** What the device could not keep. */
  readonly texts: readonly KeptText[]
}

/** One document, live. `text` may be edited at any time, whatever the connection does. */
export interface LiveDocument {
  readonly id: string
  readonly doc: Y.Doc
  readonly text: Y.Text
  /** For y-codemirror.next; local state {user: {name, color, colorLight}} is set already. */
  readonly awareness: Awareness
  /** Resolves when the text is here: from this device's storage or a server, whichever is first. */
  readonly loaded: Promise<void>
  /** Resolves when all edits made so far are on the safe count of servers. */
  stored(): Promise<Receipt>
  /** Where all edits made so far are, as far as is known now; no servers: only here. */
  receipt(): Receipt
  /**
   * Somebody is about to write: what this device must keep before the first letter it keeps now. Returns the
   * function that ends it.
   */
  expect(): () => void
  close(): void
}

export interface ClientOptions {
  /** Addresses of servers: "http://127.0.0.1:4400". One living one is enough; the rest is learned. */
  servers: string[]
  /** Screen name asked for. */
  name: string
  /** What this is, for people to read: "page", "cli". */
  agent: string
  /** Where edits and keys outlive this program; nowhere when absent. */
  storage?: LocalStorage
  token?: string
  /** What the client before this one told with `onOutlived`. */
  after?: Outlived
  /** Keep a second connection warm. Default true. */
  hasStandby?: boolean
  /**
   * What of the folder is held and heard of: all of it, or what is shown by `show` and `open`. A page
   * must not hold 100,000 files to show thirty. Default 'whole'.
   */
  folder?: 'whole' | 'shown'
}

export interface Client {
  readonly connection: Connection
  readonly save: SaveState
  /** In the order of the configuration; empty before the first Welcome. */
  readonly servers: ServerInfo[]
  readonly moves: Moved[]
  /** The screen name held. */
  readonly name: string
  /**
   * All files and directories, the trash included, or those that are shown; from this device's storage
   * until a server answers.
   */
  readonly files: FileInfo[]
  /** Whether a server has told `files`; with `folder: 'shown'` those at the top. */
  readonly filesAreCurrent: boolean
  /**
   * From here on `files` has this entry and the directories above it; 'open': and what lies in it and
   * not in the trash. '' is the top. Returns the function that ends it. With `folder: 'whole'` it does
   * nothing. Throws FourfoldError when too much is shown.
   */
  show(id: string, extent: 'alone' | 'open'): () => void
  /** Whether a server has told what is shown of an entry; if it is not in `files` then, there is none. */
  isAnswered(id: string): boolean
  /** Whether `files` has all that lies in this directory. */
  isWhole(directory: string): boolean
  /** An entry, shown for this once; undefined: there is none. Waits for a server. */
  look(id: string): Promise<FileInfo | undefined>
  /**
   * Texts that are only on this device: nothing is merged, sent or forgotten of them until somebody
   * decides. Those that the servers have word for word under the same id are not among them.
   */
  readonly keptTexts: readonly KeptText[]
  /**
   * These of `keptTexts` are wanted no more: they were put back, or their person said so. What came to
   * be there meanwhile stays.
   */
  forgetKept(texts: readonly KeptText[]): Promise<void>
  /** Texts that are larger than servers take, or the like: why `save` is 'ended' for who is in. */
  readonly untaken: readonly UntakenText[]
  /** Whether this device has anything of a document. */
  isKept(id: string): Promise<boolean>
  /**
   * The servers were emptied and began anew since this client knew them. It takes nothing more, and
   * everything that was to be saved is rejected. What this device had is kept for the next client:
   * make one, with this as `after`.
   */
  readonly onOutlived: Listen<Outlived>
  /** Anything above changed. */
  readonly onChange: Listen<void>
  /** The person's screen name was changed by the servers. */
  readonly onRenamed: Listen<{ name: string; text: string }>
  /** Resolves on the first Welcome; rejects with FourfoldError when refused. */
  joined(): Promise<void>
  /** Follows a document. The same object while it is open; opened twice, closed twice. */
  open(id: string): LiveDocument
  /** Something that had waited without a server was refused: what, and why. */
  readonly onRefused: Listen<Refusal>
  /**
   * These reject with FourfoldError: code and one sentence. They wait for a server. While none
   * answers they resolve, with no servers, when this device keeps what was asked for; it takes effect
   * later, once, and is in `files` at once.
   */
  create(name: string, text: string, parent?: string): Promise<FileInfo & Receipt>
  makeDirectory(name: string, parent?: string): Promise<FileInfo & Receipt>
  /**
   * A file of bytes that were uploaded before (PATCH /blobs/<hash>); `unavailable` while the server of
   * this client lacks them. `operation` makes it once, however often it is asked for.
   */
  createBinary(
    name: string,
    bytes: BytesName,
    parent?: string,
    operation?: string,
  ): Promise<FileInfo & Receipt>
  /**
   * Puts bytes that were uploaded before, or its live text, in the place of what a file holds. `base`
   * is the hash of what they were made from; empty: live text.
   */
  setContent(
    id: string,
    bytes: BytesName | 'text',
    base: string,
    operation?: string,
  ): Promise<Receipt>
  rename(id: string, name: string): Promise<Receipt>
  /** To another directory ('': the top) with all that is in it, and under this name if one is given. */
  move(id: string, parent: string, name?: string): Promise<Receipt>
  remove(id: string): Promise<Receipt>
  restore(id: string): Promise<Receipt>
  /** Deletes for good what was put in the trash by itself, with all that is in it. */
  erase(id: string): Promise<Receipt>
  /**
   * The same to each of several, at most `severalMax`, in one go. Resolves with those to which it was
   * not done; rejects when it was done to none of them.
   */
  changeSeveral(ids: readonly string[], change: SharedChange): Promise<Undone[]>
  nameVersion(id: string, name: string): Promise<Receipt>
  /** Dials now instead of at `retryAt`; from now on asks for this screen name and shows this token. */
  retry(as?: { name?: string; token?: string }): void
  /** The program may end in a moment, without `close`: the next one is not to look for what is not there. */
  rest(): void
  close(): void
}
