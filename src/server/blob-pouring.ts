// Sends bytes from a file of the blob store, be it whole or still on its way to this disk.

import type { FileHandle } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import type { Upload } from '../adapters/storage/blob-upload.ts'

/** Read from the disk at once. */
const pieceBytes = 256 * 1024

/** An upload that is followed. `isSure`: its end is not sent before all of it is verified. */
export interface Growth {
  upload: Upload
  isSure: boolean
}

/**
 * Sends a part of a file, as far as an upload of it comes. Two buffers serve for all of it: a stream
 * would make a new one of each piece, and the garbage collector would look at everything in this server
 * again and again.
 */
export async function pour(
  file: FileHandle,
  start: number,
  end: number,
  response: ServerResponse,
  growth: Growth | undefined,
): Promise<void> {
  const buffers = [Buffer.allocUnsafe(pieceBytes), Buffer.allocUnsafe(pieceBytes)]
  let sent: Promise<void> = Promise.resolve()
  for (let at = start, turn = 0; at < end; turn++) {
    const buffer = buffers[turn % buffers.length]!
    const bytesRead = await readGrown(file, buffer, at, end, growth)
    await sent
    if (bytesRead === 0 || response.destroyed) {
      response.destroy()
      return
    }
    at += bytesRead
    sent = taken(response, buffer.subarray(0, bytesRead))
  }
  await sent
  response.end()
}

/** Reads on from `at`, when there is something; 0: no more will come, or it is not what it should be. */
export async function readGrown(
  file: FileHandle,
  buffer: Buffer,
  at: number,
  end: number,
  growth: Growth | undefined,
): Promise<number> {
  const there = growth ? await growth.upload.beyond(at) : end
  const length = Math.min(buffer.length, Math.max(there, at) - at, end - at)
  const { bytesRead } = await file.read(buffer, 0, length, at)
  const isEnd = at + bytesRead === growth?.upload.size
  return isEnd && growth?.isSure && !(await growth.upload.isWhole()) ? 0 : bytesRead
}

/** The network has taken it, or the caller went away. */
function taken(response: ServerResponse, piece: Buffer): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const told = () => {
    response.off('close', told)
    resolve()
  }
  response.on('close', told)
  response.write(piece, told)
  return promise
}
