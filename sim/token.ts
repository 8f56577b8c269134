// Tokens: the unique marked words that simulated people type, and how they are found in a text.

/** A token's name is its writer's label and a number: "a12". */
export function tokenName(label: string, number: number): string {
  return `${label}${number}`
}

/**
 * What is typed: "[a12]" and the end of a line, so that programs which save whole files tell whole
 * tokens apart; some carry characters of two and four bytes.
 */
export function tokenText(name: string): string {
  const number = Number(name.replace(/^[a-z]+/, ''))
  return number % 5 === 0 ? `[${name}é😀]\n` : `[${name}]\n`
}

/** Where a token stands in a text. */
export interface Found {
  name: string
  /** In UTF-16 units, from its "[" to after its line. */
  start: number
  end: number
}

/** The tokens of a text in order, and whatever else is in it. */
export interface Words {
  found: Found[]
  /** The characters that belong to no token: halves, garbage. Empty in a whole text. */
  rest: string
}

export function wordsOf(text: string): Words {
  const found: Found[] = []
  let rest = ''
  let position = 0
  while (position < text.length) {
    const end = tokenEnd(text, position)
    if (end > 0) {
      found.push({ name: nameAt(text, position, end), start: position, end })
      position = end
    } else rest += text[position++]
  }
  return { found, rest }
}

/** Where the token that begins here ends; 0: none begins here. */
function tokenEnd(text: string, start: number): number {
  if (text[start] !== '[') return 0
  const end = text.indexOf('\n', start) + 1
  if (end === 0 || end - start > 16) return 0
  const name = nameAt(text, start, end)
  return name !== '' && text.slice(start, end) === tokenText(name) ? end : 0
}

function nameAt(text: string, start: number, end: number): string {
  let index = start + 1
  while (index < end && text.charCodeAt(index) < 128 && text[index] !== ']') index++
  const name = text.slice(start + 1, index)
  return /^[a-z]+[0-9]+$/.test(name) ? name : ''
}

/** The label of the person with this number: a … z, then aa … */
export function labelOf(index: number): string {
  const letter = String.fromCharCode(97 + (index % 26))
  return index < 26 ? letter : labelOf(Math.floor(index / 26) - 1) + letter
}
