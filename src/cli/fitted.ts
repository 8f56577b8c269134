// A help as it fits the width of a terminal: what is too long for it is wrapped anew.

/** Lines that are one text: a paragraph, or what an option is for, behind its name. */
interface Block {
  lead: string
  words: string[]
  lines: string[]
}

/** Usage and examples stay as they are: their lines are to be typed. */
export function fitted(help: string, columns: number): string {
  const blocks: Block[] = []
  for (const line of help.split('\n')) {
    const [, lead = '', text = line] = /^( +-.*? {2,})(\S.*)$/.exec(line) ?? []
    const words = text.trim().split(' ')
    const before = blocks.at(-1)
    if (before && lead === '' && goesOn(before, line)) {
      before.words.push(...words)
      before.lines.push(line)
    } else blocks.push({ lead, words, lines: [line] })
  }
  return blocks.flatMap((block) => linesOf(block, columns)).join('\n')
}

function goesOn({ lead, lines }: Block, line: string): boolean {
  if (line === '' || lines[0] === '') return false
  return line.search(/\S/) === lead.length && (lead !== '' || !lines[0]!.startsWith(' '))
}

function linesOf({ lead, words, lines }: Block, columns: number): string[] {
  if (lines.every(({ length }) => length <= columns) || /^Usage:|^ +[^ -]/.test(lines[0]!))
    return lines
  const wrapped = [lead]
  for (const word of words) {
    const line = wrapped.pop()!
    const isFirst = line.length === lead.length
    if (isFirst || line.length + 1 + word.length <= columns) {
      wrapped.push(isFirst ? line + word : `${line} ${word}`)
    } else wrapped.push(line, ' '.repeat(lead.length) + word)
  }
  return wrapped
}
