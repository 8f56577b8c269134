// How many deletions at once are a person's wish, and how many rather an accident.

/** More at once wait until a person agrees: an unmounted disk, a wrong directory, a slip of the hand. */
const deletionsMax = 100
/** Of fewer entries than these a person may well delete most. */
const fewMax = 4

/** Whether so many deletions, of so many entries in all, need a person's word. */
export function isMassDeletion(deletions: number, entries: number): boolean {
  if (deletions > deletionsMax) return true
  if (deletions >= entries && entries >= 2) return true
  return deletions >= fewMax && deletions * 2 > entries
}
