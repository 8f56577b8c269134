// Files of any bytes, on their way and on the disks.

/** One file of any bytes: 16 GiB, a film. What is larger belongs on other shelves. */
export const blobBytesMax = 16 * 1024 * 1024 * 1024

/** Uploads and fetches at work on one server: two files open and a megabyte of memory each. */
export const blobPartialsMax = 32

/** An upload of so many bytes goes to the other servers unasked, read into memory for all of them. */
export const blobUnaskedBytesMax = 256 * 1024

/** Downloads at work on one server: a file open and some 200 KB each. */
export const blobReadsMax = 200

/** Blobs that nothing names, and uploads that nobody goes on with, are kept for a day. */
export const blobGraceMs = 24 * 3600 * 1000

/**
 * Stored blobs are read again, all of them within two weeks, so that what the disk spoils is known before
 * it is the last copy; but with at most this part of a core: some 700 GB a day.
 */
export const blobCheckMs = 14 * 24 * 3600 * 1000
export const blobCheckPart = 0.02
export const blobCheckFirstMs = 15 * 60 * 1000

/** How often those are looked for: a look reads the names of all of them. */
export const blobSweepMs = 3600 * 1000
/** The first time after a start: also where none lasts for an hour. */
export const blobSweepFirstMs = 10 * 60 * 1000

/** An upload, a download or a fetch in which nothing moves for this long is ended; it can go on. */
export const blobIdleMs = 30_000

/** An upload that brings less than this in a minute is ended, and can go on: 4 KiB a second. */
export const uploadLookMs = 60_000
export const uploadPerLookBytesMin = 256 * 1024

/** Unfinished uploads that are kept; of more, the longest unmoved go first. Looked at now and then. */
export const blobsLeftMax = 1000
export const blobsLeftLook = 100

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
