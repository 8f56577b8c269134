// Runs commands of `fourfold` as scripts do, and tells what they printed and how they ended.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { buffer, text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

import { program } from '../tool.ts'
import { patienceMs } from '../until.ts'

export interface Ended {
  code: number | null
  /** As bytes and as text: a decoder drops a mark at the beginning. */
  bytes: Buffer
  out: string
  err: string
}

export interface Surroundings {
  servers?: string
  input?: string | Buffer
  cwd?: string
  env?: { [key: string]: string }
}

/** Runs a command to its end. */
export async function fourfold(
  words: string[],
  { servers, input = '', cwd, env: more = {} }: Surroundings = {},
): Promise<Ended> {
  const asked = servers !== undefined && { FOURFOLD_SERVERS: servers }
  const env = { ...process.env, ...more, ...asked }
  const child = spawn(process.execPath, [program, ...words], { env, cwd })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const closed = once(child, 'close')
  const [bytes, err] = await Promise.all([buffer(child.stdout), text(child.stderr)])
  const [code] = (await closed) as [number | null]
  return { code, bytes, out: bytes.toString(), err }
}

/** The disks of busy servers may come after the answer, which waits for 250 ms: see `settled`. */
export const kept = /^stored on [1-4] of 4 servers: [a-d]( [a-d]){0,3}\n$/

/** What `status` tells when all servers are live, lack nothing and hold the same. */
export async function settled(
  run: (...words: string[]) => Promise<Ended>,
): Promise<{ servers: Row[] }> {
  for (const endAt = performance.now() + patienceMs; ;) {
    const told = JSON.parse((await run('status', '--json')).out) as { servers: Row[] }
    const [first] = told.servers
    const isSettled = told.servers.every(({ state, lag, digest }) => {
      return state === 'live' && lag === 0 && digest !== null && digest === first!.digest
    })
    if (isSettled) return told
    assert.ok(performance.now() < endAt, `never settled: ${JSON.stringify(told)}`)
  }
}

export const oneSentence = /^[^\n]+[.)]\n$/

/** What `status --json` tells of one server. */
export interface Row {
  id: string
  address: string
  pid: number | null
  state: string
  lag: number | null
  entries: number | null
  documentsInMemory: number | null
  digest: string | null
  life: string | null
  warnings: string[]
}

/** Resolves when a server takes edits. */
export async function untilServing(address: string): Promise<void> {
  for (let tries = 0; tries < 6000; tries++) {
    const answer = await fetch(`${address}/healthz`).catch(() => undefined)
    if (answer?.ok) return
    await sleep(10)
  }
  throw new Error(`${address} does not serve`)
}
