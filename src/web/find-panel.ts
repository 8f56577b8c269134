// The panel over a text in which one looks for words and replaces them.
//
// CodeMirror's own takes "\t" in what is looked for as a tab, so that nobody finds "\textbf"; it does
// not say how many there are; and it takes half of a phone.

import {
  closeSearchPanel,
  findNext,
  findPrevious,
  getSearchQuery,
  replaceAll,
  replaceNext,
  SearchQuery,
  selectMatches,
  setSearchQuery,
} from '@codemirror/search'
import { type EditorView, type Panel, runScopeHandlers, type ViewUpdate } from '@codemirror/view'

/** So many are counted: in a long text it takes a moment, at each letter. */
const countMax = 1000

export function findPanel(view: EditorView): Panel {
  const find = field('search', 'Find')
  const replace = field('replace', 'Replace')
  const matchCase = option('case', 'Match case')
  const regex = option('re', 'Regex')
  const words = option('word', 'Whole words')
  const count = element('output', { className: 'find-count' })
  const inputs = [find, replace, matchCase, regex, words]
  find.setAttribute('main-field', 'true')

  const show = (query: SearchQuery) => {
    find.value = query.search
    replace.value = query.replace
    matchCase.checked = query.caseSensitive
    regex.checked = query.regexp
    words.checked = query.wholeWord
    count.value = countIn(view, query)
  }
  const commit = () => {
    const query = new SearchQuery({
      search: find.value,
      replace: replace.value,
      caseSensitive: matchCase.checked,
      regexp: regex.checked,
      wholeWord: words.checked,
      literal: !regex.checked,
    })
    if (!query.eq(getSearchQuery(view.state))) view.dispatch({ effects: setSearchQuery.of(query) })
  }
  for (const input of inputs) input.addEventListener('input', commit)

  const dom = element('div', { className: 'cm-search' })
  dom.append(
    row(
      wrapped('find-field', find, count),
      button('Next', () => findNext(view)),
      button('Previous', () => findPrevious(view)),
      Object.assign(
        button('Select all', () => selectMatches(view)),
        {
          className: 'cm-button select-all',
        },
      ),
    ),
    row(...[matchCase, regex, words].map((input) => input.parentElement!)),
    row(
      wrapped('find-field', replace),
      button('Replace', () => replaceNext(view)),
      button('Replace all', () => replaceAll(view)),
    ),
    closeButton(() => closeSearchPanel(view)),
  )
  dom.addEventListener('keydown', (event) => {
    // It ends the composing of a word, which is not done yet.
    if (event.isComposing) return
    const isEnter = event.key === 'Enter'
    if (runScopeHandlers(view, event, 'search-panel')) event.preventDefault()
    else if (isEnter && event.target === find) (event.shiftKey ? findPrevious : findNext)(view)
    else if (isEnter && event.target === replace) replaceNext(view)
    else return
    event.preventDefault()
  })
  show(getSearchQuery(view.state))
  return {
    dom,
    top: true,
    mount: () => find.select(),
    update({ transactions, docChanged, selectionSet }: ViewUpdate) {
      const queries = transactions.flatMap(({ effects }) =>
        effects.flatMap((effect) => (effect.is(setSearchQuery) ? [effect.value] : [])),
      )
      const query = getSearchQuery(view.state)
      if (queries.length > 0) show(query)
      else if (docChanged || selectionSet) count.value = countIn(view, query)
    },
  }
}

/** "2 of 14": which of them is selected, and how many there are. */
function countIn({ state }: EditorView, query: SearchQuery): string {
  if (query.search === '') return ''
  if (!query.valid) return 'Not a regex'
  const { from, to } = state.selection.main
  const cursor = query.getCursor(state)
  let count = 0
  let selected = 0
  for (let next = cursor.next(); !next.done && count < countMax; next = cursor.next()) {
    count++
    if (next.value.from === from && next.value.to === to) selected = count
  }
  if (count === 0) return 'None'
  const all = count === countMax ? `${countMax.toLocaleString('en')}+` : `${count}`
  return selected === 0 ? all : `${selected} of ${all}`
}

function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Partial<HTMLElementTagNameMap[K]>,
): HTMLElementTagNameMap[K] {
  return Object.assign(document.createElement(name), properties)
}

function field(name: string, label: string): HTMLInputElement {
  const input = element('input', { className: 'cm-textfield', name, placeholder: label })
  input.setAttribute('aria-label', label)
  // A phone would begin what is looked for with a capital, and mend it.
  input.autocapitalize = 'off'
  input.autocomplete = 'off'
  input.spellcheck = false
  return input
}

/** A box to tick, in its label. */
function option(name: string, label: string): HTMLInputElement {
  const input = element('input', { type: 'checkbox', name })
  element('label', {}).append(input, label)
  return input
}

function button(label: string, press: () => void): HTMLButtonElement {
  const made = element('button', { className: 'cm-button', type: 'button', textContent: label })
  made.addEventListener('click', press)
  return made
}

function closeButton(press: () => void): HTMLButtonElement {
  const made = button('×', press)
  made.className = ''
  made.name = 'close'
  made.setAttribute('aria-label', 'Close')
  return made
}

function row(...parts: Node[]): HTMLDivElement {
  return wrapped('find-row', ...parts)
}

function wrapped(className: string, ...parts: Node[]): HTMLDivElement {
  const made = element('div', { className })
  made.append(...parts)
  return made
}
