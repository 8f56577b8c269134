// Finds the program: as it was built, where that is of the very sources that lie there.

import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Sources are not published, so where they are this is a clone. */
export const isClone = existsSync(join(root, 'src/cli/main.ts'))

/** What is built from sources: where it lies, what it cannot do without, and what it is made of. */
export const builds = {
  page: {
    path: 'dist/web',
    entry: 'index.html',
    config: 'src/web/vite.config.ts',
    rooms: ['web', 'client', 'core', 'gen', 'adapters'],
  },
  program: {
    path: 'dist/program',
    entry: 'main.js',
    config: 'bin/vite.config.mjs',
    rooms: ['cli', 'server', 'client', 'core', 'gen', 'adapters'],
  },
}

/** The file that Node runs. What was built starts in half the time; sources are never out of date. */
export function findProgram() {
  const { program } = builds
  const isFresh = !isClone || isBuilt(program, digestOf(program))
  return join(root, isFresh ? join(program.path, program.entry) : 'src/cli/main.ts')
}

/** Holds the digest of what was built. */
export function stampOf({ path }) {
  return join(root, `${path}.sha256`)
}

export function isBuilt(build, digest) {
  if (!existsSync(join(root, build.path, build.entry)) || !existsSync(stampOf(build))) return false
  return readFileSync(stampOf(build), 'utf8') === digest
}

/** One hash over names and bytes of all that it is made of, tests aside, and of how. */
export function digestOf({ config, rooms }) {
  const hash = createHash('sha256')
  for (const name of ['package-lock.json', config]) hash.update(readFileSync(join(root, name)))
  for (const room of rooms) {
    const names = readdirSync(join(root, 'src', room), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.includes('.test.'))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
    for (const name of names)
      hash.update(`\n${name.slice(root.length)}\n`).update(readFileSync(name))
  }
  return hash.digest('hex')
}
