// What the status chip says: the words of each state, in one place, the same as in the docs.

import type { Connection, SaveState, ServerInfo } from '../client/api.ts'

/** How the chip looks; never the only sign, there is always a word. */
export type Tone = 'ok' | 'warn' | 'danger' | 'local' | 'muted'

export interface ChipWords {
  text: string
  tone: Tone
  /** Sentences for the popover, most important first. */
  sentences: string[]
}

const listed = new Intl.ListFormat('en-GB', { style: 'long', type: 'conjunction' })

/** "a, b and c" */
export function named(names: string[]): string {
  return listed.format(names)
}

/** The time of day here. `at`: ms since 1970. */
export function clock(at: number, withSeconds = false): string {
  const parts: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }
  if (withSeconds) parts.second = '2-digit'
  return new Intl.DateTimeFormat('en', parts).format(at)
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}

/** What the words are made of: the client's own account, and the time. */
export interface SaveFacts {
  save: SaveState
  connection: Connection
  servers: ServerInfo[]
  /** When this person last changed the shown text, in ms since 1970; 0: not yet. */
  changedAt: number
  /** No server is known to hold that change. The chip itself is calm, and says so only after a while. */
  isOnItsWay: boolean
  now: number
}

/** Whether nothing is known yet of where the edits are. */
export function isUnknown(save: SaveState): boolean {
  return save.name === 'saved' && save.of === 0
}

/** The chip's text for a state. */
export function chipText({ save, connection }: Pick<SaveFacts, 'save' | 'connection'>): string {
  switch (save.name) {
    case 'saved':
      if (!isUnknown(save)) return `Saved · ${save.servers.length}/${save.of}`
      return connection.name === 'online' ? 'Checking…' : 'Connecting…'
    case 'saving':
      return 'Saving…'
    case 'local':
      return 'Saved on this device'
    case 'danger':
      return 'Not saved'
    case 'ended':
      return endedText(connection)
  }
}

/** Another name, or the password, lets this person in again. Who is in has a text that is not taken. */
function endedText(connection: Connection): string {
  if (connection.name === 'online') return 'Not saved'
  const code = connection.name === 'refused' ? connection.code : ''
  if (code === 'taken') return 'Name taken'
  return code === 'unauthenticated' ? 'Sign in again' : 'Access ended'
}

/** How the chip looks in a state. */
export function chipTone(save: SaveState): Tone {
  switch (save.name) {
    case 'saved':
      if (isUnknown(save)) return 'muted'
      return save.isThin ? 'warn' : 'ok'
    case 'local':
    case 'danger':
      return save.name
    case 'saving':
    case 'ended':
      return 'muted'
  }
}

/** All words for a state. */
export function chipWords(facts: SaveFacts): ChipWords {
  return { text: chipText(facts), tone: chipTone(facts.save), sentences: sentencesOf(facts) }
}

function sentencesOf(facts: SaveFacts): string[] {
  const { save, connection, now } = facts
  switch (save.name) {
    case 'saved':
      if (isUnknown(save)) return ['It is not known yet where your edits are.']
      return [whereSentence(save, facts), ...downSentences(facts.servers)]
    case 'saving': {
      const seconds = Math.max(1, Math.round((now - save.since) / 1000))
      return [`${counted(save.waiting, 'change')} not confirmed for ${seconds} s.`]
    }
    case 'local':
      return [localSentence(save), ...retrySentences(connection, now)]
    case 'danger':
      return [asSentence(save.why)]
    case 'ended': {
      const verb = save.waiting === 1 && save.earlier === 0 ? 'is' : 'are'
      const kept = waitingWords(save, 'unsent edit')
      return [save.why, ...(kept === '' ? [] : [`Your ${kept} ${verb} kept here.`])]
    }
  }
}

/** What a browser says of its storage comes in any form. */
export function asSentence(text: string): string {
  const begun = text.slice(0, 1).toUpperCase() + text.slice(1)
  return /[.!?]$/.test(begun) ? begun : `${begun}.`
}

function whereSentence(
  save: Extract<SaveState, { name: 'saved' }>,
  { changedAt, isOnItsWay }: SaveFacts,
): string {
  if (changedAt > 0 && isOnItsWay) {
    return `Your last change: ${clock(changedAt, true)}, on its way to the servers.`
  }
  const holders = save.servers.length > 0 ? named(save.servers) : 'no server'
  const isHere = save.isThin && save.unkept === undefined
  const on = `on ${holders}${isHere ? ' and on this device' : ''}`
  return changedAt > 0
    ? `Your last change: ${clock(changedAt, true)}, ${on}.`
    : `The text is ${on}.`
}

/** One sentence about the servers that are away, if any. */
export function downSentences(servers: ServerInfo[]): string[] {
  const down = servers.filter((server) => server.state === 'down')
  if (down.length === 0 || down.length === servers.length) return []
  const heardAt = Math.max(...down.map((server) => server.heardAt))
  const since = heardAt > 0 ? ` since ${clock(heardAt)}` : ''
  const ids = named(down.map((server) => server.id))
  return [
    down.length === 1
      ? `${ids} is down${since}. It will catch up by itself. You need do nothing.`
      : `${ids} are down${since}. They will catch up by themselves. You need do nothing.`,
  ]
}

/** What is kept here and may be on no server. */
export type Waiting = Pick<Extract<SaveState, { name: 'local' }>, 'waiting' | 'earlier'>

/** "3 changes and earlier ones in 2 files"; empty: nothing. */
export function waitingWords({ waiting, earlier }: Waiting, noun = 'change'): string {
  const own = waiting > 0 ? counted(waiting, noun) : ''
  if (earlier === 0) return own
  const files = counted(earlier, 'file')
  return own === '' ? `earlier ${noun}s in ${files}` : `${own} and earlier ones in ${files}`
}

function localSentence(save: Waiting): string {
  const words = waitingWords(save)
  if (words === '') return 'No server answers. You may go on typing, and you may close this tab.'
  const verb = save.waiting === 1 && save.earlier === 0 ? 'waits' : 'wait'
  return `${begun(words)} ${verb} for a connection. You may close this tab.`
}

/** As a sentence begins. */
export function begun(words: string): string {
  return words.slice(0, 1).toUpperCase() + words.slice(1)
}

function retrySentences(connection: Connection, now: number): string[] {
  if (connection.name === 'joining') return ['Trying now.']
  if (connection.name !== 'offline') return []
  const seconds = Math.max(0, Math.ceil((connection.retryAt - now) / 1000))
  return [seconds === 0 ? 'Trying now.' : `Next try in ${seconds} s.`]
}
