// `npm run crowd`: hundreds of people with one document open on four real servers, some of them typing.

import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'

import { labelOf, wordsOf } from '../../sim/token.ts'
import { Companion, sharedNow } from '../companion.ts'
import { Fleet } from '../fleet.ts'
import type { CrowdQuestions, Word } from './crowd-people.ts'
import { digestOf, readFile } from './whole-files.ts'

const usage = `Usage: npm run crowd -- [--clients N] [--writers N] [--minutes N] [--gap MS] [--processes N]

Many people have one document open, spread over four real servers. Some of them type marked words, a
third of these all at the same place. In the end all texts are compared, and each writer's words are
looked for: each once, in order.
`

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '400' },
    writers: { type: 'string', default: '8' },
    minutes: { type: 'string', default: '10' },
    gap: { type: 'string', default: '600' },
    processes: { type: 'string', default: '8' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

/** From the last word until everybody has the same. */
const convergeMs = 30_000
const lookMs = 250

type People = Companion<CrowdQuestions>

// What was started ends with us, also when a person is tired of waiting.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(130))
}

if (values.help) process.stdout.write(usage)
else process.exitCode = await run()

async function run(): Promise<number> {
  const fleet = await Fleet.start()
  const file = new URL('./crowd-people.ts', import.meta.url)
  const crowd = Array.from(
    // Each has somebody to watch.
    { length: Math.min(Number(values.processes), Number(values.clients)) },
    () => new Companion<CrowdQuestions>(file),
  )
  try {
    const document = await join(crowd, fleet.addresses)
    const words = await typeFor(Number(values.minutes) * 60_000, crowd)
    const tookMs = await sameAgain(crowd)
    const text = await readFile(fleet.address('a'), document)
    const problems = [
      ...(tookMs === undefined ? [`texts differ ${convergeMs} ms after the last word`] : []),
      ...(await differences(crowd, fleet, document, text)),
      ...misplaced(words, text),
    ]
    for (const problem of problems) console.log(`  ${problem}`)
    const times = await sightTimes(crowd, words)
    const count = Object.values(words).reduce((sum, own) => sum + own.length, 0)
    console.log(
      `keystroke to sight, ${times.length} sights by ${crowd.length} people: ` +
        `median ${at(times, 0.5)} ms, p99 ${at(times, 0.99)} ms, slowest ${at(times, 1)} ms; ` +
        `the same everywhere ${Math.round(tookMs ?? Infinity)} ms after the last word`,
    )
    console.log(
      `${values.clients} clients, ${values.writers} writers, ${count} words, ${problems.length} wrong`,
    )
    return problems.length > 0 ? 1 : 0
  } finally {
    await Promise.all(crowd.map((people) => people.end()))
    await fleet.end()
  }
}

/** Everybody signs in; tells how they are spread, and the document. */
async function join(crowd: People[], servers: string[]): Promise<string> {
  const spread = new Map<string, number>()
  let document: string | undefined
  let count = 0
  for (const [index, people] of crowd.entries()) {
    const labels: string[] = []
    // In turn, so that no two writers share a thread where it can be helped.
    for (let number = index; number < Number(values.clients); number += crowd.length) {
      labels.push(labelOf(number))
    }
    const answer = await people.ask('join', { servers, labels, document })
    document = answer.document
    for (const server of answer.servers) spread.set(server, (spread.get(server) ?? 0) + 1)
    count += labels.length
    console.log(`${count} people are here`)
  }
  const counts = [...spread.keys()].sort().map((server) => `${spread.get(server)} at ${server}`)
  console.log(counts.join(', '))
  return document!
}

async function typeFor(forMs: number, crowd: People[]): Promise<{ [label: string]: Word[] }> {
  const labels = Array.from({ length: Number(values.writers) }, (_, writer) => labelOf(writer))
  const given = { labels, gapMs: Number(values.gap), seed: 'crowd' }
  await Promise.all(crowd.map((people) => people.ask('type', given)))
  const until = sharedNow() + forMs
  while (sharedNow() < until) {
    await sleep(Math.min(60_000, until - sharedNow()))
    console.log(`${Math.max(0, Math.round((until - sharedNow()) / 60_000))} minutes to go`)
  }
  const answers = await Promise.all(crowd.map((people) => people.ask('stop', undefined)))
  return Object.assign({}, ...answers.map(({ words }) => words)) as { [label: string]: Word[] }
}

/** How long it took until everybody had one text that is stored; undefined: too long. */
async function sameAgain(crowd: People[]): Promise<number | undefined> {
  const startedAt = sharedNow()
  while (sharedNow() - startedAt < convergeMs) {
    const waiting = await Promise.all(crowd.map((people) => people.ask('waiting', undefined)))
    const texts = new Set((await textsOf(crowd)).map(({ text }) => text))
    if (texts.size === 1 && waiting.every((count) => count === 0)) return sharedNow() - startedAt
    await sleep(lookMs)
  }
  return undefined
}

async function textsOf(crowd: People[]): Promise<{ text: string; labels: string[] }[]> {
  return (await Promise.all(crowd.map((people) => people.ask('texts', undefined)))).flat()
}

/** Screens and servers with another text than this. */
async function differences(
  crowd: People[],
  fleet: Fleet,
  document: string,
  text: string,
): Promise<string[]> {
  const screens = (await textsOf(crowd))
    .filter((group) => group.text !== text)
    .map(({ labels }) => `${labels.length} people see another text, ${labels[0]} among them`)
  const servers = await Promise.all(
    fleet.ids.map(async (id) => {
      const there = await readFile(fleet.address(id), document)
      return there === text ? [] : [`server ${id} has another text`]
    }),
  )
  const digests = await Promise.all(fleet.addresses.map((address) => digestOf(address)))
  const isOne = new Set(digests).size === 1
  return [...screens, ...servers.flat(), ...(isOne ? [] : ['the digests of the servers differ'])]
}

/** Each writer's words must be there once, and in order: those at the meeting place newest first. */
function misplaced(words: { [label: string]: Word[] }, text: string): string[] {
  const { found, rest } = wordsOf(text)
  const problems = rest === '' ? [] : [`there are torn words: ${rest.slice(0, 100)}`]
  const places = new Map<string, number>()
  for (const [place, { name }] of found.entries()) {
    if (places.has(name)) problems.push(`${name} is there twice`)
    places.set(name, place)
  }
  for (const [label, own] of Object.entries(words)) {
    const missing = own.filter(({ name }) => !places.has(name))
    if (missing.length > 0) problems.push(`${missing.length} words of ${label} are missing`)
    const placesOf = (isAtMeeting: boolean) =>
      own
        .filter((word) => word.isAtMeeting === isAtMeeting)
        .map(({ name }) => places.get(name) ?? -1)
    const isInOrder = isAscending(placesOf(false)) && isAscending(placesOf(true).toReversed())
    if (!isInOrder) problems.push(`the words of ${label} are out of order`)
  }
  const typed = Object.values(words).reduce((sum, own) => sum + own.length, 0)
  if (places.size > typed) problems.push(`${places.size - typed} words are there that nobody typed`)
  return problems
}

function isAscending(places: number[]): boolean {
  return places.every((place, index) => index === 0 || places[index - 1]! < place)
}

/** Milliseconds from a word's typing until one person of each other process saw it, ascending. */
async function sightTimes(crowd: People[], words: { [label: string]: Word[] }): Promise<number[]> {
  const typedAt = new Map(
    Object.values(words).flatMap((own) => own.map(({ name, at }) => [name, at] as const)),
  )
  const sights = (await Promise.all(crowd.map((people) => people.ask('sights', undefined)))).flat()
  return sights.map((sight) => sight.at - typedAt.get(sight.name)!).sort((a, b) => a - b)
}

function at(ascending: number[], part: number): string {
  return (ascending[Math.max(0, Math.ceil(part * ascending.length) - 1)] ?? Number.NaN).toFixed(1)
}
