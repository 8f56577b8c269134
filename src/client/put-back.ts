// Texts that are only on this device become files again, beside what the servers have.

import { hasCode } from '../core/model/errors.ts'
import { fileKey, numbered } from '../core/model/names.ts'
import type { Client, FileInfo, KeptText } from './api.ts'

/** As many names are tried for the directory. */
const namesMax = 100

/** Texts go into one new directory at the top, also when that takes several tries. */
export class PuttingBack {
  readonly #client: Client
  readonly #name: string
  #top: FileInfo | undefined
  readonly #directories = new Map<string, string>()
  readonly #taken = new Set<string>()

  /** `name`: of the directory; numbered where it is taken. */
  constructor(client: Client, name: string) {
    this.#client = client
    this.#name = name
  }

  /**
   * Makes files of these texts, each at its path below the directory, and lets the device forget each
   * as soon as it is one; returns the directory. Rejects with FourfoldError: asked again, for what is
   * still kept, it goes on there.
   */
  async put(texts: readonly KeptText[]): Promise<FileInfo> {
    const top = (this.#top ??= await newDirectory(this.#client, this.#name))
    for (const kept of texts) {
      const names = kept.path.split('/')
      const file = names.pop()!
      const directory = await this.#made(top, names)
      // Two texts of one path, of different lives, are both put back.
      const name = numbered(file, (each) => this.#taken.has(keyOf(directory, each)))
      await this.#client.create(name, kept.text, directory)
      this.#taken.add(keyOf(directory, name))
      await this.#client.forgetKept([kept])
    }
    return top
  }

  /** The id of the directory at this path below the new one. */
  async #made(top: FileInfo, names: string[]): Promise<string> {
    if (names.length === 0) return top.id
    const path = names.join('/')
    const known = this.#directories.get(path)
    if (known !== undefined) return known
    const above = await this.#made(top, names.slice(0, -1))
    const { id } = await this.#client.makeDirectory(names.at(-1)!, above)
    this.#directories.set(path, id)
    return id
  }
}

async function newDirectory(client: Client, name: string): Promise<FileInfo> {
  for (let number = 1; ; number++) {
    try {
      return await client.makeDirectory(number === 1 ? name : `${name} (${number})`)
    } catch (error) {
      const isTaken = hasCode(error, 'taken')
      if (!isTaken || number >= namesMax) throw error
    }
  }
}

function keyOf(directory: string, name: string): string {
  return `${directory}/${fileKey(name)}`
}
