// The thread that merges subjects: it reads the store and computes; the writer puts the result in.

import { parentPort, workerData } from 'node:worker_threads'
import { CorruptError } from '../../core/ports.ts'
import { merged, purged } from './record.ts'
import { openReading, told } from './sqlite-directory.ts'
import { packPiece, type MergeReply, type MergeRequest } from './sqlite-messages.ts'
import { SubjectReader } from './sqlite-subject.ts'
import { isDamage } from './storage-error.ts'

const port = parentPort!
const directory = workerData as string
let reader: SubjectReader | undefined

port.on('message', (request: MergeRequest) => port.postMessage(answer(request)))

function answer({ subject, upTo, isPurge }: MergeRequest): MergeReply {
  try {
    reader ??= new SubjectReader(openReading(directory))
    const bound = new Map(upTo)
    const stored = reader.read(subject, ({ origin, seq }) => seq <= (bound.get(origin) ?? 0))
    const merge = isPurge ? purged : merged
    const snapshot = merge(stored, subject)
    // What it is merged from has no operations: they lie beside the pieces, and stay.
    const piece = snapshot && packPiece(snapshot, 0)
    return { type: 'merged', old: stored.pieces, ...(piece && { piece }) }
  } catch (error) {
    if (error instanceof CorruptError || isDamage(error)) {
      return { type: 'corrupt', message: (error as Error).message, isDamaged: isDamage(error) }
    }
    return { type: 'failed', message: told(directory, error).message }
  }
}
