// Dots beside a name: the people who are in the file, as far as this page can see.

import { useCallback, useSyncExternalStore } from 'react'
import { usePeople } from './client-context.tsx'
import type { FolderTree } from './folder-tree.ts'
import type { OpenFiles } from './open-file.ts'
import type { PersonHere } from './people.ts'

const dotsMax = 4

/** Presence travels with open documents, so only files this page has open show dots. */
export function FileDots({ id, openFiles }: { id: string; openFiles: OpenFiles }) {
  const people = usePeople(openFiles.peek(id))
  return <Dots people={people.filter((person) => !person.isMe)} />
}

interface DirectoryDotsProps {
  id: string
  tree: FolderTree
  openFiles: OpenFiles
}

/** The people in the files of a closed directory, each once. */
export function DirectoryDots({ id, tree, openFiles }: DirectoryDotsProps) {
  const within = openFiles
    .all()
    .filter((file) => tree.ancestors(file.live.id).some((directory) => directory.id === id))
  const ids = within.map((file) => file.live.id).join()
  const subscribe = useCallback(
    (listener: () => void) => {
      const ends = ids.split(',').map((each) => openFiles.peek(each)?.onChange(listener))
      return () => ends.forEach((end) => end?.())
    },
    [ids, openFiles],
  )
  const others = () => {
    const people = within.flatMap((file) => file.people.filter((person) => !person.isMe))
    return [...new Map(people.map((person) => [person.name, person])).values()]
  }
  useSyncExternalStore(subscribe, () =>
    others()
      .map(({ name, color }) => `${color} ${name}`)
      .join('\n'),
  )
  return <Dots people={others()} />
}

function Dots({ people }: { people: PersonHere[] }) {
  if (people.length === 0) return null
  const names = people.map((person) => person.name).join(', ')
  return (
    <span className="dots" role="img" aria-label={`Here: ${names}`} title={names}>
      {people.slice(0, dotsMax).map((person) => (
        <span key={person.name} className={`dot person-${person.color}`} />
      ))}
    </span>
  )
}
