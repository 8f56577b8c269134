// The two halves of which UTF-16 makes a letter beyond its first 65,536: never cut between them.

/** Whether a unit is the first half of a letter. */
export const isHigh = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00

/** Whether a unit is the second half of a letter. False for NaN, which is behind the end of a text. */
export const isLow = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000
