// What a device keeps belongs to one life of the set: each life has a place of its own in the storage,
// so that what was kept of one never meets what comes of another.

import type { KeptWith, LocalStorage } from '../core/ports.ts'

const key = 'lives'

/** The lives that a device knows. */
export interface Lives {
  /** Name of the present one; empty: no server has told it. */
  name: string
  /** Where its things lie. */
  place: string
  /** Places of earlier ones, of which something may still be wanted. */
  earlier: string[]
}

/** Of what is kept; a device that keeps nothing is in its first. */
export async function readLives(storage: LocalStorage): Promise<Lives> {
  return livesOf(await storage.get(key))
}

/** A server told the name of the present life. */
export function nameLife(storage: LocalStorage, name: string): Promise<void> {
  return change(storage, (lives) => (lives.name === '' ? { ...lives, name } : lives))
}

/** Where nothing is known of any: these. */
export function keepLives(storage: LocalStorage, lives: Lives): Promise<void> {
  return storage.change(key, (value) => value ?? lives)
}

/**
 * From here on everybody on this device begins in another life. What was kept at `place` stays there,
 * and counts as something that may still be wanted.
 */
export function leaveLife(storage: LocalStorage, name: string, place: string): Promise<void> {
  return change(storage, (lives) => {
    const { earlier, ...present } = livesIn(lives, name)
    const others = earlier.filter((each) => each !== place)
    return { ...present, earlier: place === present.place ? others : [...others, place] }
  })
}

/** What a device knows as whoever begins in the life of this name sees it. */
export function livesIn(lives: Lives, name: string): Lives {
  if (lives.name === name) return lives
  const place = `${name}/`
  const earlier = [...lives.earlier, lives.place].filter((each) => each !== place)
  return { name, place, earlier }
}

/** Nothing of an earlier life is wanted any more. */
export function forgetLife(storage: LocalStorage, place: string): Promise<void> {
  return change(storage, (lives) => {
    return { ...lives, earlier: lives.earlier.filter((each) => each !== place) }
  })
}

function change(storage: LocalStorage, alter: (lives: Lives) => Lives): Promise<void> {
  return storage.change(key, (value) => alter(livesOf(value)))
}

// The storage is this device's own, but another version of the program may have written there.
function livesOf(value: unknown): Lives {
  const { name, place, earlier } = (value ?? {}) as Partial<Lives>
  return {
    name: typeof name === 'string' ? name : '',
    place: typeof place === 'string' ? place : '',
    earlier: Array.isArray(earlier) ? earlier.filter((each) => typeof each === 'string') : [],
  }
}

/** The part of a storage that belongs to one life. Ids of documents have no "/". */
export function storageAt(storage: LocalStorage, place: string): LocalStorage {
  const placed = (also: KeptWith = {}): KeptWith => {
    const { note } = also
    return note ? { ...also, note: { ...note, key: place + note.key } } : also
  }
  const own = (id: string) => id.startsWith(place) && !id.slice(place.length).includes('/')
  return {
    load: (document) => storage.load(place + document),
    append: (document, update, also) => storage.append(place + document, update, placed(also)),
    compact: (document, update, also) => storage.compact(place + document, update, placed(also)),
    documents: async () => {
      const all = await storage.documents()
      return all.filter(own).map((id) => id.slice(place.length))
    },
    forget: (document) => storage.forget(place + document),
    get: (name) => storage.get(place + name),
    set: (name, value) => storage.set(place + name, value),
    change: (name, alter) => storage.change(place + name, alter),
    hold: (name) => storage.hold(place + name),
    tell: (word) => storage.tell(place + word),
    listen: (hear) =>
      storage.listen((word) => {
        if (own(word)) hear(word.slice(place.length))
      }),
    onLost: (hear) => storage.onLost(hear),
  }
}
