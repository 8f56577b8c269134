// The house rules of ARCHITECTURE.md that no compiler knows: rooms, first lines, names, bounds.

import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'

import { root } from './tool.ts'

/** What a room may import: rooms by the start of their path, packages by name. */
interface Room {
  path: string
  rooms: string[]
  packages: string[]
}

const model = ['src/core/model/', 'src/gen/']
const core = ['src/core/', 'src/gen/']
const pure = ['@bufbuild/protobuf', 'lib0', 'yjs']
const anyPackage = ['*']

/** The first room whose path a file starts with is its own. */
const rooms: Room[] = [
  { path: 'src/gen/', rooms: ['src/gen/'], packages: ['@bufbuild/protobuf'] },
  { path: 'src/core/model/', rooms: [...model, 'src/core/ports.ts'], packages: pure },
  { path: 'src/core/ports.ts', rooms: model, packages: [] },
  ...['replica', 'replication', 'session', 'mirror'].map((mind) => ({
    path: `src/core/${mind}/`,
    rooms: [`src/core/${mind}/`, 'src/core/ports.ts', ...model],
    // Patterns from outside go over everybody's texts: only by an engine that does not go back.
    packages: mind === 'replica' ? [...pure, 're2js'] : pure,
  })),
  {
    // The SDK's door names the usual way to a server; everything behind it is given a `Dial`.
    path: 'src/client/connect.ts',
    rooms: ['src/client/', 'src/adapters/channel/websocket-client.ts', ...core],
    packages: [],
  },
  { path: 'src/client/', rooms: ['src/client/', ...core], packages: [...pure, 'y-protocols'] },
  { path: 'src/adapters/', rooms: ['src/adapters/', ...core], packages: anyPackage },
  {
    path: 'src/server/',
    rooms: ['src/server/', 'src/client/', 'src/adapters/', ...core],
    packages: anyPackage,
  },
  {
    path: 'src/cli/',
    rooms: ['src/cli/', 'src/server/', 'src/client/', 'src/adapters/', ...core],
    packages: anyPackage,
  },
  {
    path: 'src/web/',
    rooms: ['src/web/', 'src/client/', 'src/adapters/', ...core],
    packages: anyPackage,
  },
  {
    path: 'sim/',
    rooms: ['sim/', 'src/client/', 'src/adapters/', ...core],
    packages: anyPackage,
  },
  { path: 'test/', rooms: ['test/', 'sim/', 'src/'], packages: anyPackage },
  { path: 'bench/', rooms: ['bench/', 'test/', 'sim/', 'src/'], packages: anyPackage },
]

/** A test beside a file may also use what stands in for the world. */
const testRooms = ['src/adapters/', 'sim/', 'test/']

const sources = globSync('{src,sim,test,bench}/**/*.{ts,tsx}', { cwd: root }).sort()
const written = sources.filter((file) => !file.startsWith('src/gen/'))
const isTest = (file: string) => /\.test\.tsx?$/.test(file)
const text = (file: string) => readFileSync(join(root, file), 'utf8')

/** What a file imports or re-exports, as written. Comments and texts do not start such a line. */
function imports(source: string): string[] {
  const names = String.raw`(?:type\s+)?(?:[\w$]+|\{[^}]*\}|\*(?:\s+as\s+\w+)?)`
  const from = new RegExp(
    String.raw`^(?:import|export)\s+${names}(?:\s*,\s*${names})?\s+from\s+['"]([^'"]+)['"]`,
    'gm',
  )
  const bare = /^import\s*['"]([^'"]+)['"]/gm
  const later = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g
  return [from, bare, later].flatMap((form) => [...source.matchAll(form)].map((found) => found[1]!))
}

/** "lib0/encoding" → "lib0", "@a/b/c" → "@a/b". */
function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

const isRelative = (specifier: string) => /^\.\.?\//.test(specifier)

/** Lines that say which import of a file leaves its room. */
function trespasses(file: string, source: string): string[] {
  const room = rooms.find(({ path }) => file.startsWith(path))
  if (room === undefined) return [`${file} is in no room`]
  const mayEnter = isTest(file) ? [...room.rooms, ...testRooms] : room.rooms
  return imports(source)
    .filter((specifier) => {
      if (isRelative(specifier)) {
        const path = join(dirname(file), specifier)
        return !mayEnter.some((allowed) => path.startsWith(allowed))
      }
      if (room.packages.includes('*')) return false
      if (isTest(file) && specifier.startsWith('node:')) return false
      return !room.packages.includes(packageOf(specifier))
    })
    .map((specifier) => `${file} imports ${specifier}`)
}

test('imports point down, and siblings do not know each other', () => {
  assert.deepEqual(
    sources.flatMap((file) => trespasses(file, text(file))),
    [],
  )
})

test('a planted trespass is found', () => {
  const planted: [file: string, line: string][] = [
    ['src/core/model/entry.ts', "import { Replica } from '../replica/replica.ts'"],
    ['src/core/replica/replica.ts', "import type { Session } from '../session/session.ts'"],
    ['src/core/session/session.ts', "export * from '../../client/api.ts'"],
    ['src/core/replication/peer.ts', "import { readFile } from 'node:fs/promises'"],
    ['src/core/replication/peer.ts', "const { WebSocket } = await import('ws')"],
    ['src/client/client.ts', "import {\n  dial,\n} from '../adapters/channel/websocket.ts'"],
    [
      'src/client/client.ts',
      "import { webSockets } from '../adapters/channel/websocket-client.ts'",
    ],
    ['src/adapters/system.ts', "import '../client/api.ts'"],
    ['src/server/server.ts', "import { up } from '../cli/up.ts'"],
    ['src/core/ports.ts', "import * as Y from 'yjs'"],
    ['src/core/model/ids.ts', "import Y, { type Doc } from '../ports-of-call.ts'"],
    ['src/core/model/ids.ts', "export type { Update } from '../session/messages.ts'"],
    ['src/shared/anything.ts', ''],
  ]
  for (const [file, line] of planted) {
    assert.equal(trespasses(file, `// What it holds.\n${line}\n`).length, 1, `${file}: ${line}`)
  }
})

test('what is published runs on the production dependencies, and needs each of them', () => {
  const { dependencies } = JSON.parse(text('package.json'))
  const published = written.filter((file) => /^src\/(?!web\/)/.test(file) && !isTest(file))
  const needed = new Set(
    published
      .flatMap((file) => imports(text(file)))
      .filter((specifier) => !isRelative(specifier) && !specifier.startsWith('node:'))
      .map(packageOf),
  )
  assert.deepEqual([...needed].sort(), Object.keys(dependencies).sort())
})

test('the first line of every file says what it holds', () => {
  const all = globSync('{src,sim,test,bench,bin}/**/*.{ts,tsx,mjs,css,py}', { cwd: root })
  const others = globSync('proto/**/*.proto', { cwd: root })
  const silent = [...all, ...others]
    .filter((file) => !file.startsWith('src/gen/'))
    .filter((file) => {
      const lines = text(file).split('\n')
      const first = lines[0]!.startsWith('#!') ? lines[1] : lines[0]
      return !/^(\/\/|\/\*|#|""") ?\S+ .*\w/.test(first ?? '')
    })
  assert.deepEqual(silent, [])
})

test('files are called by kebab-case nouns that say something', () => {
  const empty = /^(utils?|helpers?|common|misc|shared|manager|data|info|lib)$/
  const bad = written.filter((file) => {
    const folders = dirname(file).split('/')
    const [name, ...kinds] = basename(file).split('.')
    const isKebab = /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name!) && kinds.length <= 2
    return !isKebab || [...folders, name!].some((part) => empty.test(part))
  })
  assert.deepEqual(bad, [])
})

test('nothing is called by a word that means anything', () => {
  const declared = /\b(?:function|class|interface|const|let)\s+([A-Za-z_$][\w$]*)/g
  const alias = /^(?:export )?type\s+([A-Za-z_$][\w$]*)/gm
  const method = /^ {2}(?:async |static |readonly )*#?([A-Za-z_$][\w$]*)\s*(?:<[^>]*>)?\(/gm
  const empty = /^(handle[A-Z]|process[A-Z]|do[A-Z])|(Manager|Helper|Helpers|Utils?|Impl)$/
  const found = (file: string, form: RegExp) =>
    [...text(file).matchAll(form)].map((match) => match[1]!)
  const bad = written.flatMap((file) => {
    const nouns = [declared, alias].flatMap((form) => found(file, form))
    const vague = nouns.filter((name) => /^(info|tmp|temp|foo|stuff)$/.test(name))
    // At the prompt and in the tests it is the directory that `--data` names.
    if (!/^(src\/cli|test)\//.test(file) && nouns.includes('data')) vague.push('data')
    const hollow = [...nouns, ...found(file, method)].filter((name) => empty.test(name))
    return [...vague, ...hollow].map((name) => `${file}: ${name}`)
  })
  assert.deepEqual(bad, [])
})

test('there is no enum of our own, and no test that is left out', () => {
  const enums = written.filter((file) => /^\s*(export )?(const )?enum \w/m.test(text(file)))
  assert.deepEqual(enums, [])
  const skipped = /\b(?:test|it|describe|suite|t)\.(?:skip|only|todo)\(|\{ (?:skip|only|todo)\b/
  const left = written.filter((file) => isTest(file) && skipped.test(text(file)))
  assert.deepEqual(left, [])
})

test('12 every limit has its reason and is kept somewhere', () => {
  const isList = (file: string) => file.startsWith('src/core/model/limits/')
  const lines = sources.filter(isList).flatMap((file) => text(file).split('\n'))
  const users = sources.filter((file) => !isList(file) && !isTest(file))
  const usage = users.map(text).join('\n')
  const bad = lines.flatMap((line, index) => {
    const name = /^export const (\w+)/.exec(line)?.[1]
    if (name === undefined) return []
    // A second limit right under the first shares its reason.
    const before = lines[index - 1] ?? ''
    const isReasoned = before.endsWith('*/') || before.startsWith('export const ')
    const isUsed = new RegExp(`\\b${name}\\b`).test(usage)
    return [...(isReasoned ? [] : [`${name}: no reason`]), ...(isUsed ? [] : [`${name}: not used`])]
  })
  assert.deepEqual(bad, [])
})

test('nothing committed names a machine of ours or a registry', () => {
  const files = globSync('{src,sim,test,bench,bin,docs,proto,.ci}/**/*.{ts,tsx,mjs,md,json,py}', {
    cwd: root,
  })
  const tops = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'package.json', '.npmrc']
  // Spelled so that this file does not name them either.
  const hosts = new RegExp(['npmjs' + '\\.(org|com)', 'yarnpkg' + '\\.com'].join('|'))
  const places = new RegExp('(^|[\\s"\'`(=])/(' + ['work', 'root', 'home'].join('|') + ')/')
  const bad = [...files, ...tops].filter(
    (file) => hosts.test(text(file)) || places.test(text(file)),
  )
  assert.deepEqual(bad, [])
  assert.doesNotMatch(text('package-lock.json'), /"resolved": "http/)
})

test('the links of our pages lead somewhere, and every decision is in their list', () => {
  const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: root })
  const link = /\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)/g
  const lost = pages.flatMap((page) =>
    [...text(page).matchAll(link)]
      .map((found) => found[1]!)
      .filter((to) => !existsSync(join(root, dirname(page), to)))
      .map((to) => `${page}: ${to}`),
  )
  assert.deepEqual(lost, [])
  const list = text('docs/decisions/README.md')
  const decisions = globSync('docs/decisions/0*.md', { cwd: root }).map((path) => basename(path))
  assert.deepEqual(
    decisions.filter((page) => !list.includes(`(${page})`)),
    [],
  )
})

test('the files that our pages name are there', () => {
  const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: root })
  const path = /`((?:src|sim|test|bench|bin|docs|proto)\/[\w./*-]*)`/g
  const lost = pages.flatMap((page) =>
    [...text(page).matchAll(path)]
      .map((found) => found[1]!)
      .filter((name) => globSync(name, { cwd: root }).length === 0)
      .map((name) => `${page}: ${name}`),
  )
  assert.deepEqual(lost, [])
})

test('no file passes 700 lines, and those over 400 are named', (t) => {
  const long = written
    .map((file) => ({ file, lines: text(file).split('\n').length }))
    .filter(({ lines }) => lines > 400)
    .sort((a, b) => b.lines - a.lines)
  for (const { file, lines } of long) t.diagnostic(`${file} has ${lines} lines`)
  assert.deepEqual(
    long.filter(({ lines }) => lines > 700),
    [],
  )
})
