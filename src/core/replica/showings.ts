// What of the folder each client shows, and what it is told of that: entries, and every change of them.
//
// Safety: whatever a client is told comes with the directories above it, unless it shows their contents
// and has them; so a client that holds a part of the folder sees all of it where it lies. Liveness: what
// changes in, into, out of or above something shown is told to everybody who shows it.

import { create } from '@bufbuild/protobuf'
import { nameOf } from '../model/directory.ts'
import type { Change, Folder } from '../model/folder.ts'
import {
  entriesAtFirst,
  entriesPerMessage,
  listingsAhead,
  listingsPerMore,
  shownMax,
} from '../model/limits.ts'
import { isDirectory } from '../model/tree.ts'
import { Code, EntriesSchema, Extent, type Entry, type Show } from '../model/wire.ts'
import type { Listing, Visitor } from './visitor.ts'
import type { Voice } from './voice.ts'

export class Showings {
  readonly #folder: Folder
  readonly #voice: Voice
  readonly #perMessage: number
  readonly #atFirst: number
  /** Who shows an entry, by id; empty: the top. */
  readonly #byEntry = new Map<string, Set<Visitor>>()
  /** Who shows anything. */
  readonly #visitors = new Set<Visitor>()

  constructor(folder: Folder, voice: Voice, { perMessage = entriesPerMessage } = {}) {
    this.#folder = folder
    this.#voice = voice
    this.#perMessage = perMessage
    this.#atFirst = Math.min(perMessage, entriesAtFirst)
  }

  show(visitor: Visitor, { entry, extent, number }: Show): void {
    const before = visitor.shows.get(entry)?.extent
    if (before === undefined && visitor.shows.size >= shownMax) {
      const text = `At most ${shownMax} files and directories can be shown at once.`
      this.#voice.refuse(visitor.channel, Code.INVALID, text)
      return
    }
    if (extent === Extent.ALONE || extent === Extent.OPEN) {
      visitor.shows.set(entry, { extent, number, listing: undefined })
      const others = this.#byEntry.get(entry)
      if (others) others.add(visitor)
      else this.#byEntry.set(entry, new Set([visitor]))
      this.#visitors.add(visitor)
      this.#begin(visitor, entry)
    } else {
      visitor.shows.delete(entry)
      this.#forget(visitor, entry)
    }
    if (before === Extent.OPEN && extent !== Extent.OPEN) this.#tellLeft(visitor, entry)
  }

  /** A message of a listing was read: the next ones, if there are any. */
  more(visitor: Visitor, entry: string): void {
    const listing = visitor.shows.get(entry)?.listing
    if (!listing) return
    // Asked for by what was read of an earlier listing, it may be more than is ahead.
    listing.ahead = Math.max(0, listing.ahead - 1)
    const count = Math.min(listingsPerMore, listingsAhead - listing.ahead)
    for (let each = 0; each < count; each++) this.#tellPage(visitor, entry)
  }

  /** The client is gone. */
  left(visitor: Visitor): void {
    for (const entry of visitor.shows.keys()) this.#forget(visitor, entry)
    visitor.shows.clear()
    this.#visitors.delete(visitor)
  }

  #forget(visitor: Visitor, entry: string): void {
    const others = this.#byEntry.get(entry)
    others?.delete(visitor)
    if (others?.size === 0) this.#byEntry.delete(entry)
  }

  // ---------------------------------------------------------------------------------- listings

  #begin(visitor: Visitor, entry: string): void {
    const showing = visitor.shows.get(entry)!
    const isOfFiles = showing.extent === Extent.ALONE
    showing.listing = { after: undefined, isOfFiles, ahead: 0 }
    this.#tellPage(visitor, entry)
  }

  #tellPage(visitor: Visitor, id: string): void {
    const showing = visitor.shows.get(id)
    if (!showing?.listing) return
    const { extent, number, listing } = showing
    const isFirst = listing.after === undefined
    const above = isFirst ? this.#chain(id) : []
    const limit = isFirst ? this.#atFirst : this.#perMessage
    const inside = extent === Extent.OPEN ? this.#page(id, listing, limit) : []
    const isComplete = inside.length < limit
    listing.ahead++
    if (isComplete) showing.listing = undefined
    const names = this.#names(above)
    const entries = [...above, ...inside]
    // Who was away may hold it still.
    const gone = this.#goneAbove(entries)
    if (isFirst && this.#folder.isPurged(id)) gone.push(id)
    const value = create(EntriesSchema, { entries, isComplete, shown: id, number, names, gone })
    this.#voice.send([visitor.channel], { case: 'entries', value })
  }

  /** The next that lie in a directory; less than the limit: these are the last. */
  #page(directory: string, listing: Listing, limit: number): Entry[] {
    const scope = { directory, isRecursive: false, inTrash: false }
    const page: Entry[] = []
    for (;;) {
      const { isOfFiles, after = [] } = listing
      const ahead = isOfFiles
        ? this.#folder.list(scope, after)
        : this.#folder.directoriesIn(directory, after[0])
      for (const entry of ahead) {
        if (isDirectory(entry) === isOfFiles) continue
        page.push(entry)
        if (page.length === limit) {
          listing.after = this.#folder.placesOf(entry.id, scope)
          return page
        }
      }
      if (listing.isOfFiles) return page
      listing.isOfFiles = true
      listing.after = undefined
    }
  }

  // ----------------------------------------------------------------------------------- changes

  /** Entries changed, or lie elsewhere because of others. */
  changed(changes: readonly Change[]): void {
    if (this.#byEntry.size === 0) return
    for (const { entry, before } of changes) {
      const told = new Set([
        ...this.#showing(this.#folder.parentOf(entry.id), Extent.OPEN),
        ...(before ? this.#showing(before.parent, Extent.OPEN) : []),
        ...this.#holders(entry),
      ])
      this.#tell(entry, told)
      // It may have come after what lies in it.
      if (before) continue
      for (const visitor of this.#showing(entry.id, Extent.OPEN)) this.#begin(visitor, entry.id)
    }
  }

  /** Entries have another number than before. Who shows all of a directory can tell by itself. */
  renumbered(changes: readonly Change[]): void {
    for (const { entry } of changes) this.#tellAlone(entry, this.#holders(entry))
  }

  /** Entries are deleted for good: whoever may hold them, for whatever lay in them, lets them go. */
  gone(ids: readonly string[]): void {
    const channels = [...this.#visitors].map(({ channel }) => channel)
    for (let at = 0; at < ids.length; at += this.#perMessage) {
      const value = create(EntriesSchema, { gone: ids.slice(at, at + this.#perMessage) })
      this.#voice.send(channels, { case: 'entries', value })
    }
  }

  *#showing(id: string, extent: Extent): Iterable<Visitor> {
    for (const visitor of this.#byEntry.get(id) ?? []) {
      if (visitor.shows.get(id)?.extent === extent) yield visitor
    }
  }

  /** Those who show an entry itself, or something that lies in it at any depth. */
  #holders(entry: Entry): Set<Visitor> {
    const holders = new Set(this.#byEntry.get(entry.id))
    if (!isDirectory(entry)) return holders
    for (const [id, visitors] of this.#byEntry) {
      if (id === '' || !this.#folder.isWithin(id, entry.id)) continue
      for (const visitor of visitors) holders.add(visitor)
    }
    return holders
  }

  #tell(entry: Entry, visitors: Set<Visitor>): void {
    const parent = this.#folder.parentOf(entry.id)
    const beside = [...this.#showing(parent, Extent.OPEN)].filter((each) => visitors.has(each))
    const ring = this.#ring(entry)
    const told = { entries: [...ring, entry], names: this.#names(ring), directory: parent }
    const value = create(EntriesSchema, { ...told, gone: this.#goneAbove([entry]) })
    this.#voice.send(
      beside.map(({ channel }) => channel),
      { case: 'entries', value },
    )
    this.#tellAlone(entry, visitors)
  }

  #tellAlone(entry: Entry, visitors: Set<Visitor>): void {
    const parent = this.#folder.parentOf(entry.id)
    const alone = [...visitors].filter(({ shows }) => shows.get(parent)?.extent !== Extent.OPEN)
    if (alone.length === 0) return
    const entries = this.#chain(entry.id)
    const gone = this.#goneAbove(entries)
    const value = create(EntriesSchema, { entries, names: this.#names(entries), gone })
    this.#voice.send(
      alone.map(({ channel }) => channel),
      { case: 'entries', value },
    )
  }

  /**
   * The contents of this directory are not shown any more. What of it is held for another reason is told
   * under its name, and with the directories above: the client had let these go, while what it was told
   * last came without them.
   */
  #tellLeft(visitor: Visitor, directory: string): void {
    const told = new Set<string>()
    for (const id of visitor.shows.keys()) {
      let at = id
      while (at !== '' && this.#folder.parentOf(at) !== directory) at = this.#folder.parentOf(at)
      const held = this.#folder.get(at)
      if (!held || told.has(held.id)) continue
      told.add(held.id)
      this.#tellAlone(held, new Set([visitor]))
    }
  }

  /** An entry and the directories above it, from the top down; nothing of what is not here. */
  #chain(id: string): Entry[] {
    const chain: Entry[] = []
    for (let at = id; at !== ''; at = this.#folder.parentOf(at)) {
      const entry = this.#folder.get(at)
      if (entry) chain.unshift(...this.#ring(entry), entry)
    }
    return chain
  }

  /**
   * Directories that lie in each other with this entry, which is shown at the top because of that: who
   * knows only some of them as they were would still see it in there.
   */
  #ring(entry: Entry): Entry[] {
    const ring: Entry[] = []
    const named = entry.parent?.value ?? ''
    if (named === this.#folder.parentOf(entry.id)) return ring
    for (let at = this.#folder.get(named); at && at !== entry;) {
      ring.push(at)
      at = this.#folder.get(this.#folder.parentOf(at.id))
    }
    return ring
  }

  /** Directories that these name and that are deleted for good: who holds one would see them in there. */
  #goneAbove(entries: readonly Entry[]): string[] {
    const named = new Set(entries.map(({ parent }) => parent?.value ?? ''))
    return [...named].filter((id) => this.#folder.isPurged(id))
  }

  #names(entries: readonly Entry[]): { [id: string]: string } {
    const names: { [id: string]: string } = {}
    for (const entry of entries) {
      const name = this.#folder.shownName(entry.id)
      if (name !== undefined && name !== nameOf(entry)) names[entry.id] = name
    }
    return names
  }
}
