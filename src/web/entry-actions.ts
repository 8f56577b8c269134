// What can be done with entries of the tree, one or many, each said back in one sentence.

import type { Client, FileInfo, Undone } from '../client/api.ts'
import type { ArchiveQuestion } from './archive-dialog.tsx'
import { type BringIn, type Brought, broughtWords } from './bring-in.ts'
import { carry } from './carry-out.ts'
import { FourfoldError } from '../core/model/errors.ts'
import { copy } from './download.ts'
import { downloadEntries } from './download-entries.ts'
import { type ActionOptions, type FileActions, inWords, textOf } from './file-actions.ts'
import { looked, members, type TreeBelow, treeBelow } from './folder-asks.ts'
import { FolderTree, isDirectory, top } from './folder-tree.ts'
import { pickFiles } from './file-picker.ts'
import { changed, many } from './many.ts'
import { freeName } from './names.ts'
import { chosenSources, droppedSources, type Source } from './sources.ts'
import { notify } from './toasts.tsx'
import type { Dropped } from './tree-drag.ts'
import type { TreeView } from './tree-view.ts'

export interface EntryActions extends FileActions {
  makeDirectoryIn: (directory: string) => void
  /** Asks where to. */
  askMove: (ids: string[]) => void
  /** `path`: of the directory, where it is not shown. */
  move: (ids: string[], directory: string, path?: string) => void
  remove: (ids: string[]) => void
  /** Out of the trash, with the directories above it that are in there too. */
  restore: (entry: FileInfo) => void
  duplicate: (entry: FileInfo) => void
  download: (ids: string[]) => void
  /** Deletes for good what is in the trash. */
  erase: (entries: readonly FileInfo[]) => void
  copyPaths: (entries: FileInfo[]) => void
  /** What was dropped from the desktop. */
  bring: (dropped: Dropped[], directory: string) => void
  /** Files chosen in the browser's dialog. */
  bringChosen: (files: File[], directory: string) => void
  /** Asks for files of this device. */
  upload: (directory: string) => void
  /** Asks for zip archives of this device, and brings in what is in them. */
  importArchives: (directory: string) => void
}

interface EntryActionOptions extends ActionOptions {
  files: FileActions
  view: TreeView
  bringIn: BringIn
  askMove: (ids: string[]) => void
  askArchives: (question: ArchiveQuestion) => void
  showLeftOut: (leftOut: Brought['failed']) => void
}

export function entryActions(options: EntryActionOptions): EntryActions {
  const { client, go, shownId, ask, files, view, bringIn, askMove, askArchives } = options
  const treeNow = () => new FolderTree(client.files)

  return {
    ...files,
    askMove,
    makeDirectoryIn: (directory) =>
      ask({
        title: 'New folder',
        text: inWords(client, directory),
        label: 'Name',
        suggestion: 'New folder',
        action: 'Create',
        mayBeEmpty: false,
        answer: (name) =>
          carry(client.makeDirectory(name, directory), {
            waiting: `“${name}” will be made as soon as a server answers.`,
            done: reveal,
          }),
      }),
    move: (ids, directory, path) => void move(ids, directory, path),
    remove: (ids) => void remove(ids),
    restore: (entry) => void restore([entry]),
    erase: (entries) =>
      void many(entries, (some) => changed(client, some, { name: 'erase' }), {
        waiting: later(entries, 'deleted for good'),
        done: (erased) => notify(`Deleted ${wordsOf(erased)} for good`),
      }),
    duplicate: (entry) => void duplicate(entry),
    download: (ids) => void downloadAll(ids),
    copyPaths: (entries) =>
      void copy(entries.map(({ path }) => path).join('\n')).then(
        () =>
          notify(
            entries.length === 1
              ? 'The path is on the clipboard'
              : 'The paths are on the clipboard',
          ),
        () => notify('This browser forbids the clipboard.'),
      ),
    bring: (dropped, directory) => void bringDropped(dropped, directory),
    bringChosen,
    upload: (directory) =>
      pickFiles({ allowsMultiple: true }, (chosen) => bringChosen(chosen, directory)),
    importArchives: (directory) =>
      pickFiles({ allowsMultiple: true, accept: '.zip,application/zip' }, (chosen) =>
        unpackAll(chosen, directory),
      ),
  }

  /** In a directory that is closed it is not in the tree yet. */
  function reveal({ id, parent }: FileInfo): void {
    const tree = treeNow()
    const above = tree.get(parent)
    view.reveal(id, above ? [...tree.ancestors(parent), above] : [], true)
  }

  async function move(ids: string[], directory: string, path?: string): Promise<void> {
    const tree = treeNow()
    const entries = tree.outermost(ids).filter((entry) => tree.parentOf(entry) !== directory)
    if (entries.length === 0) return
    // Moved into what is not shown it would be seen at the top until a server has done it.
    const end = directory === top ? undefined : client.show(directory, 'alone')
    try {
      if (end && !tree.get(directory)) await looked(client, directory)
      const homes = new Map(entries.map((entry) => [entry.id, tree.parentOf(entry)]))
      const place = tree.get(directory)?.path ?? path ?? 'the top'
      await many(entries, (some) => changed(client, some, { name: 'move', parent: directory }), {
        waiting: later(entries, `moved to ${place}`),
        done(moved) {
          if (directory !== top) view.setOpen(directory, true)
          view.select(new Set(moved.map(({ id }) => id)))
          notify(`Moved ${wordsOf(moved)} to ${place}`, {
            label: 'Undo',
            run: () =>
              void many(moved, (some) => moveBack(some, homes), {
                waiting: later(moved, 'moved back'),
                done: () => undefined,
              }),
          })
        },
      })
    } finally {
      end?.()
    }
  }

  async function moveBack(entries: FileInfo[], homes: Map<string, string>): Promise<Undone[]> {
    const byHome = Map.groupBy(entries, ({ id }) => homes.get(id)!)
    const moves = [...byHome].map(([parent, some]) => {
      return changed(client, some, { name: 'move', parent })
    })
    return (await Promise.all(moves)).flat()
  }

  async function remove(ids: string[]): Promise<void> {
    const tree = treeNow()
    const entries = tree.outermost(ids)
    const shown = shownId()
    const isShownIn = shown !== undefined && tree.isWithin(shown, new Set(ids))
    await many(entries, (some) => changed(client, some, { name: 'remove' }), {
      waiting: later(entries, 'deleted'),
      done(removed) {
        if (isShownIn && shownId() === shown) go(undefined)
        notify(`Deleted ${wordsOf(removed)}`, {
          label: 'Undo',
          run: () => void restore(removed).then(() => isShownIn && go(shown)),
        })
      },
    })
  }

  async function restore(entries: FileInfo[]): Promise<void> {
    /** By id: directories above some of them are taken out of the trash once. */
    const restoring = new Map<string, Promise<unknown>>()
    const back = ({ id }: FileInfo) => {
      const begun = restoring.get(id) ?? client.restore(id)
      restoring.set(id, begun)
      return begun
    }
    await many(entries, (some) => restoreSome(some, back), {
      waiting: later(entries, 'restored'),
      done: (restored) => notify(`Restored ${wordsOf(restored)}`),
    })
  }

  async function restoreSome(
    entries: FileInfo[],
    back: (entry: FileInfo) => Promise<unknown>,
  ): Promise<Undone[]> {
    const undone = await changed(client, entries, { name: 'restore' })
    const problems = new Map(undone.map((each) => [each.id, each]))
    for (const entry of entries) {
      // It is in the trash with a directory, too.
      if (problems.get(entry.id)?.error.code !== 'invalid') continue
      try {
        await restoreOne(entry, back)
        problems.delete(entry.id)
      } catch (error) {
        if (!(error instanceof FourfoldError)) throw error
        problems.set(entry.id, { id: entry.id, error })
      }
    }
    return [...problems.values()]
  }

  async function restoreOne(
    entry: FileInfo,
    back: (entry: FileInfo) => Promise<unknown>,
  ): Promise<void> {
    // What lies in the trash is shown nowhere: where it lies is looked up.
    const end = client.show(entry.id, 'alone')
    try {
      await looked(client, entry.id)
      const tree = treeNow()
      const trashed = tree.ancestors(entry.id).filter(({ isInTrashItself }) => isInTrashItself)
      // From the outside in: nothing can be restored that lies in the trash with something else.
      for (const directory of trashed) await back(directory)
      const isOnlyWithin = trashed.length > 0 && tree.get(entry.id)?.isInTrashItself === false
      if (!isOnlyWithin) await back(entry)
    } finally {
      end()
    }
  }

  async function duplicate(entry: FileInfo): Promise<void> {
    const tree = treeNow()
    const directory = tree.parentOf(entry)
    const siblings = await members(client, directory)
    const name = freeName(
      entry.name,
      siblings.map((sibling) => sibling.name),
    )
    if (isDirectory(entry)) {
      const below = await treeBelow(client, [entry.id])
      tellOfPart(below)
      return bring(copied(client, below.tree, entry, [name]), directory)
    }
    const copying = entry.bytes
      ? client.createBinary(name, entry.bytes, directory)
      : textOf(client, entry.id).then(made)
    const problem = await carry(copying, {
      waiting: `“${name}” will be made as soon as a server answers.`,
      done: reveal,
    })
    if (problem !== undefined) notify(problem)

    function made(text: string) {
      return client.create(name, text, directory)
    }
  }

  async function downloadAll(ids: string[]): Promise<void> {
    const { tree, isWhole } = await treeBelow(client, ids)
    if (isWhole) await downloadEntries(client, tree, ids)
    // Taken for all of it, an archive with a part would be missed when it is needed.
    else
      notify('Nothing was downloaded. No server answers, and this device does not know all of it.')
  }

  /** What is said when it takes long. */
  function later(entries: readonly FileInfo[], done: string): string {
    const what = wordsOf(entries)
    if (client.connection.name !== 'online') {
      return `${what} will be ${done} as soon as a server answers.`
    }
    return `${what} ${entries.length === 1 ? 'is' : 'are'} being ${done}…`
  }

  async function bringDropped(dropped: Dropped[], directory: string): Promise<void> {
    const isArchive = (item: Dropped) => item.kind === 'file' && isArchiveName(item.name)
    const rest = dropped.filter((item) => !isArchive(item))
    if (rest.length > 0) void bring(droppedSources(rest), directory)
    const files = dropped.flatMap((item) =>
      item.kind === 'file' && isArchive(item) ? [item.getFile()] : [],
    )
    askForArchives(await Promise.all(files), directory)
  }

  function bringChosen(chosen: File[], directory: string): void {
    // What lies in a folder stays what it is: only archives that were chosen themselves are asked for.
    const isArchive = (file: File) => file.webkitRelativePath === '' && isArchiveName(file.name)
    const rest = chosen.filter((file) => !isArchive(file))
    if (rest.length > 0) void bring(chosenSources(rest), directory)
    askForArchives(chosen.filter(isArchive), directory)
  }

  function askForArchives(archives: File[], directory: string): void {
    if (archives.length === 0) return
    askArchives({
      names: archives.map(({ name }) => name),
      unpack: () => unpackAll(archives, directory),
      keep: () => void bring(chosenSources(archives), directory),
    })
  }

  function unpackAll(archives: File[], directory: string): void {
    for (const archive of archives) void bring(unpacked(archive, directory), directory)
  }

  async function* unpacked(archive: File, directory: string): AsyncGenerator<Source> {
    const { archiveSources } = await import('./archive.ts').catch(notHere)
    const taken = (await members(client, directory)).map(({ name }) => name)
    yield* archiveSources(archive, taken)
  }

  async function bring(sources: AsyncIterable<Source>, directory: string): Promise<void> {
    let brought: Brought
    try {
      brought = await bringIn.bring(sources, directory)
    } catch (error) {
      if (!(error instanceof FourfoldError)) throw error
      notify(error.message, undefined, { stays: true })
      return
    }
    const { text, isWhole } = broughtWords(brought)
    const [file] = brought.files
    if (directory !== top && file) view.setOpen(directory, true)
    if (brought.files.length === 1 && file && isWhole) return go(file.id)
    const why = { label: 'Why', run: () => options.showLeftOut(brought.failed) }
    const isLong = brought.failed.length > 1
    if (text !== '') notify(text, isLong ? why : undefined, { stays: !isWhole })
  }
}

function notHere(): never {
  const text = 'What opens archives is not on this device; it comes when a server answers.'
  throw new FourfoldError('unavailable', text)
}

/** Without a server nobody knows what else is in a directory that was not opened. */
function tellOfPart({ isWhole }: TreeBelow): void {
  if (!isWhole) notify('No server answers: only what this device knows of it comes along.')
}

/** "plan.md", "3 entries" */
function wordsOf(entries: readonly FileInfo[]): string {
  return entries.length === 1 ? entries[0]!.name : `${entries.length.toLocaleString('en')} entries`
}

/** All that is in a directory, as something to bring in. */
async function* copied(
  client: Client,
  tree: FolderTree,
  entry: FileInfo,
  path: string[],
): AsyncGenerator<Source> {
  const { bytes } = entry
  if (!isDirectory(entry)) {
    const text = async () => ({ text: await textOf(client, entry.id) })
    yield { path, kind: 'file', held: async () => (bytes ? { bytes } : text()) }
    return
  }
  yield { path, kind: 'directory' }
  for (const child of tree.children(entry.id)) {
    yield* copied(client, tree, child, [...path, child.name])
  }
}

function isArchiveName(name: string): boolean {
  return /\.zip$/i.test(name)
}
