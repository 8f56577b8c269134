// Every service of a server by its name, but for that between servers.

import type { DescFile } from '@bufbuild/protobuf'
import type { ConnectRouter } from '@connectrpc/connect'
import {
  AdminService,
  file_fourfold_v1_admin,
  file_fourfold_v1_folder,
  file_fourfold_v1_replication,
  file_fourfold_v1_session,
  FolderService,
  ReplicationService,
  SessionService,
} from '../../core/model/wire.ts'
import { file_grpc_health_v1_health, Health } from '../../gen/grpc/health/v1/health_pb.ts'
import {
  file_grpc_reflection_v1_reflection,
  ServerReflection,
} from '../../gen/grpc/reflection/v1/reflection_pb.ts'
import {
  file_grpc_reflection_v1alpha_reflection,
  ServerReflection as ServerReflectionAlpha,
} from '../../gen/grpc/reflection/v1alpha/reflection_pb.ts'
import type { Engine } from '../../core/ports.ts'
import type { Configuration } from '../configuration.ts'
import type { Runtime } from '../runtime.ts'
import type { Tokens } from '../tokens.ts'
import { adminService, type Status } from './admin.ts'
import { folderService, type Blobs } from './folder.ts'
import { healthService } from './health.ts'
import { reflectionAlphaService, reflectionService } from './reflection.ts'
import { sessionService } from './session.ts'
import type { SignInFailures } from './sign-in-failures.ts'

const files: DescFile[] = [
  file_fourfold_v1_admin,
  file_fourfold_v1_folder,
  file_fourfold_v1_replication,
  file_fourfold_v1_session,
  file_grpc_health_v1_health,
  file_grpc_reflection_v1_reflection,
  file_grpc_reflection_v1alpha_reflection,
]

export interface Behind {
  runtime: Runtime
  tokens: Tokens
  failures: SignInFailures
  blobs: Blobs
  status: () => Status
  engine: Pick<Engine, 'whenStored'>
}

export function routes(
  configuration: Configuration,
  { runtime, tokens, failures, blobs, status, engine }: Behind,
): (router: ConnectRouter) => void {
  const own = [AdminService, FolderService, ReplicationService, SessionService]
  const names = own.map(({ typeName }) => typeName)
  // Made once: several routers may lead to them.
  const session = sessionService(runtime)
  const folder = folderService(runtime, tokens, blobs, failures, configuration.sessionsPerAddress)
  const admin = adminService(tokens, status, engine)
  const health = healthService(names, () => runtime.health === 'ok')
  return (router) => {
    router.service(SessionService, session)
    router.service(FolderService, folder)
    router.service(AdminService, admin)
    router.service(Health, health)
    if (!configuration.hasReflection) return
    router.service(ServerReflection, reflectionService(files))
    router.service(ServerReflectionAlpha, reflectionAlphaService(files))
  }
}
