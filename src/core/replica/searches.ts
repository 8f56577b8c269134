// Searches in the text of all files: each takes a slice of a turn, answers, and waits to be asked on.
//
//   called ──> slice ──> found (lines, not done) ──> asked on ──> slice ──> … ──> found (done)
//
// Whoever reads slowly asks slowly: nothing gathers here but the place where a search goes on.

import { FourfoldError } from '../model/errors.ts'
import type { Folder, Scope } from '../model/folder.ts'
import type { SubjectId } from '../model/ids.ts'
import {
  foundLinesMax,
  searchedInOrderMax,
  searchesMax,
  searchStepsPerFile,
  searchStepsPerPassed,
  searchStepsPerTurn,
} from '../model/limits.ts'
import type { Place } from '../model/directory.ts'
import { Kind, type Entry } from '../model/wire.ts'
import type { Appends } from './appends.ts'
import type { Documents } from './documents.ts'
import { LineFinder, type Pattern, type Progress } from './line-finder.ts'
import type { CallId, FileView, LineView } from './messages.ts'
import type { Sketches } from './sketches.ts'
import type { Voice } from './voice.ts'
import { wantedPieces, type WantedPieces } from './wanted-pieces.ts'

export interface SearchesOptions {
  folder: Folder
  documents: Documents
  appends: Appends
  sketches: Sketches<SubjectId>
  voice: Voice
  view: (entry: Entry) => FileView
}

interface Search {
  finder: LineFinder
  wanted: WantedPieces
  scope: Scope
  /** The text looked through last, or now; empty: it begins. */
  at: string
  /** Behind this one it goes on. */
  after: Place[]
  /** What is left of the text looked through now. */
  lines: Generator<Progress> | undefined
  /** Nothing comes after that. */
  isLast: boolean
  count: number
}

export class Searches {
  readonly #options: SearchesOptions
  readonly #searches = new Map<CallId, Search>()

  constructor(options: SearchesOptions) {
    this.#options = options
  }

  /**
   * In one file, or in all files at any depth in a directory; absent: the top.
   * @throws FourfoldError invalid, unavailable
   */
  begin(call: CallId, pattern: Pattern, place: Entry | undefined): void {
    const finder = new LineFinder(pattern)
    if (this.#searches.size >= searchesMax) {
      throw new FourfoldError('unavailable', 'Too many search at this server; try another.')
    }
    const isFile = place !== undefined && place.kind !== Kind.DIRECTORY
    const scope = { directory: isFile ? '' : (place?.id ?? ''), isRecursive: true, inTrash: false }
    const search: Search = {
      finder,
      wanted: wantedPieces(pattern),
      scope,
      at: '',
      after: [],
      lines: undefined,
      isLast: isFile,
      count: 0,
    }
    if (isFile) this.#enter(search, place)
    this.#searches.set(call, search)
    this.more(call)
  }

  /** The next slice. A file that cannot be read here ends the search: another server may read it. */
  more(call: CallId): void {
    const search = this.#searches.get(call)
    if (!search) return
    const lines: LineView[] = []
    let ahead: Iterator<Entry> | undefined
    let left = searchStepsPerTurn / this.#searches.size
    let isDone = false
    while (left > 0 && !isDone) {
      if (!search.lines && !search.isLast) {
        ahead ??= this.#ahead(search)
        left -= this.#enterNext(search, ahead, left)
      }
      isDone = (!search.lines && search.isLast) || search.count >= foundLinesMax
      if (search.lines && !isDone) left -= this.#step(search, search.lines, lines)
    }
    const isCut = isDone && search.count >= foundLinesMax
    if (isDone) this.#searches.delete(call)
    // Some of it may not be on disk yet: told only after it is (1).
    this.#options.appends.whenStored(() =>
      this.#options.voice.answer(call, { type: 'found', lines, isDone, isCut }),
    )
  }

  end(call: CallId): void {
    this.#searches.delete(call)
  }

  #step(search: Search, from: Generator<Progress>, lines: LineView[]): number {
    const { value } = from.next()
    if (!value) {
      search.lines = undefined
      return searchStepsPerFile
    }
    const { steps, found } = value as Progress
    const entry = found && this.#options.folder.get(search.at)
    if (entry) {
      lines.push({ file: this.#options.view(entry), line: found.number, text: found.text })
      search.count++
    }
    return steps
  }

  /** The entries behind the last one, by path: those that may hold it, or all when these are many. */
  #ahead({ scope, wanted, after }: Search): Iterator<Entry> {
    const { folder, sketches } = this.#options
    const few = sketches.few(wanted, searchedInOrderMax)
    const entries = few ? folder.listOf(few, scope, after) : folder.list(scope, after)
    return entries[Symbol.iterator]()
  }

  /**
   * Goes on with the next text that may hold it; after the last there are no lines, nor before so many
   * steps are spent on passing by others. Returns how many were.
   */
  #enterNext(search: Search, ahead: Iterator<Entry>, stepsMax: number): number {
    const { folder, sketches } = this.#options
    let steps = 0
    for (let next = ahead.next(); !next.done; next = ahead.next()) {
      const entry = next.value
      steps += searchStepsPerPassed
      const isText = entry.kind === Kind.TEXT
      const isNext = isText && sketches.mayHold(entry.id as SubjectId, search.wanted)
      if (!isNext && steps < stepsMax) continue
      search.after = folder.placesOf(entry.id, search.scope)
      if (isNext) this.#enter(search, entry)
      return steps
    }
    search.isLast = true
    return steps
  }

  #enter(search: Search, { id }: Entry): void {
    const { documents, sketches } = this.#options
    const text = documents.attempt(id as SubjectId, () => documents.peek(id as SubjectId))
    if (text instanceof FourfoldError) throw text
    sketches.read(id as SubjectId, text)
    search.at = id
    search.lines = search.finder.find(text)
  }
}
