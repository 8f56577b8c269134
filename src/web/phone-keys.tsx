// A row over the phone's keyboard: what its keyboard makes hard to reach.

import { openSearchPanel } from '@codemirror/search'
import { indentMore } from '@codemirror/commands'
import { ImagePlus, IndentIncrease, Redo2, Search, Undo2 } from 'lucide-react'
import { Button, Toolbar } from 'react-aria-components'
import type { EditorView } from '@codemirror/view'
import type { OpenFile } from './open-file.ts'
import { pickPictures } from './picture-paste.ts'
import { showsPictures } from './pictures.ts'
import { type ShownEditor, useEditor } from './shown-editor.ts'

interface PhoneKeysProps {
  editor: ShownEditor
  open: OpenFile
  fileName: string
}

export function PhoneKeys({ editor, open, fileName }: PhoneKeysProps) {
  const view = useEditor(editor)
  if (view === undefined) return null
  const key = (label: string, shown: React.ReactNode, press: () => void) => (
    // The text keeps the focus: the phone's keyboard must not go away.
    <Button className="icon-button" aria-label={label} preventFocusOnPress onPress={press}>
      {shown}
    </Button>
  )
  return (
    <Toolbar className="phone-keys" aria-label="Keys">
      {key('Undo what you did', <Undo2 size={18} aria-hidden />, () => open.undo.undo())}
      {key('Redo', <Redo2 size={18} aria-hidden />, () => open.undo.redo())}
      {key('Indent', <IndentIncrease size={18} aria-hidden />, () => indentMore(view))}
      {key('Heading', '#', () => insert(view, '#'))}
      {key('List', '-', () => insert(view, '- '))}
      {key('Task', '[ ]', () => insert(view, '- [ ] '))}
      {showsPictures(fileName) &&
        key('Picture', <ImagePlus size={18} aria-hidden />, () => pickPictures(view))}
      {key('Find', <Search size={18} aria-hidden />, () => openSearchPanel(view))}
    </Toolbar>
  )
}

function insert(view: EditorView, text: string): void {
  view.dispatch(view.state.replaceSelection(text), {
    userEvent: 'input.type',
    scrollIntoView: true,
  })
  view.focus()
}
