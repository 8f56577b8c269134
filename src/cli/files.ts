// `fourfold ls`, `cat`, `put`, `rm`, `restore`: whole files, through any living server.

import { readFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { basename } from 'node:path'
import { subjectId } from '../core/model/ids.ts'
import { textBytesMax } from '../core/model/limits.ts'
import { Kind, type File } from '../core/model/wire.ts'
import { random } from '../adapters/system.ts'
import {
  CommandError,
  exitCodes,
  printable,
  readWords,
  UsageError,
  type Command,
} from './command.ts'
import { SetClient, setHelp, setOptions } from './set-client.ts'

export const ls: Command = {
  summary: 'list the files',
  help: `Usage: fourfold ls [--trash] [--json]

Lists the files of the folder by name, one a line.

  --trash            what lies in the trash instead
  --json             {"files": [{"id", "name", "kind", "isDeleted", "createdBy", "createdAt"}, …]}
${setHelp}`,
  async run(words) {
    const options = {
      ...setOptions,
      json: { type: 'boolean' },
      trash: { type: 'boolean' },
    } as const
    const { values } = readWords(words, options)
    const files = await listAll(new SetClient(values), values.trash ?? false)
    if (values.json) {
      process.stdout.write(`${JSON.stringify({ files: files.map(fileJson) }, null, 2)}\n`)
    } else for (const { name } of files) process.stdout.write(`${printable(name)}\n`)
    return exitCodes.done
  },
}

export const cat: Command = {
  summary: 'print a file',
  help: `Usage: fourfold cat FILE

Prints the text of a file as it is. FILE is a name or an id.

${setHelp}`,
  async run(words) {
    const { values, positionals } = readWords(words, setOptions, { needs: ['FILE'] })
    const [file = ''] = positionals
    const { text } = await new SetClient(values).ask(({ folder }, call) =>
      folder.readFile({ file }, call),
    )
    await written(text)
    return exitCodes.done
  },
}

export const put: Command = {
  summary: 'save a file of this machine, or standard input',
  help: `Usage: fourfold put FILE [NAME]
       fourfold put - NAME

Saves the text of FILE, or what comes from standard input, under NAME; without NAME under the name
that FILE has. What others changed meanwhile elsewhere in the file stays. Prints on which servers'
disks it is.

${setHelp}`,
  async run(words) {
    const { values, positionals } = readWords(words, setOptions, { needs: ['FILE'], may: ['NAME'] })
    const [source = '', asked] = positionals
    if (source === '-' && asked === undefined) {
      throw new UsageError('NAME is missing.')
    }
    const file = asked ?? basename(source)
    // What Node makes of bytes that are not UTF-8: not the name that was meant.
    if (file.includes('\ufffd')) {
      throw new CommandError('A name must be valid Unicode; give another as NAME.')
    }
    const text = decoded(source === '-' ? await buffer(process.stdin) : read(source), source)
    const operation = newOperation()
    const answer = await new SetClient(values).ask(({ folder }, call) =>
      folder.saveFile({ file, text, operation }, call),
    )
    process.stdout.write(`${receipt(answer)}\n`)
    return exitCodes.done
  },
}

export const rm: Command = {
  summary: 'put a file into the trash',
  help: `Usage: fourfold rm FILE

Puts a file into the trash, from where \`fourfold restore\` takes it back. FILE is a name or an id.

${setHelp}`,
  async run(words) {
    const { values, positionals } = readWords(words, setOptions, { needs: ['FILE'] })
    const [file = ''] = positionals
    const operation = newOperation()
    const answer = await new SetClient(values).ask(({ folder }, call) =>
      folder.deleteFile({ file, operation }, call),
    )
    process.stdout.write(`in the trash, ${receipt(answer)}\n`)
    return exitCodes.done
  },
}

export const restore: Command = {
  summary: 'take a file out of the trash',
  help: `Usage: fourfold restore FILE

Takes a file out of the trash. FILE is the name it had, or its id.

${setHelp}`,
  async run(words) {
    const { values, positionals } = readWords(words, setOptions, { needs: ['FILE'] })
    const [file = ''] = positionals
    const operation = newOperation()
    const answer = await new SetClient(values).ask(({ folder }, call) =>
      folder.restoreFile({ file, operation }, call),
    )
    process.stdout.write(
      `restored as ${printable(answer.file?.name ?? file)}, ${receipt(answer)}\n`,
    )
    return exitCodes.done
  },
}

async function listAll(set: SetClient, inTrash: boolean): Promise<File[]> {
  return set.ask(async ({ folder }, call) => {
    const files: File[] = []
    let page = ''
    do {
      const answer = await folder.listFiles({ inTrash, page }, call)
      files.push(...answer.files)
      page = answer.nextPage
    } while (page !== '')
    return files
  })
}

const kinds: Record<Kind, string> = {
  [Kind.UNSPECIFIED]: 'unknown',
  [Kind.TEXT]: 'text',
  [Kind.DIRECTORY]: 'directory',
  [Kind.BINARY]: 'binary',
}

function fileJson({ id, name, kind, isDeleted, createdBy, createdAt }: File) {
  return { id, name, kind: kinds[kind] ?? 'unknown', isDeleted, createdBy, createdAt }
}

function receipt({ servers, serverCount }: { servers: string[]; serverCount: number }): string {
  return `stored on ${servers.length} of ${serverCount} servers: ${servers.join(' ')}`
}

/** The same on every try, so that the try that was thought lost and the next one are one. */
function newOperation(): string {
  return subjectId(random(16))
}

function read(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why = code === 'EISDIR' ? 'it is a directory' : message
    throw new CommandError(`Cannot read ${path}: ${why}.`)
  }
}

function decoded(bytes: Buffer, source: string): string {
  const name = source === '-' ? 'The input' : source
  if (bytes.length > textBytesMax) {
    throw new CommandError(`${name} is larger than ${textBytesMax / 1024 / 1024} MiB.`)
  }
  try {
    // A byte order mark belongs to the file and stays.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new CommandError(`${name} is not UTF-8, so it is not editable as text.`)
  }
}

/** Resolves when standard output has taken all: a pipe may be slow. */
function written(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()))
  })
}
