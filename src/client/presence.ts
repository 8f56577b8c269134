// Carets on the wire and the awareness object that editors draw them from.

import * as encoding from 'lib0/encoding'
import { applyAwarenessUpdate, Awareness, removeAwarenessStates } from 'y-protocols/awareness'
import type * as Y from 'yjs'
import { isLongerThan } from '../core/model/byte-length.ts'
import { caretBytesMax, screenNameMax } from '../core/model/limits.ts'
import type { Caret } from '../core/model/wire.ts'
import { isRestoreId, restoredJson, restoredOf } from './restored.ts'

/** Marks states that came from a server. */
const remote = 'server'

/**
 * Whoever goes is seen for so long: who changes the server is told to have left by the one and to be here
 * by the other.
 */
const lingerMs = 1000

/** Twelve colours for people, each with a light one for selections; chosen by name. */
const colors = [
  ['#b3261e', '#b3261e33'],
  ['#8f4e00', '#8f4e0033'],
  ['#6b5f00', '#6b5f0033'],
  ['#3d6b00', '#3d6b0033'],
  ['#006d3a', '#006d3a33'],
  ['#006a6a', '#006a6a33'],
  ['#00639a', '#00639a33'],
  ['#3355cc', '#3355cc33'],
  ['#6547c9', '#6547c933'],
  ['#8b3fb5', '#8b3fb533'],
  ['#a83279', '#a8327933'],
  ['#5d5d66', '#5d5d6633'],
] as const

function colorsOf(name: string): { color: string; colorLight: string } {
  let sum = 0
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)!) >>> 0
  const [color, colorLight] = colors[sum % colors.length]!
  return { color, colorLight }
}

interface Changes {
  added: number[]
  updated: number[]
  removed: number[]
}

export class Presence {
  readonly awareness: Awareness
  #name: string
  /** Who is told to have left a moment ago, by writer. */
  readonly #leaving = new Map<number, { clock: number; timer: ReturnType<typeof setTimeout> }>()

  /**
   * Nobody is seen before `enter`. `told` gets this person's state as JSON whenever it changes;
   * empty: gone.
   */
  constructor(doc: Y.Doc, name: string, told: (state: string) => void) {
    this.#name = name
    this.awareness = new Awareness(doc)
    this.awareness.setLocalState(null)
    const { clientID } = doc
    this.awareness.on('update', ({ added, updated, removed }: Changes, origin: unknown) => {
      if (origin === remote || ![...added, ...updated, ...removed].includes(clientID)) return
      told(this.state)
    })
  }

  enter(): void {
    if (this.awareness.getLocalState() === null) {
      this.awareness.setLocalState({ user: userOf(this.#name) })
    }
  }

  leave(): void {
    this.awareness.setLocalState(null)
  }

  rename(name: string): void {
    this.#name = name
    this.awareness.setLocalStateField('user', userOf(name))
  }

  /** Where this person is, as JSON; empty: not here, or too much to tell. */
  get state(): string {
    const state = this.awareness.getLocalState()
    const json = state === null ? '' : JSON.stringify(state)
    return isLongerThan(json, caretBytesMax) ? '' : json
  }

  heard(caret: Caret): void {
    const { writer, clock, state } = caret
    if (writer === this.awareness.clientID) return
    const leaving = this.#leaving.get(writer)
    if (leaving && clock <= leaving.clock) return
    this.#stay(writer)
    if (state !== '' || !this.awareness.getStates().has(writer)) return this.#apply(caret)
    const timer = setTimeout(() => {
      this.#leaving.delete(writer)
      this.#apply(caret)
    }, lingerMs)
    this.#leaving.set(writer, { clock, timer })
  }

  #stay(writer: number): void {
    clearTimeout(this.#leaving.get(writer)?.timer)
    this.#leaving.delete(writer)
  }

  #apply({ writer, clock, state }: Caret): void {
    const encoder = encoding.createEncoder()
    encoding.writeVarUint(encoder, 1)
    encoding.writeVarUint(encoder, writer)
    encoding.writeVarUint(encoder, clock)
    encoding.writeVarString(encoder, JSON.stringify(stateOf(state, writer)))
    applyAwarenessUpdate(this.awareness, encoding.toUint8Array(encoder), remote)
  }

  /** No server tells who is here: nobody is known to be. */
  forgetOthers(): void {
    const { awareness } = this
    for (const writer of this.#leaving.keys()) this.#stay(writer)
    const others = [...awareness.getStates().keys()].filter((id) => id !== awareness.clientID)
    if (others.length === 0) return
    removeAwarenessStates(awareness, others, remote)
    // Else they would not be seen again before they move.
    for (const id of others) awareness.meta.delete(id)
  }

  destroy(): void {
    for (const writer of this.#leaving.keys()) this.#stay(writer)
    this.awareness.destroy()
  }
}

function userOf(name: string): { name: string; color: string; colorLight: string } {
  return { name, ...colorsOf(name) }
}

/**
 * A caret comes from another client, and servers do not look into it: only what an editor can draw
 * is let through, and what can be a restore. null: nobody.
 */
function stateOf(json: string, writer: number): { [field: string]: unknown } | null {
  const state = parsed(json)
  if (state === null) return null
  const { user, cursor } = state
  const shown: { [field: string]: unknown } = {}
  if (isRecord(user) && typeof user['name'] === 'string') {
    shown['user'] = userOf(user['name'].slice(0, screenNameMax))
  }
  if (isRecord(cursor) && isPosition(cursor['anchor']) && isPosition(cursor['head'])) {
    shown['cursor'] = { anchor: cursor['anchor'], head: cursor['head'] }
  }
  const restored = restoredOf(state['restored'], writer)
  if (restored) shown['restored'] = restoredJson(restored)
  if (isRestoreId(state['undone'])) shown['undone'] = state['undone']
  return shown
}

function parsed(json: string): { [field: string]: unknown } | null {
  if (json === '') return null
  try {
    const value: unknown = JSON.parse(json)
    return isRecord(value) ? value : null
  } catch {
    // Whoever sent it is drawn as nobody.
    return null
  }
}

/** As Y.relativePositionToJSON writes it. */
function isPosition(json: unknown): boolean {
  if (!isRecord(json)) return false
  const { type, item, tname, assoc } = json
  const isNamed = tname === undefined || tname === null || typeof tname === 'string'
  const isAssociated = assoc === undefined || typeof assoc === 'number'
  return isNamed && isAssociated && isId(type) && isId(item)
}

function isId(json: unknown): boolean {
  if (json === undefined || json === null) return true
  return (
    isRecord(json) && Number.isSafeInteger(json['client']) && Number.isSafeInteger(json['clock'])
  )
}

function isRecord(value: unknown): value is { [field: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
