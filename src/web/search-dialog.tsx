// Ctrl+Shift+F: the lines of all texts that hold some words; choosing one goes there.

import { CaseSensitive, Regex } from 'lucide-react'
import { type ReactNode, useEffect, useState } from 'react'
import {
  Autocomplete,
  Menu,
  MenuItem,
  ToggleButton,
  ToggleButtonGroup,
} from 'react-aria-components'
import { useClient } from './client-context.tsx'
import { FindField } from './find-field.tsx'
import { ModalDialog } from './modal-dialog.tsx'
import { type FoundLine, searchLines, type Wanted } from './search-lines.ts'

interface SearchDialogProps {
  /** What is looked for to begin with. */
  begin: string
  goTo: (line: FoundLine, words: string) => void
  close: () => void
}

type Finding =
  | { name: 'nothing' }
  | { name: 'looking'; lines: FoundLine[] }
  | { name: 'done'; lines: FoundLine[]; isCut: boolean }
  | { name: 'failed'; text: string }

/** Nobody is done typing sooner. */
const pauseMs = 200
/** What is found is drawn so often. */
const drawMs = 100
/** Of a long line, what stands before the words. */
const beforeMax = 40

export function SearchDialog({ begin, goTo, close }: SearchDialogProps) {
  const [words, setWords] = useState(begin)
  const [ways, setWays] = useState<ReadonlySet<string>>(new Set())
  const wanted = { text: words, ignoresCase: !ways.has('case'), isRegex: ways.has('regex') }
  const finding = useFinding(wanted)
  const lines = finding.name === 'looking' || finding.name === 'done' ? finding.lines : []
  return (
    <ModalDialog look="go-to search-all" overlay="is-high" label="Search all files" close={close}>
      <Autocomplete inputValue={words} onInputChange={setWords}>
        <span className="search-row">
          <FindField label="Words in any text" hint="Words in any text" />
          <ToggleButtonGroup
            aria-label="How to search"
            selectionMode="multiple"
            selectedKeys={ways}
            onSelectionChange={(keys) => setWays(keys as Set<string>)}
          >
            <ToggleButton id="case" className="icon-button" aria-label="Match upper and lower case">
              <CaseSensitive size={18} aria-hidden />
            </ToggleButton>
            <ToggleButton id="regex" className="icon-button" aria-label="Regular expression">
              <Regex size={16} aria-hidden />
            </ToggleButton>
          </ToggleButtonGroup>
        </span>
        <Menu
          className="menu"
          aria-label="Lines found"
          items={lines.map((line) => ({ ...line, id: `${line.file} ${line.line}` }))}
          onAction={(key) => {
            const line = lines.find((each) => `${each.file} ${each.line}` === key)
            close()
            if (line) goTo(line, wanted.isRegex ? '' : words)
          }}
          renderEmptyState={() => <Empty finding={finding} />}
        >
          {({ path, line, text }) => (
            <MenuItem className="menu-item found-line" textValue={`${path}, line ${line}: ${text}`}>
              <span className="found-text">{marked(text, wanted)}</span>
              <span className="muted found-place">
                {path}:{line}
              </span>
            </MenuItem>
          )}
        </Menu>
      </Autocomplete>
      <p className="muted found-count" role="status">
        {countWords(finding)}
      </p>
    </ModalDialog>
  )
}

function Empty({ finding }: { finding: Finding }) {
  if (finding.name === 'failed') return <p className="empty">{finding.text}</p>
  if (finding.name === 'done') return <p className="empty muted">No text here holds that.</p>
  return null
}

function countWords(finding: Finding): string {
  if (finding.name === 'looking') return 'Searching…'
  if (finding.name !== 'done' || finding.lines.length === 0) return ''
  const files = new Set(finding.lines.map(({ file }) => file)).size
  const count = finding.lines.length.toLocaleString('en')
  const lines = finding.lines.length === 1 ? 'line' : 'lines'
  if (finding.isCut) return `The first ${count} lines; there are more.`
  return `${count} ${lines} in ${files === 1 ? 'one file' : `${files.toLocaleString('en')} files`}`
}

/** A line from a little before the words on, with these marked. */
function marked(text: string, { text: words, ignoresCase, isRegex }: Wanted): ReactNode {
  const at = isRegex
    ? -1
    : ignoresCase
      ? text.toLowerCase().indexOf(words.toLowerCase())
      : text.indexOf(words)
  if (at < 0) return text.trim()
  const start = at > beforeMax ? at - beforeMax : 0
  return (
    <>
      {start > 0 && '…'}
      {text.slice(start, at).trimStart()}
      <mark>{text.slice(at, at + words.length)}</mark>
      {text.slice(at + words.length)}
    </>
  )
}

function useFinding({ text, ignoresCase, isRegex }: Wanted): Finding {
  const client = useClient()
  const [finding, setFinding] = useState<Finding>({ name: 'nothing' })
  useEffect(() => {
    if (text.trim() === '') {
      setFinding({ name: 'nothing' })
      return
    }
    const stop = new AbortController()
    let found = { lines: [] as FoundLine[], isCut: false }
    let drawing: ReturnType<typeof setInterval> | undefined
    const beginning = setTimeout(() => {
      setFinding({ name: 'looking', lines: [] })
      drawing = setInterval(() => setFinding({ name: 'looking', lines: found.lines }), drawMs)
      const tell = (more: typeof found) => (found = more)
      searchLines(client, { text, ignoresCase, isRegex }, stop.signal, tell)
        .then(
          () => !stop.signal.aborted && setFinding({ name: 'done', ...found }),
          (error: Error) =>
            !stop.signal.aborted && setFinding({ name: 'failed', text: error.message }),
        )
        .finally(() => clearInterval(drawing))
    }, pauseMs)
    return () => {
      stop.abort()
      clearTimeout(beginning)
      clearInterval(drawing)
    }
  }, [client, text, ignoresCase, isRegex])
  return finding
}
