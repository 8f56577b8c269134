// Hears that something in a directory changes; what it is, a look finds out.

import { relative, sep } from 'node:path'
import { watch, type FSWatcher } from 'chokidar'

export class DirectoryWatcher {
  readonly #watcher: FSWatcher

  /** `changed` may be called often. `failed`: changes may stay unheard from now on. */
  constructor(
    root: string,
    isIgnored: (path: string, isDirectory: boolean) => boolean,
    { changed, failed }: { changed: () => void; failed: (why: string) => void },
  ) {
    this.#watcher = watch(root, {
      followSymlinks: false,
      ignoreInitial: true,
      ignored: (path, stats) => {
        const inside = relative(root, path).replaceAll(sep, '/')
        return inside !== '' && isIgnored(inside, stats?.isDirectory() ?? false)
      },
    })
    this.#watcher.on('all', () => changed())
    this.#watcher.on('error', (error) => failed((error as Error).message))
  }

  async close(): Promise<void> {
    await this.#watcher.close()
  }
}
