// Asks a server for the lines of all texts that hold something.

import { Code, ConnectError } from '@connectrpc/connect'
import type { Client } from '../client/api.ts'
import { addresses, askMs } from './asking.ts'
import { folderAt } from './pass.ts'

export interface Wanted {
  text: string
  ignoresCase: boolean
  isRegex: boolean
}

/** A line that was found. */
export interface FoundLine {
  file: string
  path: string
  /** From 1. */
  line: number
  text: string
}

export interface Found {
  lines: FoundLine[]
  /** There are more than are told. */
  isCut: boolean
}

/** More would not be read: other words find less. */
const linesMax = 500

/**
 * Tells what is found as it comes, from the first server that answers. Rejects with a sentence, or when
 * it is aborted.
 */
export async function searchLines(
  client: Client,
  wanted: Wanted,
  signal: AbortSignal,
  tell: (found: Found) => void,
): Promise<void> {
  for (const address of addresses(client)) {
    try {
      await searchAt(address, wanted, signal, tell)
      return
    } catch (error) {
      if (signal.aborted) throw error
      const { code, rawMessage } = ConnectError.from(error)
      if (code === Code.InvalidArgument) throw new Error(rawMessage)
      // That server is down or frozen: the next may answer.
    }
  }
  throw new Error('No server answers. The texts are searched there.')
}

async function searchAt(
  address: string,
  wanted: Wanted,
  signal: AbortSignal,
  tell: (found: Found) => void,
): Promise<void> {
  const folder = folderAt(address)
  // Where little is found nothing is said for long: whether the server lives is asked beside it.
  const silence = new AbortController()
  const asking = setInterval(() => {
    folder.listFiles({ pageSize: 1 }, { timeoutMs: askMs }).catch(() => silence.abort())
  }, askMs)
  const lines: FoundLine[] = []
  const options = { signal: AbortSignal.any([signal, silence.signal]) }
  try {
    for await (const { file, line, text, isCut } of folder.searchFiles(wanted, options)) {
      if (isCut || lines.length === linesMax) {
        tell({ lines: [...lines], isCut: true })
        return
      }
      if (file) lines.push({ file: file.id, path: file.path, line, text })
      tell({ lines: [...lines], isCut: false })
    }
    tell({ lines, isCut: false })
  } finally {
    clearInterval(asking)
  }
}
