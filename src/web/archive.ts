// What is in a zip archive, as something to bring in: each file by itself, within bounds.

import {
  BlobReader,
  type Entry,
  type FileEntry,
  ZipReader,
} from '@zip.js/zip.js/lib/zip-core-native.js'
import { FourfoldError } from '../core/model/errors.ts'
import {
  archiveBytesMax,
  archiveEntriesMax,
  archiveRatioFromBytes,
  archiveRatioMax,
} from '../core/model/limits.ts'
import { checkFileName, stemLength } from '../core/model/names.ts'
import { sizeWords } from './file-bytes.ts'
import { numberedName } from './names.ts'
import { heldIn, type Source } from './sources.ts'

/** The kind of a file in its mode on Unix. */
const kindBits = 0o170000
const linkBits = 0o120000
const usualBits = [0, 0o100000, 0o040000]

/** What is packed is read by the browser itself, in this page: a file at a time is no long work. */
const options = {
  useWebWorkers: false,
  useCompressionStream: true,
  filenameValidation: 'tolerant',
} as const

/**
 * All in an archive: in the one directory it has, or else in one of the archive's name, of which none
 * is there yet (`taken`: the names that are). What breaks a rule comes as refused, with the reason.
 * Rejects with FourfoldError when it is no archive that can be read.
 */
export async function* archiveSources(
  archive: File,
  taken: readonly string[],
): AsyncGenerator<Source> {
  const found = await entriesOf(archive)
  const roots = new Set(found.map(({ path }) => path[0]))
  const [root = ''] = roots
  const hasRoot =
    roots.size === 1 && found.every(({ path, entry }) => path.length > 1 || entry.directory)
  const stem = archive.name.slice(0, stemLength(archive.name))
  const base = numberedName(hasRoot ? root : stem, taken)
  let room = archiveBytesMax
  for (const { entry, path } of found) {
    const placed = [base, ...(hasRoot ? path.slice(1) : path)]
    const why = refusal(entry, path, room)
    if (why !== undefined) yield { path: placed, kind: 'refused', why }
    else if (entry.directory) yield { path: placed, kind: 'directory' }
    else {
      room -= entry.uncompressedSize
      yield {
        path: placed,
        kind: 'file',
        held: async (signal) => heldIn(await unpacked(entry, signal)),
      }
    }
  }
}

interface Found {
  entry: Entry
  path: string[]
}

async function entriesOf(archive: File): Promise<Found[]> {
  const reader = new ZipReader(new BlobReader(archive), options)
  const found: Found[] = []
  try {
    for await (const entry of reader.getEntriesGenerator()) {
      if (found.length >= archiveEntriesMax) {
        const most = archiveEntriesMax.toLocaleString('en')
        throw new FourfoldError('too-large', `${archive.name} has more than ${most} entries.`)
      }
      const name = entry.directory ? entry.filename.replace(/\/$/, '') : entry.filename
      found.push({ entry, path: name.split('/') })
    }
  } catch (error) {
    if (error instanceof FourfoldError) throw error
    const text = `${archive.name} cannot be read as a zip archive: it is damaged, encrypted or none.`
    throw new FourfoldError('invalid', text)
  }
  return found
}

/** Why an entry stays out, if so. */
function refusal(entry: Entry, path: string[], room: number): string | undefined {
  if (path[0] === '') return 'Its path does not begin inside the archive.'
  const kind = (entry.unixMode ?? 0) & kindBits
  if (kind === linkBits) return 'It is a link; links are not followed.'
  if (!usualBits.includes(kind)) return 'It is no file and no directory.'
  try {
    for (const name of path) checkFileName(name)
  } catch (error) {
    if (error instanceof FourfoldError) return error.message
    throw error
  }
  if (entry.encrypted) return 'It is encrypted.'
  const { uncompressedSize, compressedSize } = entry
  const isBomb =
    uncompressedSize > archiveRatioFromBytes && uncompressedSize > archiveRatioMax * compressedSize
  if (isBomb) return `It would be more than ${archiveRatioMax} times as long as it is packed.`
  if (uncompressedSize > room) {
    return `More than ${sizeWords(archiveBytesMax)} of one archive are not unpacked.`
  }
  return undefined
}

/** The bytes of a file, kept by the browser where it has room. Rejects with FourfoldError. */
async function unpacked(entry: FileEntry, signal: AbortSignal): Promise<Blob> {
  let left = entry.uncompressedSize
  const bounded = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(piece, controller) {
      left -= piece.length
      if (left < 0) throw new Error('it is longer than it says')
      controller.enqueue(piece)
    },
  })
  try {
    const [blob] = await Promise.all([
      new Response(bounded.readable).blob(),
      entry.getData(bounded.writable, { ...options, signal, checkCrc32: true }),
    ])
    return blob
  } catch {
    signal.throwIfAborted()
    throw new FourfoldError('invalid', 'It is damaged, or packed in a way that is not known here.')
  }
}
