// The rows of the tree: what is seen of a folder when some directories are open, in one list.
//
// It is the collection that React Aria's hooks work on. React Aria's own Tree builds a node and two
// elements for every entry before it shows the first row, which takes 13 s for 100,000; here a node
// is made when it is asked for, and that is about once for each row on the screen.

import type { ReactElement } from 'react'
import type { ListState } from 'react-stately/useListState'
import type { FileInfo } from '../client/api.ts'
import { type FolderTree, isDirectory, top } from './folder-tree.ts'
import { hasWords } from '../core/model/path-words.ts'

type Rows = ListState<FileInfo>['collection']
export type RowNode = NonNullable<ReturnType<Rows['getItem']>>

export interface Row {
  entry: FileInfo
  /** 0 at the top. */
  level: number
  /** Among the rows of its directory. */
  index: number
  /** How many rows its directory has. */
  setSize: number
  isOpen: boolean
}

interface TreeRowsOptions {
  tree: FolderTree
  /** Directories that are open. */
  open: ReadonlySet<string>
  /** Words of a filter; then what matches is shown with the directories above it, all open. */
  wanted: string
  render: (node: RowNode) => ReactElement
  /** A row was pressed with a mouse. */
  pressed: (id: string, event: PressedKeys) => void
}

export interface PressedKeys {
  pointerType: string
  shiftKey: boolean
  ctrlKey: boolean
  metaKey: boolean
}

export class TreeRows implements Rows {
  readonly #rows: Row[] = []
  readonly #places = new Map<string, number>()
  readonly #nodes = new Map<string, RowNode>()
  readonly #nodesBefore: ReadonlyMap<string, RowNode>
  readonly #options: TreeRowsOptions

  constructor(options: TreeRowsOptions, before?: TreeRows) {
    this.#options = options
    this.#nodesBefore = before?.nodesNow ?? new Map()
    const shown = options.wanted === '' ? undefined : found(options.tree, options.wanted)
    this.#add(top, 0, shown)
    this.#rows.forEach(({ entry }, place) => this.#places.set(entry.id, place))
  }

  get size(): number {
    return this.#rows.length
  }

  get nodesNow(): ReadonlyMap<string, RowNode> {
    return this.#nodes
  }

  row(place: number): Row | undefined {
    return this.#rows[place]
  }

  rowOf(id: string): Row | undefined {
    const place = this.#places.get(id)
    return place === undefined ? undefined : this.#rows[place]
  }

  /** Where a row stands, from 0; -1: it is not shown. */
  placeOf(id: string | number): number {
    return this.#places.get(String(id)) ?? -1
  }

  /** The row of the directory that a row lies in. */
  parentRow(id: string): Row | undefined {
    const entry = this.rowOf(id)?.entry
    return entry && this.rowOf(this.#options.tree.parentOf(entry))
  }

  *[Symbol.iterator](): Iterator<RowNode> {
    for (const { entry } of this.#rows) yield this.getItem(entry.id)!
  }

  getKeys(): Iterable<string> {
    return this.#places.keys()
  }

  getItem(key: string | number): RowNode | null {
    const id = String(key)
    const made = this.#nodes.get(id)
    if (made) return made
    const row = this.rowOf(id)
    if (!row) return null
    const before = this.#nodesBefore.get(id)
    const node = before && isSame(before.props.row as Row, row) ? before : this.#node(row)
    this.#nodes.set(id, node)
    return node
  }

  at(place: number): RowNode | null {
    const row = this.#rows[place]
    return row ? this.getItem(row.entry.id) : null
  }

  getFirstKey(): string | null {
    return this.#rows[0]?.entry.id ?? null
  }

  getLastKey(): string | null {
    return this.#rows.at(-1)?.entry.id ?? null
  }

  getKeyBefore(key: string | number): string | null {
    return this.#rows[this.placeOf(key) - 1]?.entry.id ?? null
  }

  getKeyAfter(key: string | number): string | null {
    const place = this.placeOf(key)
    return place < 0 ? null : (this.#rows[place + 1]?.entry.id ?? null)
  }

  /** Rows hold no rows: the tree is one list, each row with its level. */
  getChildren(): Iterable<RowNode> {
    return []
  }

  getTextValue(key: string | number): string {
    return this.rowOf(String(key))?.entry.name ?? ''
  }

  #add(directory: string, level: number, shown: ReadonlySet<string> | undefined): void {
    const { tree, open } = this.#options
    const children = tree.children(directory)
    const entries = shown ? children.filter(({ id }) => shown.has(id)) : children
    entries.forEach((entry, index) => {
      const isOpen = isDirectory(entry) && (shown !== undefined || open.has(entry.id))
      this.#rows.push({ entry, level, index, setSize: entries.length, isOpen })
      if (isOpen) this.#add(entry.id, level + 1, shown)
    })
  }

  #node(row: Row): RowNode {
    const { entry, level, index } = row
    const { render, pressed, tree } = this.#options
    const parent = tree.parentOf(entry)
    return {
      type: 'item',
      key: entry.id,
      value: entry,
      level,
      index,
      hasChildNodes: isDirectory(entry),
      childNodes: [],
      rendered: null,
      textValue: entry.name,
      parentKey: parent === top ? null : parent,
      props: { row, onPress: (event: PressedKeys) => pressed(entry.id, event) },
      render,
    }
  }
}

function isSame(a: Row, b: Row): boolean {
  return (
    a.entry === b.entry &&
    a.level === b.level &&
    a.index === b.index &&
    a.setSize === b.setSize &&
    a.isOpen === b.isOpen
  )
}

/** The entries whose path has all the words, and the directories above them. */
function found(tree: FolderTree, wanted: string): ReadonlySet<string> {
  const shown = new Set<string>()
  const isWanted = hasWords(wanted)
  for (const entry of tree.entries()) {
    if (entry.isDeleted || shown.has(entry.id) || !isWanted(entry.path)) continue
    shown.add(entry.id)
    for (const { id } of tree.ancestors(entry.id)) shown.add(id)
  }
  return shown
}
