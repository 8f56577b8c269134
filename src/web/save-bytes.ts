// Saves a file's bytes on a person's disk, or says why not.

import type { BytesName, Client } from '../client/api.ts'
import { downloadBytes } from './file-bytes.ts'
import { notify } from './toasts.tsx'

/** Through the browser's download, under this name. */
export async function saveBytes(
  client: Client,
  name: string,
  { hash }: Pick<BytesName, 'hash'>,
): Promise<void> {
  try {
    await downloadBytes(client, name, hash)
  } catch (error) {
    notify((error as Error).message)
  }
}
