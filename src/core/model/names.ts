// Names of files and of people: which are allowed, and which are too like each other.

import { utf8ByteLength } from 'lib0/string'
import { isLongerThan } from './byte-length.ts'
import { FourfoldError } from './errors.ts'
import { nameBytesMax, screenNameMax } from './limits.ts'

/**
 * Throws FourfoldError 'invalid' with the rule that a file's name breaks: a name must be one that
 * every system's disk can hold and every person can read. Percent signs mean nothing.
 */
export function checkFileName(name: string): void {
  const rule = brokenRule(name)
  if (rule !== undefined) throw new FourfoldError('invalid', rule)
}

/**
 * A screen name as it is shown: trimmed, in Unicode's composed form. Throws FourfoldError 'invalid'
 * with the rule that it breaks. Markup is text like any other.
 */
export function checkScreenName(name: string): string {
  const refuse = (rule: string) => new FourfoldError('invalid', rule)
  // Before anything that takes time: no character has more than this many units.
  if (name.length > 8 * screenNameMax) throw refuse(tooManyCharacters)
  if (!name.isWellFormed()) throw refuse('A screen name must be valid Unicode.')
  const shown = name.normalize('NFC').trim()
  if (shown === '') throw refuse('A screen name needs at least one character.')
  if ([...shown].length > screenNameMax) throw refuse(tooManyCharacters)
  if (control.test(shown)) throw refuse('A screen name must not contain control characters.')
  if (bidi.test(shown)) {
    throw refuse('A screen name must not contain characters that change the writing direction.')
  }
  if (hasInvisible(shown) || !visible.test(shown)) {
    throw refuse('A screen name must not contain invisible characters.')
  }
  return shown
}

/**
 * The name of a version as it is shown: trimmed, and empty where it needs none. Throws FourfoldError
 * with the rule that it breaks.
 */
export function checkVersionName(name: string): string {
  if (isLongerThan(name, nameBytesMax)) {
    throw new FourfoldError('too-large', `A name may have at most ${nameBytesMax} bytes.`)
  }
  const shown = name.trim()
  const refuse = (what: string) =>
    new FourfoldError('invalid', `The name of a version must not contain ${what}.`)
  if (control.test(shown)) throw refuse('control characters')
  // Lists and notices show it amid other words, which would turn round with it.
  if (bidi.test(shown)) throw refuse('characters that change the writing direction')
  return shown
}

/** Two files of one directory whose names have the same key clash: case and form do not count. */
export function fileKey(name: string): string {
  return folded(name.normalize('NFC')).normalize('NFC')
}

/** The length of a name without its extension, which begins at its last dot unless that is its first letter. */
export function stemLength(name: string): number {
  const dot = name.lastIndexOf('.')
  return dot > 0 ? dot : name.length
}

/**
 * "plan.md" and 2 → "plan (2).md": how one of several of a name is shown. Never cut, be it longer than a
 * name may be: what it is a number of is found by taking it away again.
 */
export function withNumber(name: string, number: number): string {
  const stem = stemLength(name)
  return `${name.slice(0, stem)} (${number})${name.slice(stem)}`
}

/** The name itself, or the first of "plan (2).md", "plan (3).md" … that is not taken. */
export function numbered(name: string, isTaken: (name: string) => boolean): string {
  let free = name
  for (let number = 2; isTaken(free); number++) free = withWords(name, ` (${number})`)
  return free
}

/**
 * "plan.md" and " copy" → "plan copy.md". What would be too long a name is cut before these words, and
 * loses its extension where that leaves no room.
 */
export function withWords(name: string, words: string): string {
  const stem = stemLength(name)
  const ending = words + name.slice(stem)
  const room = nameBytesMax - utf8ByteLength(ending)
  if (room >= characterBytesMax) return cut(name.slice(0, stem), room) + ending
  return cut(name, nameBytesMax - utf8ByteLength(words)) + words
}

/** Of one character, in UTF-8. */
const characterBytesMax = 4

/** Its first characters. */
function cut(name: string, bytesMax: number): string {
  if (!isLongerThan(name, bytesMax)) return name
  let bytes = 0
  let end = 0
  for (const character of name) {
    bytes += utf8ByteLength(character)
    if (bytes > bytesMax) break
    end += character.length
  }
  // A joiner at the end has nothing to join, and would be a character that nobody sees.
  return name.slice(0, end).replace(/[\u200c\u200d]+$/u, '')
}

/** Two screen names with the same likeness are too like each other to tell people apart. */
export function likeness(name: string): string {
  let key = ''
  // Taken apart, so that a letter is known under its accents; these count.
  for (const letter of folded(name.normalize('NFKC')).normalize('NFKD')) {
    key += lookAlikes.get(letter) ?? letter
  }
  return key.normalize('NFC').replace(/\s+/gu, ' ').trim()
}

const tooManyCharacters = `A screen name has at most ${screenNameMax} characters.`

/** The rule of `checkFileName` that a name breaks, as a sentence. */
export function brokenRule(name: string): string | undefined {
  if (name === '') return 'A name needs at least one character.'
  if (!name.isWellFormed()) return 'A name must be valid Unicode.'
  if (name.length > nameBytesMax || utf8ByteLength(name) > nameBytesMax) {
    return `A name has at most ${nameBytesMax} bytes.`
  }
  if (name === '.' || name === '..') return `A name must not be "${name}".`
  if (control.test(name)) return 'A name must not contain control characters.'
  const forbidden = /[/\\<>:"|?*]/.exec(name)
  if (forbidden) return `A name must not contain ${forbidden[0]} (nor any of / \\ < > : " | ? *).`
  if (/[\s.]$/u.test(name)) return 'A name must not end with a dot or a space.'
  if (bidi.test(name)) {
    return 'A name must not contain characters that change the writing direction.'
  }
  if (hasInvisible(name)) return 'A name must not contain invisible characters.'
  const plain = folded(name.normalize('NFKC'))
  if (device.test(plain) || device.test(folded(name))) {
    return `"${name}" is the name of a device on some systems.`
  }
  if (plain === '.git' || plain === 'git~1') return `"${name}" belongs to Git.`
  if (plain.startsWith('.fourfold')) return 'Names that begin with ".fourfold" are reserved.'
  return undefined
}

/** Whether it would be read as something else than one name of a path, or ends it: also of old disks. */
export function breaksPaths(name: string): boolean {
  if (name === '' || name === '.' || name === '..') return true
  return name.includes('/') || control.test(name) || utf8ByteLength(name) > nameBytesMax
}

/** One form for upper and lower case; by upper case first, because of ß and the final sigma. */
const folded = (name: string) => name.toUpperCase().toLowerCase()

/** Codes for devices, not letters; line and paragraph separators, which lists would break at. */
const control = /[\p{Cc}\u2028\u2029]/u

const bidi = /\p{Bidi_Control}/u

/** Anything that leaves ink. */
const visible = /[\p{L}\p{N}\p{P}\p{S}]/u

/** Characters without ink: ignorable ones, format codes, and blanks that do not count as spaces. */
const invisible = /[\p{Default_Ignorable_Code_Point}\p{Cf}\u2800]/u

/** Emoji are made with joiners and a variation selector. */
const emojiJoiner =
  /(?<=\p{Extended_Pictographic}\ufe0f?|\p{Emoji_Modifier})\u200d(?=\p{Extended_Pictographic})/gu
const emojiSelector = /(?<=\p{Emoji})\ufe0f/gu

/** Scripts that are spelled with joiners between letters. */
const joining =
  '[\\p{scx=Arab}\\p{scx=Syrc}\\p{scx=Mong}\\p{scx=Deva}\\p{scx=Beng}\\p{scx=Guru}\\p{scx=Gujr}' +
  '\\p{scx=Orya}\\p{scx=Taml}\\p{scx=Telu}\\p{scx=Knda}\\p{scx=Mlym}\\p{scx=Sinh}]'
const letterJoiner = new RegExp(`(?<=${joining})[\\u200c\\u200d](?=${joining})`, 'gu')

/** Whether something in it leaves no ink and is no part of what does. */
export function hasInvisible(name: string): boolean {
  if (!invisible.test(name)) return false
  const rest = name.replace(emojiJoiner, '').replace(emojiSelector, '').replace(letterJoiner, '')
  return invisible.test(rest)
}

/** What Windows takes for a device, with any extension: also with superscript digits. */
const device = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|$)/u

/** Letters of other scripts, each with the Latin one it looks like, in either case, folded. */
const lookAlikes = new Map(
  [
    // Cyrillic
    'аa вb еe һh нh іi јj кk мm оo рp ԛq ѕs сc тt уy үy ԝw хx ԁd ӏl',
    // Greek
    'αa βb εe ζz ηh ιi κk μm νv οo ρp σo τt υy χx',
    // Armenian, Latin
    'օo հh սu ıi ɑa ɡg ɩi',
  ].flatMap((pairs) => pairs.split(' ').map((pair) => [pair[0]!, pair[1]!] as const)),
)
