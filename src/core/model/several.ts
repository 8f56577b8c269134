// Operations that do the same to each of several entries: what is done, to which, and what that costs.

import { entriesPerPush } from './limits.ts'
import type { Operation, Several } from './wire.ts'

type Asked = Operation['operation']

/** What is done to one, or to each of several. */
export function changeOf(operation: Asked): Asked | Several['change'] {
  return operation.case === 'several' ? operation.value.change : operation
}

/** The entries that an operation changes; none: it makes one. */
export function entriesOf(operation: Asked): readonly string[] {
  const { case: what, value } = operation
  if (what === 'several') return value.entries
  if (what === 'nameVersion') return [value.document]
  return value && 'entry' in value ? [value.entry] : []
}

/** As how many pushes an operation counts. */
export function pushesOf(operation: Asked): number {
  return Math.max(1, Math.ceil(entriesOf(operation).length / entriesPerPush))
}

/** What an operation for one of several would be. */
export function forOne({ change }: Several, entry: string): Asked {
  switch (change.case) {
    case 'delete':
      return { case: 'delete', value: { ...change.value, entry } }
    case 'restore':
      return { case: 'restore', value: { ...change.value, entry } }
    case 'erase':
      return { case: 'erase', value: { ...change.value, entry } }
    case 'move':
      return { case: 'move', value: { ...change.value, entry } }
    case undefined:
      return change
  }
}
