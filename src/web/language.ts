// How a file is written and read: its language by name, and whether its lines wrap.

import { LanguageDescription, type LanguageSupport } from '@codemirror/language'
import { languages } from '@codemirror/language-data'
import type { MarkdownConfig } from '@lezer/markdown'

export interface Language {
  name: string
  /** Prose wraps, gets the spelling checked and quotes left alone; code does not. */
  isProse: boolean
  /** Fetched when asked for; undefined for plain text. */
  load: (() => Promise<LanguageSupport>) | undefined
}

const prose = new Set(['Markdown', 'LaTeX', 'reStructuredText'])

/** The language that a file of this name is written in. */
export function languageOf(fileName: string): Language {
  const found = LanguageDescription.matchFilename(languages, fileName)
  if (found === null) return { name: 'Plain text', isProse: true, load: undefined }
  if (found.name === 'Markdown') {
    return { name: 'Markdown', isProse: true, load: loadMarkdown }
  }
  return { name: found.name, isProse: prose.has(found.name), load: () => found.load() }
}

/** Markdown whose fenced code is coloured too. */
async function loadMarkdown(): Promise<LanguageSupport> {
  const { markdown } = await import('@codemirror/lang-markdown')
  return markdown({ codeLanguages: languages, extensions: piecewise })
}

/** So much is read anew with every key that is typed in it: a few milliseconds. */
const paragraphMax = 20_000

/**
 * A paragraph is read as a whole: that of a log, or of words without an end, with every key for a tenth
 * of a second. So a long one ends after a line of it, and in a long line nothing is coloured.
 */
const piecewise: MarkdownConfig = {
  parseBlock: [
    {
      name: 'LongLine',
      before: 'ATXHeading',
      parse(context, line) {
        if (line.text.length < paragraphMax) return false
        const end = context.lineStart + line.text.length
        context.addElement(context.elt('Paragraph', context.lineStart + line.pos, end))
        context.nextLine()
        return true
      },
      endLeaf: (_context, line, leaf) => leaf.content.length + line.text.length >= paragraphMax,
    },
  ],
}
