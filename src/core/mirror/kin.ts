// Whether a text was made from another one. A file that is renamed and then written by rename, between
// two looks, is known by nothing else: it has another name, is another thing, and holds another text.

/** So much of a text is in what was made from it: what was taken out is an edit, and in no trash. */
const keptPart = 3 / 4
/** Short texts are alike by chance. */
const tellingUnits = 32

export function isMadeFrom(next: string, before: string): boolean {
  const lines = new Set(next.split('\n'))
  let [kept, all] = [0, 0]
  // What a text repeats tells no more than once.
  for (const line of new Set(before.split('\n'))) {
    all += line.length
    if (lines.has(line)) kept += line.length
  }
  return kept >= tellingUnits && kept >= keptPart * all
}
