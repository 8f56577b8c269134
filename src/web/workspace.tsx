// The page of somebody who is in: panes, bars and dialogs around one shown file.

import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { EditorView } from '@codemirror/view'
import type { Client, FileInfo } from '../client/api.ts'
import { Announcer } from './announcer.tsx'
import { AskedDialog, type Asking } from './asked-dialog.tsx'
import { binaryActions } from './binary-actions.ts'
import { BringIn } from './bring-in.ts'
import { useBothKept } from './both-kept.ts'
import { BytesHeld } from './bytes-held.tsx'
import { BottomBar } from './bottom-bar.tsx'
import { useClient, useMedia } from './client-context.tsx'
import { tellRefusal } from './carry-out.ts'
import { useKeys } from './commands.ts'
import { type EntryActions, entryActions } from './entry-actions.ts'
import { type ActionOptions, fileActions } from './file-actions.ts'
import { FilePane } from './file-pane.tsx'
import { type FolderTree, isDirectory, top } from './folder-tree.ts'
import { HistoryPane } from './history-pane.tsx'
import { Middle } from './middle.tsx'
import { OpenFiles } from './open-file.ts'
import { Panes, useLeftPane } from './panes.tsx'
import type { PersonHere } from './people.ts'
import { caretOf } from './remote-carets.ts'
import { useRestored } from './restored-notices.ts'
import { fileOf, go, useHash } from './route.ts'
import { saveBytes } from './save-bytes.ts'
import { asSentence } from './save-words.ts'
import { ShownTree } from './shown-entries.ts'
import { ShownEditor } from './shown-editor.ts'
import { useShownFile } from './shown-file.ts'
import { notify, Toasts } from './toasts.tsx'
import { isTouched } from './touch.ts'
import { TopBar } from './top-bar.tsx'
import type { Dropped } from './tree-drag.ts'
import { TreeView } from './tree-view.ts'
import { useHistory } from './use-history.ts'
import { useTree } from './use-tree.ts'
import { useNewerPage } from './offline.ts'
import { workspaceCommands } from './workspace-commands.ts'

interface WorkspaceProps {
  leave: () => void
  /** Leaves, and this device forgets that the password was given. */
  signOut: () => void
  /** Asks to be let in again, under this name. */
  renameMe: (name: string) => void
}

export function Workspace({ leave, signOut, renameMe }: WorkspaceProps) {
  const client = useClient()
  const [openFiles] = useState(() => new OpenFiles(client))
  const [editor] = useState(() => new ShownEditor())
  const [view] = useState(() => new TreeView())
  const [bringIn] = useState(() => new BringIn(client))
  const [asking, setAsking] = useState<Asking>({ name: 'nothing' })
  const [isNaming, setNaming] = useState(false)
  const isNarrow = useMedia('(max-width: 1023px)')
  const hasUpdate = useNewerPage(client)

  const hash = useHash()
  const shownId = fileOf(hash)
  const tree = useTree(client, shownId)
  const shownFile = useShownFile({ client, openFiles, tree, hash })
  const { shown, file, open } = shownFile
  const left = useLeftPane(isNarrow)
  const history = useHistory(shownId, isNarrow)

  useReveal(view, tree, shown?.isDeleted === false ? shown.id : undefined)
  useEndOfFiles(client, openFiles, tree)
  useEffect(() => () => bringIn.stop(), [bringIn])
  useTitle(shown?.name ?? '')
  useEffect(() => client.onRenamed(({ text }) => void notify(text)), [client])
  useEffect(() => client.onRefused(tellRefusal), [client])
  useWarningBeforeLoss(client.save.name === 'danger')
  useFocusLeft(editor, history.isOpen, history.version !== undefined)

  const { closeDrawer } = left
  const { named } = history
  const actions = useActions({ client, editor, view, bringIn, setAsking, closeDrawer, named })
  const ofBinary = useMemo(() => binaryActions(client, bringIn), [client, bringIn])

  const choose = useCallback(
    ({ id, kind }: FileInfo) => {
      actions.open(id)
      if (kind === 'text') editor.choose(id)
    },
    [actions, editor],
  )

  /** Opens a file; brings a directory into sight in the tree. */
  const show = (entry: FileInfo) => {
    if (!isDirectory(entry)) return actions.open(entry.id)
    left.setOpen(true)
    const above = tree.get(entry.parent)
    const directories = above ? [...tree.ancestors(above.id), above] : []
    view.reveal(entry.id, [...directories, entry], true)
  }
  useBothKept(client, tree, show)
  useRestored(open, client.name)

  const home = () => homeOf(view, tree, shown)
  const withShown = (run: (file: FileInfo) => void) => () => {
    if (shown !== undefined) run(shown)
  }
  const commands = workspaceCommands({
    ...{ actions, editor, file, home },
    shown: shown?.isDeleted === false ? shown : undefined,
    hasText: open !== undefined,
    rename: () => setNaming(true),
    toggleLeft: () => left.setOpen(!left.isOpen),
    toggleHistory: history.toggle,
    ask: setAsking,
  })
  useKeys(commands)

  /** Asks first where going takes text along that is nowhere else. */
  const going = (action: string, run: () => void) => () => {
    if (client.save.name !== 'danger') return run()
    const title = 'Not saved'
    const text = `${asSentence(client.save.why)} If you go on, what you wrote last is lost.`
    setAsking({ name: 'confirm', confirmation: { title, text, action, run } })
  }

  const searchAll = (begin: string) => setAsking({ name: 'search', begin })
  const bring = (dropped: Dropped[]) => actions.bring(dropped, home())
  const shared = { tree, view, shownId, openFiles, bringIn, actions, home, searchAll }
  const inMiddle = { tree, openFiles, editor, history, bringIn, actions, ofBinary, commands, bring }
  return (
    <div className="workspace">
      <TopBar
        {...{ commands, open, tree, isNaming, hasUpdate }}
        leave={going('Change name', leave)}
        signOut={going('Sign out', signOut)}
        file={shown}
        choose={show}
        goTo={(person) => goToCaret(editor, person)}
        setNaming={(isBegun) => {
          setNaming(isBegun)
          if (!isBegun) editor.view?.focus()
        }}
        rename={(name) => shown && actions.renameTo(shown, name)}
        download={withShown((entry) => {
          if (entry.bytes) void saveBytes(client, entry.name, entry.bytes)
          else actions.downloadText(entry)
        })}
        copyLink={withShown(actions.copyLink)}
      />
      <Panes
        {...{ isNarrow, left }}
        files={<FilePane {...shared} open={choose} isCovered={asking.name !== 'nothing'} />}
        right={{ ...history, isOpen: history.isOpen && file !== undefined }}
        history={
          file && (
            <HistoryPane
              {...{ history }}
              fileId={file.id}
              nameVersion={() => actions.nameVersion(file)}
            >
              <BytesHeld file={file} actions={ofBinary} />
            </HistoryPane>
          )
        }
      >
        <Middle {...inMiddle} {...shownFile} {...{ renameMe }} hasFilesBeside={left.isBeside} />
      </Panes>
      <ShownTree {...{ client, tree, view }} />
      <BottomBar {...{ editor }} file={open} fileName={file?.name ?? ''} />
      <Announcer file={open} />
      <Toasts />
      <AskedDialog
        {...{ asking, actions, commands, editor }}
        close={() => setAsking({ name: 'nothing' })}
      />
    </div>
  )
}

interface ActionsOptions {
  client: Client
  editor: ShownEditor
  view: TreeView
  bringIn: BringIn
  setAsking: (asking: Asking) => void
  closeDrawer: () => void
  /** A version has been named. */
  named: () => void
}

/** The same for as long as what they are made of is. */
function useActions(options: ActionsOptions): EntryActions {
  const { client, editor, view, bringIn, setAsking, closeDrawer, named } = options
  return useMemo(() => {
    const ofPage: ActionOptions = {
      client,
      go(id) {
        go(id)
        // What was shown is gone: who looks at the files meanwhile goes on.
        if (id !== undefined) closeDrawer()
      },
      shownId: () => fileOf(location.hash),
      ask: (question) => setAsking({ name: 'name', question }),
    }
    return entryActions({
      ...ofPage,
      files: fileActions({
        ...ofPage,
        named,
        write: (file, letters) => editor.choose(file, letters),
      }),
      view,
      bringIn,
      askMove: (ids) => setAsking({ name: 'move', ids }),
      askArchives: (question) => setAsking({ name: 'archives', question }),
      showLeftOut: (leftOut) => setAsking({ name: 'leftOut', leftOut }),
    })
  }, [client, editor, view, bringIn, setAsking, closeDrawer, named])
}

/** The directory that new things go to: the one chosen in the tree, or that of the file shown. */
function homeOf(view: TreeView, tree: FolderTree, shown: FileInfo | undefined): string {
  const [id] = view.selected.size === 1 ? view.selected : []
  const chosen = tree.get(id ?? '') ?? shown
  if (chosen === undefined || chosen.isDeleted) return top
  return isDirectory(chosen) ? chosen.id : tree.parentOf(chosen)
}

function goToCaret({ view }: ShownEditor, person: PersonHere): void {
  const at = view && caretOf(view.state, person)
  if (at === undefined) notify(`${person.name} has not been in the text yet`)
  else view?.dispatch({ effects: EditorView.scrollIntoView(at, { y: 'center' }) })
}

function useTitle(shownName: string): void {
  useEffect(() => {
    document.title = shownName === '' ? 'Fourfold' : `${shownName} – Fourfold`
  }, [shownName])
}

/** Files are closed with the page, and one that is gone for good before. */
function useEndOfFiles(client: Client, openFiles: OpenFiles, tree: FolderTree): void {
  useEffect(() => () => openFiles.close(), [openFiles])
  // What was written in a file that is gone for good is kept, and not waited for.
  useEffect(() => {
    for (const { id, why } of client.keptTexts) {
      if (why === 'erased' && tree.get(id) === undefined) openFiles.forget(id)
    }
  })
}

/** A file that is opened from elsewhere is brought into sight in the tree. */
function useReveal(view: TreeView, tree: FolderTree, id: string | undefined): void {
  const latest = useRef(tree)
  latest.current = tree
  useEffect(() => {
    if (id !== undefined) view.reveal(id, latest.current.ancestors(id), false)
  }, [view, id])
}

/** A pane that is closed, or a version over the text, leaves the focus to the text and not to nothing. */
function useFocusLeft(editor: ShownEditor, isHistoryOpen: boolean, isCovered: boolean): void {
  useEffect(() => {
    if (document.activeElement === document.body && !isTouched()) editor.view?.focus()
  }, [editor, isHistoryOpen, isCovered])
}

/** The browser asks before it closes the tab: only when closing would lose text. */
function useWarningBeforeLoss(isAtRisk: boolean): void {
  useEffect(() => {
    if (!isAtRisk) return
    const warn = (event: BeforeUnloadEvent) => event.preventDefault()
    window.addEventListener('beforeunload', warn)
    return () => window.removeEventListener('beforeunload', warn)
  }, [isAtRisk])
}
