// Dots beside a file's name: the people who are in it, as far as this page can see.

import { usePeople } from './client-context.tsx'
import type { OpenFiles } from './open-file.ts'

const dotsMax = 4

/** Presence travels with open documents, so only files this page has open show dots. */
export function FileDots({ id, openFiles }: { id: string; openFiles: OpenFiles }) {
  const file = openFiles.peek(id)
  const others = usePeople(file).filter((person) => !person.isMe)
  if (others.length === 0) return null
  const names = others.map((person) => person.name).join(', ')
  return (
    <span className="dots" role="img" aria-label={`Here: ${names}`} title={names}>
      {others.slice(0, dotsMax).map((person) => (
        <span key={person.writer} className={`dot person-${person.color}`} />
      ))}
    </span>
  )
}
