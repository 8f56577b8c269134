// What a text must have for a pattern to be in it: read off the pattern, and never too much.

import { piecesOf, type Piece } from './sketch.ts'
import type { Pattern } from './line-finder.ts'

/**
 * All pieces of one of these lists are in every text that the pattern is found in. No list: nothing is
 * known, any text may hold it.
 */
export type WantedPieces = readonly (readonly Piece[])[]

/** `pattern`: one that is valid. */
export function wantedPieces({ text, isRegex }: Pattern): WantedPieces {
  // Half of a character could be found in the middle of another.
  if (!text.isWellFormed()) return []
  const lists = (isRegex ? literalsOf(text) : [[text]]).map((runs) => runs.flatMap(piecesOf))
  return lists.every(({ length }) => length > 0) ? lists : []
}

/**
 * Of each alternative the runs of characters that stand for themselves, outside of all parentheses: few
 * patterns have more to tell. What is not surely understood ends a run, or says that nothing is known.
 */
function literalsOf(pattern: string): string[][] {
  // A quotation: what looks like a parenthesis in it is none.
  if (pattern.includes('\\Q')) return []
  const alternatives: string[][] = [[]]
  let run: string[] = []
  const endRun = () => {
    alternatives.at(-1)!.push(run.join(''))
    run = []
  }
  for (let at = 0; at < pattern.length;) {
    const character = String.fromCodePoint(pattern.codePointAt(at)!)
    const next = at + character.length
    at = next
    switch (character) {
      case '|':
        endRun()
        alternatives.push([])
        break
      case '(':
        endRun()
        at = afterGroup(pattern, next)
        break
      case '[':
        endRun()
        at = afterClass(pattern, next)
        break
      case '*':
      case '?':
      case '{':
        run.pop()
        endRun()
        if (character === '{') at = afterCount(pattern, next)
        break
      case '+':
      case '.':
      case '^':
      case '$':
      case '}':
      case ']':
        endRun()
        break
      case '\\': {
        const escaped = pattern[next]!
        if (punctuation.test(escaped)) run.push(escaped)
        else if (placesAndClasses.test(escaped)) endRun()
        else return []
        at = next + 1
        break
      }
      default:
        run.push(character)
    }
  }
  endRun()
  return alternatives
}

const punctuation = /^[!-/:-@[-`{-~]$/
const placesAndClasses = /^[AbBzdDsSwWafnrtv]$/

/** Behind the parenthesis that closes the one before this place. */
function afterGroup(pattern: string, start: number): number {
  let at = start
  for (let depth = 1; depth > 0 && at < pattern.length;) {
    const character = pattern[at++]
    if (character === '(') depth++
    else if (character === ')') depth--
    else if (character === '[') at = afterClass(pattern, at)
    else if (character === '\\') at++
  }
  return at
}

/** Behind the bracket that closes the one before this place. */
function afterClass(pattern: string, start: number): number {
  let at = pattern[start] === '^' ? start + 1 : start
  // One right at the beginning stands for itself.
  if (pattern[at] === ']') at++
  while (at < pattern.length && pattern[at] !== ']') {
    const isNamed = pattern.startsWith('[:', at) && pattern.includes(':]', at + 2)
    if (isNamed) at = pattern.indexOf(':]', at + 2) + 2
    else at += pattern[at] === '\\' ? 2 : 1
  }
  return at + 1
}

/** Behind a number of repetitions; a brace that begins none stands for itself. */
function afterCount(pattern: string, start: number): number {
  const counted = /^\d+(?:,\d*)?\}/.exec(pattern.slice(start, start + 24))
  return start + (counted?.[0].length ?? 0)
}
