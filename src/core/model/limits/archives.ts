// Archives that are unpacked into the folder.

/** Entries of an archive that is unpacked, and what they hold in all: a large project with pictures. */
export const archiveEntriesMax = 10_000
export const archiveBytesMax = 4 * 1024 * 1024 * 1024

/** How many times longer a file of an archive may be than it is packed; bombs are 1,000 times. */
export const archiveRatioMax = 200
/** A file of at most so many bytes may be packed as well as it likes: a page of blanks is no bomb. */
export const archiveRatioFromBytes = 10 * 1024 * 1024
