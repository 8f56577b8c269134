// The servers as a stranger sees them: whole files over HTTP, and the command that shows how they are.

import { spawn } from 'node:child_process'
import { once } from 'node:events'

import { program } from '../tool.ts'

/** No call may go unanswered for longer (C11), however busy the machine is. */
const answerMs = 30_000
const statusMs = 30_000

/** The whole text of a file. Rejects when the server cannot. */
export async function readFile(address: string, file: string): Promise<string> {
  const { text = '' } = (await call(address, 'FolderService/ReadFile', { file })) as {
    text?: string
  }
  return text
}

/** A digest over all that a server holds, as soon as it is worked out. Rejects without an answer. */
export async function digestOf(address: string): Promise<string> {
  for (;;) {
    const { digest } = (await call(address, 'AdminService/GetStatus', {})) as { digest?: string }
    if (digest) return digest
  }
}

/** Connect's plain form: a POST of JSON. */
async function call(address: string, method: string, given: object): Promise<object> {
  const response = await fetch(`${address}/fourfold.v1.${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(given),
    signal: AbortSignal.timeout(answerMs),
  })
  const answer = (await response.json()) as { message?: string }
  if (!response.ok) throw new Error(`${address} says to ${method}: ${answer.message}`)
  return answer
}

export interface ServerStatus {
  id: string
  pid: number | null
  state: 'live' | 'behind' | 'down'
  lag: number | null
  entries: number | null
  documentsInMemory: number | null
  digest: string | null
}

/** What `fourfold status --json` prints. */
export async function statusOf(addresses: readonly string[]): Promise<ServerStatus[]> {
  const words = ['status', '--json', '--servers', addresses.join(',')]
  const child = spawn(process.execPath, [program, ...words], { timeout: statusMs })
  let said = ''
  let complaint = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`fourfold status ended with ${code}: ${complaint}`)
  return (JSON.parse(said) as { servers: ServerStatus[] }).servers
}
