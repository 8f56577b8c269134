// The page of somebody who is in: panes, bars and dialogs around one shown file.

import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { EditorView } from '@codemirror/view'
import type { FileInfo } from '../client/api.ts'
import { Announcer } from './announcer.tsx'
import { Bars } from './bars.tsx'
import { ArchiveDialog, type ArchiveQuestion } from './archive-dialog.tsx'
import { binaryActions } from './binary-actions.ts'
import { BinaryCard } from './binary-card.tsx'
import { BringIn, type Brought } from './bring-in.ts'
import { BringingBar } from './bringing-bar.tsx'
import { useBothKept } from './both-kept.ts'
import { BytesHeld } from './bytes-held.tsx'
import { BottomBar } from './bottom-bar.tsx'
import { useClient, useMedia } from './client-context.tsx'
import { type Confirmation, ConfirmDialog } from './confirm-dialog.tsx'
import { tellRefusal } from './carry-out.ts'
import { useKeys } from './commands.ts'
import { ConnectDialog } from './connect-dialog.tsx'
import { Drawer } from './drawer.tsx'
import { useDropAnywhere } from './drop-anywhere.ts'
import { EditorPane } from './editor-pane.tsx'
import { entryActions } from './entry-actions.ts'
import { fileActions } from './file-actions.ts'
import { FilePane } from './file-pane.tsx'
import { type FolderTree, isDirectory, top } from './folder-tree.ts'
import { GoToFile } from './go-to-file.tsx'
import { HistoryPane } from './history-pane.tsx'
import { KeysDialog } from './keys-dialog.tsx'
import { LeftOutDialog } from './left-out-dialog.tsx'
import { MoveTo } from './move-to.tsx'
import { Palette } from './palette.tsx'
import { SearchDialog } from './search-dialog.tsx'
import { NameDialog, type NameQuestion } from './name-dialog.tsx'
import { NothingShown } from './nothing-shown.tsx'
import { type OpenFile, OpenFiles } from './open-file.ts'
import type { PersonHere } from './people.ts'
import { PaneDivider, usePaneWidth } from './pane-divider.tsx'
import { caretOf } from './remote-carets.ts'
import { isBoolean, remembered } from './remembered.ts'
import { restoreText } from './restore-text.ts'
import { fileOf, hashOf, isBroken } from './route.ts'
import { saveBytes } from './save-bytes.ts'
import { asSentence } from './save-words.ts'
import { ShownTree, useShown } from './shown-entries.ts'
import { ShownEditor } from './shown-editor.ts'
import { TextConflict } from './text-conflict.tsx'
import { notify, Toasts } from './toasts.tsx'
import { Toolbar } from './toolbar.tsx'
import { TopBar } from './top-bar.tsx'
import type { Dropped } from './tree-drag.ts'
import { TreeView } from './tree-view.ts'
import { useTree } from './use-tree.ts'
import { useNewerPage } from './offline.ts'
import { titleOf, VersionView } from './version-view.tsx'
import { workspaceCommands } from './workspace-commands.ts'
import type { NamedVersion } from './versions.ts'

type Asking =
  | { name: 'nothing' }
  | { name: 'name'; question: NameQuestion }
  | { name: 'file' }
  | { name: 'move'; ids: string[] }
  | { name: 'archives'; question: ArchiveQuestion }
  | { name: 'leftOut'; leftOut: Brought['failed'] }
  | { name: 'keys' }
  | { name: 'connect' }
  | { name: 'confirm'; confirmation: Confirmation }
  | { name: 'palette' }
  | { name: 'search'; begin: string }

const leftPaneOpen = remembered('device', 'leftPane', true, isBoolean)

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
  const [isLeftOpen, setLeftOpen] = useState(() => leftPaneOpen.read())
  const [isDrawerOpen, setDrawerOpen] = useState(false)
  const [isHistoryOpen, setHistoryOpen] = useState(false)
  const [namings, setNamings] = useState(0)
  const [version, setVersion] = useState<NamedVersion>()
  const isNarrow = useMedia('(max-width: 1023px)')
  const hasUpdate = useNewerPage(client)
  const [paneWidth, setPaneWidth] = usePaneWidth()

  const hash = useHash()
  const shownId = fileOf(hash)
  const tree = useTree(client, shownId)
  const named = tree.get(shownId ?? '')
  const file = named?.kind === 'text' ? named : undefined
  const fileId = file?.id
  const fileName = file?.name ?? ''
  /** The file shown, a text or not. */
  const shown = named !== undefined && !isDirectory(named) ? named : undefined
  const shownName = shown?.name ?? ''
  const open = useOpenFile(openFiles, fileId)
  useReveal(view, tree, shown?.isDeleted === false ? shown.id : undefined)
  const isLacking = shownId !== undefined && named === undefined
  const isMissing = isBroken(hash) || (isLacking && client.isAnswered(shownId))
  const isWaiting = isLacking && !isMissing
  const shownIds = useMemo(() => new Set(shownId === undefined ? [] : [shownId]), [shownId])
  useShown(client, shownIds, 'alone')

  useEffect(() => () => openFiles.close(), [openFiles])
  // What was written in a file that is gone for good is kept, and not waited for.
  useEffect(() => {
    for (const { id, why } of client.keptTexts) {
      if (why === 'erased' && tree.get(id) === undefined) openFiles.forget(id)
    }
  })
  useEffect(() => () => bringIn.stop(), [bringIn])
  useEffect(() => setVersion(undefined), [shownId])
  useEffect(() => {
    document.title = shownName === '' ? 'Fourfold' : `${shownName} – Fourfold`
  }, [shownName])
  useEffect(() => client.onRenamed(({ text }) => void notify(text)), [client])
  useEffect(() => client.onRefused(tellRefusal), [client])
  useWarningBeforeLoss(client.save.name === 'danger')
  useFocusLeft(editor, isHistoryOpen, version !== undefined)

  const actions = useMemo(() => {
    const options = {
      client,
      go: (id: string | undefined) => {
        go(id)
        setDrawerOpen(false)
      },
      shownId: () => fileOf(location.hash),
      ask: (question: NameQuestion) => setAsking({ name: 'name', question }),
    }
    const files = fileActions({ ...options, named: () => setNamings((count) => count + 1) })
    const askMove = (ids: string[]) => setAsking({ name: 'move', ids })
    const askArchives = (question: ArchiveQuestion) => setAsking({ name: 'archives', question })
    const showLeftOut = (leftOut: Brought['failed']) => setAsking({ name: 'leftOut', leftOut })
    const asking = { askMove, askArchives, showLeftOut }
    return entryActions({ ...options, ...asking, files, view, bringIn })
  }, [client, view, bringIn])
  const ofBinary = useMemo(() => binaryActions(client, bringIn), [client, bringIn])

  /** The directory that new things go to: the one chosen in the tree, or that of the file shown. */
  const home = (): string => {
    const [id] = view.selected.size === 1 ? view.selected : []
    const chosen = tree.get(id ?? '') ?? shown
    if (chosen === undefined || chosen.isDeleted) return top
    return isDirectory(chosen) ? chosen.id : tree.parentOf(chosen)
  }
  const chooseBeside = (entry: FileInfo) => {
    if (!isDirectory(entry)) return actions.open(entry.id)
    if (isNarrow) setDrawerOpen(true)
    else if (!isLeftOpen) toggleLeft()
    const above = tree.get(entry.parent)
    const directories = above ? [...tree.ancestors(above.id), above] : []
    view.reveal(entry.id, [...directories, entry], true)
  }
  useBothKept(client, tree, (entry) => {
    if (isDirectory(entry)) chooseBeside(entry)
    else actions.open(entry.id)
  })
  const close = () => setAsking({ name: 'nothing' })
  const hasFile = file !== undefined && !file.isDeleted
  const isShown = shown !== undefined && !shown.isDeleted
  const withShown = (run: (file: FileInfo) => void) => () => {
    if (shown !== undefined) run(shown)
  }
  const toggleLeft = () => {
    if (isNarrow) setDrawerOpen(!isDrawerOpen)
    else {
      leftPaneOpen.write(!isLeftOpen)
      setLeftOpen(!isLeftOpen)
    }
  }
  const toggleHistory = () => {
    setHistoryOpen(!isHistoryOpen)
    setVersion(undefined)
  }
  const commands = workspaceCommands({
    ...{ actions, editor, file, home, toggleLeft, toggleHistory },
    shown: isShown ? shown : undefined,
    hasText: open !== undefined,
    rename: () => setNaming(true),
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
  const goTo = (person: PersonHere) => {
    const at = editor.view && caretOf(editor.view.state, person.writer)
    if (at === undefined) notify(`${person.name} has not been in the text yet`)
    else editor.view?.dispatch({ effects: EditorView.scrollIntoView(at, { y: 'center' }) })
  }
  const restoreVersion = () => {
    if (!version || !open) return
    const takeBack = restoreText(open, version.text)
    const run = () => {
      if (!takeBack()) notify('You wrote in it since. Undo takes back one thing after the other.')
    }
    notify(`Restored “${titleOf(version)}”`, { label: 'Undo', run })
    setVersion(undefined)
  }

  const bring = (dropped: Dropped[]) => actions.bring(dropped, home())
  const isDropping = useDropAnywhere(bring)
  const searchAll = (begin: string) => setAsking({ name: 'search', begin })
  const shared = { tree, view, shownId, openFiles, bringIn, actions, home, searchAll }
  const filePane = <FilePane {...shared} isCovered={asking.name !== 'nothing'} />
  const historyPane = file && (
    <HistoryPane
      fileId={file.id}
      asked={namings}
      shown={version}
      show={(chosen) => {
        setVersion(chosen)
        // On a narrow page the list would lie over the version.
        if (isNarrow) setHistoryOpen(false)
      }}
      nameVersion={() => actions.nameVersion(file)}
      close={toggleHistory}
    >
      <BytesHeld file={file} actions={ofBinary} />
    </HistoryPane>
  )

  return (
    <div className="workspace">
      <TopBar
        {...{ commands, open, tree, isNaming, goTo, hasUpdate }}
        leave={going('Change name', leave)}
        signOut={going('Sign out', signOut)}
        file={shown}
        choose={chooseBeside}
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
      <div className="panes">
        {!isNarrow && isLeftOpen && (
          <>
            <div className="left" style={{ width: paneWidth }}>
              {filePane}
            </div>
            <PaneDivider width={paneWidth} setWidth={setPaneWidth} />
          </>
        )}
        <div className="middle" data-drop-target={isDropping || undefined}>
          {(isNarrow || !isLeftOpen) && <BringingBar bringIn={bringIn} />}
          <Bars
            {...{ file, open, renameMe }}
            restore={actions.restore}
            saveAs={actions.saveAs}
            close={() => go(undefined)}
            goTo={go}
          />
          {hasFile && file.hasConflict && <TextConflict file={file} actions={ofBinary} />}
          <Toolbar {...{ commands, open }} isHistoryOpen={isHistoryOpen && file !== undefined} />
          {version && open && (
            <VersionView
              version={version}
              file={open}
              restore={restoreVersion}
              close={() => setVersion(undefined)}
            />
          )}
          {open && file ? (
            <EditorPane
              key={file.id}
              {...{ open, editor, bring }}
              fileName={file.name}
              isOffline={client.connection.name !== 'online'}
              isCovered={version !== undefined}
            />
          ) : shown?.bytes ? (
            <BinaryCard
              key={shown.id}
              file={shown}
              bytes={shown.bytes}
              wasWriting={(openFiles.peek(shown.id)?.lastChangeAt ?? 0) > 0}
              actions={ofBinary}
              restore={(entry) => actions.restore(entry)}
            />
          ) : isWaiting ? (
            <main className="nothing" aria-label="Opening" />
          ) : (
            <NothingShown
              {...{ commands, isMissing, named }}
              isEmpty={tree.children(top).length === 0}
            />
          )}
        </div>
        {!isNarrow && isHistoryOpen && historyPane && <div className="right">{historyPane}</div>}
      </div>
      <ShownTree {...{ client, tree, view }} />
      <BottomBar {...{ editor }} file={open} fileName={fileName} />
      <Announcer file={open} />
      <Toasts />
      {isNarrow && (
        <>
          <Drawer side="left" label="Files" isOpen={isDrawerOpen} setOpen={setDrawerOpen}>
            {filePane}
          </Drawer>
          <Drawer
            side="bottom"
            label="History"
            isOpen={isHistoryOpen && file !== undefined}
            setOpen={setHistoryOpen}
          >
            {historyPane}
          </Drawer>
        </>
      )}
      {asking.name === 'name' && <NameDialog question={asking.question} close={close} />}
      {asking.name === 'file' && <GoToFile open={actions.open} close={close} />}
      {asking.name === 'move' && <MoveTo ids={asking.ids} move={actions.move} close={close} />}
      {asking.name === 'archives' && <ArchiveDialog question={asking.question} close={close} />}
      {asking.name === 'leftOut' && <LeftOutDialog leftOut={asking.leftOut} close={close} />}
      {asking.name === 'palette' && <Palette commands={commands} close={close} />}
      {asking.name === 'search' && (
        <SearchDialog
          begin={asking.begin}
          close={close}
          goTo={({ file: id, line }, words) => {
            actions.open(id)
            editor.goTo({ file: id, line, words })
          }}
        />
      )}
      {asking.name === 'connect' && <ConnectDialog close={close} />}
      {asking.name === 'confirm' && <ConfirmDialog asked={asking.confirmation} close={close} />}
      {asking.name === 'keys' && <KeysDialog commands={commands} close={close} />}
    </div>
  )
}

/** The file of this id, opened; undefined while there is none. */
function useOpenFile(openFiles: OpenFiles, id: string | undefined): OpenFile | undefined {
  const [open, setOpen] = useState<OpenFile>()
  useEffect(() => setOpen(id === undefined ? undefined : openFiles.open(id)), [openFiles, id])
  return open?.live.id === id ? open : undefined
}

/** A file that is opened from elsewhere is brought into sight in the tree. */
function useReveal(view: TreeView, tree: FolderTree, id: string | undefined): void {
  const latest = useRef(tree)
  latest.current = tree
  useEffect(() => {
    if (id !== undefined) view.reveal(id, latest.current.ancestors(id), false)
  }, [view, id])
}

function go(id: string | undefined): void {
  location.hash = hashOf(id)
}

function useHash(): string {
  return useSyncExternalStore(
    (listener) => {
      window.addEventListener('hashchange', listener)
      return () => window.removeEventListener('hashchange', listener)
    },
    () => location.hash,
  )
}

/** A pane that is closed, or a version over the text, leaves the focus to the text and not to nothing. */
function useFocusLeft(editor: ShownEditor, isHistoryOpen: boolean, isCovered: boolean): void {
  useEffect(() => {
    // On a touch screen the focus would bring up the keyboard over what one came to read.
    const isTouched = matchMedia('(pointer: coarse)').matches
    if (document.activeElement === document.body && !isTouched) editor.view?.focus()
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
