// Runs the tests, a few files at once, and tells at the end which took longest.

import { globSync, mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, dirname, join, relative } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { run } from 'node:test'
import { spec, type TestEvent } from 'node:test/reporters'
import { pathToFileURL } from 'node:url'

import { root } from './tool.ts'

/** Files of one kind, the longest first, and how they run. */
interface Kind {
  files: string[]
  atOnce: number
  execArgv?: string[]
}

/** One file. The slowest take one or two minutes. */
const fileMs = 15 * 60_000

/** How many of the slowest files are told. */
const slowestMax = 10

/**
 * Hundreds of processes load the same modules: what one has compiled, the next need not. Keyed by
 * their content; where it cannot be written, each compiles for itself.
 */
process.env['NODE_COMPILE_CACHE'] ??= join(root, 'node_modules', '.cache', 'fourfold-tests')

const asked = process.argv.slice(2)
const patterns = asked.length > 0 ? asked : ['{src,sim,test}/**/*.test.{ts,tsx}']
const files = globSync(patterns).sort((a, b) => (place(a) < place(b) ? -1 : 1))
if (files.length === 0) throw new Error(`no test file matches ${patterns.join(' ')}`)

/** What stands for a whole directory, by its name. */
const names = new Map<string, string>()
const processors = availableParallelism()
const giveWay = pathToFileURL(join(root, 'test/give-way.ts')).href
const kinds: Kind[] = [
  // Half of it is waiting for processes and browsers: one more than there are processors.
  { files: files.filter(isOfProcesses), atOnce: Math.min(processors + 1, 8) },
  // What these wait for is only the processor, which is theirs when nobody else wants it.
  {
    files: inOne(files.filter((file) => !isOfProcesses(file))),
    atOnce: Math.min(processors, 8),
    execArgv: ['--import', giveWay],
  },
]

Readable.from(told()).compose(new spec()).pipe(process.stdout)

function isOfProcesses(file: string): boolean {
  return file.startsWith('test/')
}

/**
 * What touches nothing outside itself shares a process with its neighbours, directory by directory: to
 * start one takes longer than most of these tests.
 */
function inOne(all: string[]): string[] {
  const place = join(root, 'node_modules', '.cache', 'fourfold-test-directories')
  mkdirSync(place, { recursive: true })
  const byDirectory = Map.groupBy(all, (file) => {
    return file.startsWith('src/core/') ? dirname(file) : file
  })
  return [...byDirectory].map(([directory, own]) => {
    if (own.length === 1) return own[0]!
    const shared = join(place, `${directory.replaceAll('/', '-')}.test.mjs`)
    const urls = own.map((file) => pathToFileURL(join(root, file)).href)
    writeFileSync(shared, urls.map((url) => `import ${JSON.stringify(url)}\n`).join(''))
    names.set(shared, directory)
    return shared
  })
}

/**
 * Browsers, mirrors and sets before other processes, and the simulator before what else only thinks: the
 * longest alone in the end would leave a processor idle. Among its like each by its own name, not its
 * folder's: what is busy, as browsers are, beside what waits.
 */
function place(file: string): string {
  const isLong = /^(sim|test\/(browser|mirror|siege|cli))\//.test(file)
  return `${isLong ? 0 : 1} ${basename(file)} ${file}`
}

/** What happens in all runs, as it happens. */
function events(): AsyncIterable<TestEvent> {
  const all = new PassThrough({ objectMode: true })
  const running = kinds
    .filter((kind) => kind.files.length > 0)
    .map(({ files: own, atOnce, execArgv = [] }) =>
      run({ files: own, concurrency: atOnce, execArgv, timeout: fileMs }),
    )
  let left = running.length
  for (const each of running) {
    each.pipe(all, { end: false })
    each.once('end', () => --left === 0 && all.end())
  }
  return all
}

/** The runs, closed by their counts and their slowest files: whoever reads only the end sees all of it. */
async function* told(): AsyncGenerator<TestEvent> {
  const began = performance.now()
  let summary: TestEvent | undefined
  const spans: { file: string; ms: number }[] = []
  const counts = { tests: 0, suites: 0, passed: 0, cancelled: 0, skipped: 0, todo: 0 }
  for await (const event of events()) {
    if (event.type === 'test:summary') {
      const { file, duration_ms: ms, success } = event.data
      if (file !== undefined) {
        spans.push({ file: names.get(file) ?? relative(root, file), ms })
        continue
      }
      summary = event
      if (!success || event.data.counts.tests === 0) process.exitCode = 1
      for (const key of Object.keys(counts) as (keyof typeof counts)[]) {
        counts[key] += event.data.counts[key]
      }
    } else if (event.type !== 'test:diagnostic' || event.data.file !== undefined) yield event
  }
  // Makes the reporter list what failed.
  if (summary) yield summary
  for (const { file, ms } of spans.sort((a, b) => b.ms - a.ms).slice(0, slowestMax)) {
    yield said(`${(ms / 1000).toFixed(1).padStart(6)} s  ${file}`)
  }
  const { tests, passed, cancelled, skipped, todo } = counts
  const fail = tests - passed - cancelled - skipped - todo
  for (const [name, count] of Object.entries({
    tests,
    pass: passed,
    fail,
    cancelled,
    skipped,
    todo,
  })) {
    yield said(`${name} ${count}`)
  }
  yield said(`took ${((performance.now() - began) / 1000).toFixed(0)} s`)
}

function said(message: string): TestEvent {
  return { type: 'test:diagnostic', data: { nesting: 0, message, level: 'info' } }
}
