// Loaded into a server before it. What the server writes to its journal hangs from when a named pipe
// lies at BROKEN_DISK, as in a disk that answers no more, and fails when a file does.

import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const place = process.env['BROKEN_DISK']!
const { write } = fs

function brokenWrite(...words: Parameters<typeof write>): void {
  const broken = fs.statSync(place, { throwIfNoEntry: false })
  if (!broken) write(...words)
  // Nobody ever writes to it: a thread of the server waits in the kernel, for good.
  else if (broken.isFIFO()) fs.open(place, 'r', () => {})
  else setImmediate(words.at(-1) as unknown as (error: Error) => void, new Error('EIO: i/o error'))
}

fs.write = brokenWrite as typeof write
syncBuiltinESMExports()
