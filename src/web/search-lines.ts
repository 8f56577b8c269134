// Asks a server for the lines of all texts that hold something.

import { Code, ConnectError } from '@connectrpc/connect'
import type { Client } from '../client/api.ts'
import { addresses } from './asking.ts'
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
      // That server is down: the next may answer.
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
  const lines: FoundLine[] = []
  for await (const { file, line, text, isCut } of folderAt(address).searchFiles(wanted, {
    signal,
  })) {
    if (isCut || lines.length === linesMax) {
      tell({ lines: [...lines], isCut: true })
      return
    }
    if (file) lines.push({ file: file.id, path: file.path, line, text })
    tell({ lines: [...lines], isCut: false })
  }
  tell({ lines, isCut: false })
}
