// The client that the whole page shares, and how components follow it.

import { createContext, useContext, useEffect, useState, useSyncExternalStore } from 'react'
import type { Client } from '../client/api.ts'
import type { OpenFile } from './open-file.ts'
import type { PersonHere } from './people.ts'
import { Redraws } from './redraws.ts'

const ClientContext = createContext<Client | undefined>(undefined)

export const ClientProvider = ClientContext.Provider

const redraws = new WeakMap<Client, Redraws>()

function redrawsOf(client: Client): Redraws {
  const known = redraws.get(client)
  if (known !== undefined) return known
  const fresh = new Redraws(client)
  redraws.set(client, fresh)
  return fresh
}

/** The client of this page; the component is drawn again whenever it changed. */
export function useClient(): Client {
  const client = useContext(ClientContext)
  if (client === undefined) throw new Error('broken invariant: a client is provided')
  const { subscribe, count } = redrawsOf(client)
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
