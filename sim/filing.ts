// What people do with files and directories: acts as operations, written down in the journal.

import type { Files } from '../src/client/files.ts'
import type { SubjectId } from '../src/core/model/ids.ts'
import { Kind, type Operation } from '../src/core/model/wire.ts'
import { Bits } from './bits.ts'
import type { DocumentId, Edit, FileRecord, Journal, PersonName } from './journal.ts'
import type { Act } from './plan.ts'
import { tokenText } from './token.ts'

export type FilingAct = Extract<
  Act,
  { type: 'create' | 'makeDirectory' | 'move' | 'rename' | 'trash' | 'restore' | 'erase' }
>

export function isFiling(act: Act): act is FilingAct {
  const types = ['create', 'makeDirectory', 'move', 'rename', 'trash', 'restore', 'erase']
  return types.includes(act.type)
}

/** An operation, and what stands in the journal of it. */
export interface Filed {
  /** Absent: any. */
  id?: SubjectId
  operation: Operation['operation']
  edits: Edit[]
}

export interface FilingOptions {
  journal: Journal
  person: PersonName
  /** Of the person's tokens. */
  label: string
  /** What the person sees of the folder. */
  files: Files
  /** Whether the person has this text open. */
  isOpen: (document: DocumentId) => boolean
  documentId: (number: number) => SubjectId
}

export class Filing {
  readonly #options: FilingOptions

  constructor(options: FilingOptions) {
    this.#options = options
  }

  /** Undefined: the person cannot do this now. */
  file(at: number, act: FilingAct): Filed | undefined {
    const { journal, documentId } = this.#options
    const id = documentId(act.document)
    const record = journal.files.get(id)
    switch (act.type) {
      case 'create':
        return record ? undefined : this.#create(at, id, act)
      case 'makeDirectory':
        return record ? undefined : this.#makeDirectory(at, id, act)
      default:
        return record && this.#isSeen(record) ? this.#change(at, record, act) : undefined
    }
  }

  #isSeen({ id, kind }: FileRecord): boolean {
    const { files, isOpen } = this.#options
    return kind === Kind.TEXT ? isOpen(id) : files.get(id) !== undefined
  }

  /** The directory that an act names; the top when the person does not see it. */
  #parent(number: number | undefined): string {
    const { files, documentId } = this.#options
    const id = number === undefined ? '' : documentId(number)
    return files.get(id)?.kind === 'directory' ? id : ''
  }

  #create(at: number, id: SubjectId, act: Extract<FilingAct, { type: 'create' }>): Filed {
    const { journal, person, label } = this.#options
    const name = act.name ?? `${label} ${id.slice(0, 4)}.md`
    const parent = this.#parent(act.parent)
    const edits: Edit[] = [journal.created({ at, person, id, name, parent, kind: Kind.TEXT })]
    let text = ''
    for (let word = 0; word < act.words; word++) {
      const seen = new Bits()
      const token = journal.typed({ at, person, label, document: id, seen, follows: undefined })
      text += tokenText(token.name)
      edits.push(token)
    }
    const value = { $typeName: 'fourfold.v1.Create' as const, name, text, parent }
    return { id, operation: { case: 'create', value }, edits }
  }

  #makeDirectory(
    at: number,
    id: SubjectId,
    act: Extract<FilingAct, { type: 'makeDirectory' }>,
  ): Filed {
    const { journal, person } = this.#options
    const { name } = act
    const parent = this.#parent(act.parent)
    const edit = journal.created({ at, person, id, name, parent, kind: Kind.DIRECTORY })
    const value = { $typeName: 'fourfold.v1.MakeDirectory' as const, name, parent }
    return { id, operation: { case: 'makeDirectory', value }, edits: [edit] }
  }

  #change(
    at: number,
    file: FileRecord,
    act: Exclude<FilingAct, { type: 'create' | 'makeDirectory' }>,
  ): Filed {
    const { journal, person, label } = this.#options
    const entry = file.id
    switch (act.type) {
      case 'move': {
        const parent = this.#parent(act.parent)
        const value = { $typeName: 'fourfold.v1.Move' as const, entry, parent, name: '' }
        const edits = [journal.moved(at, person, file, parent)]
        return { operation: { case: 'move', value }, edits }
      }
      case 'rename': {
        const name = act.name ?? `${label} ${Math.round(at)}.md`
        const value = { $typeName: 'fourfold.v1.Rename' as const, entry, name }
        const edits = [journal.renamed(at, person, file, name)]
        return { operation: { case: 'rename', value }, edits }
      }
      case 'trash': {
        const value = { $typeName: 'fourfold.v1.Delete' as const, entry }
        return { operation: { case: 'delete', value }, edits: [journal.trashed(at, person, file)] }
      }
      case 'erase': {
        const value = { $typeName: 'fourfold.v1.Erase' as const, entry }
        return { operation: { case: 'erase', value }, edits: [journal.erased(at, person, file)] }
      }
      case 'restore': {
        const value = { $typeName: 'fourfold.v1.Restore' as const, entry }
        const edits = [journal.restored(at, person, file)]
        return { operation: { case: 'restore', value }, edits }
      }
    }
  }
}
