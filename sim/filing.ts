// What people do with files and directories: acts as operations, written down in the journal.

import type { Files } from '../src/client/files.ts'
import type { SubjectId } from '../src/core/model/ids.ts'
import { entriesOf } from '../src/core/model/several.ts'
import { Kind, type Operation, type Several } from '../src/core/model/wire.ts'
import { Bits } from './bits.ts'
import type { DocumentId, Edit, FileRecord, Journal, PersonName } from './journal.ts'
import type { Act } from './plan.ts'
import { tokenText } from './token.ts'

export type FilingAct = Extract<
  Act,
  {
    type: 'create' | 'makeDirectory' | 'move' | 'rename' | 'trash' | 'restore' | 'erase' | 'several'
  }
>

type SeveralAct = Extract<FilingAct, { type: 'several' }>
type Change = Exclude<FilingAct, SeveralAct | { type: 'create' | 'makeDirectory' }>

export function isFiling(act: Act): act is FilingAct {
  return filings.has(act.type)
}

const filings: ReadonlySet<Act['type']> = new Set<FilingAct['type']>([
  'create',
  'makeDirectory',
  'move',
  'rename',
  'trash',
  'restore',
  'erase',
  'several',
])

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
    if (act.type === 'several') return this.#several(at, act)
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

  #several(at: number, { documents, change, parent }: SeveralAct): Filed | undefined {
    const where = parent === undefined ? {} : { parent }
    const all = documents
      .map((document) => this.file(at, { at, type: change, document, ...where }))
      .filter((filed) => filed !== undefined)
    const [first] = all
    if (!first || all.length === 1) return first
    const edits = all.flatMap((each) => each.edits)
    const entries = all.flatMap(({ operation }) => entriesOf(operation))
    const value = { $typeName: 'fourfold.v1.Several' as const, entries, change: ofEach(first) }
    return { operation: { case: 'several', value }, edits }
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

  #change(at: number, file: FileRecord, act: Change): Filed {
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

/** What is done to one, as `Several` says it of each. */
function ofEach({ operation }: Filed): Several['change'] {
  switch (operation.case) {
    case 'move':
      return { case: 'move', value: { ...operation.value, entry: '' } }
    case 'delete':
      return { case: 'delete', value: { ...operation.value, entry: '' } }
    case 'restore':
      return { case: 'restore', value: { ...operation.value, entry: '' } }
    case 'erase':
      return { case: 'erase', value: { ...operation.value, entry: '' } }
    default:
      throw new Error(`${operation.case} is not done to several`)
  }
}
