// Makes a file in which a person then types.

import type { Client } from '../src/client/index.ts'

/** Resolves with its id when a server has stored the text. */
export async function written(client: Client, name: string, text: string): Promise<string> {
  const { id } = await client.create(name, '')
  const document = client.open(id)
  await document.loaded
  document.text.insert(0, text)
  await document.stored()
  document.close()
  return id
}
