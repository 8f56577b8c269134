// Texts that are only on this device: of an earlier life of the set, or of files that were deleted for
// good while edits of theirs were on their way. They stay until their person has decided.
//
//   of an earlier life ── compared ──> the servers have these words: forgotten
//                            └──> they have not: shown ── forget ──> gone
//   of an erased file ───────────────> shown ── forget ──> gone
//
// Nothing of them is ever joined with what the servers have: their characters are of another history.

import type { LocalStorage } from '../core/ports.ts'
import type { KeptText } from './api.ts'
import { Files } from './files.ts'
import { entriesOf, operationsOf, pathsOf, textOf } from './kept-values.ts'
import { forgetLife, storageAt, type Lives } from './lives.ts'

const erasedKey = 'erased'
const pathsKey = 'paths'

/** A text of an earlier life. */
interface Candidate {
  id: string
  path: string
  /** The life it lies in on the device; undefined: it is only in this program. */
  place: string | undefined
  /** Absent: it is read from the device when it is looked at. */
  text?: string
}

/** What the servers have under an id; 'later': it cannot be told now. */
export type TextAt = (id: string) => Promise<{ text: string } | 'none' | 'later'>

export class KeptTexts {
  readonly #storage: LocalStorage | undefined
  readonly #changed: () => void
  #candidates: Candidate[] = []
  /** Ids of candidates that the servers do not have as they are here, with their texts. */
  readonly #differing = new Map<Candidate, string>()
  #erased: KeptText[] = []
  /** Where things of the present life lie. */
  #place = ''

  /** `changed`: the list is another. */
  constructor(storage: LocalStorage | undefined, changed: () => void) {
    this.#storage = storage
    this.#changed = changed
  }

  /** `unkept`: texts that an earlier client of this program had and the device could not keep. */
  async begin(
    { place: own, earlier }: Pick<Lives, 'place' | 'earlier'>,
    unkept: readonly KeptText[],
  ): Promise<void> {
    this.#place = own
    this.#candidates = unkept.map(({ id, path, text }) => ({ id, path, text, place: undefined }))
    if (!this.#storage) return
    for (const place of earlier) await this.#find(storageAt(this.#storage, place), place)
    const erased = await erasedIn(storageAt(this.#storage, own))
    const known = new Set(this.#erased.map(({ id }) => id))
    this.#erased.unshift(...erased.filter(({ id }) => !known.has(id)))
    if (this.#erased.length > 0) this.#changed()
  }

  /** Everything on this device of an earlier life. */
  async #find(shelf: LocalStorage, place: string): Promise<void> {
    const files = new Files()
    files.apply({ entries: entriesOf(await shelf.get('entries')) })
    const paths = pathsOf(await shelf.get(pathsKey))
    const found = new Map<string, Candidate>()
    for (const id of await shelf.documents()) {
      found.set(id, { id, path: files.get(id)?.path ?? paths[id] ?? `${id}.txt`, place })
    }
    // Made without a server, and never opened.
    for (const { id, operation } of operationsOf(await shelf.get('operations'))) {
      if (operation.case !== 'create' || operation.value.text === '') continue
      const { name, text } = operation.value
      const known = found.get(id)
      if (known) known.path = files.get(id)?.path ?? paths[id] ?? name
      else found.set(id, { id, path: name, place, text })
    }
    for (const { id, path, text } of await erasedIn(shelf)) found.set(id, { id, path, place, text })
    // What a program could not keep is newer than what the device has of it.
    for (const { id, text, place: only } of this.#candidates) {
      const kept = only === undefined ? found.get(id) : undefined
      if (kept && text !== undefined) kept.text = text
    }
    const isKept = ({ id, place: only }: Candidate) => only === undefined && found.has(id)
    this.#candidates = this.#candidates.filter((each) => !isKept(each))
    this.#candidates.push(...found.values())
  }

  get list(): KeptText[] {
    const outlived = [...this.#differing].map(([{ id, path }, text]) => {
      return { id, path, text, why: 'outlived' as const }
    })
    return [...outlived, ...this.#erased]
  }

  /** Those that are in this program alone. */
  get unkept(): KeptText[] {
    return this.#candidates.flatMap(({ id, path, place, text }) =>
      place === undefined && text !== undefined ? [{ id, path, text, why: 'outlived' }] : [],
    )
  }

  /** Whether there is anything to be compared with the servers. */
  get isWaiting(): boolean {
    return this.#candidates.length > 0
  }

  /** Looks which texts of earlier lives the servers have: these are forgotten. */
  async compare(textAt: TextAt): Promise<void> {
    for (const candidate of [...this.#candidates]) {
      const text = candidate.text ?? (await this.#read(candidate))
      const there = text === '' ? 'none' : await textAt(candidate.id)
      if (there === 'later') continue
      // It may have been forgotten meanwhile.
      if (!this.#candidates.includes(candidate)) continue
      const isThere = text === '' || (there !== 'none' && there.text === text)
      if (isThere) await this.#dropIfStill(candidate, text)
      else if (this.#differing.get(candidate) !== text) {
        this.#differing.set(candidate, text)
        this.#changed()
      }
    }
  }

  async #read({ id, place }: Candidate): Promise<string> {
    if (!this.#storage || place === undefined) return ''
    return textOf((await storageAt(this.#storage, place).load(id)).updates)
  }

  // Another program on this device may still have written there.
  async #dropIfStill(candidate: Candidate, text: string): Promise<void> {
    const isStill = candidate.text !== undefined || (await this.#read(candidate)) === text
    if (isStill) await this.#drop(candidate)
  }

  async #drop(candidate: Candidate): Promise<void> {
    const { id, place } = candidate
    this.#candidates = this.#candidates.filter((each) => each !== candidate)
    if (this.#differing.delete(candidate)) this.#changed()
    if (!this.#storage || place === undefined) return
    const shelf = storageAt(this.#storage, place)
    await shelf.forget(id)
    if (this.#candidates.some((each) => each.place === place)) return
    for (const key of ['entries', 'operations', 'keys', 'rest', 'suspects', erasedKey, pathsKey]) {
      await shelf.set(key, undefined)
    }
    await forgetLife(this.#storage, place)
  }

  /** No server takes its words: they stay here. */
  async keep(text: KeptText): Promise<void> {
    this.#erased = [...this.#erased.filter(({ id }) => id !== text.id), text]
    this.#changed()
    if (this.#storage) await keepText(storageAt(this.#storage, this.#place), text)
  }

  /** Its person has decided: these, with these words, are not wanted here any more. */
  async forget(texts: readonly KeptText[]): Promise<void> {
    const forgotten = new Set(texts.map(({ id, text }) => `${id} ${text}`))
    const isWanted = ({ id, text }: Pick<KeptText, 'id' | 'text'>) =>
      !forgotten.has(`${id} ${text}`)
    const hadErased = this.#erased.length
    this.#erased = this.#erased.filter(isWanted)
    this.#changed()
    for (const [candidate, text] of [...this.#differing]) {
      if (!isWanted({ id: candidate.id, text })) await this.#dropIfStill(candidate, text)
    }
    if (!this.#storage || this.#erased.length === hadErased) return
    await storageAt(this.#storage, this.#place).change(erasedKey, (value) =>
      erasedOf(value).filter(isWanted),
    )
  }
}

/** In the place of what is kept of its file. */
export function keepText(shelf: LocalStorage, text: KeptText): Promise<void> {
  return shelf.change(erasedKey, (value) => [
    ...erasedOf(value).filter(({ id }) => id !== text.id),
    text,
  ])
}

async function erasedIn(shelf: LocalStorage): Promise<KeptText[]> {
  return erasedOf(await shelf.get(erasedKey))
}

// The storage is this device's own, but another version of the program may have written there.
function erasedOf(value: unknown): KeptText[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((each: unknown) => {
    const { id, path, text } = (each ?? {}) as Partial<KeptText>
    const isWhole = typeof id === 'string' && typeof path === 'string' && typeof text === 'string'
    const why = (each as Partial<KeptText> | null)?.why === 'unsent' ? 'unsent' : 'erased'
    return isWhole ? [{ id, path, text, why }] : []
  })
}
