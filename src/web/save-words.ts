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

export function clock(at: number, withSeconds = false): string {
  const parts: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }
  if (withSeconds) parts.second = '2-digit'
  return new Intl.DateTimeFormat('en', parts).format(at)
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}

/** One sentence about the servers that are away, or nothing. */
export function downSentence(servers: ServerInfo[]): string | undefined {
  const down = servers.filter((server) => server.state === 'down')
  if (down.length === 0 || down.length === servers.length) return undefined
  const heardAt = Math.max(...down.map((server) => server.heardAt))
  const since = heardAt > 0 ? ` since ${clock(heardAt)}` : ''
  const [verb, they] = down.length === 1 ? ['is', 'It'] : ['are', 'They']
  return (
    `${named(down.map((server) => server.id))} ${verb} down${since}. ` +
    `${they} will catch up by ${down.length === 1 ? 'itself' : 'themselves'}. You need do nothing.`
  )
}

/** The chip's text for a state. */
export function chipText(save: SaveState): string {
  switch (save.name) {
    case 'saved':
      return `Saved · ${save.servers.length}/${save.of}`
    case 'saving':
      return 'Saving…'
    case 'local':
      return 'Saved on this device'
    case 'danger':
      return 'Not saved'
    case 'ended':
      return 'Access ended'
  }
}

/** The words for a state; `now` in ms since 1970. */
export function chipWords(
  save: SaveState,
  connection: Connection,
  servers: ServerInfo[],
  now: number,
): ChipWords {
  const text = chipText(save)
  switch (save.name) {
    case 'saved':
      return { text, ...savedWords(save, servers) }
    case 'saving': {
      const seconds = Math.max(1, Math.round((now - save.since) / 1000))
      return {
        text,
        tone: 'muted',
        sentences: [`${counted(save.waiting, 'change')} not confirmed for ${seconds} s.`],
      }
    }
    case 'local':
      return {
        text,
        tone: 'local',
        sentences: [localSentence(save.waiting), ...retrySentence(connection, now)],
      }
    case 'danger':
      return { text, tone: 'danger', sentences: [save.why] }
    case 'ended': {
      const kept =
        save.waiting > 0 ? [`Your ${counted(save.waiting, 'unsent edit')} are kept here.`] : []
      return { text, tone: 'muted', sentences: [save.why, ...kept] }
    }
  }
}

function savedWords(
  save: Extract<SaveState, { name: 'saved' }>,
  servers: ServerInfo[],
): Omit<ChipWords, 'text'> {
  const also = save.isThin ? ' and on this device' : ''
  const on =
    save.servers.length > 0
      ? [`Your last change is on ${named(save.servers)}${also}.`]
      : ['Nothing of yours waits to be saved.']
  const down = downSentence(servers)
  return {
    tone: save.isThin ? 'warn' : 'ok',
    sentences: down === undefined ? on : [...on, down],
  }
}

function localSentence(waiting: number): string {
  if (waiting === 0) return 'No server answers. You may go on typing, and you may close this tab.'
  const verb = waiting === 1 ? 'waits' : 'wait'
  return `${counted(waiting, 'change')} ${verb} for a connection. You may close this tab.`
}

function retrySentence(connection: Connection, now: number): string[] {
  if (connection.name !== 'offline') return []
  const seconds = Math.max(0, Math.ceil((connection.retryAt - now) / 1000))
  return [seconds === 0 ? 'Trying now.' : `Next try in ${seconds} s.`]
}
