// A plan: everything that people do and that goes wrong in one schedule, as plain values. It is drawn
// from a seed, can be kept as a file, and can be made smaller while it still shows a bug.

export const serverNames = ['a', 'b', 'c', 'd'] as const
/** The first letter of a name is the label of that person's tokens. */
export const personNames = ['ada', 'bob', 'cid', 'dan', 'eve', 'fay'] as const
/** Everybody follows these. */
export const sharedDocuments = [0, 1, 2]

/** All times are milliseconds from the beginning; documents and files are numbers from 0. */
export interface Plan {
  seed: number
  /** After this nobody types and nothing fails any more: everything heals. */
  runMs: number
  /** Mean time of one way over the network, and of one flush of a disk. */
  latencyMs: number
  flushMs: number
  /** Whether servers take updates in at once and withhold what follows from them; absent: no. */
  takes?: boolean
  /** Whether every message passes through its encoding on the simulated wire. */
  isEncoded: boolean
  /** In the end all servers are killed, and each is asked alone; absent: they are not. */
  restarts?: true
  /** In the end somebody brings a named version back; absent: nobody does. */
  restoresVersion?: true
  people: PersonPlan[]
  faults: Fault[]
  /** When what is in the trash goes by itself; absent: never. */
  trash?: { stepMs: number; steps: number; lookMs: number }
}

export interface PersonPlan {
  name: string
  /** The servers in the order in which this person's program knows them. */
  servers: string[]
  /** Whether the device keeps what was typed when the page is closed. */
  hasStorage: boolean
  /** Hears only of what of the folder is shown; absent: of all of it. */
  showsPart?: boolean
  /** Says where in a text it writes; absent: no. */
  hasCarets?: boolean
  acts: Act[]
}

/** `where`, `which`: a part of all there is at that moment, so that a plan without it stays valid. */
export type Act = { at: number } &
  /** `parent`: a directory by its number; absent: the top. */
  (
    | { type: 'create'; document: number; words: number; parent?: number; name?: string }
    | { type: 'makeDirectory'; document: number; parent?: number; name: string }
    | { type: 'move'; document: number; parent?: number }
    | { type: 'type'; document: number; words: number; gapMs: number; where: number }
    /** Goes on where this person's last word in the document stands, if it is still there. */
    | { type: 'continue'; document: number; words: number; gapMs: number }
    | { type: 'delete'; document: number; which: number; isOwn: boolean }
    | { type: 'undo'; document: number }
    | { type: 'unfollow'; document: number; forMs: number }
    /** Gives the present text a name. */
    | { type: 'nameVersion'; document: number }
    | { type: 'rename'; document: number; name?: string }
    /**
     * Reads the whole text at one server and saves it there with a word more; `which`: with one less.
     * Unless an answer came, the same goes to another after `retryMs`. `isLost`: none comes.
     */
    | {
        type: 'save'
        document: number
        first: string
        second: string
        thinkMs: number
        retryMs: number
        isLost: boolean
        where: number
        which?: number
      }
    /** Uploads bytes and puts them into a file, which the first of them makes. */
    | { type: 'putBytes'; document: number; size: number }
    /** A program of this person watches the folder at a server from here on, until the end. */
    | { type: 'watch'; server: string }
    | { type: 'trash' | 'restore' | 'erase'; document: number }
    /** The same to all of these that the person sees, in one operation. */
    | {
        type: 'several'
        documents: number[]
        change: 'move' | 'trash' | 'restore' | 'erase'
        parent?: number
      }
    /** So much of a document or directory is shown from here on. */
    | { type: 'show'; document: number; extent: 'not' | 'alone' | 'open' }
    /** The network of the device is gone. */
    | { type: 'offline'; forMs: number }
    /** The lid is closed. */
    | { type: 'sleep'; forMs: number }
    /** The page is closed, and opened again; absent: never. */
    | { type: 'leave'; forMs?: number }
  )

export type Fault = { at: number } &
  /** All at once; each comes back by itself, or stays away until everything heals. */
  (
    | { type: 'kill'; servers: string[]; isPowerCut: boolean; downMs: number[] }
    | { type: 'wipe'; servers: string[]; downMs: number[] }
    /**
     * All disks are lost, and the set begins another life under the eyes of its people. `old`: a server
     * is started again with its disk of before, which is taken away when everything heals.
     */
    | { type: 'rebirth'; old?: { server: string; afterMs: number } }
    /** Comes back with what its disk held at `toMs`. */
    | { type: 'rollback'; server: string; toMs: number; downMs: number }
    | { type: 'freeze'; server: string; forMs: number }
    /** Hosts in different groups do not hear each other; `isOneWay`: only the first is not heard. */
    | { type: 'part'; groups: string[][]; isOneWay: boolean; forMs: number }
    | { type: 'cut'; one: string; other: string; isHalf: boolean }
    | { type: 'slow'; server: string; flushMs: number; forMs: number }
    /** A stored record of this document does not match its checksum any more. */
    | { type: 'flip'; server: string; document: number; bit: number }
    /** The server merges what it has of this document, as if there were a lot. */
    | { type: 'compact'; server: string; document: number }
    /** The wall clock is wrong from the next start of this server on. */
    | { type: 'clock'; server: string; byMs: number }
  )

/** An act or a fault for which the moment is yet to be drawn. */
export type Untimed<T> = T extends { at: number } ? Omit<T, 'at'> : never
