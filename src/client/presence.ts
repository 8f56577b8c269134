// Carets on the wire and the awareness object that editors draw them from.

import * as encoding from 'lib0/encoding'
import { applyAwarenessUpdate, Awareness } from 'y-protocols/awareness'
import type * as Y from 'yjs'
import type { Caret } from '../core/model/wire.ts'

/** Marks states that came from a server. */
const remote = 'server'

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

export function colorsOf(name: string): { color: string; colorLight: string } {
  let sum = 0
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)!) >>> 0
  const [color, colorLight] = colors[sum % colors.length]!
  return { color, colorLight }
}

export class Presence {
  readonly awareness: Awareness

  /** `told` gets this person's state as JSON whenever it changes; empty: gone. */
  constructor(doc: Y.Doc, name: string, told: (state: string) => void) {
    this.awareness = new Awareness(doc)
    this.rename(name)
    const { clientID } = doc
    this.awareness.on(
      'update',
      (changes: { added: number[]; updated: number[]; removed: number[] }, origin: unknown) => {
        const { added, updated, removed } = changes
        if (origin === remote || ![...added, ...updated, ...removed].includes(clientID)) return
        const state = this.awareness.getLocalState()
        told(state === null ? '' : JSON.stringify(state))
      },
    )
  }

  rename(name: string): void {
    this.awareness.setLocalStateField('user', { name, ...colorsOf(name) })
  }

  /** Tells where this person is, though nothing changed. */
  get state(): string {
    const state = this.awareness.getLocalState()
    return state === null ? '' : JSON.stringify(state)
  }

  heard({ writer, clock, state }: Caret): void {
    if (writer === this.awareness.clientID) return
    const encoder = encoding.createEncoder()
    encoding.writeVarUint(encoder, 1)
    encoding.writeVarUint(encoder, writer)
    encoding.writeVarUint(encoder, clock)
    encoding.writeVarString(encoder, isJson(state) ? state : 'null')
    applyAwarenessUpdate(this.awareness, encoding.toUint8Array(encoder), remote)
  }

  destroy(): void {
    this.awareness.destroy()
  }
}

// A caret comes from another client, and servers do not look into it.
function isJson(state: string): boolean {
  if (state === '') return false
  try {
    JSON.parse(state)
    return true
  } catch {
    // Whoever sent it is drawn as nobody.
    return false
  }
}
