// Finds out whether the set that answers is the one that was mirrored, before anything is done to it.

import { meet } from '../../core/mirror/lives.ts'
import type { MirrorStore } from '../../adapters/mirror/store.ts'
import { quoted, typed } from '../called.ts'
import { CommandError } from '../command.ts'
import type { FolderView } from './folder-view.ts'
import type { Hand } from './hand.ts'
import type { Report } from './report.ts'

/** A set that knows nothing of what was mirrored is believed to be another one after this. */
const foreignMs = 5000
const foreignLookMs = 500
/**
 * A set that is being filled again is joined when nothing came for so long, or all that was mirrored is
 * there: what this mirror brought meanwhile, the other would find taken, and it had another id.
 */
const fillingMs = 15_000
const fillingLookMs = 1000

export interface MeetingOptions {
  folder: FolderView
  hand: Hand
  store: MirrorStore
  report: Report
  /** The mirrored directory. */
  root: string
}

export class Meeting {
  readonly #options: MeetingOptions
  /** Since when a set answers that knows nothing of what was mirrored. */
  #foreignAt: number | undefined
  /** How many entries there were when a set that is being filled had become more, and when that was. */
  #filling: { count: number; at: number } | undefined

  constructor(options: MeetingOptions) {
    this.#options = options
  }

  /** False: not yet. Rejects with CommandError when it is another set, and with NoServerError. */
  async isOver(): Promise<boolean> {
    const { folder, hand, store, report } = this.#options
    if (folder.isMet) return true
    const { entries, gone } = folder
    const meeting = meet({ ...folder.meeting, common: hand.commons, folder: entries, gone })
    if (meeting === 'foreign') {
      const now = performance.now()
      this.#foreignAt ??= now
      if (now - this.#foreignAt > foreignMs) throw this.foreign()
      folder.doubt(foreignLookMs)
      return false
    }
    this.#foreignAt = undefined
    if (meeting === 'refilled' && this.#isFilling()) {
      report.warn('filling', 'The folder is being filled again: it is joined when that is done.')
      folder.doubt(fillingLookMs)
      return false
    }
    report.over('filling')
    if (meeting === 'refilled') {
      report.say('The folder was filled again from a mirror: it is joined anew.')
      await hand.rejoin()
      // Whatever is common from here on is so in this life of the set.
      store.setMeta('seen', '{}')
      folder.acceptRefilled()
    } else folder.accept()
    return true
  }

  #isFilling(): boolean {
    const { folder, hand } = this.#options
    const { entries, gone } = folder
    const isHere = (id: string) => entries.has(id) || gone.has(id)
    if ([...hand.commons.keys()].every(isHere)) return false
    const now = performance.now()
    if (this.#filling?.count !== entries.size) this.#filling = { count: entries.size, at: now }
    return now - this.#filling.at <= fillingMs
  }

  foreign(): CommandError {
    const { root } = this.#options
    return new CommandError(
      `The set that answers knows nothing of what is mirrored in ${root}: it is empty, or another ` +
        `one. Nothing was changed. To fill it from here: ${typed('reseed', quoted(root))}`,
    )
  }
}
