// Files that are no text: their bytes go to a server, and come from one, beside the calls.

import { createHash } from 'node:crypto'
import { rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Code } from '@connectrpc/connect'
import type { File } from '../core/model/wire.ts'
import {
  downloadBlob,
  nameOfFile,
  readBlob,
  uploadBlob,
  type Progress,
} from '../adapters/channel/blob-client.ts'
import { written, type Changed } from './answer.ts'
import { CommandError, printable } from './command.ts'
import { attempted, putInPlace } from './local-file.ts'
import { answerMs, type SetClient } from './set-client.ts'

/** So much a millisecond goes from server to server: a receipt waits accordingly, if not for long. */
const spreadBytesPerMs = 50_000
const spreadMsMax = 10_000
/** How often it is looked whether a further server has it. */
const spreadLookMs = 200

/** Answers that say something of the file, and nothing of the next one. */
export const ofOneFile = [
  Code.InvalidArgument,
  Code.AlreadyExists,
  Code.NotFound,
  Code.ResourceExhausted,
  Code.DataLoss,
]

/** Brings the bytes of a file to a server, for no file of the folder yet. Rejects with CommandError. */
export async function sendBytes(set: SetClient, local: string): Promise<void> {
  const reading = `read ${printable(local)}`
  const name = await attempted(reading, () => nameOfFile(local))
  await set.talk((_clients, call, address) =>
    attempted(reading, () => uploadBlob({ ...call, address }, local, name, () => {})),
  )
}

/** Makes a file of the folder hold the bytes of one of this machine. Rejects with CommandError. */
export async function uploadAs(
  set: SetClient,
  local: string,
  as: { file: string; operation: string; isNew?: boolean; progress?: Progress },
): Promise<Changed & { hash: string; size: number }> {
  const { progress = () => {}, ...asked } = as
  const reading = `read ${printable(local)}`
  const name = await attempted(reading, () => nameOfFile(local))
  const spreadMs = Math.min(name.size / spreadBytesPerMs, spreadMsMax)
  return set.talk(async ({ folder }, call, address) => {
    await attempted(reading, () => uploadBlob({ ...call, address }, local, name, progress))
    const request = { ...asked, ...name }
    const end = performance.now() + spreadMs
    for (;;) {
      const kept = await folder.saveBinary(request, { ...call, timeoutMs: answerMs })
      if (kept.servers.length === kept.serverCount || performance.now() > end) {
        return { ...name, ...kept }
      }
      await sleep(spreadLookMs)
    }
  })
}

/**
 * Writes the bytes of a file in one step. What came of it when no server answers any more lies
 * beside it, and the next try goes on with it. Rejects with CommandError.
 */
export async function getBytes(
  set: SetClient,
  { hash, size }: File,
  place: string,
  overwrites: boolean,
  progress: Progress,
): Promise<void> {
  const temporary = partOf(place, hash)
  const writing = `write ${printable(place)}`
  try {
    await set.talk((_clients, call, address) =>
      attempted(writing, () =>
        downloadBlob({ ...call, address }, temporary, { hash, size }, progress),
      ),
    )
  } catch (error) {
    const isEmpty = statSync(temporary, { throwIfNoEntry: false })?.size === 0
    if (isEmpty) rmSync(temporary, { force: true })
    throw error
  }
  putInPlace(temporary, place, overwrites)
}

/** Where the bytes for a place gather: the next try finds them, and another file of the same bytes does not. */
export function partOf(place: string, hash: string): string {
  const name = createHash('sha256')
    .update(`${hash} ${basename(place)}`)
    .digest('hex')
  return join(dirname(place), `.fourfold-${name.slice(0, 24)}.part`)
}

/** Prints the bytes of a file. Rejects with CommandError, when something was printed, too. */
export async function printBytes(set: SetClient, { hash, size, path }: File): Promise<void> {
  const digest = createHash('sha256')
  let bytes = 0
  await set.talk((_clients, call, address) =>
    readBlob({ ...call, address }, { hash, size }, bytes, async (piece) => {
      digest.update(piece)
      bytes += piece.length
      await written(piece)
    }),
  )
  if (digest.digest('hex') === hash) return
  throw new CommandError(`What came is not what "${printable(path)}" holds.`)
}
