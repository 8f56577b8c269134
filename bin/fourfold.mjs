#!/usr/bin/env node
// The command `fourfold`, in a published package and in a clone: starts the program on a Node that can run it.

import { existsSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

import { become, endWithNpm, findRuntime, noRuntime } from './runtime.mjs'

endWithNpm()

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))

// Sources are not published, so where they are this is a clone, and they are newer than any build.
const isClone = existsSync(at('src/cli/main.ts'))
const program = at(isClone ? 'src/cli/main.ts' : 'dist/cli/main.js')
const runtime = findRuntime()

if (isClone && !existsSync(at('node_modules/.package-lock.json'))) {
  console.error('Run `npm start` first: it installs what Fourfold needs.')
  process.exitCode = 1
} else if (runtime === undefined) {
  console.error(noRuntime)
  process.exitCode = 1
} else if (runtime === process.execPath) {
  process.argv[1] = program
  await import(pathToFileURL(program).href)
} else {
  become(runtime, [program, ...process.argv.slice(2)])
}
