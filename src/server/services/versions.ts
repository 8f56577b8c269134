// Named versions as callers are told of them: a text is stored deflated, and swells here.

import { inflateRawSync } from 'node:zlib'
import { errorCodeOf } from '../../adapters/error-code.ts'
import { FourfoldError } from '../../core/model/errors.ts'
import { textBytesMax, versionTextsBytesMax } from '../../core/model/limits.ts'
import type { Version } from '../../core/model/wire.ts'

/** All of them, oldest first, with the texts of the newest: as many as there is room for. */
export function allVersions(versions: readonly Version[]) {
  let room = versionTextsBytesMax
  const told = versions.toReversed().map((version) => {
    const text = room > 0 ? inflated(version, room) : undefined
    room -= text?.length ?? room
    return toVersion(version, text)
  })
  return told.reverse()
}

/** One of them. Throws FourfoldError not-found. */
export function oneVersion(versions: readonly Version[], id: string) {
  const version = versions.find((each) => each.id === id)
  if (!version) throw new FourfoldError('not-found', 'No such version.')
  return toVersion(version, inflated(version, textBytesMax))
}

function toVersion({ id, name, author, at }: Version, text: Buffer | undefined) {
  return { id, name, author, at, text: text?.toString() ?? '', isTextLeftOut: text === undefined }
}

/** Undefined: it is longer. */
function inflated({ text }: Version, maxOutputLength: number): Buffer | undefined {
  try {
    return inflateRawSync(text, { maxOutputLength })
  } catch (error) {
    if (errorCodeOf(error) === 'ERR_BUFFER_TOO_LARGE') return undefined
    throw error
  }
}
