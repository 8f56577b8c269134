// Saves a file's bytes on a person's disk, or says why not.

import type { BytesName, Client } from '../client/api.ts'
import { downloadBytes } from './file-bytes.ts'
import { notify } from './toasts.tsx'

/** Said of what takes longer: the browser shows nothing before it has all of it. */
const toldAfterMs = 1000

/** Through the browser's download, under this name. */
export async function saveBytes(
  client: Client,
  name: string,
  { hash }: Pick<BytesName, 'hash'>,
): Promise<void> {
  const stop = new AbortController()
  let takeBack = () => {}
  const timer = setTimeout(() => {
    const action = { label: 'Stop', run: () => stop.abort() }
    takeBack = notify(`Fetching ${name}…`, action, { stays: true })
  }, toldAfterMs)
  try {
    await downloadBytes(client, name, hash, stop.signal)
  } catch (error) {
    if (!stop.signal.aborted) notify((error as Error).message)
  } finally {
    clearTimeout(timer)
    takeBack()
  }
}
