// What both ways of a mirror, into the folder and to the disk, work with.

import type { MirrorDirectory } from '../../adapters/mirror/directory.ts'
import type { MirrorStore } from '../../adapters/mirror/store.ts'
import type { SetClient } from '../set-client.ts'
import type { Commons } from './commons.ts'
import type { Everybody } from './everybody.ts'
import type { FolderView } from './folder-view.ts'
import type { Refusals } from './refusals.ts'
import type { Report } from './report.ts'
import type { Transfers } from './transfers.ts'

export interface Parts {
  directory: MirrorDirectory
  store: MirrorStore
  set: SetClient
  everybody: Everybody
  folder: FolderView
  report: Report
  commons: Commons
  refusals: Refusals
  transfers: Transfers
}
