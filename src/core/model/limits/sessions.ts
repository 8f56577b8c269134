// What a session may say to a server and be told by it, and how many there are.

/** What a client may say before it is signed in: a Hello with 64 keys is 2 KiB. */
export const helloBytesMax = 16 * 1024

/** One push. Typing is < 100 bytes; a larger paste is cut into several by the client. */
export const updateBytesMax = 1024 * 1024

/** One message on any channel: Create with a text at its limit, in UTF-8, and its frame. */
export const messageBytesMax = 16 * 1024 * 1024

/**
 * Fields in it, those of messages in it included: each is two bytes at least, and an object or more when
 * it is decoded. 10,000 short messages fit, and take some 50 ms.
 */
export const messageFieldsMax = 100_000

/** Deleted ranges in one push: the CPU of one push stays under 50 ms. */
export const deletedRangesMax = 50_000

/** Writers in one push: a re-offer carries at most this many sessions' edits. */
export const writersPerUpdateMax = 1024

/** Steps the gate takes to find the places of one push's text: about 50 ms. Large files add some. */
export const gateStepsMax = 150_000

/**
 * So many of these steps count as one push: of the costliest, a session sends three at once. A text in
 * which a letter was deleted in 40,000 places takes 80 pushes.
 */
export const gateStepsPerPush = 1000

/** Characters that are packed in the time of such a step: the longest text counts as 160 pushes. */
export const packedPerStep = 64

/**
 * What all clients together have sent of messages that are not here as a whole: sixteen of the largest.
 * Past that whoever has sent the most of one is cut, and comes back.
 */
export const unfinishedBytesMax = 16 * messageBytesMax

/** Characters of a screen name. */
export const screenNameMax = 64

/** Earlier sessions whose unsafe edits one client may bring back. */
export const earlierKeysMax = 64

/** Presence of one session: a caret, a selection, a name, a colour, what it restored. */
export const caretBytesMax = 2048

/**
 * Of a restore that is said beside a caret: characters for what it took, some 150 places, and of the name
 * of the version. With the longest screen name and caret all of it fits.
 */
export const restoredTookMax = 900
export const versionNameShownMax = 64

/** A restore is said for so long: who was away for longer is not told of it when they come back. */
export const restoreSaidMs = 10 * 60_000

/** Carets a second from one session; a hand does not move faster. */
export const caretsPerSecondMax = 20

/** A caret not renewed for this long is gone. Clients renew at a third of it. */
export const caretLifeMs = 30_000

/** Pushes a second from one session, on average. Typing coalesces to fewer. */
export const pushesPerSecondMax = 50

/** Pushes at once: a reconnect re-offers at most this many. */
export const pushBurstMax = 500

/** Entries that one operation changes: a few milliseconds of a turn. */
export const severalMax = 256

/** Of the entries that an operation changes so many count as one push: they cost about as much. */
export const entriesPerPush = 32

/** No configuration has a lower `pushBurst`: the largest operation would be refused for ever. */
export const pushBurstMin = severalMax / entriesPerPush

/** Bytes a second from one session, on average, and at once. */
export const sessionBytesPerSecondMax = 1024 * 1024
export const sessionBurstBytesMax = 16 * 1024 * 1024

/**
 * Messages a second from one session, on average, and at once, beside its pushes and operations: the
 * shortest costs as much as one of 300 bytes. A client that comes back opens and shows 1,100 in one go.
 */
export const messagesPerSecondMax = 1000
export const messageBurstMax = 10_000

/** Documents one session may follow at once: open tabs, a mirror uses a page of them. */
export const openDocumentsMax = 100

/** Hellos of one channel a second, and at once: a standby is promoted, a name is tried and another. */
export const hellosPerSecondMax = 1
export const helloBurstMax = 5

/** Bytes told to a client and not yet read by it; past that it is cut and comes back. */
export const unreadBytesMax = 4 * 1024 * 1024

/**
 * What all clients of one server together were told and have not read, opened documents and listings
 * included; past that those who left the most unread are cut. Looked at after so much was told.
 */
export const unreadTogetherBytesMax = 512 * 1024 * 1024
export const unreadLookBytes = 64 * 1024 * 1024

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

/** A receipt of an operation waits for all live servers at most so long, then tells which. */
export const receiptWaitMs = 250

/** Ephemeral presence of a session at another server ends this long after that server went silent. */
export const presenceLifeMs = 10_000

/** A session's first message, from the moment its channel is open. */
export const firstMessageMs = 15_000

/** A client's channel on which nothing was heard for this long is closed. */
export const idleClientMs = 60_000

/** A client not heard for this long is asked by HTTP/2 or WebSocket whether it is there. */
export const probeClientMs = 15_000

/** Unread output of a client above which its further Opens wait: one large document at a time. */
export const openWindowBytes = 1024 * 1024

/** A stopping server asks its clients to move, spread over this long. */
export const farewellMs = 1000

/** Entries in one message of a session: about 100 KB. */
export const entriesPerMessage = 500

/** Entries in the first message of a listing: a screen full, before it takes longer. */
export const entriesAtFirst = 100

/** Messages of a listing on their way that the client has not read: a slow round trip's worth. */
export const listingsAhead = 4

/** Messages that the client is told for each that it has read, until so many are on their way. */
export const listingsPerMore = 2

/** Files and directories that a session shows at once: more, nobody has open. */
export const shownMax = 1000
