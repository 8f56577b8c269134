#!/usr/bin/env node
// The command `fourfold`, in a published package and in a clone: starts the program on a Node that can
// run it. A clone is set up before.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import * as module from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

import { findProgram, isClone } from './program.mjs'
import { become, endWithNpm, findRuntime, keepCompiled, noRuntime } from './runtime.mjs'

endWithNpm()
keepCompiled()

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))

const isInstalled = !isClone || existsSync(at('node_modules/.package-lock.json'))
// What it says goes to standard error: the output is the command's.
const status = isInstalled
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
