// Whether the set that answers is the one that was mirrored. Absence is not deletion (G14): a set that
// was wiped, or is another one, lacks everything, and nothing of that is anybody's wish.
//
// The names of logs tell: a set keeps them for ever, and no two have one in common. A set that was
// filled again from a mirror has the ids of before, and other logs.

import type { VersionVector } from '../model/version-vector.ts'
import type { Views } from './messages.ts'

/**
 * same: it may lack what it will get. refilled: it knows the entries, but of their texts it may have
 * older or newer ones than were common. foreign: it knows nothing of what was mirrored.
 */
export type Meeting = 'same' | 'refilled' | 'foreign'

export interface Met extends Pick<Views, 'common' | 'folder' | 'gone'> {
  /** What was told before. */
  seen: VersionVector
  /** What the server that answers has taken in. */
  theirs: VersionVector
}

export function meet({ seen, theirs, common, folder, gone }: Met): Meeting {
  if (common.size === 0) return 'same'
  for (const origin of seen.keys()) if (theirs.has(origin)) return 'same'
  for (const id of common.keys()) {
    // Where nothing was told yet, what is common was made by this life or the one right before.
    if (folder.has(id) || gone.has(id)) return seen.size === 0 ? 'same' : 'refilled'
  }
  return 'foreign'
}
