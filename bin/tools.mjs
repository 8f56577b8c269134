// What the tests need that npm does not have: a Chromium, a Python that speaks gRPC, tools of WebDAV.
// Finds or installs them.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The headless shell is Chromium without windows: a page takes it a third less of the processor. */
const browserNames = [
  'chromium-headless-shell',
  'chromium',
  'chromium-browser',
  'google-chrome-stable',
  'google-chrome',
]
const browserPlaces = ['/Applications/Google Chrome.app/Contents/MacOS/Google Chrome']

/** A browser without any font draws nothing. */
const fonts = 'fonts-dejavu-core'

/** Debian's names. */
const packages = {
  CHROMIUM: ['chromium', fonts],
  PYTHON: ['python3', 'python3-grpcio', 'python3-protobuf'],
}

/** Tested with where they are, by their programs' names and packages: other systems do not have them. */
const extras = {
  CHROMIUM: ['chromium-headless-shell', fonts],
  LITMUS: ['litmus'],
  CADAVER: ['cadaver'],
}

const wants = {
  CHROMIUM: 'a Chromium or Chrome',
  PYTHON: 'a Python 3 with the packages grpcio and protobuf',
}

/**
 * The environment variables CHROMIUM and PYTHON for the tests, LITMUS and CADAVER where there are such,
 * or one sentence about what is missing. Installs Debian's packages where this may.
 */
export function findTools(env = process.env) {
  // First: with a better browser the one that is needed need not be installed.
  const extra = findExtras(env)
  const { found, problem } = findNeeded(env)
  return problem === undefined ? { found: { ...found, ...extra } } : { found, problem }
}

function findExtras(env) {
  const lookUp = ([tool, [name]]) =>
    env[tool] ?? onPath([name], env).find((path) => existsSync(path))
  const lacking = Object.entries(extras).filter((extra) => lookUp(extra) === undefined)
  if (lacking.length > 0 && mayInstall(env)) {
    const names = lacking.map(([, own]) => own)
    // Of several apt-get installs none when one is unknown to it.
    const hasAll = names.length > 1 && install(names.flat(), env) === undefined
    for (const own of hasAll ? [] : names) {
      const said = install(own, env)
      if (said !== undefined) console.error(`${said}\nThe tests go on without.`)
    }
  }
  const found = Object.entries(extras).map((extra) => [extra[0], lookUp(extra)])
  return Object.fromEntries(found.filter(([, path]) => path !== undefined))
}

function findNeeded(env) {
  let found = look(env)
  const wrong = missing(found).find((tool) => env[tool])
  if (wrong !== undefined) {
    return { found, problem: `${wrong}=${env[wrong]} is not ${wants[wrong]}.` }
  }
  if (missing(found).length > 0 && mayInstall(env)) {
    const said = install(
      missing(found).flatMap((tool) => packages[tool]),
      env,
    )
    if (said !== undefined) return { found, problem: said }
    found = look(env)
  }
  const lacking = missing(found)
  if (lacking.length === 0) return { found }
  const debian = lacking.flatMap((tool) => packages[tool]).join(' ')
  return {
    found,
    problem:
      `The tests need ${lacking.map((tool) => wants[tool]).join(', and ')}. ` +
      `On Debian: sudo apt-get install ${debian}. ` +
      `Elsewhere install it, and set ${lacking.join(' and ')} to its path if it is not found.`,
  }
}

function look(env) {
  return {
    CHROMIUM: browsers(env).find((path) => existsSync(path)),
    PYTHON: pythons(env).find((path) => existsSync(path) && hasGrpc(path, env)),
  }
}

const missing = (found) => Object.keys(found).filter((tool) => found[tool] === undefined)

/** A path that a person set is the only one looked at: what they get is what they asked for. */
function browsers(env) {
  if (env.CHROMIUM) return [env.CHROMIUM]
  return [...onPath(browserNames, env), ...browserPlaces]
}

function pythons(env) {
  if (env.PYTHON) return [env.PYTHON]
  // A version manager's Python may come first on the path and lack Debian's packages.
  return [...onPath(['python3'], env), '/usr/bin/python3']
}

function onPath(names, env) {
  const folders = (env.PATH ?? '').split(delimiter)
  return names.flatMap((name) => folders.map((folder) => join(folder, name)))
}

function hasGrpc(python, env) {
  return spawnSync(python, ['-c', 'import grpc, google.protobuf'], { env }).status === 0
}

function mayInstall(env) {
  const isRoot = process.getuid?.() === 0
  return isRoot && onPath(['apt-get'], env).some((path) => existsSync(path))
}

/** What came of fetching Debian's lists: once is enough. */
let updated

/** `undefined` when all went well, else what apt-get said. */
function install(names, env) {
  console.error(`Installing ${names.join(', ')} (once, for the tests) …`)
  const quiet = { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' }, encoding: 'utf8' }
  // Without --no-install-recommends a server would get a desktop.
  const args = ['install', '-y', '--no-install-recommends', ...names]
  // When a list cannot be fetched, the one that is there may do; the install tells.
  updated ??= spawnSync('apt-get', ['-q', 'update'], quiet)
  const installed = spawnSync('apt-get', ['-q', ...args], quiet)
  if (installed.status === 0) return undefined
  const said = [updated, installed].map(({ stdout, stderr }) => `${stdout}${stderr}`).join('')
  return `${said}\napt-get ${args.join(' ')} failed (see above).`
}
