// The middle of the page: the text of the shown file.

import { useEffect, useRef, useState } from 'react'
import { useLandmark } from 'react-aria/useLandmark'
import { useClient, useMedia } from './client-context.tsx'
import { droppedIn } from './drop-anywhere.ts'
import { closeEditor, insertAtCaret, keepPlace, openEditor, setLanguage } from './editor-state.ts'
import { NotHere } from './not-here.tsx'
import type { OpenFile } from './open-file.ts'
import { showsPictures } from './pictures.ts'
import { isTouched } from './touch.ts'
import { PhoneKeys } from './phone-keys.tsx'
import type { ShownEditor } from './shown-editor.ts'
import { takePictures } from './take-pictures.ts'
import { notify } from './toasts.tsx'
import type { Dropped } from './tree-drag.ts'

interface EditorPaneProps {
  open: OpenFile
  fileName: string
  editor: ShownEditor
  /** Whether no server answers: then a text that is not on this device must wait. */
  isOffline: boolean
  /** A version lies over the text. */
  isCovered: boolean
  /** Takes files and folders that are dropped on the text, or pasted. */
  bring: (dropped: Dropped[]) => void
}

/** A text that is here sooner shows no word about waiting. */
const wordAfterMs = 400

export function EditorPane(props: EditorPaneProps) {
  const { open, fileName, editor, isOffline, isCovered } = props
  const client = useClient()
  const pane = useRef<HTMLDivElement>(null)
  const host = useRef<HTMLDivElement>(null)
  const [isLoaded, setLoaded] = useState(false)
  const [isLate, setLate] = useState(false)
  const isPhone = useMedia('(max-width: 639px)')
  const latestName = useRef(fileName)
  const fittedName = useRef('')
  /** Opens the editor though the text is not here. */
  const begin = useRef(() => {})
  latestName.current = fileName
  const latestBring = useRef(props.bring)
  latestBring.current = props.bring
  const { landmarkProps } = useLandmark(
    {
      role: 'main',
      'aria-label': fileName,
      focus: () => editor.view?.focus(),
    },
    pane,
  )

  useEffect(() => {
    const timer = setTimeout(setLate, wordAfterMs, true)
    let isEnded = false
    let unkeep = () => {}
    const asked = new Promise<void>((resolve) => {
      begin.current = resolve
    })
    editor.early.wait(open.live.id)
    void Promise.race([open.live.loaded, asked]).then(() => {
      if (isEnded || host.current === null) return
      setLoaded(true)
      fittedName.current = latestName.current
      const view = openEditor({
        file: open,
        fileName: latestName.current,
        parent: host.current,
        changed: () => editor.changed(),
        tooLarge: () => notify('The file would be larger than 10 MiB; nothing was put in.'),
        takePictures(shown, pictures, at) {
          if (!showsPictures(latestName.current)) return false
          void takePictures(client, open, shown, pictures, at)
          return true
        },
        bring: (data) => latestBring.current(droppedIn(data)),
        nothing: () => notify('There is no text on the clipboard.'),
      })
      open.show(true)
      if (!isTouched() && editor.early.isMeant(open.live.id)) view.focus()
      // Behind what was selected when one left: nobody saw that it would be replaced.
      insertAtCaret(view, editor.early.take(open.live.id))
      editor.show(view, open.live.id)
      const keep = () => keepPlace(view, open)
      window.addEventListener('pagehide', keep)
      unkeep = () => {
        window.removeEventListener('pagehide', keep)
        editor.show(undefined)
        closeEditor(view, open)
      }
    })
    return () => {
      isEnded = true
      clearTimeout(timer)
      unkeep()
      open.show(false)
    }
  }, [client, open, editor])

  useEffect(() => {
    if (editor.view === undefined || fittedName.current === fileName) return
    fittedName.current = fileName
    setLanguage(editor.view, fileName)
  }, [editor, fileName])

  return (
    <main {...landmarkProps} ref={pane} className="editor-pane" hidden={isCovered}>
      {!isLoaded &&
        isLate &&
        (isOffline ? (
          <NotHere begin={() => begin.current()} />
        ) : (
          <p className="empty muted">Opening…</p>
        ))}
      <div className="editor" ref={host} />
      {isPhone && isLoaded && <PhoneKeys {...{ editor, open, fileName }} />}
    </main>
  )
}
