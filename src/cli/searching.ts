// `fourfold grep`: lines in the text of all files, found by a server.

import { foundLinesMax } from '../core/model/limits.ts'
import type { SearchFilesResponse } from '../core/model/wire.ts'
import { fileJson, sharedPath, written } from './answer.ts'
import { exitCodes, printable, readWords, type Command } from './command.ts'
import { named } from './listing.ts'
import { setHelp, setJsonOptions, withSet } from './set-client.ts'

export const grep: Command = {
  help: `Usage: fourfold grep [-i] [-E] TEXT [PATH] [--json]

Prints each line that holds TEXT, in all files, or in the file or directory PATH: path, number and
line. Of a long line a part is printed. After 10,000 lines the search ends, and says so. The exit code
is 1 when nothing is found.

  -i                 whatever the case
  -E                 TEXT is a regular expression of RE2: without backreferences and lookaround, so
                     that its time is bounded. Of very long lines only the beginning is looked at
  --json             a line is {"file": {…}, "line", "text"}, file as \`fourfold ls --json\` shows it
${setHelp}
Examples:
  fourfold grep -i receipt specs
  fourfold grep -E '^#+ ' | head
`,
  async run(words) {
    const options = {
      ...setJsonOptions,
      'ignore-case': { type: 'boolean', short: 'i' },
      regex: { type: 'boolean', short: 'E' },
    } as const
    const need = { needs: ['TEXT'], may: ['PATH'], anyway: 'nrRF' }
    const { values, positionals } = readWords(words, options, need)
    const [text = '', path = ''] = positionals
    const directory = sharedPath(path)
    const request = {
      text,
      ignoresCase: values['ignore-case'] ?? false,
      isRegex: values.regex ?? false,
      directory,
    }
    const printed = new Lines(values.json ?? false)
    await withSet(values, (set) => {
      const all = set.read(
        ({ folder }, call) => folder.searchFiles(request, call),
        (message) => printed.take(message),
      )
      return named(`No such file or directory: ${printable(directory)}.`, all)
    })
    return printed.isEmpty ? exitCodes.failed : exitCodes.done
  },
}

/** What was printed: a search that another server begins anew prints it once. */
class Lines {
  readonly #places = new Set<string>()
  readonly #isJson: boolean

  constructor(isJson: boolean) {
    this.#isJson = isJson
  }

  get isEmpty(): boolean {
    return this.#places.size === 0
  }

  async take({ file, line, text, isCut }: SearchFilesResponse): Promise<void> {
    if (isCut) {
      const count = foundLinesMax.toLocaleString('en')
      process.stderr.write(`The first ${count} lines are shown; look for less to see all.\n`)
    }
    if (!file) return
    const place = `${file.id}:${line}`
    if (this.#places.has(place)) return
    this.#places.add(place)
    if (this.#isJson) {
      await written(`${JSON.stringify({ file: fileJson(file), line, text })}\n`)
      return
    }
    // A tab does no harm, and much text has it.
    const shown = text.split('\t').map(printable).join('\t')
    await written(`${printable(file.path)}:${line}: ${shown}\n`)
  }
}
