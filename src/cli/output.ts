// What becomes of a command when what it prints cannot be written.

import { exitCodes, sentence } from './command.ts'

let isNeeded = true

/** What the command does is meant, and not what it says: from here on it goes on when that has no room. */
export function goOnUnheard(): void {
  isNeeded = false
}

/** Once, before anything is printed. */
export function heedOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Who reads the output has seen enough, like `head`: nothing that follows would be read.
    if (error.code === 'EPIPE') process.exit(exitCodes.done)
    if (!isNeeded) return
    process.stderr.write(`${sentence(`Cannot print: ${error.message}`)}\n`)
    process.exit(exitCodes.failed)
  })
  // Who read the log may be gone, or its disk full: no reason to stop, and nobody to tell.
  process.stderr.on('error', () => {})
}
