// Runs the tests: the quick ones two at a time, then those that need the machine for themselves.

import { globSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { run } from 'node:test'
import { spec, type TestEvent } from 'node:test/reporters'

import { root } from './tool.ts'

/** Real processes and browsers: two of these at once would disturb each other. */
const alone = /^test\/(browser|siege|cli|mirror)\//

/** One test. The slowest, the siege, takes a few minutes. */
const testMs = 15 * 60_000

/** What the closing summary counts, in the order of node's own. */
const counts = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo', 'duration_ms']

/**
 * Hundreds of processes load the same modules: what one has compiled, the next need not. Keyed by
 * their content; where it cannot be written, each compiles for itself.
 */
process.env['NODE_COMPILE_CACHE'] ??= join(root, 'node_modules', '.cache', 'fourfold-tests')

const asked = process.argv.slice(2)
const patterns = asked.length > 0 ? asked : ['{src,sim,test}/**/*.test.{ts,tsx}']
const files = globSync(patterns).sort()
if (files.length === 0) throw new Error(`no test file matches ${patterns.join(' ')}`)

const totals = new Map(counts.map((count) => [count, 0]))
Readable.from(all(files)).compose(new spec()).pipe(process.stdout)

/** Both runs as one, closed by one summary: whoever reads only the end sees all of it. */
async function* all(files: string[]): AsyncGenerator<TestEvent> {
  const quick = files.filter((file) => !alone.test(file))
  const slow = files.filter((file) => alone.test(file))
  let summary: TestEvent | undefined
  for await (const event of both(quick, slow)) {
    // Without a file it stands for a whole run; the last one makes the reporter list what failed.
    if (event.type === 'test:summary' && event.data.file === undefined) summary = event
    else if (event.type !== 'test:diagnostic' || !add(event.data.message)) yield event
  }
  if (summary !== undefined) yield summary
  for (const [count, total] of totals) {
    const message = `${count} ${total}`
    yield { type: 'test:diagnostic', data: { nesting: 0, message, level: 'info' } }
  }
  const good = totals.get('tests')! > 0 && totals.get('fail') === 0 && totals.get('cancelled') === 0
  if (!good) process.exitCode = 1
}

async function* both(quick: string[], slow: string[]): AsyncGenerator<TestEvent> {
  if (quick.length > 0) yield* run({ files: quick, concurrency: 2, timeout: testMs })
  if (slow.length > 0) yield* run({ files: slow, concurrency: 1, timeout: testMs })
}

/** Adds "pass 12" to the totals; false when a message is something else. */
function add(message: string): boolean {
  const [count = '', amount = ''] = message.split(' ')
  const total = totals.get(count)
  if (total === undefined || !/^[\d.]+$/.test(amount)) return false
  totals.set(count, total + Number(amount))
  return true
}
