// A process of many people who follow one document; some of them type.

import { tokenName, tokenText, wordsOf } from '../../sim/token.ts'
import { Random } from '../../sim/random.ts'
import { connect, type Client, type LiveDocument } from '../../src/client/index.ts'
import { answerQuestions, sharedNow } from '../companion.ts'

export interface CrowdQuestions {
  /** Everybody signs in and opens the document; answers with the server that each is with. */
  join: {
    given: { servers: string[]; labels: string[]; document: string | undefined }
    answer: { servers: string[]; document: string }
  }
  /** These type from now on, each a word every `gapMs`, until told to stop. */
  type: { given: { labels: string[]; gapMs: number; seed: string }; answer: undefined }
  stop: { given: undefined; answer: { words: { [label: string]: Word[] } } }
  /** Everybody's text, by label; equal ones are told once. */
  texts: { given: undefined; answer: { text: string; labels: string[] }[] }
  /** Edits that no server is known to hold. */
  waiting: { given: undefined; answer: number }
  /** When words of others were first seen by one person of this process. */
  sights: { given: undefined; answer: { name: string; at: number }[] }
}

/** One marked word. */
export interface Word {
  name: string
  /** Typed at the place where all meet; else after the writer's own last. */
  isAtMeeting: boolean
  at: number
}

/** Part of the words that are typed where everybody types. */
const meetingPart = 1 / 3

interface Person {
  label: string
  client: Client
  live: LiveDocument
}

/** Somebody of them who types. */
interface Writer {
  readonly person: Person
  readonly random: Random
  readonly words: Word[]
  timer: NodeJS.Timeout | undefined
}

const people: Person[] = []
const writers: Writer[] = []
const sights: { name: string; at: number }[] = []

answerQuestions<CrowdQuestions>({
  async join({ servers, labels, document }) {
    const clients: Client[] = []
    for (const label of labels) {
      const client = connect({ servers, name: `crowd ${label}`, agent: 'crowd' })
      await client.joined()
      clients.push(client)
    }
    const id = document ?? (await clients[0]!.create('crowd', '')).id
    labels.forEach((label, index) => {
      const client = clients[index]!
      people.push({ label, client, live: client.open(id) })
    })
    await Promise.all(people.map(({ live }) => live.loaded))
    watch(people.at(-1)!)
    return { servers: clients.map(serverOf), document: id }
  },
  type({ labels, gapMs, seed }) {
    for (const person of people.filter(({ label }) => labels.includes(label))) {
      const random = new Random(`${seed}/${person.label}`)
      const writer: Writer = { person, random, words: [], timer: undefined }
      writers.push(writer)
      goOn(writer, gapMs)
    }
    return undefined
  },
  stop() {
    for (const { timer } of writers) clearTimeout(timer)
    return { words: Object.fromEntries(writers.map(({ person, words }) => [person.label, words])) }
  },
  texts() {
    const byText = new Map<string, string[]>()
    for (const { label, live } of people) {
      const text = live.text.toString()
      byText.set(text, [...(byText.get(text) ?? []), label])
    }
    return [...byText].map(([text, labels]) => ({ text, labels }))
  },
  waiting: () => people.filter(({ live }) => live.receipt().servers.length === 0).length,
  sights: () => sights.splice(0),
})

/** Notes when this person sees what others type. */
function watch({ live }: Person): void {
  live.text.observe(({ delta }, { local }) => {
    if (local) return
    const at = sharedNow()
    for (const { insert } of delta) {
      if (typeof insert !== 'string') continue
      for (const { name } of wordsOf(insert).found) sights.push({ name, at })
    }
  })
}

function goOn(writer: Writer, gapMs: number): void {
  // Not in step with each other.
  const waitMs = gapMs * (0.5 + writer.random.next())
  writer.timer = setTimeout(() => {
    write(writer)
    goOn(writer, gapMs)
  }, waitMs)
}

function write({ person: { label, live }, random, words }: Writer): void {
  const isAtMeeting = random.chance(meetingPart)
  const last = words.findLast((word) => !word.isAtMeeting)?.name
  const name = tokenName(label, words.length + 1)
  words.push({ name, isAtMeeting, at: sharedNow() })
  live.text.insert(isAtMeeting ? 0 : endOf(live, last), tokenText(name))
}

/** Where a word ends; without one, the end of the text. */
function endOf({ text }: LiveDocument, name: string | undefined): number {
  const { found } = wordsOf(text.toString())
  return (found.find((word) => word.name === name) ?? found.at(-1))?.end ?? 0
}

function serverOf({ connection }: Client): string {
  return connection.name === 'online' ? connection.server : ''
}
