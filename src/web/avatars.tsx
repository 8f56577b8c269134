// Who is in the file: a circle each, with a ring while somebody types.

import {
  Button,
  Menu,
  MenuItem,
  MenuTrigger,
  Popover,
  Tooltip,
  TooltipTrigger,
} from 'react-aria-components'
import { useClient, usePeople, useTyping } from './client-context.tsx'
import type { OpenFile } from './open-file.ts'
import { initials, typesNow, type PersonHere } from './people.ts'

interface AvatarsProps {
  file: OpenFile
  /** So many, and "+n" for the rest. */
  shownMax: number
  /** Shows where that person's caret is. */
  goTo: (person: PersonHere) => void
}

export function Avatars({ file, shownMax, goTo }: AvatarsProps) {
  const { name: myName } = useClient()
  const typing = useTyping(file)
  const others = usePeople(file)
    .filter((person) => !person.isMe)
    .map((person) => {
      const isTyping = typesNow(person, typing)
      return { person, isTyping, words: wordsOf(person, myName, isTyping) }
    })
  if (others.length === 0) return null
  const rest = others.slice(shownMax)
  return (
    <ul className="avatars" aria-label="People in this file">
      {others.slice(0, shownMax).map(({ person, isTyping, words }) => (
        <li key={person.name}>
          <TooltipTrigger delay={300}>
            <Button
              className={`avatar person-${person.color}${isTyping ? ' is-typing' : ''}`}
              aria-label={`${words}: go to ${person.name === myName ? 'that' : 'their'} caret`}
              onPress={() => goTo(person)}
            >
              {initials(person.name)}
            </Button>
            <Tooltip className="tooltip" offset={6}>
              {words}
            </Tooltip>
          </TooltipTrigger>
        </li>
      ))}
      {rest.length > 0 && (
        <li>
          <MenuTrigger>
            <Button className="avatar-rest" aria-label={`${rest.length} more in this file`}>
              +{rest.length}
            </Button>
            <Popover className="popover" placement="bottom end">
              <Menu className="menu" aria-label="More in this file: go to their caret">
                {rest.map(({ person, words }) => (
                  <MenuItem
                    key={person.name}
                    className="menu-item"
                    textValue={words}
                    onAction={() => goTo(person)}
                  >
                    <span className={`dot person-${person.color}`} />
                    {words}
                  </MenuItem>
                ))}
              </Menu>
            </Popover>
          </MenuTrigger>
        </li>
      )}
    </ul>
  )
}

function wordsOf({ name, writers }: PersonHere, myName: string, isTyping: boolean): string {
  const places = writers.length === 1 ? '' : `, in ${writers.length} places`
  const who = name === myName ? 'You, in another tab' : `${name}${places}`
  return isTyping ? `${who}, typing` : who
}
