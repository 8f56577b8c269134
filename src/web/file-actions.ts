// What can be done with one text, each said back to the person in one sentence.

import type { Client, FileInfo, SaveState } from '../client/api.ts'
import { carry } from './carry-out.ts'
import { copy, download } from './download.ts'
import { top } from './folder-tree.ts'
import type { NameQuestion } from './name-dialog.tsx'
import { copyName, meantName, offeredName } from './names.ts'
import { linkTo } from './route.ts'
import { notify } from './toasts.tsx'
import { waitFor } from './waiting.ts'

export interface FileActions {
  open: (id: string) => void
  createIn: (directory: string) => void
  saveAs: (file: FileInfo) => void
  copyLink: (file: FileInfo) => void
  renameTo: (file: FileInfo, name: string) => void
  nameVersion: (file: FileInfo) => void
  downloadText: (file: FileInfo) => void
}

export interface ActionOptions {
  client: Client
  /** Shows a file; undefined: none. */
  go: (id: string | undefined) => void
  shownId: () => string | undefined
  ask: (question: NameQuestion) => void
}

interface FileActionOptions extends ActionOptions {
  /** A version has been named. */
  named: () => void
  /** The person goes on in this text, which is shown or will be, with these letters. */
  write: (file: string, letters: string) => void
}

/** What can be done by one client's page. */
export function fileActions({ client, go, ask, named, write }: FileActionOptions): FileActions {
  /** Asks for a name, makes a text of it and goes there. */
  const askAndMake = (
    question: Pick<NameQuestion, 'title' | 'text' | 'label' | 'suggestion' | 'action'>,
    make: (name: string) => Promise<FileInfo>,
  ) => {
    let made: string | undefined
    ask({
      ...question,
      mayBeEmpty: false,
      answer: (name) =>
        carry(make(name), {
          waiting: `“${name}” will be made as soon as a server answers.`,
          done({ id }) {
            made = id
            go(id)
          },
        }),
      goOn(letters) {
        if (made !== undefined) write(made, letters)
      },
    })
  }

  return {
    open: go,

    createIn: (directory) =>
      askAndMake(
        {
          title: 'New file',
          text: inWords(client, directory),
          label: 'Name',
          suggestion: offeredName,
          action: 'Create',
        },
        (name) => client.create(meantName(name), '', directory),
      ),

    renameTo: (file, name) =>
      void carry(client.rename(file.id, name), {
        waiting: `${file.name} will be “${name}” as soon as a server answers.`,
        done: () => undefined,
      }).then((problem) => problem !== undefined && notify(problem)),

    saveAs: (file) =>
      askAndMake(
        {
          title: 'Save as',
          text: `Makes a copy of ${file.name}. The file itself stays.`,
          label: 'Name of the copy',
          suggestion: copyName(file.name),
          action: 'Save copy',
        },
        async (name) => {
          return client.create(name, await textOf(client, file.id), homeOf(client, file))
        },
      ),

    nameVersion: (file) =>
      ask({
        title: 'Save this version',
        text: () =>
          `${alreadySaved(client.save, isOnItsWay(client, file.id))} Give this version a name?`,
        label: 'Name of this version',
        suggestion: '',
        action: 'Name this version',
        mayBeEmpty: true,
        answer: (name) =>
          carry(client.nameVersion(file.id, name), {
            waiting: 'The version gets its name when a server answers, if this page is open then.',
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

    downloadText: (file) => void textOf(client, file.id).then((text) => download(file.name, text)),
  }
}

/** The present text of any file, open or not. */
export async function textOf(client: Client, id: string): Promise<string> {
  const live = client.open(id)
  try {
    await live.loaded
    return live.text.toString()
  } finally {
    live.close()
  }
}

/** Undefined: no server answers, and it is not on this device. */
export async function textNow(
  client: Client,
  id: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const text = textOf(client, id)
  const alone = waitFor(client, () => client.save.name === 'local', signal)
  const ofDevice = async () => {
    await alone.promise
    return !signal.aborted && (await client.isKept(id)) ? text : undefined
  }
  return Promise.race([text, ofDevice()]).finally(alone.end)
}

/** Whether no server is known to hold all of an open text. */
function isOnItsWay(client: Client, id: string): boolean {
  const live = client.open(id)
  const { servers } = live.receipt()
  live.close()
  return servers.length === 0
}

/** A sentence that says which directory something goes to; none for the top. */
export function inWords(client: Client, directory: string): string {
  const path = client.files.find(({ id }) => id === directory)?.path
  return path === undefined ? '' : `In ${path}.`
}

/** The directory of a file, for what is made beside it; the top, if its own is in the trash. */
function homeOf(client: Client, file: FileInfo): string {
  const parent = client.files.find(({ id }) => id === file.parent)
  return parent === undefined || parent.isDeleted ? top : parent.id
}

/** The first sentence of the dialog behind Ctrl+S: true, whatever the state. */
function alreadySaved(save: SaveState, isLastOnItsWay: boolean): string {
  switch (save.name) {
    case 'saved': {
      if (isLastOnItsWay) return 'Being saved.'
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
