// The middle of the page: the shown file under its bars, or what stands there while none is shown.

import { Bars } from './bars.tsx'
import type { BinaryActions } from './binary-actions.ts'
import { BinaryCard } from './binary-card.tsx'
import type { BringIn } from './bring-in.ts'
import { BringingBar } from './bringing-bar.tsx'
import { useClient } from './client-context.tsx'
import type { Commands } from './commands.ts'
import { useDropAnywhere } from './drop-anywhere.ts'
import { EarlyField } from './early-letters.tsx'
import { EditorPane } from './editor-pane.tsx'
import type { EntryActions } from './entry-actions.ts'
import { type FolderTree, top } from './folder-tree.ts'
import { NothingShown } from './nothing-shown.tsx'
import type { OpenFiles } from './open-file.ts'
import { go } from './route.ts'
import type { ShownEditor } from './shown-editor.ts'
import type { ShownFile } from './shown-file.ts'
import { TextConflict } from './text-conflict.tsx'
import { Toolbar } from './toolbar.tsx'
import type { Dropped } from './tree-drag.ts'
import type { ShownHistory } from './use-history.ts'
import { VersionView } from './version-view.tsx'

interface MiddleProps extends ShownFile {
  tree: FolderTree
  openFiles: OpenFiles
  editor: ShownEditor
  history: ShownHistory
  bringIn: BringIn
  actions: EntryActions
  ofBinary: BinaryActions
  commands: Commands
  /** The pane that shows what is on its way in is beside it. */
  hasFilesBeside: boolean
  /** Takes what is dropped where nothing else does. */
  bring: (dropped: Dropped[]) => void
  renameMe: (name: string) => void
}

export function Middle(props: MiddleProps) {
  const { file, open, history, bringIn, actions, ofBinary, commands, renameMe } = props
  const { version } = history
  const isDropping = useDropAnywhere(props.bring)
  return (
    <div className="middle" data-drop-target={isDropping || undefined}>
      {!props.hasFilesBeside && <BringingBar bringIn={bringIn} />}
      <Bars
        {...{ file, open, renameMe }}
        restore={actions.restore}
        saveAs={actions.saveAs}
        close={() => go(undefined)}
        goTo={go}
      />
      {file?.isDeleted === false && file.hasConflict && (
        <TextConflict file={file} actions={ofBinary} />
      )}
      <Toolbar {...{ commands, open }} isHistoryOpen={history.isOpen && file !== undefined} />
      {version && open && (
        <VersionView
          version={version}
          file={open}
          restore={() => {
            open.restores.restore(version)
            history.leave()
          }}
          close={history.leave}
        />
      )}
      <EarlyField editor={props.editor} />
      <Shown {...props} />
    </div>
  )
}

/** The text, the card of other bytes, or what stands in place of both. */
function Shown(props: MiddleProps) {
  const { named, shown, file, open, isMissing, isWaiting } = props
  const { tree, openFiles, editor, history, actions, ofBinary, commands, bring } = props
  const client = useClient()
  if (open && file) {
    return (
      <EditorPane
        key={file.id}
        {...{ open, editor, bring }}
        fileName={file.name}
        isOffline={client.connection.name !== 'online'}
        isCovered={history.version !== undefined}
      />
    )
  }
  if (shown?.bytes) {
    return (
      <BinaryCard
        key={shown.id}
        file={shown}
        bytes={shown.bytes}
        wasWriting={(openFiles.peek(shown.id)?.lastChangeAt ?? 0) > 0}
        actions={ofBinary}
        restore={actions.restore}
      />
    )
  }
  if (isWaiting) return <main className="nothing" aria-label="Opening" />
  const isEmpty = tree.children(top).length === 0
  return <NothingShown {...{ commands, isMissing, named, isEmpty }} />
}
