// A last look at carets: whoever has a text open sees where all the others are in it, and nobody else.

import { caretLifeMs, presenceLifeMs } from '../src/core/model/limits.ts'
import type { SubjectId } from '../src/core/model/ids.ts'
import type { Checkers } from './checkers.ts'
import type { SimulatedPerson } from './person.ts'

interface CaretLook {
  people: SimulatedPerson[]
  checkers: Checkers
  /** Texts that are not going for good. */
  subjects: SubjectId[]
  pass: (forMs?: number) => void
  probe: () => void
}

/** Those who are here have said it again. */
const settledMs = caretLifeMs / 3 + 1000
/** Whoever closed a text, or left, is seen no longer than this. */
const leftMs = 5000
/** So often in a row it may be looked just while somebody changes servers. */
const changesMax = 3

export function checkCarets(look: CaretLook): void {
  const { people, probe, pass } = look
  const writing = people.filter(({ page }) => page && page.carets.size > 0)
  if (writing.length === 0) return
  // Who left while two servers had no channel is known to both this long after they have one.
  checkSeen(look, presenceLifeMs + leftMs)
  writing.forEach((person, index) => index % 2 === 0 && person.leaveForGood())
  probe()
  pass()
  checkSeen(look, leftMs)
}

function checkSeen(look: CaretLook, goneMs: number): void {
  const { checkers, pass } = look
  if (ghost(look) !== undefined) pass(goneMs)
  const left = ghost(look)
  if (left !== undefined) checkers.checkCaret(left)
  if (unseen(look) !== undefined) pass(settledMs)
  // Who changes servers, as one does every few seconds while a text is on none, goes and comes.
  for (let changes = 0; changes < changesMax && unseen(look) !== undefined; changes++) pass()
  const lacking = unseen(look)
  if (lacking !== undefined) checkers.checkCaret(lacking)
}

/** Somebody who is not seen where she is; undefined: all are. */
function unseen(look: CaretLook): string | undefined {
  for (const { name, document, shown, others } of screens(look)) {
    for (const { person, state, writer } of others) {
      const seen = shown.get(writer)
      if (seen === state) continue
      return `${name} sees ${person} at "${seen ?? ''}" in ${document}; the caret is at "${state}"`
    }
  }
  return undefined
}

/** Somebody who is seen in a text that is closed there, or has left; undefined: nobody is. */
function ghost(look: CaretLook): string | undefined {
  const here = new Map(look.people.map(({ page }) => [page?.writer, page]))
  for (const { name, document, shown } of screens(look)) {
    for (const [writer, state] of shown) {
      const page = here.get(writer)
      if (page?.carets.has(document)) continue
      const how = page ? 'closed it' : 'left'
      return `${name} sees a caret at "${state}" in ${document}, whose person has ${how}`
    }
  }
  return undefined
}

function screens(look: CaretLook) {
  const { people, subjects } = look
  const present = people.flatMap(({ name, page }) =>
    page?.screenName === undefined ? [] : [{ name, page }],
  )
  return present.flatMap(({ name, page }) =>
    subjects.flatMap((document) => {
      const shown = page.caretsIn(document)
      if (!shown) return []
      const others = present.flatMap((other) => {
        const state = other.page.carets.get(document)
        if (other.page === page || state === undefined) return []
        return [{ person: other.name, state, writer: other.page.writer }]
      })
      return [{ name, document, shown, others }]
    }),
  )
}
