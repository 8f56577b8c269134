// Those who watch files: what is there, and then each change of it as it is stored.

import { FourfoldError } from '../model/errors.ts'
import type { Change, Folder } from '../model/folder.ts'
import type { SubjectId } from '../model/ids.ts'
import { callsMax } from '../model/limits.ts'
import { isDirectory } from '../model/tree.ts'
import type { Entry } from '../model/wire.ts'
import type { Answer, CallId } from './messages.ts'
import type { Views } from './views.ts'
import type { Voice } from './voice.ts'

type Event = Extract<Answer, { type: 'watched' }>['event']

export class Watches {
  readonly #folder: Folder
  readonly #views: Views
  readonly #voice: Voice
  /** The id of what each watches; empty: all. */
  readonly #watched = new Map<CallId, string>()
  readonly #changedTexts = new Set<SubjectId>()

  constructor(folder: Folder, views: Views, voice: Voice) {
    this.#folder = folder
    this.#views = views
    this.#voice = voice
  }

  /**
   * Tells all that is there.
   * @throws FourfoldError not-found, unavailable
   */
  begin(call: CallId, file: string): void {
    if (this.#watched.size >= callsMax) {
      throw new FourfoldError('unavailable', 'Too many watch this server; try another.')
    }
    const top = file === '' ? undefined : this.#views.find(file)
    this.#watched.set(call, top?.id ?? '')
    if (top) this.#tell(call, 'present', top)
    const scope = { directory: top?.id ?? '', isRecursive: true, inTrash: false }
    for (const entry of this.#folder.list(scope)) this.#tell(call, 'present', entry)
    this.#voice.answer(call, { type: 'watched', event: 'ready' })
  }

  end(call: CallId): void {
    this.#watched.delete(call)
  }

  /** The stored text of a document changed; watchers hear of it when the turn ends. */
  textChanged(subject: SubjectId): void {
    if (this.#watched.size > 0) this.#changedTexts.add(subject)
  }

  /** A turn ends. */
  tellTexts(): void {
    for (const subject of this.#changedTexts) {
      const entry = this.#folder.get(subject)
      if (!entry || this.#folder.isTrashed(subject)) continue
      for (const [call, watched] of this.#watched) {
        if (this.#folder.isWithin(subject, watched)) this.#tell(call, 'changed', entry)
      }
    }
    this.#changedTexts.clear()
  }

  /** A stored entry changed. */
  changed({ entry, before }: Change): void {
    const event = this.#watched.size > 0 && this.#eventOf(entry, before)
    if (!event) return
    for (const [call, watched] of this.#watched) {
      const isMeant =
        this.#folder.isWithin(entry.id, watched) ||
        (before !== undefined && this.#folder.isWithin(before.parent, watched))
      if (isMeant) this.#tell(call, event, entry)
      else if (isDirectory(entry) && this.#folder.isWithin(watched, entry.id)) {
        this.#tellOfAbove(call, event, watched)
      }
    }
  }

  #eventOf(entry: Entry, before: Change['before']): Event | undefined {
    const after = this.#folder.seen(entry.id)!
    const wasThere = before !== undefined && !before.isDeleted
    if (wasThere !== !after.isDeleted) return wasThere ? 'deleted' : 'created'
    if (!wasThere) return undefined
    if (before.parent !== after.parent) return 'moved'
    return before.name === after.name ? undefined : 'renamed'
  }

  /** A directory above what this one watches changed: that goes, comes and moves with it. */
  #tellOfAbove(call: CallId, event: Event, watched: string): void {
    const entry = this.#folder.get(watched)
    if (!entry) return
    const isThere = !this.#folder.isTrashed(watched)
    if (event === 'deleted') this.#tell(call, 'deleted', entry)
    else if (isThere) this.#tell(call, event === 'created' ? 'created' : 'moved', entry)
  }

  #tell(call: CallId, event: Event, entry: Entry): void {
    this.#voice.answer(call, { type: 'watched', event, file: this.#views.of(entry) })
  }
}
