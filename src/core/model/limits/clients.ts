// What a client keeps, how long it waits, and how often it tries.

/** Nothing heard for this long from the server it works with: ping. */
export const pingAfterMs = 1250

/** The same for a standby. Nobody waits for its answers, and an edit asks it at once. */
export const standbyPingAfterMs = 10_000

/** No answer to a ping for this long: the channel is dead. Worst case 1.95 s. */
export const deadAfterPingMs = 700

/** Dial the next server when the last has not said Welcome within this. */
export const dialNextMs = 150

/** A dial without Welcome is dropped after this. */
export const dialGiveUpMs = 2000

/** Back-off per server: first, and at most. Half of it is random. */
export const backOffFirstMs = 100
export const backOffMaxMs = 5000

/** An unacknowledged push also goes to the standby after max(this, 4 × round trip). */
export const hedgeAfterMs = 300

/** Pushes of one document made within this of each other travel as one. */
export const coalesceMs = 8

/** Bytes of pushes kept for re-sending as they were; beyond it they are re-offered merged. */
export const outboxBytesMax = 4 * 1024 * 1024

/** Servers known at once; a set has four, and seeds may name them differently. */
export const placesMax = 32

/** When no connection is left, the clients of one server do not dial in the same instant. */
export const dialJitterMs = 30

/** So much read, and the server is told that it may send more. */
export const creditAfterBytes = 256 * 1024

/** A line is not called dead or slow for what it needs at this pace: 1 MiB a second. */
export const slowBytesPerMs = 1024

/** Pushes on their way without an answer; further edits gather, and travel as one. */
export const pushesInFlightMax = 64

/** Pushes and operations told apart; beyond it those that some server holds are joined. */
export const parcelsMax = 128

/**
 * Operations that wait for a server, and their bytes: what one person files in days without
 * a server; three files at the limit.
 */
export const operationsMax = 1000
export const operationBytesMax = 32 * 1024 * 1024

/** Edits of one document that wait; beyond it they are merged. */
export const draftUpdatesMax = 256

/** A document is opened again after a second Resync: first after, and at most. */
export const reopenFirstMs = 100
export const reopenMaxMs = 2000

/**
 * A document that cannot be pushed or opened here for this long: to another server. Where no server has
 * what it builds on (it burnt), that is no help: after a round of all four each time twice as long, at most
 * a minute, for each move opens all documents of the page anew.
 */
export const elsewhereAfterMs = 3000
export const elsewhereMaxMs = 60_000

/** A server that could not open a document is not gone to for its sake within this. */
export const unavailableMs = 300_000

/** Bytes of one document as it is opened: 10 MiB of text, its deletions and writers. */
export const openedBytesMax = 128 * 1024 * 1024

/**
 * Others' edits kept with their seals, of all open documents together, for the case that their server
 * dies before it passed them on: about 14,000 bursts of typing. The oldest go.
 */
export const relayBytesMax = 1024 * 1024

/**
 * Of these a device keeps so much of a document where all of it is put in one piece, beside what came
 * since then: whoever opens it reads them all, and compares each with what a server has.
 */
export const keptRelayBytesMax = 64 * 1024

/** An operation that no server can carry out for this long has failed. */
export const operationGiveUpMs = 10_000

/** Edits without an answer for this long are shown as being saved. */
export const savingAfterMs = 1500

/** No server for this long is shown. */
export const localAfterMs = 3000

/** Changes of the server kept for the person to read. */
export const movesMax = 50
