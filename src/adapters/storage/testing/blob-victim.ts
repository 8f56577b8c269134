// A process that puts blobs on a disk with too little room, and says as JSON how that went.

import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { BlobError } from '../blob.ts'
import { BlobStore } from '../blob-store.ts'

const [directory = ''] = process.argv.slice(2)
const store = await BlobStore.open(directory)

async function put(size: number): Promise<string> {
  const bytes = Buffer.alloc(size, 'x')
  const name = { hash: createHash('sha256').update(bytes).digest('hex'), size }
  const from = await store.received(name)
  try {
    const rest = Readable.from([bytes.subarray(from)], { objectMode: false })
    await pipeline(rest, await store.upload(name, from))
    return (await store.has(name)) ? 'whole' : 'missing'
  } catch (error) {
    return error instanceof BlobError ? error.code : String(error)
  }
}

const small = 1024 * 1024
const outcomes = [await put(small), await put(40 * small), await put(2 * small)]
process.stdout.write(JSON.stringify({ outcomes }))
