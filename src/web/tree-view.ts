// How this person looks at the tree: what is open, chosen, being renamed. Survives the drawer.

import { useSyncExternalStore } from 'react'
import { remembered } from './remembered.ts'

/** Directories that are open, and remembered as such on this device; those opened longest ago are closed. */
const openMax = 500

const openDirectories = remembered<string[]>(
  'device',
  'openDirectories',
  [],
  (value) => Array.isArray(value) && value.every((id) => typeof id === 'string'),
)

/** Where a menu belongs, in px of the window: below this, or above it where there is more room. */
export interface MenuPlace {
  x: number
  y: number
  height: number
}

export class TreeView {
  readonly #listeners = new Set<() => void>()
  #open: ReadonlySet<string> = new Set(openDirectories.read())
  #selected: ReadonlySet<string> = new Set()
  #renaming: string | undefined
  #revealed: { id: string; hasFocus: boolean } | undefined
  #count = 0

  /** Directories that are open. */
  get open(): ReadonlySet<string> {
    return this.#open
  }

  get selected(): ReadonlySet<string> {
    return this.#selected
  }

  /** The entry whose name is being changed in its row. */
  get renaming(): string | undefined {
    return this.#renaming
  }

  /** The entry that is to be brought into sight next. */
  get revealed(): { id: string; hasFocus: boolean } | undefined {
    return this.#revealed
  }

  /** What a key or the menu of a row is for: all that is chosen, when the row is among it. */
  meant(id: string): string[] {
    return this.#selected.has(id) ? [...this.#selected] : [id]
  }

  setOpen(directory: string, isOpen: boolean): void {
    const open = [...this.#open].filter((id) => id !== directory)
    this.#keepOpen(isOpen ? [...open, directory] : open)
  }

  /** The set itself is kept: React Aria's says where a range began. */
  select(ids: ReadonlySet<string>): void {
    this.#selected = ids
    this.#changed()
  }

  rename(id: string | undefined): void {
    this.#renaming = id
    this.#changed()
  }

  /** Opens the directories above an entry; the tree brings it into sight and chooses it. */
  reveal(id: string, above: readonly { id: string }[], hasFocus: boolean): void {
    this.#revealed = { id, hasFocus }
    // The tree chooses it when it brings it into sight; until then nothing is.
    if (this.#selected.size !== 1 || !this.#selected.has(id)) this.#selected = new Set()
    const ids = above.map((directory) => directory.id)
    this.#keepOpen([...[...this.#open].filter((open) => !ids.includes(open)), ...ids])
  }

  /** It is in sight. */
  seen(): void {
    this.#revealed = undefined
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  readonly count = (): number => this.#count

  /** The latest last. */
  #keepOpen(open: string[]): void {
    const kept = open.slice(-openMax)
    this.#open = new Set(kept)
    openDirectories.write(kept)
    this.#changed()
  }

  #changed(): void {
    this.#count++
    for (const listener of this.#listeners) listener()
  }
}

/** The component is drawn again when the view changed. */
export function useTreeView(view: TreeView): TreeView {
  useSyncExternalStore(view.subscribe, view.count)
  return view
}
