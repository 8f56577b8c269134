// What can be done with files, each said back to the person in one sentence.

import type { Client, FileInfo, SaveState } from '../client/api.ts'
import { textBytesMax } from '../core/model/limits.ts'
import { outcome } from './carry-out.ts'
import { copy, download } from './download.ts'
import type { FileActions } from './file-pane.tsx'
import type { NameQuestion } from './name-dialog.tsx'
import { copyName } from './names.ts'
import { linkTo } from './route.ts'
import { notify } from './toasts.tsx'

export interface FileDoings extends FileActions {
  renameTo: (file: FileInfo, name: string) => void
  nameVersion: (file: FileInfo) => void
  downloadText: (file: FileInfo) => void
}

interface FileDoingsOptions {
  client: Client
  /** Shows a file; undefined: none. */
  go: (id: string | undefined) => void
  shownId: () => string | undefined
  ask: (question: NameQuestion) => void
  /** A version has been named. */
  named: () => void
}

/** The doings of one client's page. */
export function fileDoings({ client, go, shownId, ask, named }: FileDoingsOptions): FileDoings {
  /** Returns why it failed; undefined when it was done, or will be. */
  async function carry<T>(
    operation: Promise<T>,
    words: { waiting: string; done: (value: T) => void },
  ): Promise<string | undefined> {
    const result = await outcome(client, operation)
    if (result.name === 'failed') return result.text
    if (result.name === 'done') {
      words.done(result.value)
      return undefined
    }
    const takeBack = notify(words.waiting)
    void result.rest.then((late) => {
      takeBack()
      if (late.name === 'done') words.done(late.value)
      else if (late.name === 'failed') notify(late.text)
    })
    return undefined
  }

  const say = (problem: string | undefined): void => {
    if (problem !== undefined) notify(problem)
  }

  const make = (name: string, text: string, isShown: boolean): Promise<string | undefined> =>
    carry(client.create(name, text), {
      waiting: `“${name}” will be made as soon as a server answers.`,
      done(file) {
        if (isShown) go(file.id)
        if (file.name !== name) {
          notify(`There is another “${name}”, so this one is shown as “${file.name}”.`)
        } else if (!isShown) notify(`${name} is here`, { label: 'Open', run: () => go(file.id) })
      },
    })

  /** The present text of any file, open or not. */
  const textOf = async (file: FileInfo): Promise<string> => {
    const live = client.open(file.id)
    await live.loaded
    const text = live.text.toString()
    live.close()
    return text
  }

  const restore = async (file: FileInfo): Promise<void> =>
    say(
      await carry(client.restore(file.id), {
        waiting: `${file.name} will be back as soon as a server answers.`,
        done: () => notify(`Restored ${file.name}`),
      }),
    )

  return {
    open: go,
    restore: (file) => void restore(file),

    create: () =>
      ask({
        title: 'New file',
        text: '',
        label: 'Name',
        suggestion: 'untitled.md',
        action: 'Create',
        mayBeEmpty: false,
        answer: (name) => make(name, '', true),
      }),

    bring: (files) => void bring(files),
    remove: (file) => void remove(file),

    rename: (file) =>
      ask({
        title: `Rename ${file.name}`,
        text: '',
        label: 'Name',
        suggestion: file.name,
        action: 'Rename',
        mayBeEmpty: false,
        answer: (name) => renameTo(file, name),
      }),
    renameTo: (file, name) => void renameTo(file, name).then(say),

    saveAs: (file) =>
      ask({
        title: 'Save as',
        text: `Makes a copy of ${file.name}. The file itself stays.`,
        label: 'Name of the copy',
        suggestion: copyName(file.name),
        action: 'Save copy',
        mayBeEmpty: false,
        answer: async (name) => make(name, await textOf(file), true),
      }),

    nameVersion: (file) =>
      ask({
        title: 'Save this version',
        text: `${alreadySaved(client.save)} Give this version a name?`,
        label: 'Name of this version',
        suggestion: '',
        action: 'Name this version',
        mayBeEmpty: true,
        answer: (name) =>
          carry(client.nameVersion(file.id, name), {
            waiting: 'The version will get its name as soon as a server answers.',
            done() {
              notify(name === '' ? 'This version is kept' : `This version is named “${name}”`)
              named()
            },
          }),
      }),

    copyLink: (file) =>
      void copy(linkTo(file.id)).then(
        () => notify('The link is on the clipboard'),
        () => notify(`This browser forbids the clipboard. The link: ${linkTo(file.id)}`),
      ),

    downloadText: (file) => void textOf(file).then((text) => download(file.name, text)),
  }

  async function bring(files: File[]): Promise<void> {
    for (const file of files) {
      const text = await textIn(file)
      if (text === undefined) notify(`${file.name} is not editable as text.`)
      else say(await make(file.name, text, files.length === 1))
    }
  }

  async function remove(file: FileInfo): Promise<void> {
    const wasShown = shownId() === file.id
    say(
      await carry(client.remove(file.id), {
        waiting: `${file.name} will be deleted as soon as a server answers.`,
        done() {
          if (wasShown && shownId() === file.id) go(undefined)
          notify(`Deleted ${file.name}`, {
            label: 'Undo',
            run: () => void restore(file).then(() => wasShown && go(file.id)),
          })
        },
      }),
    )
  }

  function renameTo(file: FileInfo, name: string): Promise<string | undefined> {
    return carry(client.rename(file.id, name), {
      waiting: `${file.name} will be “${name}” as soon as a server answers.`,
      done: () => undefined,
    })
  }
}

/** The first sentence of the dialog behind Ctrl+S: true, whatever the state. */
export function alreadySaved(save: SaveState): string {
  switch (save.name) {
    case 'saved': {
      const count = save.servers.length
      if (count === 0) return 'Nothing waits to be saved.'
      return `Already saved on ${count} server${count === 1 ? '' : 's'}.`
    }
    case 'saving':
      return 'Being saved.'
    case 'local':
      return 'Saved on this device.'
    case 'danger':
    case 'ended':
      return 'The last changes are not saved yet.'
  }
}

/** The text in a file of this device; undefined when it is not UTF-8 text, or too large. */
async function textIn(file: File): Promise<string | undefined> {
  if (file.size > textBytesMax) return undefined
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      await file.arrayBuffer(),
    )
    return text.includes('\0') ? undefined : text
  } catch {
    // Not UTF-8, or it could not be read: either way there is no text to bring in.
    return undefined
  }
}
