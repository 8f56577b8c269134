// grpc.reflection: gives gRPC tools the schema of this server, so that they need no .proto files.

import { toBinary, type DescFile } from '@bufbuild/protobuf'
import { nestedTypes } from '@bufbuild/protobuf/reflect'
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import { Code, type ServiceImpl } from '@connectrpc/connect'
import type {
  ServerReflection,
  ServerReflectionRequest,
} from '../../gen/grpc/reflection/v1/reflection_pb.ts'
import type { ServerReflection as ServerReflectionAlpha } from '../../gen/grpc/reflection/v1alpha/reflection_pb.ts'

type Question = ServerReflectionRequest['messageRequest'] extends infer Q
  ? Q extends { case: 'fileContainingExtension' }
    ? { case: 'fileContainingExtension'; value: { containingType: string } }
    : Q
  : never

/** `files` declare the services of this server. */
export function reflectionService(files: DescFile[]): ServiceImpl<typeof ServerReflection> {
  const schema = new Schema(files)
  return {
    async *serverReflectionInfo(requests) {
      for await (const request of requests) {
        yield {
          validHost: request.host,
          originalRequest: request,
          messageResponse: schema.answer(request.messageRequest),
        }
      }
    },
  }
}

/** The same under the older name, which many tools still ask for first or only. */
export function reflectionAlphaService(
  files: DescFile[],
): ServiceImpl<typeof ServerReflectionAlpha> {
  const schema = new Schema(files)
  return {
    async *serverReflectionInfo(requests) {
      for await (const request of requests) {
        yield {
          validHost: request.host,
          originalRequest: request,
          messageResponse: schema.answer(request.messageRequest),
        }
      }
    },
  }
}

class Schema {
  readonly #files = new Map<string, DescFile>()
  readonly #symbols = new Map<string, DescFile>()
  readonly #services: string[] = []

  constructor(files: DescFile[]) {
    for (const file of files) this.#add(file)
    for (const file of files) this.#services.push(...file.services.map(({ typeName }) => typeName))
  }

  answer(question: Question) {
    switch (question.case) {
      case 'listServices':
        return {
          case: 'listServicesResponse' as const,
          value: { service: this.#services.toSorted().map((name) => ({ name })) },
        }
      case 'fileByFilename':
        return found(this.#files.get(question.value), question.value)
      case 'fileContainingSymbol':
        return found(this.#symbols.get(question.value), question.value)
      case 'fileContainingExtension':
        return missing(`an extension of ${question.value.containingType}`)
      case 'allExtensionNumbersOfType':
        return {
          case: 'allExtensionNumbersResponse' as const,
          value: { baseTypeName: question.value, extensionNumber: [] },
        }
      case undefined:
        return missing('what was asked')
    }
  }

  #add(file: DescFile): void {
    const name = file.proto.name
    if (this.#files.has(name)) return
    this.#files.set(name, file)
    for (const type of nestedTypes(file)) {
      if (type.kind !== 'extension') this.#symbols.set(type.typeName, file)
    }
    for (const { typeName, methods } of file.services) {
      for (const method of methods) this.#symbols.set(`${typeName}.${method.name}`, file)
    }
    for (const dependency of file.dependencies) this.#add(dependency)
  }
}

function found(file: DescFile | undefined, name: string) {
  if (!file) return missing(`"${name}"`)
  const fileDescriptorProto = withImports(file).map(({ proto }) =>
    toBinary(FileDescriptorProtoSchema, proto),
  )
  return { case: 'fileDescriptorResponse' as const, value: { fileDescriptorProto } }
}

function withImports(file: DescFile): DescFile[] {
  const files = new Set([file])
  // A set is walked while it grows: every import is visited once.
  for (const each of files) for (const dependency of each.dependencies) files.add(dependency)
  return [...files]
}

function missing(what: string) {
  return {
    case: 'errorResponse' as const,
    value: { errorCode: Code.NotFound, errorMessage: `This server does not know ${what}.` },
  }
}
