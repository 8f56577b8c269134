// Searching all texts: what one may ask, and how much of a turn it may take.

/** What a search looks for, in characters: a long sentence, or a pattern that a person can read. */
export const searchTextMax = 1000

/** Words of a path that are looked for together: each is looked for in up to 100,000 names at once. */
export const findWordsMax = 32

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

/** What it costs to pass by a text that cannot hold what is looked for: well under a microsecond. */
export const searchStepsPerPassed = 10

/** So many texts that may hold it are put in order at once, in 5 ms; for more, all are passed by. */
export const searchedInOrderMax = 1000

/** What tells of all texts which a search has to read: enough for 100,000 texts of 5,000 characters. */
export const sketchBytesMax = 128 * 1024 * 1024

/** A longer text is read by each search: to go through it for a sketch takes over 50 ms. */
export const sketchedCharactersMax = 2 ** 20

/** Such steps in one tick, for texts that nobody looks at: 5 to 10 ms, 100,000 texts in seven minutes. */
export const sketchStepsPerTick = 1_200_000

/** The same while texts come or change. */
export const sketchStepsPerBusyTick = sketchStepsPerTick / 10

/** A text that somebody writes is not read anew at each keystroke. */
export const sketchAfterQuietMs = 10_000
