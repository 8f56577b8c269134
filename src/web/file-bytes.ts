// The bytes of binary files: what a file held, and how they come to this page and to a person's disk.

import type { Client } from '../client/api.ts'
import type { Content } from '../core/model/wire.ts'
import { addresses, ask, askMs } from './asking.ts'
import { downloadBlob } from './download.ts'
import { authorization, token } from './pass.ts'

export type { Content }

/** A picture of more bytes is not shown by itself. */
export const previewBytesMax = 20 * 1024 * 1024

/** Pictures that a browser shows, by the end of their names. SVG is text, and could be more than a picture. */
const imageTypes = new Map([
  ['avif', 'image/avif'],
  ['gif', 'image/gif'],
  ['jpeg', 'image/jpeg'],
  ['jpg', 'image/jpeg'],
  ['png', 'image/png'],
  ['webp', 'image/webp'],
])

const absent = 'No server that answers has these bytes now. Try again in a moment.'

/** Of a picture, by its name; undefined: nothing that this page shows. */
export function imageTypeOf(name: string): string | undefined {
  return imageTypes.get(/\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? '')
}

/** "1 byte", "12.3 KiB" */
export function sizeWords(bytes: number): string {
  if (bytes < 1024) return bytes === 1 ? '1 byte' : `${bytes} bytes`
  const units = ['KiB', 'MiB', 'GiB']
  let size = bytes / 1024
  let unit = 0
  // What would be rounded up to 1024 is one of the next unit.
  while (size >= 1023.95 && unit < units.length - 1) {
    size /= 1024
    unit++
  }
  return `${size.toFixed(size < 99.95 ? 1 : 0)} ${units[unit]}`
}

/** What a file holds and held, newest first. Rejects with a sentence when no server answers. */
export async function contentsOf(client: Client, file: string): Promise<Content[]> {
  const answer = await ask(client, (folder, options) => folder.listContents({ file }, options))
  if (answer) return answer.contents
  throw new Error('No server answers. The older versions are kept there.')
}

/** A picture's bytes, as something to show. Rejects with a sentence, or when it is aborted. */
export async function imageOf(
  client: Client,
  hash: string,
  type: string,
  signal: AbortSignal,
): Promise<Blob> {
  return fromHolder(client, hash, signal, async (address) => {
    return new Blob([await bytesAt(address, hash, signal)], { type })
  })
}

/** Bytes as they come from a server that has them. Rejects with a sentence, or when it is aborted. */
export async function streamOf(
  client: Client,
  hash: string,
  signal: AbortSignal,
): Promise<Response> {
  return fromHolder(client, hash, signal, (address) => responseOf(address, hash, signal))
}

/**
 * Saves bytes through the browser's download: from this page's own server straight to the disk,
 * whatever their size, where no token need be shown. Rejects with a sentence when no server has them,
 * or when it is aborted.
 */
export async function downloadBytes(
  client: Client,
  name: string,
  hash: string,
  signal: AbortSignal,
): Promise<void> {
  await fromHolder(client, hash, signal, async (address) => {
    if (address === location.origin && token() === '') {
      const link = document.createElement('a')
      link.href = urlOf(address, hash)
      link.download = name
      link.click()
    } else {
      // A link shows no token, and takes no name for what is of another origin.
      downloadBlob(name, new Blob([await bytesAt(address, hash, signal)]))
    }
  })
}

/** What the first server gives that has it. Rejects with a sentence, or when it is aborted. */
async function fromHolder<T>(
  client: Client,
  hash: string,
  signal: AbortSignal,
  get: (address: string) => Promise<T>,
): Promise<T> {
  for (const address of await holders(client, hash, signal)) {
    try {
      return await get(address)
    } catch (error) {
      if (signal.aborted) throw error
      // It went away meanwhile: the next may have it.
    }
  }
  throw new Error(absent)
}

/** The servers that say they have it, this page's own first. */
async function holders(client: Client, hash: string, signal: AbortSignal): Promise<string[]> {
  const asked = [...new Set([location.origin, ...addresses(client)])]
  const answers = asked.map(async (address) => {
    try {
      const inTime = AbortSignal.any([signal, AbortSignal.timeout(askMs)])
      const asking = { method: 'HEAD', headers: authorization(), signal: inTime }
      // A server that lacks it is no error, and says so.
      return (await fetch(`${urlOf(address, hash)}?upload=1`, asking)).status === 200
    } catch {
      // It is down.
      return false
    }
  })
  const first = await answers[0]
  if (first) return [asked[0]!, ...asked.slice(1)]
  const haveIt = await Promise.all(answers)
  return asked.filter((_address, index) => haveIt[index])
}

async function bytesAt(address: string, hash: string, signal: AbortSignal): Promise<Blob> {
  return (await responseOf(address, hash, signal)).blob()
}

async function responseOf(address: string, hash: string, signal: AbortSignal): Promise<Response> {
  const response = await fetch(urlOf(address, hash), { headers: authorization(), signal })
  if (!response.ok) throw new Error(await response.text())
  return response
}

function urlOf(address: string, hash: string): string {
  return new URL(`/blobs/${hash}`, address).href
}
