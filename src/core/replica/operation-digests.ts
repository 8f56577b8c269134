// What is asked under the id of an operation, in sixteen digits, so that anything else asked under the
// same id is told apart. Empty: any request under this id is the same.
//
// Whoever asks again says the same in these parts, at any server, of any version, in any later life: a
// field is added only with care. A file has the id of the operation that made it, so that its name and
// place are no part: the same file may be asked for under another name, that one being taken.

import type { Operation } from '../model/wire.ts'
import type { Call } from './messages.ts'

/** SHA-256 of UTF-8 text, in hex. */
type Hash = (text: string) => string

const digits = 16

/** What a whole-file client asks to change. */
export function callDigest(call: Extract<Call, { operation: string }>, hash: Hash): string {
  switch (call.type) {
    case 'save': {
      const { file, operation, text, isNew } = call
      // Whatever it was made with: a plain copy of all files makes them again under their old ids.
      if (call.isOnce || (isNew && file === operation)) return ''
      // As a client with a channel asks for it.
      if (isNew) return digest(hash, ['create'], text)
      // With a state of its base the text may be made anew, from what others wrote meanwhile.
      return call.baseState !== undefined ? '' : digest(hash, [call.type, file], text)
    }
    case 'saveBinary': {
      const { file, operation, isNew, hash: bytes } = call
      if (file === operation) return ''
      return digest(hash, isNew ? ['createBinary', bytes] : [call.type, file, bytes])
    }
    case 'makeDirectory':
      // As a client with a channel asks for it.
      return digest(hash, [call.type])
    case 'delete':
    case 'restore':
    case 'erase':
      return digest(hash, [call.type, call.file])
    case 'rename':
      return digest(hash, [call.type, call.file, call.name])
    case 'move':
      return digest(hash, [call.type, call.file, call.path])
  }
}

/** What a client with a channel asks to change. */
export function operationDigest({ case: what, value }: Operation['operation'], hash: Hash): string {
  switch (what) {
    case 'create':
      return digest(hash, [what], value.text)
    case 'makeDirectory':
      return digest(hash, [what])
    case 'createBinary':
      return digest(hash, [what, value.hash])
    case 'setContent':
      return digest(hash, [what, value.entry, value.hash, value.base])
    case 'move':
      return digest(hash, [what, value.entry, value.parent, value.name])
    case 'rename':
      return digest(hash, [what, value.entry, value.name])
    case 'delete':
    case 'restore':
    case 'erase':
      return digest(hash, [what, value.entry])
    case 'several': {
      const { case: each, value: change } = value.change
      return digest(hash, [
        what,
        each ?? '',
        each === 'move' ? change.parent : '',
        ...value.entries,
      ])
    }
    case 'nameVersion':
      return digest(hash, [what, value.document, value.name])
    case undefined:
      return ''
  }
}

/** The text comes last and as it is: what is before it has an end. */
function digest(hash: Hash, parts: string[], text = ''): string {
  return hash(JSON.stringify(parts) + text).slice(0, digits)
}
