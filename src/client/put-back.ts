// Texts that are only on this device become files again, beside what the servers have.

import { FourfoldError } from '../core/model/errors.ts'
import { fileKey, withNumber } from '../core/model/names.ts'
import type { Client, FileInfo, KeptText } from './api.ts'

/** As many names are tried for the directory. */
const namesMax = 100

/**
 * Makes files of these texts below a new directory at the top, each at its path; returns the directory.
 * Rejects with FourfoldError: what was made until then stays.
 */
export async function putBack(
  client: Client,
  texts: readonly KeptText[],
  name: string,
): Promise<FileInfo> {
  const top = await newDirectory(client, name)
  const directories = new Map<string, string>([['', top.id]])
  const taken = new Set<string>()
  for (const { path, text } of texts) {
    const names = path.split('/')
    const file = names.pop()!
    const directory = await made(client, directories, names)
    await client.create(free(taken, directory, file), text, directory)
  }
  return top
}

async function newDirectory(client: Client, name: string): Promise<FileInfo> {
  for (let number = 1; ; number++) {
    try {
      return await client.makeDirectory(number === 1 ? name : `${name} (${number})`)
    } catch (error) {
      const isTaken = error instanceof FourfoldError && error.code === 'taken'
      if (!isTaken || number >= namesMax) throw error
    }
  }
}

/** The id of the directory at this path below the new one. */
async function made(
  client: Client,
  directories: Map<string, string>,
  names: string[],
): Promise<string> {
  const path = names.join('/')
  const known = directories.get(path)
  if (known !== undefined) return known
  const above = await made(client, directories, names.slice(0, -1))
  const { id } = await client.makeDirectory(names.at(-1)!, above)
  directories.set(path, id)
  return id
}

/** Two texts of one path, of different lives, are both put back. */
function free(taken: Set<string>, directory: string, name: string): string {
  const keyOf = (each: string) => `${directory}/${fileKey(each)}`
  let found = name
  for (let number = 2; taken.has(keyOf(found)); number++) found = withNumber(name, number)
  taken.add(keyOf(found))
  return found
}
