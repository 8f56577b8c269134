// Names of people and files: which to propose, what is found by a part of one.

import { FourfoldError } from '../core/model/errors.ts'
import { screenNameMax } from '../core/model/limits.ts'
import { checkScreenName, fileKey, numbered, stemLength, withWords } from '../core/model/names.ts'
import { languageOf } from './language.ts'

/** "Ana" → "Ana 2" → "Ana 3": a name to try when this one is taken. */
export function suggested(name: string): string {
  const numbered = /^(.*?) (\d+)$/.exec(name.trim())
  const [stem, number] = numbered ? [numbered[1]!, Number(numbered[2])] : [name.trim(), 1]
  const tail = ` ${number + 1}`
  return stem.slice(0, screenNameMax - tail.length) + tail
}

/** Why servers would refuse a screen name, as a sentence: there may be none to ask. */
export function screenNameRule(name: string): string | undefined {
  try {
    checkScreenName(name)
    return undefined
  } catch (error) {
    if (error instanceof FourfoldError) return error.message
    throw error
  }
}

/** What a new file is called until somebody types another name before the ending. */
export const offeredName = 'untitled.md'

/** Of no language, and typed as they are. */
const plainEndings = /\.(?:csv|log|te?xt)$/i

/** "plan.txt.md" → "plan.txt": who typed an ending before the offered one means that. */
export function meantName(name: string): string {
  const ending = offeredName.slice(stemLength(offeredName))
  if (!name.endsWith(ending)) return name
  const typed = name.slice(0, -ending.length)
  return plainEndings.test(typed) || languageOf(typed).load ? typed : name
}

/** "plan.md" → "plan copy.md" */
export function copyName(name: string): string {
  return withWords(name, ' copy')
}

/** The first of "plan copy.md", "plan copy 2.md" … that is none of these, whatever its case. */
export function freeName(name: string, taken: readonly string[]): string {
  const keys = new Set(taken.map(fileKey))
  let free = copyName(name)
  for (let number = 2; keys.has(fileKey(free)); number++) {
    free = withWords(name, ` copy ${number}`)
  }
  return free
}

/** The name itself, or the first of "plan (2).md", "plan (3).md" … that is none of these. */
export function numberedName(name: string, taken: readonly string[]): string {
  const keys = new Set(taken.map(fileKey))
  return numbered(name, (each) => keys.has(fileKey(each)))
}
