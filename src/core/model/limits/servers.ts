// Among servers, at the disk of one, and how often it looks after things.

/** One Updates message between servers: keeps a large catch-up from blocking fresh updates. */
export const updatesBytesMax = 256 * 1024

/** Bytes on the way to one peer, not yet known to be stored there; what is beyond is read again. */
export const peerWindowBytesMax = 4 * 1024 * 1024

/** One batch at the disk: bounds the time a keystroke waits behind others. */
export const batchBytesMax = 4 * 1024 * 1024

/** What clients sent and this disk does not hold yet: past it the disk is ill, they go elsewhere. */
export const unstoredBytesMax = 64 * 1024 * 1024

/** A peer, or a server seen from a client, not heard for this long is not live. */
export const liveMs = 1000

/** A server tells its peers how far it is at least this often: at every idle tick, be it early. */
export const heartbeatMs = 390

/** A channel between servers that is silent this long is closed and dialled again. */
export const peerSilentMs = 3000

/** A hello between servers waits for the disk of who says it: for longer, that disk hangs. */
export const peerHelloMs = 60_000

/** How long a server waits before it asks a third for what the origin should have sent by itself. */
export const askAfterMs = 150

/** A document nobody follows is dropped from memory after this. */
export const idleDocumentMs = 30_000

/** Of those so much is kept in memory: twelve of the largest, and all of a usual folder. */
export const idleDocumentBytesMax = 128 * 1024 * 1024

/** Time passes for a server's minds so often while something waits for it, and while nothing does. */
export const busyTickMs = 50
export const idleTickMs = 400

/**
 * Updates of one subject in the logs before they are merged into its snapshot; one more for each so many
 * bytes of that, which is read and written as a whole: however long a text is, merging costs each of
 * its updates the same, and they take about as much room as itself. Not more than can be read in a
 * blink when somebody opens it.
 */
export const compactAfterUpdates = 500
export const compactBytesPerUpdate = 128
export const compactUpdatesMax = 10_000
/** And so long after it was merged last: that takes as long as the document is large. */
export const compactAfterMs = 250

/** A document is compacted early when it leaves memory, if at least this many updates are loose. */
export const compactIdleUpdates = 50

/** A disk with less than this free, or less than this part of it, stops acknowledging. */
export const diskFreeBytesMin = 1024 * 1024 * 1024
export const diskFreePartMin = 0.05

/** A dial between servers that shows no life within this has failed. */
export const dialPeerMs = 2000

/**
 * One message between servers: a subject as a whole, its text with all that was typed and deleted in it
 * (some 40 MiB) and its named versions. As many of these as may be named at one server may be at each.
 */
export const peerMessageBytesMax = 256 * 1024 * 1024

/**
 * Fields in it, counted as for clients; each may be an object of a hundred bytes. A vector of all logs has
 * 300,000; what is short travels together up to 2 MiB, of which a field has some ten bytes.
 */
export const peerMessageFieldsMax = 1_000_000

/** Bytes queued for a peer that does not read, beside one message; past that its channel is cut. */
export const peerQueueBytesMax = peerMessageBytesMax + 64 * 1024 * 1024

/**
 * Bytes that one peer sent and this disk does not hold: as many as it lets wait for us. A sound one waits
 * when a few megabytes and one message are on their way; past that its channel is cut.
 */
export const peerUnstoredBytesMax = peerQueueBytesMax

/** What another server says first: a greeting that tells of all logs, and what is sent along with it. */
export const firstPeerMessageBytesMax = 16 * 1024 * 1024

/**
 * Channels on which no greeting has come. The other servers have one or two each; of more the oldest is
 * cut.
 */
export const strangersMax = 16

/**
 * Subjects that one server wants whole of another; more are asked for when they are read again. What was
 * not answered is asked for again, too.
 */
export const wantedMax = 1000

/** How often free disk space is looked at: a disk fills in minutes, not in seconds. */
export const diskLookMs = 5000

/** Logs of a set: one for each start of each server. Of so many a vector has some 4 MB. */
export const logsMax = 100_000

/** Updates of one log. At 10,000 a second a server writes for four days until it is so far. */
export const seqMax = 4_000_000_000

/**
 * So far beyond what a server tells of its own log others may have it at a moment: what is on its way
 * from there to here, a gigabyte at least.
 */
export const reachAheadMax = 2 ** 24

/** An entry with its 20 contents, as another server sends it: some 10 KB, and room for more fields. */
export const entryBytesMax = 256 * 1024

/** Characters of a name, an id or the like, as another server sends it: much more than any has. */
export const wordsMax = 1024

/** People of whom another server says that they are with it: it takes fewer sessions. */
export const presentMax = 10_000

/** A configuration file: a set of four has some 500 bytes of it. */
export const configurationBytesMax = 1024 * 1024
