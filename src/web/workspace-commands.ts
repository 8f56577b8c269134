// What can be done in the workspace: each command with its words, its keys, and when it can be had.

import { openSearchPanel } from '@codemirror/search'
import type { FileInfo } from '../client/api.ts'
import type { Asking } from './asked-dialog.tsx'
import type { Commands } from './commands.ts'
import type { EntryActions } from './entry-actions.ts'
import { pickPictures } from './picture-paste.ts'
import { showsPictures } from './pictures.ts'
import type { ShownEditor } from './shown-editor.ts'

export interface CommandsOptions {
  actions: EntryActions
  editor: ShownEditor
  /** What is shown, a text or not; none that is in the trash. */
  shown: FileInfo | undefined
  /** The text that is shown, be it in the trash. */
  file: FileInfo | undefined
  /** Its text is open. */
  hasText: boolean
  /** The directory that new things go to. */
  home: () => string
  rename: () => void
  toggleLeft: () => void
  toggleHistory: () => void
  ask: (asking: Asking) => void
}

/** What is looked for begins with the selection, if that is not longer. */
const beginMax = 100

export function workspaceCommands(options: CommandsOptions): Commands {
  const { actions, editor, shown, file, home, ask } = options
  const noText = { isDisabled: !file }
  const noFile = { isDisabled: !file || file.isDeleted }
  const noneShown = { isDisabled: !shown }
  const withFile = (run: (file: FileInfo) => void) => () => {
    if (file !== undefined) run(file)
  }
  const withShown = (run: (file: FileInfo) => void) => () => {
    if (shown !== undefined) run(shown)
  }
  const searchAll = () => {
    const { state } = editor.view ?? {}
    const begin = state?.sliceDoc(state.selection.main.from, state.selection.main.to) ?? ''
    ask({ name: 'search', begin: begin.includes('\n') ? '' : begin.slice(0, beginMax) })
  }
  return {
    new: { label: 'New file…', keys: 'Ctrl+Alt+N', run: () => actions.createIn(home()) },
    newFolder: { label: 'New folder…', keys: '', run: () => actions.makeDirectoryIn(home()) },
    upload: { label: 'Upload…', keys: '', run: () => actions.upload(home()) },
    importArchives: { label: 'Import zip…', keys: '', run: () => actions.importArchives(home()) },
    open: { label: 'Open…', keys: 'Ctrl+P', run: () => ask({ name: 'file' }) },
    save: {
      label: 'Save: name this version…',
      keys: 'Ctrl+S',
      run: withFile(actions.nameVersion),
      ...noFile,
    },
    saveAs: {
      label: 'Save as…',
      keys: 'Ctrl+Shift+S',
      run: withFile(actions.saveAs),
      ...noText,
    },
    rename: { label: 'Rename', keys: 'F2', run: options.rename, ...noneShown },
    duplicate: {
      label: 'Duplicate',
      keys: '',
      run: withShown(actions.duplicate),
      ...noneShown,
    },
    move: {
      label: 'Move to…',
      keys: '',
      run: withShown(({ id }) => actions.askMove([id])),
      ...noneShown,
    },
    remove: {
      label: 'Delete',
      keys: '',
      run: withShown(({ id }) => actions.remove([id])),
      ...noneShown,
    },
    history: {
      label: 'History',
      keys: 'Ctrl+Shift+H',
      run: options.toggleHistory,
      ...noText,
    },
    picture: {
      label: 'Insert picture…',
      keys: '',
      run: () => editor.view && pickPictures(editor.view),
      isDisabled: noFile.isDisabled || !showsPictures(file?.name ?? ''),
    },
    leftPane: { label: 'Show or hide the files', keys: 'Ctrl+\\', run: options.toggleLeft },
    rightPane: {
      label: 'Show or hide the history',
      keys: 'Ctrl+Alt+\\',
      run: options.toggleHistory,
      ...noText,
    },
    find: {
      label: 'Find and replace',
      keys: 'Ctrl+F',
      run: () => {
        if (editor.view) openSearchPanel(editor.view)
      },
      isDisabled: !options.hasText,
    },
    searchAll: { label: 'Search all files…', keys: 'Ctrl+Shift+F', run: searchAll },
    connect: {
      label: 'Connect your own folder…',
      keys: '',
      run: () => ask({ name: 'connect' }),
    },
    palette: {
      label: 'All commands…',
      keys: 'Ctrl+Shift+P',
      alsoKeys: 'F1',
      run: () => ask({ name: 'palette' }),
    },
    keys: { label: 'Keys', keys: '?', run: () => ask({ name: 'keys' }) },
  }
}
