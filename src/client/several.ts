// The same done to several entries: asked of a server in one operation, and told for each.

import { create } from '@bufbuild/protobuf'
import { errorOf } from '../core/model/error-codes.ts'
import { FourfoldError } from '../core/model/errors.ts'
import { forOne } from '../core/model/several.ts'
import {
  DeleteSchema,
  EraseSchema,
  MoveSchema,
  RestoreSchema,
  SeveralSchema,
  type Operation,
  type Several,
} from '../core/model/wire.ts'
import type { SharedChange, Undone } from './api.ts'
import type { Outcome } from './operating.ts'

type Operate = (operation: Operation['operation']) => Promise<Pick<Outcome, 'undone'>>

/** Resolves with those to which it was not done. Rejects with FourfoldError: to none of them. */
export async function changeSeveral(
  ids: readonly string[],
  change: SharedChange,
  operate: Operate,
): Promise<Undone[]> {
  const several = create(SeveralSchema, { entries: [...ids], change: onWire(change) })
  if (ids.length === 1) {
    await operate(forOne(several, ids[0]!))
    return []
  }
  const { undone } = await operate({ case: 'several', value: several })
  const alone = undone.map(async ({ entry, ...refusal }): Promise<Undone[]> => {
    let error = errorOf(refusal)
    // Another server may know of it, and this one soon: an operation waits for that.
    if (error.code === 'unavailable') {
      try {
        await operate(forOne(several, entry))
        return []
      } catch (refused) {
        if (!(refused instanceof FourfoldError)) throw refused
        error = refused
      }
    }
    return [{ id: entry, error }]
  })
  return (await Promise.all(alone)).flat()
}

function onWire(change: SharedChange): Several['change'] {
  switch (change.name) {
    case 'remove':
      return { case: 'delete', value: create(DeleteSchema) }
    case 'restore':
      return { case: 'restore', value: create(RestoreSchema) }
    case 'erase':
      return { case: 'erase', value: create(EraseSchema) }
    case 'move':
      return { case: 'move', value: create(MoveSchema, { parent: change.parent }) }
  }
}
