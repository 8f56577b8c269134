// A client of grpc-js, made from the .proto files as a stranger would make it.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

import { root } from './tool.ts'

const protos = loadSync(
  [
    'fourfold/v1/admin.proto',
    'fourfold/v1/folder.proto',
    'fourfold/v1/session.proto',
    'grpc/health/v1/health.proto',
  ],
  { includeDirs: [join(root, 'proto')], defaults: true, oneofs: true, enums: String },
)

/** A message, as grpc-js gives it. */
export interface Answer {
  [field: string]: unknown
}

/** A client of grpc-js for one service: unary calls as promises. */
export function clientOf(
  t: TestContext,
  address: string,
  service: string,
  options: grpc.ClientOptions = {},
) {
  const definition = protos[service] as grpc.ServiceDefinition
  const Client = grpc.makeGenericClientConstructor(definition, service)
  const host = address.replace('http://', '')
  const client = new Client(host, grpc.credentials.createInsecure(), options)
  t.after(() => client.close())
  const call = (method: string, request: object, token?: string): Promise<Answer> => {
    const metadata = new grpc.Metadata()
    if (token !== undefined) metadata.set('authorization', `Bearer ${token}`)
    return new Promise((resolve, reject) => {
      const unary = client[method] as (...words: unknown[]) => unknown
      unary.call(client, request, metadata, (error: Error | null, answer: Answer) =>
        error ? reject(error) : resolve(answer),
      )
    })
  }
  return { client, call }
}

/** Whether a call failed with this code and sentence: for `assert.rejects`. */
export const failsWith =
  (code: grpc.status, details: RegExp | string) => (error: grpc.ServiceError) => {
    assert.equal(error.code, code)
    if (typeof details === 'string') assert.equal(error.details, details)
    else assert.match(error.details, details)
    return true
  }

/** The name of the service of whole files. */
export const folder = 'fourfold.v1.FolderService'

/** What a watcher of a file or directory hears, as it hears it: "CREATED a/b.md", and READY. */
export function watching(client: grpc.Client & { [method: string]: unknown }, request: object) {
  const begin = client['watch'] as (request: object) => grpc.ClientReadableStream<Answer>
  const watch = begin.call(client, request)
  // It is cancelled in the end.
  watch.on('error', () => {})
  const events: string[] = []
  watch.on('data', ({ event, file }: { event: string; file: { path: string } | null }) =>
    events.push(`${event.replace('WATCH_EVENT_', '')} ${file?.path ?? ''}`.trim()),
  )
  return {
    events,
    cancel: () => watch.cancel(),
    /** Resolves when this is the last that it heard. */
    until: async (last: string) => {
      while (events.at(-1) !== last) await once(watch, 'data')
    },
  }
}
