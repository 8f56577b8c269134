// Runs the tests, a few files at once, and tells at the end which took longest.

import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, join, relative } from 'node:path'
import { Readable } from 'node:stream'
import { run } from 'node:test'
import { spec, type TestEvent } from 'node:test/reporters'

import { root } from './tool.ts'

/** Half of all files mostly wait, for processes and browsers: one more than there are processors. */
const atOnce = Math.min(availableParallelism() + 1, 8)

/** The longest first: real browsers, mirrors and sets; then other processes; then what only thinks. */
const order = [/^test\/(browser|mirror|siege|cli)\//, /^test\//, /^sim\//, /^/]

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

Readable.from(told()).compose(new spec()).pipe(process.stdout)

/** Among its like by its own name, not its folder's: what is busy, as browsers are, beside what waits. */
function place(file: string): string {
  return `${order.findIndex((kind) => kind.test(file))} ${basename(file)} ${file}`
}

/** The run, closed by its counts and its slowest files: whoever reads only the end sees all of it. */
async function* told(): AsyncGenerator<TestEvent> {
  const spans: { file: string; ms: number }[] = []
  const counts: TestEvent[] = []
  for await (const event of run({ files, concurrency: atOnce, timeout: fileMs })) {
    if (event.type === 'test:summary') {
      const { file, duration_ms: ms, success, counts } = event.data
      if (file === undefined) {
        // Makes the reporter list what failed.
        yield event
        if (!success || counts.tests === 0) process.exitCode = 1
      } else spans.push({ file: relative(root, file), ms })
    } else if (event.type === 'test:diagnostic' && event.data.file === undefined) counts.push(event)
    else yield event
  }
  for (const { file, ms } of spans.sort((a, b) => b.ms - a.ms).slice(0, slowestMax)) {
    yield said(`${(ms / 1000).toFixed(1).padStart(6)} s  ${file}`)
  }
  yield* counts
}

function said(message: string): TestEvent {
  return { type: 'test:diagnostic', data: { nesting: 0, message, level: 'info' } }
}
