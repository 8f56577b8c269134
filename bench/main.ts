// `npm run bench`: measures the parts that are named, or all, and writes results.md.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { root, tool } from '../test/tool.ts'
import { withSection, type Section } from './report.ts'

/** In the order of results.md. Each is loaded only when it is measured. */
const parts: { [name: string]: () => Promise<() => Promise<Section>> } = {
  latency: async () => (await import('./latency.ts')).latency,
  throughput: async () => (await import('./throughput.ts')).throughput,
  storage: async () => (await import('./storage.ts')).storage,
  failover: async () => (await import('./failover.ts')).failover,
  idle: async () => (await import('./idle.ts')).idle,
  soak: async () => (await import('./soak.ts')).soak,
  files: async () => (await import('./files.ts')).files,
  mirror: async () => (await import('./mirror.ts')).mirror,
  listing: async () => (await import('./listing.ts')).listing,
  trace: async () => (await import('./trace.ts')).trace,
}

const results = join(root, 'bench/results.md')
const names = Object.keys(parts)
const asked = process.argv.slice(2)
const unknown = asked.find((name) => !names.includes(name))

// What was started ends with us, also when a person is tired of waiting.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(130))
}

if (unknown === undefined) {
  for (const name of asked.length > 0 ? asked : names) await measure(name)
} else {
  console.error(`There is no part "${unknown}"; there are ${names.join(', ')}.`)
  process.exitCode = 2
}

async function measure(name: string): Promise<void> {
  console.log(`\n${name} …`)
  const run = await parts[name]!()
  const section = await run()
  const before = existsSync(results) ? readFileSync(results, 'utf8') : ''
  writeFileSync(results, withSection(before, section, names))
  tool('oxfmt', results)
  for (const { figure, measured, baseline, ratio, bar, isMet } of section.rows) {
    const verdict = isMet === undefined ? '' : isMet ? 'met' : 'NOT MET'
    const parts = [measured, baseline && `(${baseline})`, ratio, bar && `bar ${bar}:`, verdict]
    console.log(`  ${figure}: ${parts.filter(Boolean).join(' ')}`)
  }
}
