// Which texts the inputs of a turn change: whatever changes more than once is integrated together.

import type { SubjectId } from '../model/ids.ts'
import type { ReplicaInput } from './messages.ts'

/** Texts whose changes in one turn are integrated together; a turn with more of them is rare. */
const textsMax = 32

/** The texts that more than one of these changes, as far as they are few. */
export function oftenChanged(inputs: readonly ReplicaInput[]): Set<SubjectId> {
  const once = new Set<SubjectId>()
  const often = new Set<SubjectId>()
  for (const input of inputs) {
    const subject = textOf(input)
    if (subject === undefined) continue
    if (once.has(subject) && often.size < textsMax) often.add(subject)
    once.add(subject)
  }
  return often
}

/** The text that an input changes, if that is all it does. */
export function textOf(input: ReplicaInput | undefined): SubjectId | undefined {
  if (input?.type === 'received' && input.message.message.case === 'push') {
    return input.message.message.value.document as SubjectId
  }
  if (input?.type !== 'event' || input.event.type !== 'changed') return undefined
  const { subject, body } = input.event.update
  return body.case === 'text' ? (subject as SubjectId) : undefined
}
