// A recorded editing session of one author, keystroke by keystroke; a made-up one where it is missing.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

import { Random } from '../sim/random.ts'
import { root } from '../test/tool.ts'

/** At this place so many characters are deleted and these inserted. */
export type Patch = [position: number, deleted: number, inserted: string]

export interface EditingTrace {
  name: string
  edits: Patch[]
  endText: string
}

/** As many as the recorded session has, of which about as many delete. */
const editsMade = 259_778
const deletesPart = 0.3

export function editingTrace(): EditingTrace {
  const folder = process.env['FOURFOLD_TRACES'] ?? join(root, '../shared/traces')
  const file = join(folder, 'automerge-paper.json.gz')
  return existsSync(file) ? recorded(file) : made()
}

function recorded(file: string): EditingTrace {
  const { txns, endContent } = JSON.parse(gunzipSync(readFileSync(file)).toString()) as {
    txns: { patches: Patch[] }[]
    endContent: string
  }
  return {
    name: 'automerge-paper',
    edits: txns.flatMap(({ patches }) => patches),
    endText: endContent,
  }
}

/** Somebody who writes in bursts, mostly at the end, and takes some of it back. */
function made(): EditingTrace {
  const random = new Random('editing trace')
  const edits: Patch[] = []
  const letters: string[] = []
  let place = 0
  for (let edit = 0; edit < editsMade; edit++) {
    if (random.chance(0.01)) {
      place = random.chance(0.5) ? letters.length : random.below(letters.length + 1)
    }
    if (place > 0 && random.chance(deletesPart)) {
      edits.push([--place, 1, ''])
      letters.splice(place, 1)
    } else {
      const letter = random.chance(0.17) ? ' ' : random.pick([...'etaoinshrdlu'])
      edits.push([place, 0, letter])
      letters.splice(place++, 0, letter)
    }
  }
  return { name: 'a made-up session', edits, endText: letters.join('') }
}
