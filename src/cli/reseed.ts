// `fourfold reseed`: an empty set gets back what a mirror knows.

import { existsSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MirrorLockedError, MirrorStore, ownDirectory } from '../adapters/mirror/store.ts'
import { asJson, commonReceipt, type Receipt } from './answer.ts'
import { typed } from './called.ts'
import { CommandError, exitCodes, printable, readWords, type Command } from './command.ts'
import { Reseeding, type Amount } from './mirror/reseeding.ts'
import { ProgressBar } from './progress-bar.ts'
import { setHelp, setJsonOptions, withSet } from './set-client.ts'

/** A mirror that is kept by servers, and finds them empty, comes and goes: it is waited for. */
const lockedMs = 15_000
const askMs = 100

export const reseed: Command = {
  help: `Usage: fourfold reseed DIR [--dry-run] [--json]

Brings all directories, texts and other files that the mirror of DIR shared back into a set that is
empty: when all servers lost their disks, or for a new set. What was changed in DIR since is not lost:
the mirror brings it when it is started again. Everything keeps its id, so that other people's mirrors
of the folder go on as well; where they know another text of a file, both are kept.

Pages may stay open. Where one of them has words that are not in the mirror, it offers them to its
person.

A set that is not empty is refused. Stopped at any moment, it can be run again: it makes what is
missing, and nothing twice. The last line says on which servers' disks everything is. The trash, the
history of texts and earlier versions are not in a mirror.

  --dry-run          only tells what it would do
  --json             one JSON object: {"directories", "texts", "binaries", "missing", "leftOut":
                     [{"path", "why"}], "servers", "serverCount"}; servers that have all of it
${setHelp}
Example:
  fourfold reseed data/files --dry-run
`,
  async run(words) {
    const options = {
      ...setJsonOptions,
      'dry-run': { type: 'boolean' },
    } as const
    const { values, positionals } = readWords(words, options, { needs: ['DIR'] })
    const root = mirroredDirectory(resolve(positionals[0]!))
    const store = await openedStore(root)
    try {
      return await withSet(values, async (set) => {
        const reseeding = new Reseeding(root, store, set)
        await reseeding.check()
        const shown = new Shown(root, reseeding, values.json ?? false)
        if (values['dry-run']) return shown.only()
        shown.first()
        const bar = new ProgressBar(reseeding.missing)
        const receipts = await reseeding
          .bring({ show: (path) => bar.show(path), add: () => bar.add() })
          .finally(() => bar.end())
        return shown.last(receipts)
      })
    } finally {
      store.close()
    }
  },
}

/** What people, or programs, are told. */
class Shown {
  readonly #root: string
  readonly #reseeding: Reseeding
  readonly #isJson: boolean
  readonly #amount: Amount
  /** Before anything is made. */
  readonly #missing: number

  constructor(root: string, reseeding: Reseeding, isJson: boolean) {
    this.#root = root
    this.#reseeding = reseeding
    this.#isJson = isJson
    this.#amount = reseeding.amount
    this.#missing = reseeding.missing
  }

  only(): number {
    if (this.#isJson) this.#json({ servers: [], serverCount: 0 })
    else this.first()
    return exitCodes.done
  }

  first(): void {
    if (this.#isJson) return
    const { directories, texts, binaries } = this.#amount
    const of = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`
    const counts =
      `${of(directories, 'directory', 'directories')}, ${of(texts, 'text', 'texts')} ` +
      `and ${of(binaries, 'other file', 'other files')}`
    const all = directories + texts + binaries
    const missing = this.#missing === all ? 'all of them are' : `${this.#missing} of them are`
    process.stdout.write(`${printable(this.#root)} has ${counts}; ${missing} to be brought back.\n`)
  }

  last(receipts: Receipt[]): number {
    const { leftOut } = this.#reseeding
    if (this.#isJson) {
      const [first] = receipts
      const has = (id: string) => receipts.every((each) => each.servers.includes(id))
      const serverCount = first?.serverCount ?? 0
      this.#json({ servers: first?.servers.filter(has) ?? [], serverCount })
    } else {
      for (const { path, why } of leftOut) {
        process.stdout.write(`Left out: ${printable(path)}: ${why}\n`)
      }
      const what = leftOut.length === 0 ? 'Everything' : 'Everything else'
      process.stdout.write(`${what} is ${commonReceipt(receipts)}\n`)
    }
    return leftOut.length === 0 ? exitCodes.done : exitCodes.failed
  }

  #json(where: { servers: string[]; serverCount: number }): void {
    const { leftOut } = this.#reseeding
    const told = { ...this.#amount, missing: this.#missing, leftOut, ...where }
    process.stdout.write(asJson(told))
  }
}

/** The directory, without links on the way to it. Throws CommandError when it was never mirrored. */
function mirroredDirectory(directory: string): string {
  if (existsSync(join(directory, ownDirectory, 'mirror.sqlite'))) return realpathSync(directory)
  throw new CommandError(
    `${printable(directory)} was never a mirror; "${typed('put')}" brings a directory into the folder.`,
  )
}

/** Rejects with CommandError while a mirror works there. */
async function openedStore(root: string): Promise<MirrorStore> {
  const end = performance.now() + lockedMs
  for (;;) {
    try {
      return new MirrorStore(root)
    } catch (error) {
      if (!(error instanceof MirrorLockedError)) {
        throw new CommandError(`Cannot read what was mirrored: ${(error as Error).message}.`)
      }
      if (performance.now() > end) {
        throw new CommandError(`${root} has a mirror that is running; stop it first.`)
      }
    }
    await sleep(askMs)
  }
}
