// Who did something and when, as it is told in a line of its own and within a sentence.

import { clock } from './save-words.ts'

const days = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' })

/** "Ana, today 12:04", "Ana, 3 Nov 2026 12:04" */
export function whoAndWhen({ author, at }: { author: string; at: number }): string {
  return `${author || 'Somebody'}, ${when(at)}`
}

/** "today 12:04" */
export function when(at: number): string {
  return `${dayOf(at)} ${clock(at)}`
}

function dayOf(at: number): string {
  const day = days.format(at)
  if (day === days.format(Date.now())) return 'today'
  if (day === days.format(Date.now() - 24 * 3600 * 1000)) return 'yesterday'
  return day
}
