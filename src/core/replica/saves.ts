// Whole texts that are saved: which change of the live text each of them is.
//
//   what it was made from is told by its state  ─> its own units are changed, exactly (G8)
//                         … by its text alone   ─> compared with the text as it is, and merged

import { byteLength, isLongerThan } from '../model/byte-length.ts'
import { FourfoldError } from '../model/errors.ts'
import { checkGrowth } from '../model/gate.ts'
import { saveWriterOf, type SubjectId } from '../model/ids.ts'
import { savedStateBytesMax, textBytesMax } from '../model/limits.ts'
import { applyEdits, editedText, mergeText, smallestDiff } from '../model/text-merge.ts'
import { editsAt, reaches, readMoment } from '../model/text-moment.ts'
import { Bases } from './bases.ts'
import type { Documents } from './documents.ts'
import type { LiveDocument } from './live-document.ts'
import type { Call } from './messages.ts'

type Save = Extract<Call, { type: 'save' }>

export class Saves {
  readonly #documents: Documents
  readonly #hash: (text: string) => string
  readonly #bases = new Bases()

  constructor(options: { documents: Documents; hash: (text: string) => string }) {
    this.#documents = options.documents
    this.#hash = options.hash
  }

  /** A text is handed out: under the name that this answers, a later save may say so. */
  remember(text: string): string {
    const version = this.#hash(text)
    this.#bases.remember(version, text)
    return version
  }

  /** What a document consists of, for saves that are made from it; empty: that is too much to tell. */
  stateOf(id: SubjectId, bytesMax = savedStateBytesMax): Uint8Array {
    const state = this.#documents.live(id).state()
    return state.length <= bytesMax ? state : new Uint8Array()
  }

  /**
   * Makes the change in memory; its update, or undefined when nothing changes.
   * @throws FourfoldError invalid, unavailable, too-large
   */
  change(id: SubjectId, save: Save): Uint8Array | undefined {
    const document = this.#documents.live(id)
    return save.baseState === undefined
      ? this.#merged(document, save)
      : this.#made(document, save, save.baseState)
  }

  /** The same wherever it is carried out, and however often. */
  #made(document: LiveDocument, save: Save, state: Uint8Array): Uint8Array | undefined {
    if (state.length > savedStateBytesMax) {
      const text = `A base state has at most ${savedStateBytesMax} bytes, as it was told.`
      throw new FourfoldError('invalid', text)
    }
    const doc = document.doc()
    const moment = readMoment(state)
    if (!reaches(doc, moment)) {
      const text = 'This server has not yet got what that text was made from. Try another.'
      throw new FourfoldError('unavailable', text)
    }
    const base = this.#base(save, document)
    const edits = smallestDiff(base, save.text)
    const writer = saveWriterOf(save.operation, JSON.stringify(edits), state)
    const update = editsAt(doc, moment, { text: base, edits, writer })
    if (!update) return undefined
    checkGrowth(doc, update, document.sizes(update.length))
    document.integrate(update)
    return update
  }

  #merged(document: LiveDocument, save: Save): Uint8Array | undefined {
    const current = document.text().toString()
    const edits = mergeText(this.#base(save, document), current, save.text)
    // What others wrote is there beside it.
    const merged = editedText(current, edits)
    if (isLongerThan(merged, textBytesMax) && byteLength(merged) > byteLength(current)) {
      throw new FourfoldError('too-large', `The file would be larger than ${textBytesMax} bytes.`)
    }
    // Of an operation that nobody else knows nobody makes the same again: no writer for it alone.
    const writer = save.isOnce
      ? undefined
      : saveWriterOf(save.operation, JSON.stringify(edits), document.state())
    return document.edit(writer, (text) => applyEdits(text, edits))
  }

  #base({ baseVersion, baseText }: Save, document: LiveDocument): string {
    if (baseText !== undefined) {
      if (baseVersion === '' || this.#hash(baseText) === baseVersion) return baseText
      throw new FourfoldError(
        'invalid',
        'The text given as the base is not that of the base version.',
      )
    }
    if (baseVersion === '') return document.text().toString()
    const base = this.#bases.recall(baseVersion)
    if (base !== undefined) return base
    // It may be longer than any that is remembered, or was read elsewhere.
    const current = document.text().toString()
    if (this.#hash(current) === baseVersion) return current
    throw new FourfoldError(
      'invalid',
      'This server does not know that base version; send its text along as base_text.',
    )
  }
}
