// What can be done with a file that is no text: other bytes, an older version, an end of a conflict.

import type { BytesName, Client, FileInfo } from '../client/api.ts'
import { FourfoldError } from '../core/model/errors.ts'
import type { BringIn } from './bring-in.ts'
import { carry } from './carry-out.ts'
import type { Content } from './file-bytes.ts'
import { textOf } from './file-actions.ts'
import { members } from './folder-asks.ts'
import { FolderTree, top } from './folder-tree.ts'
import { replaceBytes } from './keep-bytes.ts'
import { numberedName } from './names.ts'
import { notify } from './toasts.tsx'

export interface BinaryActions {
  /** Puts bytes of this device in the place of what the file holds. */
  replace: (file: FileInfo, blob: Blob) => void
  /** Makes an older version, or one of two that were made at once, what the file holds. */
  keepThis: (file: FileInfo, content: Content) => void
  /** Of two that were made at once the file holds the newer; the other becomes a file beside it. */
  keepBoth: (file: FileInfo, other: Content) => void
  /** Makes the text beneath the bytes what the file holds. */
  putTextBack: (file: FileInfo) => void
  /** The text beneath the bytes becomes a file beside it. */
  keepText: (file: FileInfo, text: string) => void
}

export function binaryActions(client: Client, bringIn: BringIn): BinaryActions {
  return {
    replace: (file, blob) => void replace(file, blob),
    keepThis: (file, content) => void keepThis(file, content),
    keepBoth: (file, other) => void keepBoth(file, other),
    putTextBack: (file) => void putTextBack(file),
    keepText: (file, text) => void keepText(file, text),
  }

  async function replace(file: FileInfo, blob: Blob): Promise<void> {
    const before = file.bytes
    if (before === undefined) return
    try {
      const kept = await bringIn.put(file.path, (uploading) =>
        replaceBytes(uploading, blob, file.id, before.hash),
      )
      if (kept === undefined) notify(`Stopped; ${file.name} is as it was.`)
      else if (kept.hash === before.hash) notify(`That is what ${file.name} holds already.`)
      else notify(`Replaced ${file.name}`, undoTo(file, before, kept.hash))
    } catch (error) {
      if (!(error instanceof FourfoldError)) throw error
      notify(`${file.name} is as it was. ${error.message}`)
    }
  }

  async function keepThis(file: FileInfo, content: Content): Promise<void> {
    const now = held(file)
    const isShown = content.hash === now.hash
    await tell(client.setContent(file.id, nameOf(content), now.hash), {
      waiting: `${file.name} will hold it as soon as a server answers.`,
      done: () =>
        notify(
          isShown ? `Kept ${file.name} as it is` : `${file.name} holds that version now`,
          isShown ? undefined : undoTo(file, now, content.hash),
        ),
    })
  }

  async function keepBoth(file: FileInfo, other: Content): Promise<void> {
    const now = held(file)
    const { name, directory } = await placeBeside(file)
    const both = async () => {
      // First the other: were this page gone in between, the conflict would still be shown.
      const made = await (other.hash === ''
        ? client.create(name, await textOf(client, file.id), directory)
        : client.createBinary(name, other, directory))
      await client.setContent(file.id, nameOf(now), now.hash)
      return made
    }
    await tell(both(), {
      waiting: `“${name}” will be made as soon as a server answers.`,
      done: (made) => notify(`Kept both: the other is ${made.name}`),
    })
  }

  async function putTextBack(file: FileInfo): Promise<void> {
    const now = held(file)
    await tell(client.setContent(file.id, 'text', now.hash), {
      waiting: `${file.name} will be text again as soon as a server answers.`,
      done: () => notify(`${file.name} is text again`, undoTo(file, now, '')),
    })
  }

  async function keepText(file: FileInfo, text: string): Promise<void> {
    const { name, directory } = await placeBeside(file)
    await tell(client.create(name, text, directory), {
      waiting: `“${name}” will be made as soon as a server answers.`,
      done: (made) => notify(`Kept both: the text is ${made.name}`),
    })
  }

  /** Where another version of a file may lie as a file of its own. */
  async function placeBeside(file: FileInfo): Promise<{ name: string; directory: string }> {
    const tree = new FolderTree(client.files)
    const above = tree.get(tree.parentOf(file))
    const directory = above === undefined || above.isDeleted ? top : above.id
    const taken = (await members(client, directory)).map(({ name }) => name)
    return { name: numberedName(file.name, [...taken, file.name]), directory }
  }

  function undoTo(file: FileInfo, before: BytesName, base: string) {
    const run = () =>
      void tell(client.setContent(file.id, nameOf(before), base), {
        waiting: `${file.name} will be as it was as soon as a server answers.`,
        done: () => notify(`${file.name} is as it was`),
      })
    return { label: 'Undo', run }
  }

  async function tell<T>(
    operation: Promise<T>,
    words: { waiting: string; done: (value: T) => void },
  ): Promise<void> {
    const problem = await carry(operation, words)
    if (problem !== undefined) notify(problem)
  }
}

/** What a file holds now; without a hash: live text. */
function held({ bytes }: FileInfo): BytesName {
  return bytes ?? { hash: '', size: 0 }
}

function nameOf({ hash, size }: BytesName): BytesName | 'text' {
  return hash === '' ? 'text' : { hash, size }
}
