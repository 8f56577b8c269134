// WebDAV: what is measured, read, locked and put.

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

/**
 * Names and attributes in it, in characters, each with its namespace, as it is written again: a namespace
 * stands there once and may belong to thousands of names. 5,000 usual names have half of it.
 */
export const davXmlNamesCharactersMax = 512 * 1024

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
