// Every bound of the system, each with its reason. Sizes in bytes, spans in milliseconds.

/** What a client may say before it is signed in: a Hello with 64 keys is 2 KiB. */
export const helloBytesMax = 16 * 1024

/** One push. Typing is < 100 bytes; a larger paste is cut into several by the client. */
export const updateBytesMax = 1024 * 1024

/** One message on any channel: Create with a text at its limit, in UTF-8, and its frame. */
export const messageBytesMax = 16 * 1024 * 1024

/** Requests of calls that are on their way, together: sixteen of the largest, and any of small ones. */
export const rpcBytesMax = 16 * messageBytesMax

/** The text of a file. CodeMirror and Yjs stay fluent below it on an ordinary laptop. */
export const textBytesMax = 10 * 1024 * 1024

/** Structs (runs of characters) in one document: about 100 bytes of memory each. */
export const structsMax = 1_000_000

/** What a text consists of, told with it: some 200,000 deletions. Without it a save is merged by text. */
export const savedStateBytesMax = 1024 * 1024

/** Deleted ranges in one push: the CPU of one push stays under 50 ms. */
export const deletedRangesMax = 50_000

/** Writers in one push: a re-offer carries at most this many sessions' edits. */
export const writersPerUpdateMax = 1024

/** Steps the gate takes to find the places of one push's text: about 50 ms. Large files add some. */
export const gateStepsMax = 150_000

/** One name of a file, in UTF-8: what ext4, NTFS and APFS can hold. */
export const nameBytesMax = 255

/** A path, in UTF-8: what Linux, macOS and Windows open beneath any directory of a usual depth. */
export const pathBytesMax = 1024

/** Names in one path: every step to the top looks at no more directories than this. */
export const pathNamesMax = 64

/** Entries in one folder, the trash included: kept in memory, about 500 bytes each. */
export const entriesMax = 100_000

/** Characters of a screen name. */
export const screenNameMax = 64

/** Earlier sessions whose unsafe edits one client may bring back. */
export const earlierKeysMax = 64

/** Presence of one session: a caret, a selection, a name, a colour. */
export const caretBytesMax = 2048

/** Carets a second from one session; a hand does not move faster. */
export const caretsPerSecondMax = 20

/** A caret not renewed for this long is gone. Clients renew at a third of it. */
export const caretLifeMs = 30_000

/** Pushes a second from one session, on average. Typing coalesces to fewer. */
export const pushesPerSecondMax = 50

/** Pushes at once: a reconnect re-offers at most this many. */
export const pushBurstMax = 500

/** Bytes a second from one session, on average, and at once. */
export const sessionBytesPerSecondMax = 1024 * 1024
export const sessionBurstBytesMax = 16 * 1024 * 1024

/** Documents one session may follow at once: open tabs, a mirror uses a page of them. */
export const openDocumentsMax = 100

/** Hellos of one channel a second, and at once: a standby is promoted, a name is tried and another. */
export const hellosPerSecondMax = 1
export const helloBurstMax = 5

/** Bytes told to a client and not yet read by it; past that it is cut and comes back. */
export const unreadBytesMax = 4 * 1024 * 1024

/** Sessions on one server: 2,500 of 24 KB are 60 MB. */
export const sessionsMax = 2500

/**
 * Sessions of one address on one server: an office behind one address, and not a whole server for one
 * host. Programs of this machine are not bounded by it: whoever starts them can stop the server too.
 */
export const sessionsPerAddressMax = 200

/**
 * What one client may not be told yet, because this disk does not hold it; past that it goes where
 * the disk is faster. Twenty open files of 800 KB fit, and one more file of any size.
 */
export const heldBytesMax = 16 * 1024 * 1024

/** One piece of an opened document: stock gRPC clients refuse messages over 4 MiB. */
export const pieceBytesMax = 1024 * 1024

/** What one turn says travels as messages of a stream of at most this: the same clients again. */
export const joinedBytesMax = 2 * 1024 * 1024

/** One Updates message between servers: keeps a large catch-up from blocking fresh updates. */
export const updatesBytesMax = 256 * 1024

/** Bytes on the way to one peer, not yet known to be stored there. */
export const peerWindowBytesMax = 1024 * 1024

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

/** How long a server waits before it asks a third for what the origin should have sent by itself. */
export const askAfterMs = 150

/** A document nobody follows is dropped from memory after this. */
export const idleDocumentMs = 30_000

/** Time passes for a server's minds so often while something waits for it, and while nothing does. */
export const busyTickMs = 50
export const idleTickMs = 400

/** Updates of one subject in the logs before they are merged into its snapshot. */
export const compactAfterUpdates = 500

/** A document is compacted early when it leaves memory, if at least this many updates are loose. */
export const compactIdleUpdates = 50

/**
 * What is in the trash goes for good after 60 steps of 12 hours: 30 days in which some server ran and
 * all were there. A step is counted by a server that has seen the last one for so long.
 */
export const trashStepMs = 12 * 3600 * 1000
export const trashSteps = 60
/** How often the trash is looked after. */
export const trashLookMs = 5000

/** Operation ids are remembered this long: 30 days. */
export const operationLifeMs = 30 * 24 * 3600 * 1000

/** Client: nothing heard for this long from the server it works with: ping. */
export const pingAfterMs = 1250

/** Client: the same for a standby. Nobody waits for its answers, and an edit asks it at once. */
export const standbyPingAfterMs = 10_000

/** Client: no answer to a ping for this long: the channel is dead. Worst case 1.95 s. */
export const deadAfterPingMs = 700

/** Client: dial the next server when the last has not said Welcome within this. */
export const dialNextMs = 150

/** Client: a dial without Welcome is dropped after this. */
export const dialGiveUpMs = 2000

/** Client: back-off per server: first, and at most. Half of it is random. */
export const backOffFirstMs = 100
export const backOffMaxMs = 5000

/** Client: an unacknowledged push also goes to the standby after max(this, 4 × round trip). */
export const hedgeAfterMs = 300

/** Client: pushes of one document made within this of each other travel as one. */
export const coalesceMs = 8

/** Client: bytes of pushes kept for re-sending as they were; beyond it they are re-offered merged. */
export const outboxBytesMax = 4 * 1024 * 1024

/** Client: servers known at once; a set has four, and seeds may name them differently. */
export const placesMax = 32

/** Client: when no connection is left, the clients of one server do not dial in the same instant. */
export const dialJitterMs = 30

/** Client: so much read, and the server is told that it may send more. */
export const creditAfterBytes = 256 * 1024

/** Client: a line is not called dead or slow for what it needs at this pace: 1 MiB a second. */
export const slowBytesPerMs = 1024

/** Client: pushes on their way without an answer; further edits gather, and travel as one. */
export const pushesInFlightMax = 64

/** Client: pushes and operations told apart; beyond it those that some server holds are joined. */
export const parcelsMax = 128

/**
 * Client: operations that wait for a server, and their bytes: what one person files in days without
 * a server; three files at the limit.
 */
export const operationsMax = 1000
export const operationBytesMax = 32 * 1024 * 1024

/** Client: edits of one document that wait; beyond it they are merged. */
export const draftUpdatesMax = 256

/** Client: a document is opened again after a second Resync: first after, and at most. */
export const reopenFirstMs = 100
export const reopenMaxMs = 2000

/** Client: a document that cannot be pushed or opened here for this long: to another server. */
export const elsewhereAfterMs = 3000

/** Client: a server that could not open a document is not gone to for its sake within this. */
export const unavailableMs = 300_000

/** Client: bytes of one document as it is opened: 10 MiB of text, its deletions and writers. */
export const openedBytesMax = 128 * 1024 * 1024

/** Client: others' edits kept, for the case that their server dies before it passed them on. */
export const relayBytesMax = 1024 * 1024

/** A receipt of an operation waits for all live servers at most so long, then tells which. */
export const receiptWaitMs = 250

/** Client: an operation that no server can carry out for this long has failed. */
export const operationGiveUpMs = 10_000

/** Client: edits without an answer for this long are shown as being saved. */
export const savingAfterMs = 1500

/** Client: no server for this long is shown. */
export const localAfterMs = 3000

/** Client: changes of the server kept for the person to read. */
export const movesMax = 50

/** Ephemeral presence of a session at another server ends this long after that server went silent. */
export const presenceLifeMs = 10_000

/** A disk with less than this free, or less than this part of it, stops acknowledging. */
export const diskFreeBytesMin = 1024 * 1024 * 1024
export const diskFreePartMin = 0.05

// ------------------------------------------------------------------------- a server's one port

/** HTTP headers, a TLS handshake and the first bytes of a connection: 1 byte a second is no client. */
export const headersMs = 10_000

/** A session's first message, from the moment its channel is open. */
export const firstMessageMs = 15_000

/** A client's channel on which nothing was heard for this long is closed. */
export const idleClientMs = 60_000

/** A client not heard for this long is asked by HTTP/2 or WebSocket whether it is there. */
export const probeClientMs = 15_000

/** HTTP/2 streams on one connection: a page of watched files, not a flood. */
export const streamsPerConnectionMax = 100

/** Headers of one request: cookies of other programs on the same host fit. */
export const headerBytesMax = 16 * 1024

/** Unread output of a client above which its further Opens wait: one large document at a time. */
export const openWindowBytes = 1024 * 1024

/** A call that its server did not answer within this: the server is not well. */
export const callMs = 30_000

/** Changes told to a watcher and not yet taken by it; past that it is cut and lists again. */
export const watchBacklogMax = 10_000

/** Watches and calls at work on one server: each is a promise and its text. */
export const callsMax = 1000

/** Files of one call that saves many: a few such calls leave room for those of others. */
export const saveFilesMax = 256

/** A dial between servers that shows no life within this has failed. */
export const dialPeerMs = 2000

/** Bytes queued for a peer that does not read; past that its channel is cut. */
export const peerQueueBytesMax = 64 * 1024 * 1024

/** How often free disk space is looked at: a disk fills in minutes, not in seconds. */
export const diskLookMs = 5000

/** A stopping server asks its clients to move, spread over this long. */
export const farewellMs = 1000

/** Wrong passwords from one address within the window; then it waits. */
export const signInFailuresMax = 5
export const signInWindowMs = 15 * 60_000

/** Addresses with wrong passwords that are told apart: about 200 bytes each. */
export const signInAddressesMax = 10_000

/** Files in one answer to ListFiles: about 200 KB. */
export const filesPerPageMax = 1000

/** Entries in one message of a session: about 100 KB. */
export const entriesPerMessage = 500

/** Messages of a listing on their way before the client has read one: a slow round trip's worth. */
export const listingsAhead = 4

/** Files and directories that a session shows at once: more, nobody has open. */
export const shownMax = 1000

/** Of a find that says no limit, so many are told. */
export const foundFilesUsual = 100

// ------------------------------------------------------------------------------------- searching

/** What a search looks for, in characters: a long sentence, or a pattern that a person can read. */
export const searchTextMax = 1000

/** Of a line that was found at most so many characters are told: a screen full. */
export const foundLineMax = 1000

/** Lines that one search tells: more, nobody reads. */
export const foundLinesMax = 10_000

/** Instructions of one compiled regular expression: usual ones have some 20. */
export const regexProgramMax = 600

/**
 * Characters of a line times instructions of the program: 20 ms at worst. A usual pattern looks at
 * the first 30,000 characters of each line, the largest at the first 1,000.
 */
export const regexStepsPerLineMax = 600_000

/** Searches at work on one server; they share the time of one turn. */
export const searchesMax = 8

/** Characters, or steps of a program, that all searches take in one turn of the loop: 10 to 20 ms. */
export const searchStepsPerTurn = 600_000

/** What it costs in such steps to read one text from the disk: some 0.2 ms. */
export const searchStepsPerFile = 12_000

// ----------------------------------------------------------------------------------------- blobs

/** One file of any bytes: 16 GiB, a film. What is larger belongs on other shelves. */
export const blobBytesMax = 16 * 1024 * 1024 * 1024

/** What a file held that is remembered, the bytes with it: some days of a picture in the making. */
export const contentsMax = 20

/** Uploads and fetches at work on one server: two files open and a megabyte of memory each. */
export const blobPartialsMax = 32

/** Downloads at work on one server: a file open and some 200 KB each. */
export const blobReadsMax = 200

/** Blobs that nothing names, and uploads that nobody goes on with, are kept for a day. */
export const blobGraceMs = 24 * 3600 * 1000

/** How often those are looked for: a look reads the names of all of them. */
export const blobSweepMs = 3600 * 1000
/** The first time after a start: also where none lasts for an hour. */
export const blobSweepFirstMs = 10 * 60 * 1000

/** An upload, a download or a fetch in which nothing moves for this long is ended; it can go on. */
export const blobIdleMs = 30_000

/**
 * Blobs fetched from other servers at once, and of those the ones that no entry names yet: to follow
 * a slow upload takes as long as that, and does not hold up what is whole and named.
 */
export const blobFetchesMax = 8
export const blobFollowsMax = 6

/** With those that somebody waits for, so many. */
export const blobHurriesMax = 16

/**
 * A blob that no server has now is asked for again after this, then twice as long, at most this; but
 * in all not more often than so many times a second.
 */
export const blobRetryFirstMs = 250
export const blobRetryMaxMs = 5000
export const blobRetriesPerSecond = 500

/** Whoever asks for bytes that are not here waits so long for another server to answer. */
export const blobBringMs = 3000

/** Another server that has not begun to answer within this is not waited for. */
export const blobAnswerMs = 5000

/** How often one that no entry names yet is looked for, and how many such are remembered. */
export const blobOfferTriesMax = 8
export const blobOffersMax = 10_000

// -------------------------------------------------------------------------------------- archives

/** Entries of an archive that is unpacked, and what they hold in all: a large project with pictures. */
export const archiveEntriesMax = 10_000
export const archiveBytesMax = 4 * 1024 * 1024 * 1024

/** How many times longer a file of an archive may be than it is packed; bombs are 1,000 times. */
export const archiveRatioMax = 200
/** A file of at most so many bytes may be packed as well as it likes: a page of blanks is no bomb. */
export const archiveRatioFromBytes = 10 * 1024 * 1024

// ---------------------------------------------------------------------------------------- WebDAV

/** Texts whose length and version are remembered: some 200 bytes each, and most folders fit. */
export const measuresMax = 20_000

/** What one call measures in one turn of the loop, in characters and in texts: some 10 ms each. */
export const measuredCharactersMax = 1024 * 1024
export const measuredTextsMax = 50

/** The body of a question in XML: what clients send has some hundred bytes. */
export const davXmlBytesMax = 256 * 1024

/** Elements in elements, and elements in all, of such a body: properties have a handful. */
export const davXmlDepthMax = 50
export const davXmlElementsMax = 5000

/** Properties that clients gave to files, in characters, names and all: Windows writes 300 a file. */
export const davPropertiesCharactersMax = 8 * 1024 * 1024

/** Locks at one server: every open document of an office has one. */
export const davLocksMax = 1000

/** Who holds a lock, in the words of their program. */
export const davLockOwnerCharactersMax = 4000

/** A lock that nobody renews ends after this, and when no time was asked for after the first. */
export const davLockUsualMs = 10 * 60_000
export const davLockMsMax = 3600_000

/** Texts, and their characters, remembered as what a client read or wrote last. */
export const davReadTextsMax = 1000
export const davReadCharactersMax = 16 * 1024 * 1024

/** Files that come in at once at one server; each has a megabyte in memory, or lies on the disk. */
export const davPutsMax = 32
export const davPutMemoryBytesMax = 1024 * 1024

/** Texts on their way out at once: they are in memory until a slow client has them. */
export const davTextBytesMax = 64 * 1024 * 1024
