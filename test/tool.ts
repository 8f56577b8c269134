// Runs a program of node_modules and gives all it said.

import { spawnSync } from 'node:child_process'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The top of the repository. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** What `fourfold` runs: as it was built from just these sources, or the sources. */
export const program = (
  (await import(new URL('../bin/program.mjs', import.meta.url).href)) as Bin
).findProgram()

interface Bin {
  findProgram: () => string
}

/** The exit code, and output and errors together. */
export interface Said {
  status: number | null
  text: string
}

/** Tools start each other by name and on `node`: both must be those of this repository. */
export function tool(name: string, ...args: string[]): Said {
  const bin = join(root, 'node_modules', '.bin')
  const path = [bin, dirname(process.execPath), process.env['PATH']].join(delimiter)
  const { status, stdout, stderr, error } = spawnSync(join(bin, name), args, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, PATH: path, NO_COLOR: '1' },
    maxBuffer: 64 * 1024 * 1024,
    timeout: 14 * 60_000,
  })
  return { status, text: `${error?.message ?? ''}${stdout}${stderr}` }
}
