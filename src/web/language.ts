// How a file is written and read: its language by name, and whether its lines wrap.

import { LanguageDescription, type LanguageSupport } from '@codemirror/language'
import { languages } from '@codemirror/language-data'

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
  return markdown({ codeLanguages: languages })
}
