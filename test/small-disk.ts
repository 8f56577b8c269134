// A small disk for one process: mounted for it alone, and gone with it.

import { spawnSync } from 'node:child_process'

/** How one may mount here: as root, or as nobody else but oneself. */
const waysToMount = [['--mount'], ['--user', '--map-root-user', '--mount']]

/**
 * The words of a command that mounts a disk of this size ("512k") at a directory and becomes what
 * follows them; undefined where nothing can be mounted.
 */
export function onSmallDisk(size: string, directory: string): string[] | undefined {
  const script = `mount -t tmpfs -o size=${size} fourfold "$0" && exec "$@"`
  return waysToMount
    .map((way) => ['unshare', ...way, 'sh', '-c', script, directory])
    .find(([command = '', ...words]) => spawnSync(command, [...words, 'true']).status === 0)
}
