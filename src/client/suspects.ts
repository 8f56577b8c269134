// Documents that this device keeps from sessions whose keys it lost, or which are more than servers hear:
// nobody can tell what in them was not sent, and nobody can send it.
//
//   keys are no record ──> suspect ── compared ──> the servers have all of it: cleared
//                                         └──> they lack words: these are kept as a text, and the copy
//                                              goes when no program has it open
//
// What builds on words that no server takes cannot be taken either: a text goes on from what servers have.

import type { LocalStorage, Note } from '../core/ports.ts'
import type { KeptText } from './api.ts'
import { entriesOf, pathsOf, textOf } from './kept-values.ts'
import { Files } from './files.ts'
import { cut, isRecord, recordsOf, recordsOfKeys } from './keyring.ts'
import { keepText } from './kept-texts.ts'

const key = 'suspects'

/** What is known of one. */
interface Suspect {
  /** Servers lack words of it that are here. */
  isLacking: boolean
  /** The words about which its person has decided. */
  decided?: string
}

type Suspects = { [document: string]: Suspect }

/**
 * Documents in which may be words that nobody can send. All that is kept is suspect where the keys are no
 * record. Copies of which servers lack words are let go of before that.
 */
export async function findSuspects(
  shelf: LocalStorage,
  isOpen: (document: string) => boolean,
): Promise<string[]> {
  const [keys, value] = await Promise.all([shelf.get('keys'), shelf.get(key)])
  const known = suspectsOf(value)
  if (Object.values(known).some(({ isLacking }) => isLacking)) await letGo(shelf, isOpen)
  const unjudged = Object.keys(known).filter((id) => !known[id]!.isLacking)
  if (isRecord(keys)) return unjudged
  const documents = await shelf.documents()
  // First: whoever finds a record looks no further.
  await suspect(shelf, documents)
  await shelf.change('keys', (lost) => recordsOf(recordsOfKeys(lost, documents)))
  return [...new Set([...unjudged, ...documents])]
}

/**
 * Changes the record of keys, by what `keep` does with the note of it. Of more than servers hear the oldest
 * go, and their documents are suspect.
 */
export async function changeKeys(
  shelf: LocalStorage,
  alter: Note['alter'],
  keep: (note: Note) => Promise<void>,
): Promise<void> {
  let documents: string[] = []
  const noting = (value: unknown) => {
    const records = alter(value)
    documents = cut(records).documents
    return records
  }
  await keep({ key: 'keys', alter: noting })
  if (documents.length === 0) return
  await suspect(shelf, documents)
  await shelf.change('keys', (value) => cut(value).records)
}

async function suspect(shelf: LocalStorage, documents: readonly string[]): Promise<void> {
  if (documents.length === 0) return
  const found = Object.fromEntries(documents.map((id) => [id, { isLacking: false }]))
  await shelf.change(key, (value) => ({ ...found, ...suspectsOf(value) }))
}

/** What came out. */
export async function judge(
  shelf: LocalStorage,
  document: string,
  isLacking: boolean,
): Promise<void> {
  await shelf.change(key, (value) => {
    const { [document]: before, ...others } = suspectsOf(value)
    return isLacking ? { ...others, [document]: { ...before, isLacking } } : others
  })
}

/** Its person has decided about these texts. */
export async function decide(shelf: LocalStorage, texts: readonly KeptText[]): Promise<void> {
  const words = new Map(texts.map(({ id, text }) => [id, text]))
  await shelf.change(key, (value) =>
    Object.fromEntries(
      Object.entries(suspectsOf(value)).map(([id, suspect]) => {
        const decided = words.get(id)
        return [id, decided === undefined ? suspect : { ...suspect, decided }]
      }),
    ),
  )
}

/** The copies of which servers lack words go, and become texts; but for those that are open. */
export async function letGo(
  shelf: LocalStorage,
  isOpen: (document: string) => boolean,
): Promise<void> {
  const suspects = Object.entries(suspectsOf(await shelf.get(key)))
  const lacking = suspects.filter(([id, { isLacking }]) => isLacking && !isOpen(id))
  const files = new Files()
  files.apply({ entries: entriesOf(await shelf.get('entries')) })
  const paths = pathsOf(await shelf.get('paths'))
  for (const [id, { decided }] of lacking) {
    const text = textOf((await shelf.load(id)).updates)
    const path = files.get(id)?.path ?? paths[id] ?? `${id}.txt`
    if (text !== '' && text !== decided) await keepText(shelf, { id, path, text, why: 'unsent' })
    await shelf.forget(id)
    await judge(shelf, id, false)
  }
}

// The storage is this device's own, but another version of the program may have written there.
function suspectsOf(value: unknown): Suspects {
  if (typeof value !== 'object' || value === null) return {}
  const suspects = Object.entries(value as Suspects).filter(
    ([, suspect]) => typeof (suspect as Partial<Suspect> | null)?.isLacking === 'boolean',
  )
  return Object.fromEntries(suspects)
}
