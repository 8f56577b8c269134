// What of the folder a client shows, as it stands on the active connection.
//
// Safety: only the answers to the last word about an entry count; a listing that is complete names all
// that this server has there. Liveness: on every new active connection everything is shown again.

import { Extent, type Entries } from '../model/wire.ts'
import type { ConnectionId } from './messages.ts'
import type { Outlet } from './outlet.ts'

interface Shown {
  extent: Extent
  number: number
  /** Ids that were told since its listing began; undefined: it has not, or is complete. */
  heard: Set<string> | undefined
}

export class Shows {
  readonly #outlet: Outlet
  readonly #shown = new Map<string, Shown>()
  #number = 0
  #connection: ConnectionId | undefined

  constructor(outlet: Outlet) {
    this.#outlet = outlet
  }

  show(entry: string, extent: Extent): void {
    const number = ++this.#number
    if (extent === Extent.UNSPECIFIED) this.#shown.delete(entry)
    else this.#shown.set(entry, { extent, number, heard: undefined })
    this.#tell(entry, extent, number)
  }

  /** There is another active connection, or none. */
  restart(connection: ConnectionId | undefined): void {
    this.#connection = connection
    if (connection === undefined) return
    for (const [entry, { extent }] of [...this.#shown]) this.show(entry, extent)
  }

  /** The active server told something. */
  told({ entries, isComplete, shown, number, names, directory, gone }: Entries): void {
    const listed = shown === undefined ? undefined : this.#shown.get(shown)
    if (shown !== undefined && listed?.number !== number) return
    // What was told before this the server told for another reason, and may have let it go since. It
    // lists again what it did not know before.
    if (listed) listed.heard ??= new Set()
    // What comes while something is listed may lie in that.
    for (const { heard } of this.#shown.values()) for (const { id } of entries) heard?.add(id)
    if (shown === undefined || !listed) {
      const beside = directory !== undefined && { directory }
      this.#outlet.put({ type: 'entries', entries, isComplete, names, gone, ...beside })
      return
    }
    const answer = { entry: shown, present: isComplete ? listed.heard : undefined }
    this.#outlet.put({ type: 'entries', entries, isComplete: false, names, gone, answer })
    if (isComplete) listed.heard = undefined
    else this.#more(shown)
  }

  #tell(entry: string, extent: Extent, number: number): void {
    if (this.#connection === undefined) return
    const value = { $typeName: 'fourfold.v1.Show' as const, entry, extent, number }
    this.#outlet.send(this.#connection, { case: 'show', value })
  }

  #more(entry: string): void {
    const value = { $typeName: 'fourfold.v1.More' as const, entry }
    this.#outlet.send(this.#connection!, { case: 'more', value })
  }
}
