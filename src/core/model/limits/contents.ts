// What a folder holds: texts, names, entries, the trash, and how long it remembers.

/** The text of a file, as UTF-8. CodeMirror and Yjs stay fluent below it on an ordinary laptop. */
export const textBytesMax = 10 * 1024 * 1024

/**
 * The longest text there is: servers that were apart may each have filled it, and until somebody shortens
 * it, it is as long as what all of them took. Six at their limit.
 */
export const mergedTextBytesMax = 64 * 1024 * 1024

/** Structs (runs of characters) in one document: about 100 bytes of memory each. */
export const structsMax = 1_000_000

/** What a text consists of, told with it: some 200,000 deletions. Without it a save is merged by text. */
export const savedStateBytesMax = 1024 * 1024
/** The same of what was just saved: the answers to many saves are one message. */
export const keptStateBytesMax = 16 * 1024

/** One name of a file, in UTF-8: what ext4, NTFS and APFS can hold. */
export const nameBytesMax = 255

/** A path, in UTF-8: what Linux, macOS and Windows open beneath any directory of a usual depth. */
export const pathBytesMax = 1024

/** Names in one path: every step to the top looks at no more directories than this. */
export const pathNamesMax = 64

/** Entries in one folder, the trash included: kept in memory, about 500 bytes each. */
export const entriesMax = 100_000

/**
 * Directories that had one path one after the other, each hashed when the next is made; with more, two
 * people who make it at once may make two.
 */
export const namesakesMax = 1000

/**
 * What is in the trash goes for good after 60 steps of 12 hours: 30 days in which some server ran and
 * all were there. A step is counted by a server that has seen the last one for so long.
 */
export const trashStepMs = 12 * 3600 * 1000
export const trashSteps = 60
/** How often the trash is looked after. */
export const trashLookMs = 5000

/** Operation ids are remembered this long: 30 days in which the server that remembers ran. */
export const operationLifeMs = 30 * 24 * 3600 * 1000

/** Ids of operations that go with one subject to another server: about half a megabyte. */
export const operationsPerSnapshotMax = 10_000

/** What a file held that is remembered, the bytes with it: some days of a picture in the making. */
export const contentsMax = 20

/**
 * Named versions of a file, and their bytes: each has its text, compressed. They lie with the text, and
 * whoever reads that from the disk reads them too.
 */
export const versionsMax = 1000
export const versionsBytesMax = 32 * 1024 * 1024
