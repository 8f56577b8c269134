// What the mind of a mirror is given to see, and what it wants to be done.

/** A file's bytes are the text of the folder's live document, or are kept beside it as they are. */
export type FileKind = 'text' | 'binary'

/** Something in the mirrored directory. Paths are relative to it, with "/" between names. */
export interface OnDisk {
  path: string
  /** skipped: something that a mirror leaves alone, and with it all that may lie below it. */
  kind: FileKind | 'directory' | 'skipped'
  /** SHA-256 of a file's bytes; empty for what is no file, or was not read yet. */
  version: string
  /** The same for one and the same thing on this disk, whatever its name; another for its copy. */
  identity: string
  /** It did not change while it was read, and not right before: it can be taken for what is meant. */
  isSettled: boolean
  /** Why it is skipped, as a sentence for people. */
  why?: string
}

/** An entry of the shared folder that is not in the trash, below the mirrored part of it. */
export interface InFolder {
  id: string
  /** Relative to the mirrored part. */
  path: string
  kind: FileKind | 'directory'
  /** SHA-256 of its bytes; absent of a text until it was read. */
  version?: string | undefined
  /** Others have changed the text since it had this version, and it was not read again yet. */
  isStale?: boolean
  /** Of bytes: how many. */
  size?: number | undefined
}

/** What disk and folder last had in common of one entry. */
export interface Common {
  id: string
  path: string
  kind: FileKind | 'directory'
  version: string
  identity: string
}

export interface Views {
  /** By path: a complete look at the directory, without what is ignored. */
  disk: ReadonlyMap<string, OnDisk>
  /** Whatever is missing on the disk has been missing for long enough to be believed. */
  isQuiet: boolean
  /** By id: a complete listing of a serving server. */
  folder: ReadonlyMap<string, InFolder>
  /** Entries that were seen in the trash, or outside of the mirrored part: never those just missing. */
  gone: ReadonlySet<string>
  /** Of these, texts that lie outside of the mirrored part, and in no trash. */
  elsewhere: ReadonlySet<string>
  /** Of these, files that lie in the trash themselves, while their directory is there. */
  restorable: ReadonlySet<string>
  /** By id. */
  common: ReadonlyMap<string, Common>
  /** Ids and paths that wait for something else, or were refused a moment ago: not touched. */
  waiting: ReadonlySet<string>
  /** Identities of files that a server was asked to make: its answer says what they are, wherever they lie by then. */
  making: ReadonlySet<string>
  isIgnored: (path: string, isDirectory: boolean) => boolean
  /** Whether a file holds most of what is common of a text: see `kin.ts`. */
  isMadeFrom: (known: Common, item: OnDisk) => boolean
  /** Names this machine in the name of a file that is put aside. */
  host: string
  /** The person agreed to however many deletions. */
  acceptsDeletes: boolean
  late: Late
  /** Whether it is removed here without a word when others deleted it, however many go with it. */
  isFollowed: (id: string) => boolean
  /** Entries about whose deletion a person was asked, and did not answer yet. */
  asked: ReadonlySet<string>
  /** Those of which the person agreed that they are deleted. */
  agreed: ReadonlySet<string>
}

/** Deletions that were begun a moment ago without a word: many small ones are a large one. */
export interface Late {
  /** So lately that they are one with what is deleted now. */
  atOnce: number
  lately: number
}

export type Act =
  // To know more.
  | { type: 'read'; id: string }
  /** Both sides have the same: it is common from now on. */
  | { type: 'adopt'; id: string; path: string }
  /**
   * What lies at `at` is the entry's; its common path is `path`, that of what is below changes too.
   * `isAnothers`: it was another entry's, and what was this one's is elsewhere.
   */
  | { type: 'place'; id: string; path: string; at: string; isAnothers?: true }
  | { type: 'forget'; id: string }
  // On the disk.
  | { type: 'make-directory'; id: string; path: string }
  /** What the folder has, over the version that is there, or where nothing is. */
  | { type: 'write'; id: string; path: string; over: string | undefined }
  /** What is below has its common path changed in the same step. */
  | { type: 'move'; id: string; from: string; to: string }
  | { type: 'remove'; id: string; path: string; kind: 'file' | 'directory' }
  /** Another name for what is not shared yet and lies where something shared belongs. */
  | { type: 'put-aside'; path: string; to: string }
  // In the folder. What a file has there is what kind it is on the disk.
  | { type: 'create'; path: string }
  | { type: 'create-directory'; path: string }
  | { type: 'save'; id: string; path: string }
  | { type: 'move-entry'; id: string; path: string }
  | { type: 'delete-entry'; id: string; path: string }
  | { type: 'restore'; id: string }

export interface Skipped {
  path: string
  why: string
}

/** Deletions that wait until a person agrees. */
export interface Held {
  onDisk: number
  inFolder: number
}

export interface Plan {
  /** To be done in this order; after them there may be more. */
  acts: Act[]
  skipped: Skipped[]
  held: Held | undefined
  /** Of the entries that a person was asked about, and is asked about by this plan, those that wait. */
  asked: ReadonlySet<string>
  /** Of those that the person agreed to, those that are not deleted yet. */
  agreed: ReadonlySet<string>
  /** How many entries the acts delete without a word. */
  deletes: number
}
