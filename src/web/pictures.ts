// Pictures for a Markdown text: kept in `assets` beside it, and named in it by a link.

import type { Client, FileInfo } from '../client/api.ts'
import { FourfoldError, hasCode } from '../core/model/errors.ts'
import { checkFileName, fileKey, stemLength } from '../core/model/names.ts'
import { members } from './folder-asks.ts'
import { FolderTree, isDirectory, top } from './folder-tree.ts'
import { keepBytes } from './keep-bytes.ts'
import { languageOf } from './language.ts'
import { numberedName } from './names.ts'
import { heldIn } from './sources.ts'
import type { Uploading } from './upload.ts'

const directoryName = 'assets'

/** Others may take a free name first, so often. */
const triesMax = 5

export interface BroughtPictures {
  /** In Markdown, of those that are kept. */
  links: string[]
  /** Why the others are not, in sentences. */
  problems: string[]
}

/** Whether a text of this name can show pictures. */
export function showsPictures(fileName: string): boolean {
  return languageOf(fileName).name === 'Markdown'
}

/** Those of some files that a browser would show. */
export function picturesAmong(files: Iterable<File>): File[] {
  return [...files].filter(({ type }) => type.startsWith('image/'))
}

/** Brings pictures beside the text with this id. Rejects with the signal's reason when stopped. */
export async function bringPictures(
  uploading: Uploading,
  textId: string,
  pictures: File[],
): Promise<BroughtPictures> {
  const brought: BroughtPictures = { links: [], problems: [] }
  for (const picture of pictures) {
    try {
      const { name } = await bringOne(uploading, textId, picture)
      brought.links.push(linkTo(name))
    } catch (error) {
      if (!(error instanceof FourfoldError) || uploading.signal.aborted) throw error
      brought.problems.push(`${picture.name} is not here. ${error.message}`)
    }
  }
  return brought
}

async function bringOne(uploading: Uploading, textId: string, picture: File): Promise<FileInfo> {
  const { client } = uploading
  const held = await heldIn(picture)
  // A drawing may be text: SVG.
  if ('text' in held) {
    return place(client, textId, picture, (name, directory) =>
      client.create(name, held.text, directory),
    )
  }
  return keepBytes(uploading, picture, (bytes, operation) =>
    place(client, textId, picture, (name, directory) =>
      client.createBinary(name, bytes, directory, operation),
    ),
  )
}

/** Makes it under the first name that is free in the directory of pictures. */
async function place(
  client: Client,
  textId: string,
  picture: File,
  make: (name: string, directory: string) => Promise<FileInfo>,
): Promise<FileInfo> {
  const directory = await assetsBeside(client, textId)
  for (let tries = 1; ; tries++) {
    const taken = (await members(client, directory)).map(({ name }) => name)
    try {
      return await make(numberedName(nameFor(picture), taken), directory)
    } catch (error) {
      const isTaken = hasCode(error, 'taken')
      if (!isTaken || tries === triesMax) throw error
    }
  }
}

/** The id of `assets` in the directory of a text; made if it is not there. */
async function assetsBeside(client: Client, textId: string): Promise<string> {
  const tree = new FolderTree(client.files)
  const text = tree.get(textId)
  const above = text && tree.get(tree.parentOf(text))
  const parent = above === undefined || above.isDeleted ? top : above.id
  const beside = await members(client, parent)
  const there = beside.find((entry) => isDirectory(entry) && fileKey(entry.name) === directoryName)
  return there?.id ?? (await client.makeDirectory(directoryName, parent)).id
}

/** Its own name, if that is one that every disk can hold. */
function nameFor({ name, type }: File): string {
  try {
    checkFileName(name)
    return name
  } catch (error) {
    if (!(error instanceof FourfoldError)) throw error
    return `picture.${/^image\/([a-z0-9]+)/.exec(type)?.[1] ?? 'png'}`
  }
}

function linkTo(name: string): string {
  const words = name.slice(0, stemLength(name)).replace(/[[\]\\]/g, '\\$&')
  const target = encodeURIComponent(name).replace(
    /[()]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16)}`,
  )
  return `![${words}](${directoryName}/${target})`
}
