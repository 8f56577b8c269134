// Ids for what a client asks for: nobody has them yet, and nobody can guess them.

import { subjectId, type SubjectId } from '../core/model/ids.ts'

/** The id of an operation, and of what it makes, or of something else that happens once. */
export function newId(): SubjectId {
  return subjectId(crypto.getRandomValues(new Uint8Array(16)))
}
