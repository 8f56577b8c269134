// `fourfold watch`: a line for each change as it happens, also across the death of servers.

import { setTimeout as sleep } from 'node:timers/promises'
import { Watched, type Heard, type News } from '../client/watched.ts'
import { fromSeen, toSeen } from '../core/model/version-vector.ts'
import { Kind, WatchEvent, type File, type WatchResponse } from '../core/model/wire.ts'
import { fileJson, sharedPath, shownPath, written } from './answer.ts'
import { exitCodes, printable, readWords, type Command } from './command.ts'
import { untilEnded } from './ending.ts'
import { fileAt } from './listing.ts'
import {
  isTooMuch,
  NoServerError,
  type SetClient,
  setHelp,
  setJsonOptions,
  withSet,
} from './set-client.ts'

/** Where no server answers, all are tried again after this. */
const againMs = 1000

export const watch: Command = {
  help: `Usage: fourfold watch [PATH] [--json]

Prints a line for each change of the folder, or of the file or directory PATH, until Ctrl+C. When the
server dies, another goes on telling: nothing is told twice, and nothing is left out.

  --json             a line is {"event", "at", "file": {…}, "from"}: event is "created", "changed",
                     "renamed", "moved" or "deleted", file as \`fourfold ls --json\` shows it, and
                     from the path that it had before it was renamed or moved
${setHelp}
Example:
  fourfold watch specs --json | jq -r .file.path
`,
  async run(words) {
    const { values, positionals } = readWords(words, setJsonOptions, { may: ['PATH'] })
    const path = sharedPath(positionals[0] ?? '')
    const ending = untilEnded()
    // It has its own patience, without end.
    await withSet({ ...values, goOnMs: 0 }, async (set) => {
      const top = path === '' ? '' : (await fileAt(set, path)).id
      const tell = values.json ? jsonLine : line
      ending.addEventListener('abort', () => set.close())
      await new Watch(set, top, tell).run(ending)
    })
    return exitCodes.done
  },
}

class Watch {
  readonly #set: SetClient
  readonly #watched: Watched<File>
  readonly #show: (news: News<File>) => string

  /** `top` is the id of what is watched; empty: all. */
  constructor(set: SetClient, top: string, show: (news: News<File>) => string) {
    this.#set = set
    this.#watched = new Watched(top)
    this.#show = show
  }

  /** Until the signal, or an error that waiting does not mend. */
  async run(ending: AbortSignal): Promise<void> {
    let isTold = false
    while (!ending.aborted) {
      try {
        await this.#set.read(
          ({ folder }, call) => {
            isTold = false
            this.#watched.begin()
            const { since, listsAll } = this.#watched
            return folder.watch(since ? { since: { seen: toSeen(since) }, listsAll } : {}, call)
          },
          (message) => this.#take(message),
        )
      } catch (error) {
        if (ending.aborted) return
        if (!this.#watched.since || !mayPass(error)) throw error
        if (!isTold) process.stderr.write(`${(error as Error).message} Trying again.\n`)
        isTold = true
      }
      // Cut short by the signal.
      await sleep(againMs, undefined, { signal: ending }).catch(() => {})
    }
  }

  async #take({ event: number, file, seen, operation }: WatchResponse): Promise<void> {
    const event = eventNames[number]
    if (!event) return
    const heard = { event, file, seen: fromSeen(seen?.seen), operation }
    for (const news of this.#watched.take(heard)) await written(`${this.#show(news)}\n`)
  }
}

const eventNames: { [event: number]: Heard<File>['event'] } = {
  [WatchEvent.PRESENT]: 'present',
  [WatchEvent.READY]: 'ready',
  [WatchEvent.CREATED]: 'created',
  [WatchEvent.CHANGED]: 'changed',
  [WatchEvent.RENAMED]: 'renamed',
  [WatchEvent.MOVED]: 'moved',
  [WatchEvent.DELETED]: 'deleted',
}

/** Whether another try may go better: a server comes back, or what waits too long is listed again. */
function mayPass(error: unknown): boolean {
  return error instanceof NoServerError || isTooMuch(error)
}

function line({ event, file, from }: News<File>): string {
  const time = new Date().toTimeString().slice(0, 8)
  const slash = file.kind === Kind.DIRECTORY ? '/' : ''
  const before = from === undefined ? '' : ` (was ${printable(from)}${slash})`
  return `${time}  ${event.padEnd(7)}  ${shownPath(file)}${before}`
}

function jsonLine({ event, file, from }: News<File>): string {
  return JSON.stringify({ event, at: Date.now(), file: fileJson(file), from: from ?? null })
}
