// What a file holds beside live text: bytes by their hash, the newest of several, each from someone.

import { create } from '@bufbuild/protobuf'
import { blobBytesMax, contentsMax } from './limits.ts'
import { newer } from './stamps.ts'
import { Kind, StampSchema, type Content, type Entry, type Stamp } from './wire.ts'

/**
 * The newest of both, newest first; `known` itself when `others` add nothing. Commutative and
 * idempotent, also where more than are kept meet: what is left out of one is older than all it keeps.
 */
export function mergeContents(known: Content[], others: Content[]): Content[] {
  const isKnown = (content: Content) => known.some((each) => isSame(each, content))
  const added = others.filter((content) => !isKnown(content))
  if (added.length === 0) return known
  const all = [...known, ...added].sort((a, b) => (newer(a.stamp, b.stamp) ? -1 : 1))
  const kept = all.slice(0, contentsMax)
  return added.some((content) => kept.includes(content)) ? kept : known
}

/** Whether this can be the name of bytes: a SHA-256, and how many there are. */
export function isBytesName({ hash, size }: { hash: string; size: number }): boolean {
  const isSize = Number.isSafeInteger(size) && size >= 0 && size <= blobBytesMax
  return isSize && isHash(hash)
}

/** Whether this can be a SHA-256 in hex. */
export function isHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}

/** What the newest content makes of a file. */
export function kindBy([newest]: Content[], kind: Kind): Kind {
  if (!newest || kind === Kind.DIRECTORY) return kind
  return newest.hash === '' ? Kind.TEXT : Kind.BINARY
}

/** The blob a file holds; undefined when it holds live text. */
export function blobOf({ contents }: Entry): Content | undefined {
  const [newest] = contents
  return newest && newest.hash !== '' ? newest : undefined
}

/** What a file held, newest first; what was put there twice, by two servers that did not know, once. */
export function history({ contents }: Entry): Content[] {
  return contents.filter(({ hash, isAside }, index) => {
    return isAside || contents[index + 1]?.hash !== hash
  })
}

/**
 * Whether the newest was not made from the one before it: nobody has looked at both yet. Who keeps
 * what is shown puts it there once more, made from itself. What was written aside came later than
 * what it is ranked right below.
 */
export function hasConflict({ contents }: Entry): boolean {
  const [newest] = contents
  const before = contents.find(({ hash }) => hash !== newest?.hash)
  if (!newest || !before) return false
  const same = contents.slice(0, contents.indexOf(before))
  if (before.isAside) return !same.slice(0, -1).some(({ base }) => base === newest.hash)
  return !same.some(({ base }) => base === before.hash || base === newest.hash)
}

/**
 * Where something of this person that was written in the text ranks, which is shown no more: right
 * below the bytes. Undefined: it holds no bytes, or that this person wrote there is known.
 */
export function asideStamp({ contents }: Entry, author: string, origin: string): Stamp | undefined {
  const [newest] = contents
  if (!newest?.stamp || newest.hash === '') return undefined
  const firstBelow = contents.findIndex(({ isAside }, index) => index > 0 && !isAside)
  const aside = contents.slice(1, firstBelow < 0 ? undefined : firstBelow)
  if (aside.some((each) => each.author === author)) return undefined
  const used = new Set(
    contents.filter(({ stamp }) => stamp?.origin === origin).map(({ stamp }) => stamp!.counter),
  )
  let counter = newest.stamp.counter - 1
  while (counter > 0 && used.has(counter)) counter--
  return counter > 0 ? create(StampSchema, { counter, origin }) : undefined
}

function isSame(a: Content, b: Content): boolean {
  return a.stamp?.counter === b.stamp?.counter && a.stamp?.origin === b.stamp?.origin
}
