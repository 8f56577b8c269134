// The client that the whole page shares, and how components follow it.

import { createContext, useContext, useEffect, useState, useSyncExternalStore } from 'react'
import type { Client } from '../client/api.ts'
import type { OpenFile } from './open-file.ts'
import type { PersonHere } from './people.ts'

const ClientContext = createContext<Client | undefined>(undefined)

export const ClientProvider = ClientContext.Provider

/** A client's changes in the form React follows: one subscription a client, and a count. */
interface Watched {
  subscribe: (listener: () => void) => () => void
  count: () => number
}

const watchedClients = new WeakMap<Client, Watched>()

/** Many changes in a row are drawn together. */
const drawEveryMs = 30
/** So many times as long as a drawing took, until the next: most of the time is for the person. */
const restParts = 3

function watched(client: Client): Watched {
  const known = watchedClients.get(client)
  if (known !== undefined) return known
  const listeners = new Set<() => void>()
  let count = 0
  let isPausing = false
  let hasChanged = false
  const tell = () => {
    isPausing = true
    hasChanged = false
    count++
    const beganAt = performance.now()
    for (const listener of listeners) listener()
    // React draws in a microtask, which is before this one.
    queueMicrotask(() => {
      const restMs = restParts * (performance.now() - beganAt)
      setTimeout(
        () => {
          isPausing = false
          if (hasChanged) tell()
        },
        Math.max(drawEveryMs, restMs),
      )
    })
  }
  client.onChange(() => {
    hasChanged = true
    if (!isPausing) tell()
  })
  const fresh: Watched = {
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    count: () => count,
  }
  watchedClients.set(client, fresh)
  return fresh
}

/** The client of this page; the component is drawn again whenever it changed. */
export function useClient(): Client {
  const client = useContext(ClientContext)
  if (client === undefined) throw new Error('broken invariant: a client is provided')
  const { subscribe, count } = watched(client)
  useSyncExternalStore(subscribe, count)
  return client
}

/** The people in a file; drawn again when somebody comes, goes or moves. */
export function usePeople(file: OpenFile | undefined): PersonHere[] {
  return useSyncExternalStore(file?.onChange ?? never, () => file?.people ?? nobody)
}

const nobody: PersonHere[] = []
const never = () => () => undefined

/** The writers who type in a file now. */
export function useTyping(file: OpenFile | undefined): Set<number> {
  const words = useSyncExternalStore(file?.onChange ?? never, () =>
    [...(file?.typing(Date.now()) ?? [])].join(),
  )
  return new Set(words === '' ? [] : words.split(',').map(Number))
}

/** The time, at this pace while `isNeeded`. */
export function useNow(everyMs: number, isNeeded: boolean): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    if (!isNeeded) return
    setNow(Date.now())
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs, isNeeded])
  return now
}

/** Whether a media query holds. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const media = matchMedia(query)
      media.addEventListener('change', listener)
      return () => media.removeEventListener('change', listener)
    },
    () => matchMedia(query).matches,
  )
}
