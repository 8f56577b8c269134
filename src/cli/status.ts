// `fourfold status`: how each server is, asked one by one, the dead ones named by the living.

import { ServerState, type GetStatusResponse, type Server } from '../core/model/wire.ts'
import { asJson } from './answer.ts'
import { exitCodes, readWords, type Command } from './command.ts'
import {
  addressesOf,
  ServerLine,
  type SetClient,
  setHelp,
  setJsonOptions,
  withSet,
  type SetValues,
} from './set-client.ts'

/** A server that has not told how it is within this counts as down. */
const answerMs = 3000

/** What is known of one server; what nobody knows is null. */
interface Row {
  id: string
  address: string
  pid: number | null
  state: 'live' | 'behind' | 'down'
  lag: number | null
  entries: number | null
  documentsInMemory: number | null
  digest: string | null
  /** Name of the life that the set is in. */
  life: string | null
  /** What somebody must look at. */
  warnings: string[]
}

const stateNames: Record<ServerState, Row['state']> = {
  [ServerState.UNSPECIFIED]: 'down',
  [ServerState.LIVE]: 'live',
  [ServerState.BEHIND]: 'behind',
  [ServerState.DOWN]: 'down',
}

export const status: Command = {
  help: `Usage: fourfold status [--json]

Shows each server: whether it is live, behind or down, how many changes it lacks, what it holds, and
a digest that is equal on servers that hold the same. Below that, what must be looked at: servers that
are turned away, or run twice.

  --json             {"servers": [{"id", "address", "pid", "state", "lag", "entries",
                     "documentsInMemory", "digest", "life", "warnings"}, …]} in the order of the
                     configuration; "warnings" says what must be looked at
${setHelp}
Example:
  fourfold status --json | jq -r '.servers[] | "\\(.id) \\(.state)"'
`,
  async run(words) {
    const { values } = readWords(words, setJsonOptions)
    const rows = await withSet(values, (set) => rowsOf(set, values))
    process.stdout.write(values.json ? asJson({ servers: rows }) : table(rows))
    return exitCodes.done
  },
}

async function rowsOf(set: SetClient, values: SetValues): Promise<Row[]> {
  const { servers, statuses } = await statusesOf(set, values)
  return servers.map(({ id, address, lag }) => {
    const own = statuses.find((answer) => answer.id === id)
    if (!own) return { ...unknown, id, address, lag }
    return {
      id,
      address,
      pid: own.pid,
      state: stateNames[own.state] ?? 'down',
      lag: lagOf(id, statuses),
      entries: own.entries,
      documentsInMemory: own.documentsInMemory,
      digest: own.digest || null,
      life: own.servers?.life || null,
      warnings: own.warnings,
    }
  })
}

/** All servers of the set, and what those that answer tell. Rejects when none does. */
async function statusesOf(
  set: SetClient,
  values: SetValues,
): Promise<{ servers: Server[]; statuses: GetStatusResponse[] }> {
  const asked = addressesOf(values.servers)
  const first = await set.ask(({ admin }, call) => admin.getStatus({}, call))
  const servers = first.servers?.servers ?? []
  const addresses = new Set([...servers.map(({ address }) => address), ...asked])
  const answers = await Promise.all([...addresses].map((address) => statusOf(set, address)))
  return { servers, statuses: answers.filter((answer) => answer !== undefined) }
}

const unknown = {
  pid: null,
  state: 'down',
  entries: null,
  documentsInMemory: null,
  digest: null,
  life: null,
  warnings: [],
} satisfies Partial<Row>

async function statusOf(set: SetClient, address: string): Promise<GetStatusResponse | undefined> {
  const line = new ServerLine(address)
  try {
    const headers = await set.headers(line.clients)
    return await line.clients.admin.getStatus({}, { headers, timeoutMs: answerMs })
  } catch {
    // Whatever keeps it from telling, it is not there for anybody: down.
    return undefined
  } finally {
    line.close()
  }
}

/** What a server lacks is known by the others: each counts what it has and the server has not. */
function lagOf(id: string, statuses: GetStatusResponse[]): number {
  const views = statuses.flatMap((answer) => answer.servers?.servers ?? [])
  return Math.max(0, ...views.filter((view) => view.id === id).map(({ lag }) => lag))
}

function table(rows: Row[]): string {
  const head = ['server', 'state', 'address', 'lag', 'entries', 'in memory', 'digest']
  const text = (value: number | string | null) => (value === null ? '–' : String(value))
  const lines = rows.map((row) => [
    row.id,
    row.state,
    row.address,
    text(row.lag),
    text(row.entries),
    text(row.documentsInMemory),
    text(row.digest?.slice(0, 12) ?? null),
  ])
  const all = [head, ...lines]
  const widths = head.map((_, column) => Math.max(...all.map((line) => line[column]!.length)))
  const padded = all.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  )
  const warnings = rows.flatMap(({ id, warnings: each }) => each.map((text) => `${id}: ${text}\n`))
  return `${padded.join('\n')}\n\n${summary(rows)}\n${warnings.join('')}`
}

function summary(rows: Row[]): string {
  const live = rows.filter(({ state }) => state === 'live')
  const digests = new Set(live.map(({ digest }) => digest))
  const count = `${live.length} of ${rows.length} servers are live`
  if (live.length < 2) return `${count}.`
  if (digests.has(null)) return `${count}; they are still counting what they hold: ask again.`
  const agreement = digests.size === 1 ? 'they hold the same' : 'they do not hold the same yet'
  return `${count}; ${agreement}.`
}
