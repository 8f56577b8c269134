// Finds the Node that Fourfold runs on, and runs a program on it as if it were this process.

import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The oldest Node whose `node:sqlite` and type stripping we rely on. */
export const nodeMin = '24.15.0'

/** Whether a version like "24.21.0" is at least another. */
export function isAtLeast(version, least) {
  const [left, right] = [version, least].map((text) => text.split('.').map(Number))
  const index = left.findIndex((part, place) => part !== right[place])
  return index === -1 || left[index] > right[index]
}

/**
 * Path of a Node that is new enough: this one, else the one that came as a dependency.
 * `undefined` when there is neither.
 */
export function findRuntime() {
  if (isAtLeast(process.versions.node, nodeMin)) return process.execPath
  const platform = process.platform === 'win32' ? 'win' : process.platform
  let manifest
  try {
    manifest = createRequire(import.meta.url).resolve(
      `node-${platform}-${process.arch}/package.json`,
    )
  } catch {
    return undefined // Not installed: the registry has none for this machine, or it was left out.
  }
  const { version, bin } = JSON.parse(readFileSync(manifest, 'utf8'))
  return isAtLeast(version, nodeMin) ? join(dirname(manifest), bin.node) : undefined
}

/** What to tell a person when there is no runtime. */
export const noRuntime =
  `Fourfold needs Node ${nodeMin} or newer; this is ${process.versions.node}, and none came as a ` +
  'dependency. Install Node 24 (nodejs.org), or install again without --omit=optional.'

/**
 * From now on what Node makes of sources is kept for the next start of all that this program starts.
 * Otherwise each process takes the types out of them anew: a third of a second, and 30 MB for as long
 * as it lives.
 */
export function keepCompiled() {
  const directory = new URL('../node_modules/.cache/fourfold', import.meta.url)
  process.env.NODE_COMPILE_CACHE ??= fileURLToPath(directory)
}

/** How long a program outlives the npm that was told to end. */
const orphanMs = 500

/**
 * npm gives a signal to the shell that it started us with, which dies of it and tells nobody. So
 * whoever was started by npm ends when its parent does. Call it once, first.
 */
export function endWithNpm() {
  if (process.env.npm_command === undefined) return
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    process.kill(process.pid, 'SIGTERM')
  }, orphanMs)
  timer.unref()
}

/**
 * Runs a program in place of this process: its input and output are ours, signals go to it, and we
 * end as it ends. `isOwnGroup` puts it and all it starts in a process group of its own, of which
 * nothing is left afterwards.
 */
export function become(program, args, { env = process.env, isOwnGroup = false } = {}) {
  const child = spawn(program, args, {
    env,
    stdio: [isOwnGroup ? 'ignore' : 'inherit', 'inherit', 'inherit'],
    detached: isOwnGroup,
  })
  const pass = (signal) => {
    // A terminal gives ctrl-C to every process in front of it: passing it on would double it.
    if (signal === 'SIGINT' && !isOwnGroup && process.stdin.isTTY) return
    child.kill(signal)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, pass)
  child.on('error', (error) => {
    console.error(`Cannot run ${program}: ${error.message}`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    if (isOwnGroup) endGroup(child.pid)
    for (const name of signals) process.off(name, pass)
    process.exitCode = code ?? 128 + constants.signals[signal]
    if (signal !== null && signals.includes(signal)) process.kill(process.pid, signal)
  })
  return child
}

/** Ends what is left of a process group. */
export function endGroup(leader) {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // Nothing is left of it, as it should be.
  }
}
