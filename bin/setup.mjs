// Every npm script of a clone goes through here: sets up what it needs, then runs it on Node 24.

import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { builds, digestOf, isBuilt, stampOf } from './program.mjs'
import { findTools } from './tools.mjs'
import {
  become,
  endGroup,
  endWithNpm,
  findRuntime,
  isAtLeast,
  keepCompiled,
  nodeMin,
  noRuntime,
} from './runtime.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const at = (path) => join(root, path)
/** `npx fourfold` looks here first, and would otherwise ask to install it. */
const commandLink = at('node_modules/.bin/fourfold')
/** Holds the id of the process that sets this clone up. */
const turn = at('dist/setup.turn')
/** No set-up takes so long: its process was killed, and another has its id by now. */
const turnMs = 15 * 60_000
/** How often one that waits looks whether it is its turn. */
const waitMs = 200

/** `npm test` ends by itself: more than twice what it takes on two slow cores, for others use them too. */
const testMs = 80 * 60_000

const checks = ['test/house.test.ts', 'test/proto.test.ts', 'test/check.test.ts']

/** What each word runs, if anything, and what must be there before. */
const words = {
  up: { needs: ['builds'], run: ['bin/fourfold.mjs', 'up'] },
  watch: {
    needs: ['builds'],
    run: [
      ...['core', 'gen', 'adapters', 'server', 'cli'].map((room) => `--watch-path=src/${room}`),
      '--watch-preserve-output',
      'src/cli/main.ts',
      'up',
    ],
  },
  test: { needs: ['builds', 'tools'], run: ['test/run.ts'], boundMs: testMs },
  check: { needs: [], run: ['test/run.ts', ...checks], boundMs: testMs },
  bench: { needs: ['builds'], run: ['bench/main.ts'] },
  sim: { needs: [], run: ['sim/main.ts'] },
  siege: { needs: ['builds'], run: ['test/siege/main.ts'] },
  crowd: { needs: ['builds'], run: ['test/siege/crowd.ts'] },
  // For the command itself, in a fresh clone.
  install: { needs: ['builds'] },
}

/** Ends with one sentence for the person who started this. */
class SetupError extends Error {
  exitCode = 1
}

endWithNpm()
keepCompiled()
try {
  main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  console.error(error.message)
  process.exitCode = error.exitCode
}

function main([word, ...args]) {
  const task = Object.hasOwn(words, word ?? '') ? words[word] : undefined
  if (task === undefined) {
    const usage = `Usage: node bin/setup.mjs ${Object.keys(words).join('|')} [arguments]`
    throw Object.assign(new SetupError(usage), { exitCode: 2 })
  }
  ensureDependencies()
  const runtime = ensureRuntime()
  if (task.needs.includes('builds')) ensureBuilt(runtime)
  const tools = task.needs.includes('tools') ? ensureTools() : {}
  if (task.run === undefined) return
  process.chdir(root)
  const isBounded = task.boundMs !== undefined
  const child = become(runtime, [...task.run, ...args], {
    env: { ...process.env, ...tools },
    isOwnGroup: isBounded,
  })
  if (isBounded) bound(child, task.boundMs)
}

/** Ends a run that does not end. */
function bound(child, boundMs) {
  const timer = setTimeout(() => {
    console.error(`Not done after ${boundMs / 60_000} minutes: ended.`)
    endGroup(child.pid)
  }, boundMs)
  child.on('exit', () => clearTimeout(timer))
}

// ------------------------------------------------------------------------------ Dependencies

/** Installs what package-lock.json names, unless exactly that is installed. */
function ensureDependencies() {
  if (isInstalled() && hasCommand()) return
  alone(() => {
    if (!isInstalled()) install()
    linkCommand()
  })
}

function install() {
  console.error('Installing dependencies (once; about a minute) …')
  const npm = process.env.npm_execpath ?? ''
  const args = ['ci', '--include=dev', '--include=optional', '--loglevel=error']
  args.push('--no-audit', '--no-fund')
  // The npm that runs us, on the Node that runs us; another package manager does not know our lock.
  const [program, before] = /^npm-cli\.c?js$/.test(basename(npm))
    ? [process.execPath, [npm]]
    : ['npm', []]
  const result = spawnSync(program, [...before, ...args], {
    cwd: root,
    encoding: 'utf8',
    shell: program === 'npm' && process.platform === 'win32',
  })
  if (result.status !== 0) {
    const said = result.error?.message ?? result.stdout + result.stderr
    throw new SetupError(`${said}\nnpm could not install the dependencies (see above).`)
  }
}

/** Whether node_modules holds the packages of the lock file: npm keeps its own account in there. */
function isInstalled() {
  const account = at('node_modules/.package-lock.json')
  if (!existsSync(account)) return false
  const { packages: installed } = JSON.parse(readFileSync(account, 'utf8'))
  const { packages: wanted } = JSON.parse(readFileSync(at('package-lock.json'), 'utf8'))
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    if (path === '') return true
    const there = installed[path]?.version
    return there === version || (there === undefined && optional === true)
  })
}

function hasCommand() {
  return process.platform === 'win32' || existsSync(commandLink)
}

function linkCommand() {
  if (hasCommand()) return
  rmSync(commandLink, { force: true }) // A link that leads nowhere.
  symlinkSync('../../bin/fourfold.mjs', commandLink)
}

function ensureRuntime() {
  const runtime = findRuntime()
  if (runtime === undefined) throw new SetupError(noRuntime)
  const said = spawnSync(runtime, ['--version'], { encoding: 'utf8' })
  const version = said.stdout?.trim().slice(1) ?? ''
  if (said.status !== 0 || !isAtLeast(version, nodeMin)) {
    const why = said.error?.message ?? (said.stderr || version)
    throw new SetupError(`${runtime} does not run here: ${why}. Install Node ${nodeMin} or newer.`)
  }
  return runtime
}

// ------------------------------------------------------------------------- One at a time

/** Acts while no other process sets this clone up: four servers may be started in it at once. */
function alone(act) {
  mkdirSync(at('dist'), { recursive: true })
  for (let tries = 0; !takeTurn(); tries++) {
    if (tries === 0) console.error('Waiting for another start that sets up this clone …')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, waitMs)
  }
  try {
    act()
  } finally {
    rmSync(turn, { force: true })
  }
}

function takeTurn() {
  try {
    writeFileSync(turn, `${process.pid}`, { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    if (isAbandoned()) rmSync(turn, { force: true })
    return false
  }
}

function isAbandoned() {
  const since = statSync(turn, { throwIfNoEntry: false })?.mtimeMs ?? Infinity
  if (Date.now() - since > turnMs) return true
  // Just made it is empty, and just ended it is gone.
  const holder = since === Infinity ? '' : readIfThere(turn)
  return holder !== '' && !isAlive(Number(holder))
}

function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
    return ''
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code !== 'ESRCH'
  }
}

// ------------------------------------------------------------------------------------ Builds

/** Builds what is made of sources that changed since the last build. */
function ensureBuilt(runtime) {
  for (const [name, build] of Object.entries(builds)) {
    const digest = digestOf(build)
    if (isBuilt(build, digest)) continue
    alone(() => {
      if (!isBuilt(build, digest)) make(name, build, runtime, digest)
    })
  }
}

function make(name, build, runtime, digest) {
  console.error(`Building the ${name} …`)
  // Built beside the old one and swapped in, so that a server that is running always has a page.
  const fresh = at(`${build.path}-${process.pid}`)
  const args = ['build', '--config', build.config, '--outDir', fresh, '--emptyOutDir']
  const result = spawnSync(runtime, ['node_modules/vite/bin/vite.js', ...args], {
    cwd: root,
    encoding: 'utf8',
  })
  if (result.status !== 0) {
    rmSync(fresh, { recursive: true, force: true })
    throw new SetupError(
      `${result.stdout}${result.stderr}\nThe ${name} could not be built (see above).`,
    )
  }
  rmSync(at(build.path), { recursive: true, force: true })
  renameSync(fresh, at(build.path))
  writeFileSync(stampOf(build), digest)
}

// ------------------------------------------------------------------------------------- Tools

/** What only the tests need from outside the registry: a browser, and another language's gRPC. */
function ensureTools() {
  const { found, problem } = findTools()
  if (problem !== undefined) throw new SetupError(problem)
  return found
}
