// grpc.health.v1: what load balancers and gRPC clients ask before they send calls.

import { setTimeout as sleep } from 'node:timers/promises'
import { Code, ConnectError, type ServiceImpl } from '@connectrpc/connect'
import {
  HealthCheckResponse_ServingStatus as Status,
  type Health,
} from '../../gen/grpc/health/v1/health_pb.ts'

/** How often a watched server is looked at: a client that waits to go on notices within this. */
const lookMs = 500

/** `services` are the full names of what this server has; `isServing` is asked each time. */
export function healthService(
  services: string[],
  isServing: () => boolean,
): ServiceImpl<typeof Health> {
  const statusOf = (service: string): Status => {
    if (service !== '' && !services.includes(service)) return Status.SERVICE_UNKNOWN
    return isServing() ? Status.SERVING : Status.NOT_SERVING
  }
  return {
    check({ service }) {
      const status = statusOf(service)
      if (status !== Status.SERVICE_UNKNOWN) return { status }
      throw new ConnectError(`There is no service "${service}" here.`, Code.NotFound)
    },

    async *watch({ service }, { signal }) {
      let told: Status | undefined
      while (!signal.aborted) {
        const status = statusOf(service)
        if (status !== told) yield { status }
        told = status
        // Rejects only when the caller has gone: the loop ends.
        await sleep(lookMs, undefined, { signal }).catch(() => {})
      }
    },
  }
}
