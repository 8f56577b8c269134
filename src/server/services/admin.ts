// AdminService: how this server is, for operators.

import type { MessageInitShape } from '@bufbuild/protobuf'
import type { ServiceImpl } from '@connectrpc/connect'
import type { AdminService, GetStatusResponseSchema } from '../../core/model/wire.ts'
import { toConnectError } from '../errors.ts'
import type { Tokens } from '../tokens.ts'
import { callerOf } from './caller.ts'

export type Status = MessageInitShape<typeof GetStatusResponseSchema>

export function adminService(
  tokens: Tokens,
  status: () => Status,
): ServiceImpl<typeof AdminService> {
  return {
    getStatus(_request, context) {
      try {
        callerOf(context, tokens)
        return status()
      } catch (error) {
        throw toConnectError(error)
      }
    },
  }
}
