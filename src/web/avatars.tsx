// Who is in the file: a circle each, with a ring while somebody types.

import { Button, Tooltip, TooltipTrigger } from 'react-aria-components'
import { useClient, usePeople, useTyping } from './client-context.tsx'
import type { OpenFile } from './open-file.ts'
import { initials, type PersonHere } from './people.ts'

interface AvatarsProps {
  file: OpenFile
  /** So many, and "+n" for the rest. */
  shownMax: number
  /** Shows where that person's caret is. */
  goTo: (person: PersonHere) => void
}

export function Avatars({ file, shownMax, goTo }: AvatarsProps) {
  const { name: myName } = useClient()
  const others = usePeople(file).filter((person) => !person.isMe)
  const typing = useTyping(file)
  if (others.length === 0) return null
  const rest = others.slice(shownMax)
  return (
    <ul className="avatars" aria-label="People in this file">
      {others.slice(0, shownMax).map((person) => {
        const isTyping = person.writers.some((writer) => typing.has(writer))
        const isMine = person.name === myName
        const words = isMine ? 'You, in another tab' : wordsOf(person)
        return (
          <li key={person.name}>
            <TooltipTrigger delay={300}>
              <Button
                className={`avatar person-${person.color}${isTyping ? ' is-typing' : ''}`}
                aria-label={`${words}${isTyping ? ', typing' : ''}: go to ${isMine ? 'that' : 'their'} caret`}
                onPress={() => goTo(person)}
              >
                {initials(person.name)}
              </Button>
              <Tooltip className="tooltip" offset={6}>
                {words}
              </Tooltip>
            </TooltipTrigger>
          </li>
        )
      })}
      {rest.length > 0 && (
        <li className="avatar-rest" title={rest.map((person) => person.name).join(', ')}>
          +{rest.length}
        </li>
      )}
    </ul>
  )
}

function wordsOf({ name, writers }: PersonHere): string {
  return writers.length === 1 ? name : `${name}, in ${writers.length} places`
}
