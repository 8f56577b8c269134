// Uploads bytes and gives them to a file in one go, in this person's name and once.

import type { BytesName, FileInfo } from '../client/api.ts'
import { newId } from '../client/new-id.ts'
import { hasCode } from '../core/model/errors.ts'
import { nameOf, upload, type Uploading } from './upload.ts'

/** How often a server may say that it has not got the bytes, each time for ten seconds. */
const triesMax = 4

/** Makes a file of bytes. Rejects as `upload` does, and with FourfoldError when the name will not do. */
export function makeOfBytes(
  uploading: Uploading,
  blob: Blob,
  name: string,
  directory: string,
): Promise<FileInfo> {
  return keepBytes(uploading, blob, (bytes, operation) =>
    uploading.client.createBinary(name, bytes, directory, operation),
  )
}

/** Puts bytes in the place of what a file holds, made from `base`; resolves with their name. */
export function replaceBytes(
  uploading: Uploading,
  blob: Blob,
  file: string,
  base: string,
): Promise<BytesName> {
  return keepBytes(uploading, blob, async (bytes, operation) => {
    if (bytes.hash !== base) await uploading.client.setContent(file, bytes, base, operation)
    return bytes
  })
}

/** Uploads bytes, then gives them away, by an operation with this id. Rejects as both do. */
export async function keepBytes<T>(
  uploading: Uploading,
  blob: Blob,
  give: (bytes: BytesName, operation: string) => Promise<T>,
): Promise<T> {
  const operation = newId()
  const bytes = await nameOf(uploading, blob)
  for (let tries = 1; ; tries++) {
    await upload(uploading, blob, bytes)
    try {
      return await give(bytes, operation)
    } catch (error) {
      // This client went to another server meanwhile, which lacks them: they are sent there.
      const isElsewhere = hasCode(error, 'unavailable')
      if (!isElsewhere || tries === triesMax || uploading.signal.aborted) throw error
    }
  }
}
