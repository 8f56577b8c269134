// `fourfold up` and `fourfold serve` as processes, and what they said.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { program } from '../tool.ts'

/** How often it is looked, and how often at most: two minutes, on a busy machine more. */
const lookMs = 10
const looksMax = 12_000

/** Starts `up`; resolves when it is there. */
export async function startUp(t: TestContext, port: number, data: string) {
  const up = start(t, ['up', '--port', `${port}`, '--data', data])
  await up.says(/Fourfold is running/)
  return up
}

/** Starts a command that goes on; `within`: the program, and its words, that is given its words. */
export function start(
  t: TestContext,
  words: string[],
  within: string[] = [],
  env: NodeJS.ProcessEnv = process.env,
) {
  const [command = '', ...all] = [...within, process.execPath, program, ...words]
  const child = spawn(command, all, { stdio: ['ignore', 'pipe', 'pipe'], env })
  t.after(() => child.kill('SIGKILL'))
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  const says = async (what: RegExp) => {
    for (let tries = 0; !what.test(said); tries++) {
      assert.ok(tries < looksMax, `never said ${what.source}: ${said}`)
      assert.equal(child.exitCode, null, said)
      await sleep(lookMs)
    }
  }
  return { child, says, said: () => said }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false // There is no such process.
  }
}

export async function untilDead(ids: number[]): Promise<void> {
  for (const pid of ids) {
    for (let tries = 0; isAlive(pid); tries++) {
      assert.ok(tries < looksMax, `${pid} lives on`)
      await sleep(lookMs)
    }
  }
}
