// Connections and calls at the one port of a server.

import { mergedTextBytesMax } from './contents.ts'
import { messageBytesMax } from './sessions.ts'

/**
 * Requests of calls that are on their way, together: sixteen of the largest, and any of small ones. The
 * same of texts that are answered and not taken yet, and of all other answers.
 */
export const rpcBytesMax = 16 * messageBytesMax

/** Messages that are unpacked at once: each makes up to 16 MiB of as many KB, and counts as those before. */
export const unpackedAtOnce = 4

/** One answer to a call: the longest text, what it consists of, and its frame. */
export const answerBytesMax = mergedTextBytesMax + 2 * 1024 * 1024

/** HTTP headers, a TLS handshake and the first bytes of a connection: 1 byte a second is no client. */
export const headersMs = 10_000

/**
 * HTTP/2 streams, or unanswered requests of HTTP/1.1, on one connection: a page of watched files, not a
 * flood.
 */
export const streamsPerConnectionMax = 100

/** Headers of one request: cookies of other programs on the same host fit. */
export const headerBytesMax = 16 * 1024

/** A call that its server did not answer within this: the server is not well. */
export const callMs = 30_000

/**
 * Texts and listings that are made for callers at once. After one as long as this, which takes this
 * server's time, they are made one by one, and all else goes on between them.
 */
export const longAnswersAtOnce = 4
export const longAnswerBytes = 256 * 1024

/** About what a file takes in a listing, in JSON: a page of a thousand is long. */
export const listedFileBytes = 300

/** Of a file or a text at once to a caller. */
export const pieceBytes = 256 * 1024

/** Who has not taken a piece within this is cut off: as slow as an upload may be. */
export const untakenMs = 60_000

/** A disk that has not flushed within this hangs: who asks how the server is asks others then. */
export const statusMs = 2000

/** Changes told to a watcher and not yet taken by it; past that it is cut and lists again. */
export const watchBacklogMax = 10_000

/**
 * What is told to all watchers together and not taken: four folders at their limit, or 100 MB. Past that
 * who has taken nothing of it goes to another server.
 */
export const watchUntakenMax = 400_000

/** Calls that are begun in one turn of the event loop: some 20 ms, in which nobody else is heard. */
export const callsPerTurnMax = 32

/** Calls at work on one server: each is a promise and its text. */
export const callsMax = 1000

/** Watches and searches at one server: each change is told to all that watch. */
export const streamsMax = 1000

/** Files of one call that saves many: a few such calls leave room for those of others. */
export const saveFilesMax = 256

/** Changes of one call that does many: the same. */
export const changeFilesMax = 256

/** Wrong passwords from one address within the window; then it waits. */
export const signInFailuresMax = 5
export const signInWindowMs = 15 * 60_000

/** Addresses with wrong passwords that are told apart: about 200 bytes each. */
export const signInAddressesMax = 10_000

/** Files in one answer to ListFiles: about 200 KB. */
export const filesPerPageMax = 1000

/** Texts in one answer to ListVersions: beside the names of a thousand they fit into 4 MiB. */
export const versionTextsBytesMax = 3 * 1024 * 1024

/** Of a find that says no limit, so many are told. */
export const foundFilesUsual = 100
