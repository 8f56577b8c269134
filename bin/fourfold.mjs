#!/usr/bin/env node
// The command `fourfold`, in a published package and in a clone: starts the program on a Node that can
// run it. A clone is set up before; again for a server, when it was pulled since.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import * as module from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

import { builds, digestOf, findProgram, isBuilt, isClone } from './program.mjs'
import { become, endWithNpm, findRuntime, keepCompiled, noRuntime } from './runtime.mjs'

endWithNpm()
keepCompiled()

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))

/** These give people the page, by which a clone is known to be as it was set up. */
const startsServers = ['serve', 'up', 'demo'].includes(process.argv[2])

const isInstalled = existsSync(at('node_modules/.package-lock.json'))
const isReady =
  !isClone || (isInstalled && (!startsServers || isBuilt(builds.page, digestOf(builds.page))))
// What it says goes to standard error: the output is the command's.
const status = isReady
  ? 0
  : spawnSync(process.execPath, [at('bin/setup.mjs'), 'install'], { stdio: ['ignore', 2, 2] })
      .status
const runtime = findRuntime()
const program = findProgram()

if (status !== 0) {
  process.exitCode = status ?? 1
} else if (runtime === undefined) {
  console.error(noRuntime)
  process.exitCode = 1
} else if (runtime === process.execPath) {
  process.argv[1] = program
  // By that name a Node that is too old has nothing to import.
  module.enableCompileCache()
  await import(pathToFileURL(program).href)
} else {
  become(runtime, [program, ...process.argv.slice(2)])
}
