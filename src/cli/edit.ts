// `fourfold edit`: a file in an editor of this machine, live: a private directory with only that
// file in it is mirrored as long as the editor runs.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { whyOf } from '../core/model/errors.ts'
import { isBelow, nameOf, parentOf } from '../core/model/path.ts'
import { Kind } from '../core/model/wire.ts'
import { MirrorDirectory } from '../adapters/mirror/directory.ts'
import type { Ignoring } from '../adapters/mirror/ignored.ts'
import { MirrorStore } from '../adapters/mirror/store.ts'
import { DirectoryWatcher } from '../adapters/mirror/watcher.ts'
import { sharedPath } from './answer.ts'
import { CommandError, exitCodes, printable, readWords, type Command } from './command.ts'
import { fileAt, fileIfAny } from './listing.ts'
import { statsIfAny } from './local-file.ts'
import { Mirror } from './mirror/mirror.ts'
import { Report } from './mirror/report.ts'
import { SetClient, setHelp, setOptions, withSet, type SetValues } from './set-client.ts'

export const edit: Command = {
  help: `Usage: fourfold edit PATH

Opens a text file in $VISUAL, $EDITOR or vi. What others type while it is open arrives in the file on
the disk, and what you save is merged with it. A path that no file has makes one, when you save.

${setHelp}
Example:
  EDITOR="code --wait" fourfold edit plan.md
`,
  async run(words) {
    const { values, positionals } = readWords(words, setOptions, { needs: ['PATH'] })
    const path = sharedPath(positionals[0] ?? '')
    const place = await withSet(values, (set) => placeOf(set, path))
    const directory = realpathSync(mkdtempSync(join(tmpdir(), 'fourfold-edit-')))
    const live = new LiveCopy(directory, values, place)
    await live.bring()
    const file = join(directory, place.name)
    const before = contentOf(file)
    const status = await live.whileKept(() => editorEnd(file))
    const isSame = before === contentOf(file)
    try {
      await live.bring()
    } catch (error) {
      const why = whyOf(error)
      throw new CommandError(`${why} Your text is in ${file}.`)
    }
    const left = isCutShort(status) ? leftBy(directory, place.name) : []
    if (left.length === 0) rmSync(directory, { recursive: true, force: true })
    if (status === 0) return exitCodes.done
    const how = isCutShort(status) ? `was ended by ${status}` : `ended with status ${status}`
    const end = `The editor (${printable(editorCommand())}) ${how}`
    const what = isSame ? 'nothing was changed' : 'what it saved is kept'
    const rest = left.length === 0 ? '' : ` What it left is in ${directory}.`
    throw new CommandError(`${end}; ${what}.${rest}`)
  },
}

/** Beside the text: what an editor that was ended in the middle had not saved. */
function leftBy(directory: string, name: string): string[] {
  return readdirSync(directory).filter((each) => each !== name && each !== '.fourfold')
}

/** To be compared; undefined: there is no file. */
function contentOf(file: string): string | undefined {
  return statsIfAny(file) && readFileSync(file, 'latin1')
}

interface Place {
  /** The id of the file's directory; empty: the top. */
  parent: string
  name: string
}

async function placeOf(set: SetClient, path: string): Promise<Place> {
  const file = await fileIfAny(set, path)
  if (file && file.kind !== Kind.TEXT) {
    const isDirectory = file.kind === Kind.DIRECTORY
    const what = isDirectory ? 'is a directory' : 'is no text; get it, change it and put it'
    throw new CommandError(`${printable(path)} ${what}.`)
  }
  if (file) return { parent: file.parent, name: file.name }
  const above = parentOf(path)
  const parent = above === '' ? undefined : await fileAt(set, above)
  return { parent: parent?.id ?? '', name: nameOf(path) }
}

class LiveCopy {
  readonly #directory: string
  readonly #values: SetValues
  readonly #place: Place
  readonly #ignoring: Ignoring

  constructor(directory: string, values: SetValues, place: Place) {
    this.#directory = directory
    this.#values = values
    this.#place = place
    this.#ignoring = {
      isIgnored: (path) => path !== place.name && !isBelow(path, '.fourfold'),
      refresh: () => false,
    }
  }

  /** Makes both sides the same once. */
  async bring(): Promise<void> {
    await this.#mirrored((mirror) => mirror.run({ isOnce: true }))
  }

  /** Keeps both sides the same as long as something goes on. */
  async whileKept<T>(act: () => Promise<T>): Promise<T> {
    return this.#mirrored(async (mirror) => {
      const watcher = new DirectoryWatcher(this.#directory, this.#ignoring.isIgnored, {
        changed: () => mirror.diskChanged(),
        // The directory is small and looked through every few seconds anyway.
        failed: () => {},
      })
      // What goes wrong meanwhile shows at the end, when all is brought once more.
      const kept = mirror.run({ isOnce: false }).catch(() => false)
      try {
        return await act()
      } finally {
        mirror.stop()
        await kept
        await watcher.close()
      }
    })
  }

  async #mirrored<T>(act: (mirror: Mirror) => Promise<T>): Promise<T> {
    const store = new MirrorStore(this.#directory)
    const set = new SetClient(this.#values)
    try {
      const mirror = new Mirror({
        directory: new MirrorDirectory(this.#directory),
        store,
        set,
        ignored: this.#ignoring,
        // The terminal is the editor's.
        report: new Report(this.#directory, { isJson: false, write: () => {} }),
        root: this.#place.parent,
        host: 'edit',
        acceptsDeletes: false,
        followsTrash: false,
      })
      return await act(mirror)
    } finally {
      set.close()
      store.close()
    }
  }
}

const editorCommand = () => process.env['VISUAL'] || process.env['EDITOR'] || 'vi'

/** Its exit code, or the signal that ended it. */
type EditorEnd = number | NodeJS.Signals

/** Whether it was ended by somebody, and not by its person. */
function isCutShort(end: EditorEnd): boolean {
  return typeof end === 'string'
}

/** Runs the person's editor to its end. */
async function editorEnd(file: string): Promise<EditorEnd> {
  const editor = editorCommand()
  // Its words are the shell's matter: EDITOR="code --wait". The shell itself need not stay, and a signal
  // to it reaches the editor then.
  const line = `${isOneCommand(editor) ? 'exec ' : ''}${editor} "$@"`
  const child = spawn('/bin/sh', ['-c', line, editor, file], { stdio: 'inherit' })
  // A key of the terminal is for whoever has it: that the editor interrupts itself ends nothing here.
  const leave = () => {}
  // Whoever ends this command ends the editor: what it saved is brought then, as at any end.
  const pass = (signal: NodeJS.Signals) => void child.kill(signal)
  for (const signal of keySignals) process.on(signal, leave)
  for (const signal of endSignals) process.once(signal, pass)
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    return signal ?? code ?? 1
  } finally {
    for (const signal of keySignals) process.off(signal, leave)
    for (const signal of endSignals) process.off(signal, pass)
  }
}

const keySignals = ['SIGINT', 'SIGQUIT'] as const
const endSignals = ['SIGTERM', 'SIGHUP'] as const

/** A program and words for it: no syntax of a shell, which may be several commands. */
function isOneCommand(editor: string): boolean {
  return /^[\w\s./:@+,-]+$/.test(editor) && !editor.includes('\n')
}
