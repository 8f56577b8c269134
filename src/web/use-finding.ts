// What is found by the words in a field, asked anew when they or the folder changed.

import { useEffect, useRef, useState } from 'react'
import type { Client } from '../client/api.ts'
import { find, type Finding, type Only } from './folder-asks.ts'

/** While somebody types or files come in, servers are asked at this pace at most. */
const pauseMs = 150

/** What was found by these words. */
export type Found = Finding & { words: string }

/** The last answer, until there is another; undefined: none yet, or `words` is undefined. */
export function useFinding(
  client: Client,
  words: string | undefined,
  only: Only,
  limit: number,
): Found | undefined {
  const [finding, setFinding] = useState<Found>()
  const askedAt = useRef(-Infinity)
  const asked = useRef({ last: 0, answered: 0 })
  const { files } = client
  useEffect(() => {
    if (words === undefined) {
      setFinding(undefined)
      return
    }
    const look = async () => {
      askedAt.current = performance.now()
      const number = ++asked.current.last
      const found = await find(client, words, only, limit)
      // What was asked later may be answered first.
      if (number < asked.current.answered) return
      asked.current.answered = number
      setFinding({ ...found, words })
    }
    const waitMs = Math.max(0, askedAt.current + pauseMs - performance.now())
    const timer = setTimeout(() => void look(), waitMs)
    return () => clearTimeout(timer)
  }, [client, files, words, only, limit])
  return finding
}
