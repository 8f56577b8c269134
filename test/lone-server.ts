// A set of one real server on a port of its own, for tests of what one server answers.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { parseConfiguration } from '../src/server/configuration.ts'
import { startServer } from '../src/server/server.ts'

export interface LoneServer {
  address: string
  port: number
  directory: string
  /** What it logged: "info …" and "error …". */
  log: string[]
  /** Resolves when it says that it can save no more. */
  failed: Promise<void>
  stop: () => Promise<void>
}

/** A folder that ends with the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'fourfold-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Starts it and waits until it serves. `keys` are further keys of its configuration file. */
export async function startLone(
  t: TestContext,
  keys: { [key: string]: unknown } = {},
): Promise<LoneServer> {
  const scheme = keys['tls'] ? 'https' : 'http'
  const json = {
    set: 'test',
    data: temporaryFolder(t),
    servers: [{ id: 'a', address: `${scheme}://127.0.0.1:2` }],
    listen: '127.0.0.1:0',
    diskFreeBytesMin: 0,
    ...keys,
  }
  const log: string[] = []
  const failed = Promise.withResolvers<void>()
  const configuration = parseConfiguration(json, 'test.json')
  const server = await startServer({
    configuration,
    isFirst: true,
    log: (level, text) => log.push(`${level} ${text}`),
    failed: () => failed.resolve(),
  })
  let stopped: Promise<void> | undefined
  const stop = () => (stopped ??= server.stop())
  t.after(stop)
  await untilServing(log)
  return {
    address: `${scheme}://127.0.0.1:${server.port}`,
    port: server.port,
    directory: configuration.directory,
    log,
    failed: failed.promise,
    stop,
  }
}

async function untilServing(log: string[]): Promise<void> {
  for (let tries = 0; tries < 6000; tries++) {
    if (log.some((line) => line.includes('serving'))) return
    await sleep(10)
  }
  throw new Error(`the server does not serve: ${log.join('; ')}`)
}
