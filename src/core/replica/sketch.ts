// A sketch of a text: which characters follow each other in it, as bits. It tells in a microsecond that
// a search needs not read the text.
//
// It is a Bloom filter of pieces, two bits each: what is in the text is in its sketch, and now and then
// what is not. Case is folded away, so that one sketch serves every pattern.

/** A hash of three characters that follow each other within a line, of two, or of one. */
export type Piece = number

const bitsMin = 64
/** A text with so many different pieces that they fill this is as good as read each time. */
const bitsMax = 2 ** 20
const bitsPerCharacter = 16

/** In place of a character where a piece has fewer. */
const nothing = 0x1_0000

const lineBreak = 10
const firstBeyondAscii = 0x80

/**
 * A power of two of bytes, as few as leave all but one in `sparseness` bits clear: less of them would
 * take a rarer piece for one that is there.
 */
export function sketchOf(text: string, sparseness: number): Uint8Array {
  let bits = bitsMin
  while (bits < bitsMax && bits < bitsPerCharacter * text.length) bits *= 2
  let bytes = new Uint8Array(bits / 8)
  const add = (piece: Piece) => {
    set(bytes, piece)
    set(bytes, secondOf(piece))
  }
  // Of most pairs there are many: their pieces are added once.
  const pairs = new Uint8Array(firstBeyondAscii ** 2 / 8)
  eachPlace(text, (before, last, unit) => {
    if (before !== nothing) add(hashOf(before, last, unit))
    if (last < firstBeyondAscii && unit < firstBeyondAscii) {
      const pair = last * firstBeyondAscii + unit
      if (isSet(pairs, 0, pairs.length, pair)) return
      set(pairs, pair)
    }
    if (last !== nothing) add(hashOf(nothing, last, unit))
    add(hashOf(nothing, nothing, unit))
  })
  // Half of it has at most as many bits.
  while (8 * bytes.length > bitsMin && countOf(bytes) * 2 * sparseness <= 8 * bytes.length) {
    bytes = halved(bytes)
  }
  return bytes
}

/** The longest pieces of a text without a line break: they say all that shorter ones would. */
export function piecesOf(text: string): Piece[] {
  const byLength: [Piece[], Piece[], Piece[]] = [[], [], []]
  eachPlace(text, (before, last, unit) => {
    const length = last === nothing ? 0 : before === nothing ? 1 : 2
    byLength[length].push(hashOf(before, last, unit))
  })
  return byLength.findLast(({ length }) => length > 0) ?? []
}

/** Whether the sketch of this size that begins at this byte has all of these. */
export function hasPieces(
  bytes: Uint8Array,
  at: number,
  size: number,
  pieces: readonly Piece[],
): boolean {
  for (const piece of pieces) {
    if (!isSet(bytes, at, size, piece) || !isSet(bytes, at, size, secondOf(piece))) return false
  }
  return true
}

// Places are the lowest bits of a hash, so that the halves of a sketch laid on each other are the sketch
// of half the size.

function set(bytes: Uint8Array, place: number): void {
  const bit = place & (8 * bytes.length - 1)
  bytes[bit >> 3]! |= 1 << (bit & 7)
}

function isSet(bytes: Uint8Array, at: number, size: number, place: number): boolean {
  const bit = place & (8 * size - 1)
  return (bytes[at + (bit >> 3)]! & (1 << (bit & 7))) !== 0
}

function halved(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const half = bytes.slice(0, bytes.length / 2)
  for (let at = 0; at < half.length; at++) half[at]! |= bytes[half.length + at]!
  return half
}

function countOf(bytes: Uint8Array): number {
  let count = 0
  for (let byte of bytes) for (; byte !== 0; byte &= byte - 1) count++
  return count
}

const secondOf = (piece: Piece) => Math.imul(piece, 0x9e3779b1) >>> 12

function hashOf(before: number, first: number, second: number): Piece {
  let hash = Math.imul(Math.imul(before, 0x9e3779b1) ^ first, 0x85ebca6b) ^ second
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35)
  return (hash ^ (hash >>> 13)) >>> 0
}

/** Each character of a folded text, with the two before it in its line. */
function eachPlace(text: string, take: (before: number, last: number, unit: number) => void): void {
  let before = nothing
  let last = nothing
  const add = (unit: number) => {
    if (unit === lineBreak) {
      before = last = nothing
      return
    }
    take(before, last, unit)
    before = last
    last = unit
  }
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit < firstBeyondAscii) {
      add(unit >= 97 && unit <= 122 ? unit - 32 : unit)
      continue
    }
    const point = text.codePointAt(at)!
    if (point > 0xffff) at++
    const folded = foldedOf(point)
    for (let each = 0; each < folded.length; each++) add(folded.charCodeAt(each))
  }
}

const foldedPoints = new Map<number, string>()

/**
 * One form for whatever a search takes for the same letter: those with one upper case, as texts are
 * compared, and those with one lower case, as regular expressions compare them, like K and the sign of
 * Kelvin.
 */
function foldedOf(point: number): string {
  let folded = foldedPoints.get(point)
  if (folded === undefined) {
    folded = String.fromCodePoint(point).toUpperCase().toLowerCase().toUpperCase()
    foldedPoints.set(point, folded)
  }
  return folded
}
