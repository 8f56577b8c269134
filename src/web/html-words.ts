// The words of a piece of HTML, in lines, as a browser would show them. Nothing of it is run or fetched.

/** Each begins a line and ends one. */
const blocks =
  'address article aside blockquote caption dd details div dl dt fieldset figcaption figure footer ' +
  'form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section summary table tr ul'
/** What is in these is not shown. */
const silent = 'head noscript script style template title'

const blockNames = new Set(blocks.split(' '))
const silentNames = new Set(silent.split(' '))
const cellNames = new Set(['td', 'th'])
/** These have an empty line above and below. */
const apartNames = new Set(['p', 'table'])

export function wordsOfHtml(html: string): string {
  const words = new Words()
  words.read(new DOMParser().parseFromString(html, 'text/html').body, false)
  return words.text
}

class Words {
  readonly #parts: string[] = []
  /** What comes before the next word, if there is one. */
  #breaks = 0
  #tabs = 0
  #hasSpace = false

  get text(): string {
    return this.#parts.join('')
  }

  /** `isAsIs`: spaces and breaks are shown. */
  read(node: Node, isAsIs: boolean): void {
    const name = node.nodeName.toLowerCase()
    if (silentNames.has(name)) return
    if (node.nodeType === Node.TEXT_NODE) return this.#say(node.nodeValue ?? '', isAsIs)
    if (name === 'br') this.#breaks++
    if (cellNames.has(name) && (node as Element).previousElementSibling) this.#tabs++
    const breaks = apartNames.has(name) ? 2 : blockNames.has(name) ? 1 : 0
    this.#breaks = Math.max(this.#breaks, breaks)
    for (const child of node.childNodes) this.read(child, isAsIs || name === 'pre')
    this.#breaks = Math.max(this.#breaks, breaks)
  }

  #say(text: string, isAsIs: boolean): void {
    if (isAsIs) return this.#put(text)
    // A space that does not break stays.
    const words = text.replace(/[ \t\r\n\f]+/g, ' ')
    this.#hasSpace ||= words.startsWith(' ')
    this.#put(words.trim())
    this.#hasSpace ||= words.endsWith(' ')
  }

  #put(words: string): void {
    if (words === '') return
    const space = this.#hasSpace && this.#breaks + this.#tabs === 0 ? ' ' : ''
    const gap = '\n'.repeat(this.#breaks) + '\t'.repeat(this.#tabs) + space
    this.#parts.push(this.#parts.length > 0 ? gap + words : words)
    this.#breaks = 0
    this.#tabs = 0
    this.#hasSpace = false
  }
}
