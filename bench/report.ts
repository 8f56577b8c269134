// What was measured, as tables for people: one section of results.md per part of the benchmark.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'

import { root } from '../test/tool.ts'

/** One line of a table. Texts come with their unit. */
export interface Row {
  figure: string
  measured: string
  /** What it is compared with, measured in the same run; empty: nothing. */
  baseline: string
  ratio: string
  /** What was promised; empty: nothing, the figure is there to be known. */
  bar: string
  isMet?: boolean
}

export interface Section {
  name: string
  title: string
  /** What was done, in a few sentences. */
  method: string
  rows: Row[]
}

const head = `# Figures

Measured by \`npm run bench\`. Every ratio is within one run on one machine; compare those, not the
times. A part is measured again by its name: \`npm run bench -- latency\`.
`

/** The whole file with this section in it, in the place of the one it had. */
export function withSection(before: string, section: Section, order: readonly string[]): string {
  const sections = new Map(order.map((name) => [name, sectionIn(before, name)]))
  sections.set(section.name, rendered(section))
  const texts = [...sections.values()].filter((text) => text !== undefined)
  return `${[head, ...texts].map((text) => text.trim()).join('\n\n')}\n`
}

const opening = (name: string) => `<!-- ${name} -->`

function sectionIn(text: string, name: string): string | undefined {
  const start = text.indexOf(opening(name))
  if (start < 0) return undefined
  const end = text.indexOf('<!-- ', start + 1)
  return text.slice(start, end < 0 ? undefined : end)
}

function rendered({ name, title, method, rows }: Section): string {
  const lines = rows.map(({ figure, measured, baseline, ratio, bar, isMet }) => {
    const verdict = isMet === undefined ? '' : isMet ? 'yes' : '**no**'
    return `| ${[figure, measured, baseline, ratio, bar, verdict].join(' | ')} |`
  })
  return [
    opening(name),
    `## ${title}`,
    '',
    method,
    '',
    '| figure | measured | baseline | ratio | bar | met |',
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
    '',
    `\`npm run bench -- ${name}\` at ${circumstances()}`,
  ].join('\n')
}

function circumstances(): string {
  const git = (...words: string[]) =>
    spawnSync('git', words, { cwd: root, encoding: 'utf8' }).stdout.trim()
  const isChanged = git('status', '--porcelain', '--', 'src', 'bench', 'test') !== ''
  const commit = git('rev-parse', '--short', 'HEAD') + (isChanged ? ' with changes' : '')
  const processors = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  const machine = `${processors.length} × ${processors[0]?.model.trim()}, ${memory} GiB`
  const load = readFileSync('/proc/loadavg', 'utf8').split(' ')[0]
  const at = new Date().toISOString().slice(0, 16).replace('T', ' ')
  return `commit ${commit}, ${at} UTC, Node ${process.versions.node}, ${machine}; load ${load} at the end.`
}
