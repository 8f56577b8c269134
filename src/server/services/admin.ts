// AdminService: how this server is, for operators.

import type { MessageInitShape } from '@bufbuild/protobuf'
import type { ServiceImpl } from '@connectrpc/connect'
import { FourfoldError } from '../../core/model/errors.ts'
import { statusMs } from '../../core/model/limits.ts'
import type { AdminService, GetStatusResponseSchema } from '../../core/model/wire.ts'
import type { Engine } from '../../core/ports.ts'
import { toConnectError } from '../errors.ts'
import type { Tokens } from '../tokens.ts'
import { callerOf } from './caller.ts'

export type Status = MessageInitShape<typeof GetStatusResponseSchema>

export function adminService(
  tokens: Tokens,
  status: () => Status,
  engine: Pick<Engine, 'whenStored'>,
): ServiceImpl<typeof AdminService> {
  return {
    async getStatus(_request, context) {
      try {
        callerOf(context, tokens)
        const told = status()
        await untilStored(engine)
        return told
      } catch (error) {
        throw toConnectError(error)
      }
    },
  }
}

/** Resolves when all that was told so far is on the disk. Rejects when the disk hangs. */
async function untilStored(engine: Pick<Engine, 'whenStored'>): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const hangs = () => reject(new FourfoldError('unavailable', 'The disk of this server hangs.'))
  const timer = setTimeout(hangs, statusMs)
  engine.whenStored(resolve)
  await promise.finally(() => clearTimeout(timer))
}
