// What a person is asked about deletions that wait for a word.

import type { Held } from '../../core/mirror/messages.ts'
import { quoted, typed } from '../called.ts'

/** `before`: how many were deleted without a word, right before those became too many. */
export function questionOf({ inFolder, onDisk }: Held, before: number, root: string): string {
  const count = Math.max(inFolder, onDisk)
  const [are, were] = count === 1 ? ['file is', 'file was'] : ['files are', 'files were']
  const what = inFolder > 0 ? `${are} missing here` : `${were} deleted in the folder`
  const where = inFolder > 0 ? 'in the folder' : 'here'
  const others = before === 1 ? 'another one was' : `${before} others were`
  const after = before > 0 ? `, after ${others} deleted` : ''
  const these = before > 0 && count > 1 ? `these ${count}` : 'that'
  return (
    `${count} ${what}${after}. Nothing of ${these} is deleted ${where} unless you say so: ` +
    typed('mirror', quoted(root), '--accept-deletes')
  )
}
