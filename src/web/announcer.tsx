// What a screen reader is told without being asked: the chip and who came, one message per 10 s.

import { useEffect, useRef, useState } from 'react'
import { useClient, usePeople } from './client-context.tsx'
import type { OpenFile } from './open-file.ts'
import { chipText } from './save-words.ts'

const everyMs = 10_000

interface Told {
  chip: string
  /** Names of the other people, a line each. */
  names: string
  file: OpenFile | undefined
  at: number
}

export function Announcer({ file }: { file: OpenFile | undefined }) {
  const client = useClient()
  const people = usePeople(file)
  const [words, setWords] = useState('')
  const told = useRef<Told>({ chip: '', names: '', file: undefined, at: 0 })
  const chip = chipText(client)
  const names = people
    .filter((person) => !person.isMe)
    .map((person) => person.name)
    .join('\n')

  useEffect(() => {
    const tell = () => {
      const before = told.current
      const sentence = news(before, { chip, names, file })
      told.current = { chip, names, file, at: sentence === '' ? before.at : Date.now() }
      if (sentence !== '') setWords(sentence)
    }
    const timer = setTimeout(tell, Math.max(0, told.current.at + everyMs - Date.now()))
    return () => clearTimeout(timer)
  }, [chip, names, file])

  return (
    <div aria-live="polite" className="visually-hidden">
      {words}
    </div>
  )
}

/** What is worth saying; empty: nothing. The first chip and the people already there are not news. */
function news(before: Told, now: Omit<Told, 'at'>): string {
  const known = new Set(before.names.split('\n'))
  const came = now.names.split('\n').filter((name) => name !== '' && !known.has(name))
  return [
    ...(before.chip !== '' && before.chip !== now.chip ? [now.chip] : []),
    ...(before.file === now.file ? came.map((name) => `${name} joined`) : []),
  ].join('. ')
}
