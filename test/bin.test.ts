// The ways in: the command in a clone, and what finds a Node for it.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { root } from './tool.ts'

/** A published package with this program in it; its path of bin/fourfold.mjs. */
function installed(t: TestContext, program: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'fourfold-bin-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(join(root, 'bin'), join(folder, 'bin'), { recursive: true })
  mkdirSync(join(folder, 'dist/program'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'dist/program/main.js'), program)
  return join(folder, 'bin/fourfold.mjs')
}

interface Programs {
  builds: { page: Build; program: Build }
  digestOf: (build: Build) => string
  stampOf: (build: Build) => string
}

interface Build {
  config: string
  rooms: string[]
}

/** Makes a clone of it, with rooms that are empty; what its bin/program.mjs gives. */
async function sourcesIn(folder: string): Promise<Programs> {
  const programs = (await import(join(folder, 'bin/program.mjs'))) as Programs
  for (const { config, rooms } of Object.values(programs.builds)) {
    for (const room of rooms) mkdirSync(join(folder, 'src', room), { recursive: true })
    writeFileSync(join(folder, config), '')
  }
  writeFileSync(join(folder, 'package-lock.json'), '{ "packages": { "": {} } }')
  return programs
}

/** Makes an npm there that notes what it and its vite are asked for; the environment that names it. */
function npmIn(folder: string): NodeJS.ProcessEnv {
  const vite = `
    const { appendFileSync, mkdirSync, writeFileSync } = require('node:fs')
    appendFileSync('done', 'built ')
    const out = process.argv[process.argv.indexOf('--outDir') + 1]
    mkdirSync(out, { recursive: true })
    for (const entry of ['index.html', 'main.js']) writeFileSync(out + '/' + entry, '')`
  const npm = `
    const { appendFileSync, mkdirSync, readFileSync, writeFileSync } = require('node:fs')
    appendFileSync('done', 'packages ')
    for (const name of ['.bin', 'vite/bin']) mkdirSync('node_modules/' + name, { recursive: true })
    writeFileSync('node_modules/vite/bin/vite.js', ${JSON.stringify(vite)})
    writeFileSync('node_modules/.package-lock.json', readFileSync('package-lock.json'))`
  writeFileSync(join(folder, 'npm-cli.cjs'), npm)
  return { ...process.env, npm_execpath: join(folder, 'npm-cli.cjs') }
}

test('a version is compared by its numbers, not by its letters', async () => {
  const { isAtLeast } = await import(join(root, 'bin/runtime.mjs'))
  assert.equal(isAtLeast('24.15.0', '24.15.0'), true)
  assert.equal(isAtLeast('24.9.1', '24.15.0'), false)
  assert.equal(isAtLeast('100.0.0', '24.15.0'), true)
  assert.equal(isAtLeast('20.20.2', '24.15.0'), false)
  assert.equal(isAtLeast('24.15.1', '24.15.0'), true)
})

test('npx finds the command of the clone without the network', () => {
  const npx = spawnSync('npx', ['fourfold', '--help'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, npm_config_offline: 'true' },
  })
  assert.equal(npx.status, 0, npx.stderr)
  assert.match(npx.stdout, /fourfold/)
})

test('a clone that is set up is left as it is, and says nothing on standard output', () => {
  const said = spawnSync(process.execPath, ['bin/setup.mjs', 'install'], {
    cwd: root,
    encoding: 'utf8',
  })
  assert.deepEqual([said.status, said.stdout], [0, ''], said.stderr)
})

test('a clone that is started four times at once is set up once', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'fourfold-bin-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(join(root, 'bin'), join(folder, 'bin'), { recursive: true })
  await sourcesIn(folder)
  const env = npmIn(folder)
  // One before was killed in the middle of it.
  const { pid } = spawnSync(process.execPath, ['--version'])
  mkdirSync(join(folder, 'dist'))
  writeFileSync(join(folder, 'dist/setup.turn'), `${pid}`)
  const starts = [1, 2, 3, 4].map(async () => {
    const start = spawn(process.execPath, ['bin/setup.mjs', 'install'], { cwd: folder, env })
    const [status] = await once(start, 'exit')
    return status as number
  })
  assert.deepEqual(await Promise.all(starts), [0, 0, 0, 0])
  assert.equal(readFileSync(join(folder, 'done'), 'utf8'), 'packages built built ')
  assert.equal(existsSync(join(folder, 'dist/setup.turn')), false)
})

test('a clone runs what was built while that is of its sources, and else the sources', async (t) => {
  const path = installed(t, "console.log('built')")
  const folder = join(path, '../..')
  const { builds, digestOf, stampOf } = await sourcesIn(folder)
  mkdirSync(join(folder, 'node_modules'))
  writeFileSync(join(folder, 'node_modules/.package-lock.json'), '{ "packages": {} }')
  writeFileSync(join(folder, 'src/cli/main.ts'), "console.log('sources')")
  writeFileSync(stampOf(builds.program), digestOf(builds.program))
  const said = () => spawnSync(process.execPath, [path], { encoding: 'utf8' }).stdout
  assert.equal(said(), 'built\n')
  writeFileSync(join(folder, 'src/core/text.ts'), '// Newer.')
  assert.equal(said(), 'sources\n')
})

test('a server that is started in a clone after a pull has the packages and the page of it', async (t) => {
  const path = installed(t, '')
  const folder = join(path, '../..')
  await sourcesIn(folder)
  writeFileSync(join(folder, 'src/cli/main.ts'), '')
  const env = npmIn(folder)
  const run = (word: string) => {
    const said = spawnSync(process.execPath, [path, word], { cwd: folder, env, encoding: 'utf8' })
    assert.deepEqual([said.status, said.stdout], [0, ''], said.stderr)
    return readFileSync(join(folder, 'done'), 'utf8')
  }
  assert.equal(run('serve'), 'packages built built ')
  assert.equal(run('serve'), 'packages built built ', 'nothing has changed')
  const lock = { packages: { '': {}, 'node_modules/more': { version: '1.0.0' } } }
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock))
  writeFileSync(join(folder, 'src/web/page.ts'), '// Newer.')
  assert.equal(run('ls'), 'packages built built ', 'who asks a server needs no page')
  assert.equal(run('serve'), 'packages built built packages built built ')
})

test('the command passes on arguments, input, output and exit code', (t) => {
  const program = `
    process.stdin.pipe(process.stdout)
    process.stdin.on('end', () => {
      console.error(process.argv.slice(2).join('|'))
      process.exitCode = 7
    })`
  const said = spawnSync(process.execPath, [installed(t, program), 'put', '-', 'a b'], {
    encoding: 'utf8',
    input: 'text\n',
  })
  assert.deepEqual([said.status, said.stdout, said.stderr], [7, 'text\n', 'put|-|a b\n'])
})

test('a Node that is too old starts the one that came as a dependency, and ends as it ends', async (t) => {
  const program = `
    process.on('SIGTERM', () => { console.log('asked to end'); process.exit(5) })
    setInterval(() => {}, 1000)
    console.log(process.version)`
  const path = installed(t, program)
  // What every Node is when one can ask it: too old by what this says of itself.
  const old = join(path, '../old.mjs')
  writeFileSync(
    old,
    `Object.defineProperty(process.versions, 'node', { value: '20.0.0' })
     process.argv[1] = ${JSON.stringify(path)}
     await import('./fourfold.mjs')`,
  )
  const platform = process.platform === 'win32' ? 'win' : process.platform
  const name = `node-${platform}-${process.arch}`
  mkdirSync(join(path, '../../node_modules', name, 'bin'), { recursive: true })
  const runtime = join(path, '../../node_modules', name)
  writeFileSync(
    join(runtime, 'package.json'),
    JSON.stringify({ name, version: process.versions.node, bin: { node: 'bin/node' } }),
  )
  symlinkSync(process.execPath, join(runtime, 'bin/node'))
  const child = spawn(process.execPath, [old], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  child.stdout.setEncoding('utf8')
  let output = ''
  for await (const piece of child.stdout) {
    output += piece
    if (output === `${process.version}\n`) child.kill('SIGTERM')
  }
  assert.equal(output, `${process.version}\nasked to end\n`)
  if (child.exitCode === null) await once(child, 'exit')
  assert.equal(child.exitCode, 5)
})

test('who ends npm ends what npm started, though a shell between them says nothing', async (t) => {
  const program = `
    process.on('SIGTERM', () => { console.log('asked to end'); process.exit(0) })
    setTimeout(() => console.log('never asked'), 120_000)
    console.log('up')`
  const path = installed(t, program)
  // Two commands, or some shells would become the program instead of starting it.
  const line = `"${process.execPath}" "${path}"; exit`
  const shell = spawn('sh', ['-c', line], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, npm_command: 'exec' },
  })
  shell.stdout.setEncoding('utf8')
  let output = ''
  for await (const piece of shell.stdout) {
    output += piece
    if (output === 'up\n') shell.kill('SIGTERM')
  }
  assert.equal(output, 'up\nasked to end\n')
})

test('without any Node that is new enough the command says what to do', (t) => {
  const path = installed(t, '')
  const old = join(path, '../old.mjs')
  writeFileSync(
    old,
    `Object.defineProperty(process.versions, 'node', { value: '20.0.0' })
     await import('./fourfold.mjs')`,
  )
  const said = spawnSync(process.execPath, [old], { encoding: 'utf8' })
  assert.equal(said.status, 1)
  assert.match(said.stderr, /^Fourfold needs Node 24\.15\.0 or newer; this is 20\.0\.0, .*\n$/)
})

test('a word that the set-up does not know is answered with those it knows', () => {
  const said = spawnSync(process.execPath, [join(root, 'bin/setup.mjs'), 'fly'], {
    encoding: 'utf8',
  })
  assert.equal(said.status, 2)
  assert.match(said.stderr, /^Usage: node bin\/setup\.mjs up\|watch\|test\|/)
})
