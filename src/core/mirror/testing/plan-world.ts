// A folder and a disk in memory, and chance, for the random test of the plan.

import { idInPath, isBelow, nameOf, parentOf } from '../../model/path.ts'
import { mergeText } from '../../model/text-merge.ts'
import { moved } from '../paths.ts'

export class Dice {
  #state: number
  constructor(seed: number) {
    this.#state = seed
  }
  /** 0 … below − 1 (mulberry32). */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound
  }
  of<T>(items: T[]): T | undefined {
    return items.length === 0 ? undefined : items[this.below(items.length)]
  }
}

export interface Entry {
  id: string
  name: string
  parent: string
  isDeleted: boolean
  /** Bytes begin with a "#". */
  text: string | null
  /** What it held before, when bytes came or went. */
  history: string[]
}

export const areBytes = (text: string) => text.startsWith('#')

export function kindOf(text: string | null): 'directory' | 'binary' | 'text' {
  if (text === null) return 'directory'
  return areBytes(text) ? 'binary' : 'text'
}

/** What is planted, to see that it is found. */
export interface Faults {
  /** What is to be made is merged into what has its path. */
  mergesNew?: boolean
  /** What was asked to be made, and moved before the answer, is taken for something new. */
  forgetsMaking?: boolean
}

/** The folder as a server gives it: refuses what it must, and does each operation once. */
export class Folder {
  readonly entries = new Map<string, Entry>()
  readonly done = new Map<string, string>()
  /** What people deleted in it. */
  readonly removed = new Set<string>()
  readonly #mergesNew: boolean

  constructor({ mergesNew = false }: Faults) {
    this.#mergesNew = mergesNew
  }

  path(id: string): string {
    const { parent, name } = this.entries.get(id)!
    return parent === '' ? name : `${this.path(parent)}/${name}`
  }
  isGone(id: string): boolean {
    const entry = this.entries.get(id)
    return (
      entry !== undefined && (entry.isDeleted || (entry.parent !== '' && this.isGone(entry.parent)))
    )
  }
  live(): Entry[] {
    return [...this.entries.values()].filter(({ id }) => !this.isGone(id))
  }
  at(path: string): Entry | undefined {
    return this.live().find(({ id }) => this.path(id) === path)
  }
  /** The id of a directory; undefined: there is none. */
  directory(path: string): string | undefined {
    if (path === '') return ''
    const entry = this.at(this.whole(path))
    return entry?.text === null ? entry.id : undefined
  }
  /** A path as it is by now, be it that it began with an id. */
  whole(path: string): string {
    const [first = '', ...names] = path.split('/')
    const id = idInPath(first)
    if (id === undefined) return path
    // No name has a colon: there is nothing at that path.
    return this.isGone(id) ? path : [this.path(id), ...names].join('/')
  }
  /** Merges; the id. */
  save(operation: string, id: string, text: string, base: string): string | undefined {
    const there = this.entries.get(id)!
    if (this.done.has(operation)) return id
    if (this.isGone(id) || there.text === null) return undefined
    if (areBytes(text) || areBytes(there.text)) {
      // A text comes only in the place of the bytes that it was made from.
      if (!areBytes(text) && base !== there.text) return undefined
      there.history.push(there.text)
      there.text = text
    } else if (areBytes(base)) return undefined
    else there.text = merged(base, there.text, text)
    this.done.set(operation, id)
    return id
  }
  /** The id; undefined: something else has the path. */
  make(operation: string, asked: string, text: string): string | undefined {
    const path = this.whole(asked)
    const there = this.at(path)
    const isDone = this.done.has(operation)
    if (!isDone && this.#mergesNew && there) return this.save(operation, there.id, text, '')
    return this.done.get(operation) ?? this.#make(operation, path, text)
  }
  makeDirectory(operation: string, path: string): string | undefined {
    const there = this.done.get(operation) ?? this.directory(path)
    return there ?? this.#make(operation, this.whole(path), null)
  }
  move(id: string, asked: string): boolean {
    const path = this.whole(asked)
    const parent = this.directory(parentOf(path))
    const entry = this.entries.get(id)
    if (!entry || this.isGone(id) || parent === undefined || this.at(path)) return false
    if (path === this.path(id) || isBelow(path, this.path(id))) return false
    entry.parent = parent
    entry.name = nameOf(path)
    return true
  }
  remove(id: string): boolean {
    const entry = this.entries.get(id)
    if (!entry || this.isGone(id)) return false
    entry.isDeleted = true
    return true
  }
  restore(id: string): void {
    const entry = this.entries.get(id)!
    // The name may be taken; a server would number it.
    const isFree = !this.live().some(
      ({ parent, name }) => parent === entry.parent && name === entry.name,
    )
    if (!isFree) entry.name += ` ${id}`
    entry.isDeleted = false
  }
  #make(id: string, path: string, text: string | null): string | undefined {
    const parent = this.directory(parentOf(path))
    if (parent === undefined || this.at(path)) return undefined
    this.entries.set(id, { id, name: nameOf(path), parent, isDeleted: false, text, history: [] })
    this.done.set(id, id)
    return id
  }
}

function merged(base: string, current: string, next: string): string {
  let text = current
  for (const { at, remove, insert } of mergeText(base, current, next).toReversed()) {
    text = text.slice(0, at) + insert + text.slice(at + remove)
  }
  return text
}

interface Thing {
  text: string | null
  identity: string
}

/** A disk: paths and what is there. */
export class Disk {
  readonly things = new Map<string, Thing>()
  /** Identities of what was removed. */
  readonly removed = new Set<string>()
  #count = 0
  put(path: string, text: string | null): string {
    const identity = `i${this.#count++}`
    this.things.set(path, { text, identity })
    return identity
  }
  isDirectory(path: string): boolean {
    return path === '' || this.things.get(path)?.text === null
  }
  move(from: string, to: string): boolean {
    const isFree = this.things.has(from) && !this.things.has(to) && this.isDirectory(parentOf(to))
    if (!isFree || isBelow(to, from)) return false
    for (const [path, thing] of [...this.things]) {
      const after = moved(path, from, to)
      if (after === path) continue
      this.things.delete(path)
      this.things.set(after, thing)
    }
    return true
  }
  /** The text that went with it. */
  remove(path: string): string {
    let text = ''
    for (const [each, thing] of [...this.things]) {
      if (each !== path && !isBelow(each, path)) continue
      text += thing.text ?? ''
      this.removed.add(thing.identity)
      this.things.delete(each)
    }
    return text
  }
}
