// The line under the text: where one is, how much it is, which server, who types.

import { useEffect, useRef, useState } from 'react'
import type { EditorView } from '@codemirror/view'
import { useClient, useNow, usePeople, useTyping } from './client-context.tsx'
import { languageOf } from './language.ts'
import { lineEndingOf } from './line-endings.ts'
import type { OpenFile } from './open-file.ts'
import { typesNow } from './people.ts'
import { named } from './save-words.ts'
import { type ShownEditor, useEditor } from './shown-editor.ts'

interface BottomBarProps {
  editor: ShownEditor
  file: OpenFile | undefined
  fileName: string
}

export function BottomBar({ editor, file, fileName }: BottomBarProps) {
  const view = useEditor(editor)
  return (
    <footer className="bottom-bar" aria-label="Status">
      {view && file && (
        <>
          <span>{position(view)}</span>
          <WordCount view={view} key={file.live.id} />
          <span className="wide">{languageOf(fileName).name}</span>
          <span className="wide">{lineEndingOf(view.state.sliceDoc(0, endingSample))}</span>
          <span className="wide">UTF-8</span>
        </>
      )}
      <span className="space" />
      {file && <TypingNow file={file} />}
      <ServerNow />
    </footer>
  )
}

/** A change of server is no event: the last one stays named for as long as a usual change takes. */
const changeMs = 3000

function ServerNow() {
  const { connection } = useClient()
  const last = useRef('')
  const now = useNow(1000, connection.name === 'offline' || connection.name === 'joining')
  if (connection.name === 'online') {
    const roundTrip = Math.max(1, Math.round(connection.roundTripMs))
    last.current = `Server ${connection.server} · ${roundTrip} ms`
  } else if (connection.name === 'refused' || connection.name === 'outlived') last.current = ''
  else if (now - connection.since > changeMs) last.current = 'No server'
  return <span>{last.current}</span>
}

/** So many letters show what a text's lines end with. */
const endingSample = 4096

function position(view: EditorView): string {
  const { main } = view.state.selection
  const line = view.state.doc.lineAt(main.head)
  const selected = main.empty ? '' : ` (${(main.to - main.from).toLocaleString('en')} selected)`
  return `Ln ${line.number}, Col ${main.head - line.from + 1}${selected}`
}

/** Counting reads the whole text: so often while it changes, and once after the last change. */
const countEveryMs = 400

function WordCount({ view }: { view: EditorView }) {
  const { doc } = view.state
  const [counted, setCounted] = useState(() => ({ doc, count: words(view) }))
  const isBehind = counted.doc !== doc
  useEffect(() => {
    if (!isBehind) return
    const timer = setTimeout(
      () => setCounted({ doc: view.state.doc, count: words(view) }),
      countEveryMs,
    )
    // Not begun anew by a further letter: whoever types without a pause sees it move too.
    return () => clearTimeout(timer)
  }, [isBehind, counted, view])
  const { count } = counted
  return <span>{count === 1 ? '1 word' : `${count.toLocaleString('en')} words`}</span>
}

function words(view: EditorView): number {
  let count = 0
  for (const part of view.state.doc.iterLines()) count += part.match(/\S+/g)?.length ?? 0
  return count
}

function TypingNow({ file }: { file: OpenFile }) {
  const typing = useTyping(file)
  const names = usePeople(file)
    .filter((person) => !person.isMe && typesNow(person, typing))
    .map((person) => person.name)
  if (names.length === 0) return null
  const shown = names.length > 3 ? `${names.length} people` : named(names)
  return <span className="typing">{shown} typing</span>
}
