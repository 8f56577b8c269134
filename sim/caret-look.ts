// A last look at carets: whoever has a text open sees where all the others are in it, and nobody else.

import { caretLifeMs } from '../src/core/model/limits.ts'
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

/** Those who are here have said it again, and those who left are forgotten. */
const settledMs = caretLifeMs / 3 + 1000
/** So often in a row it may be looked just while somebody changes servers. */
const changesMax = 3

export function checkCarets(look: CaretLook): void {
  const { people, probe, pass } = look
  const writing = people.filter(({ page }) => page && page.carets.size > 0)
  if (writing.length === 0) return
  checkSeen(look)
  writing.forEach((person, index) => index % 2 === 0 && person.leaveForGood())
  probe()
  pass()
  checkSeen(look)
}

function checkSeen(look: CaretLook): void {
  const { people, checkers, pass } = look
  const isWrong = unseen(look) !== undefined || ghost(look) !== undefined
  if (isWrong) pass(settledMs)
  // Who changes servers, as one does every few seconds while a text is on none, goes and comes.
  for (let changes = 0; changes < changesMax && unseen(look) !== undefined; changes++) pass()
  const lacking = unseen(look)
  if (lacking !== undefined) checkers.checkCaret(lacking)
  if (ghost(look) === undefined) return
  // A screen forgets by itself, later, whom its server knew nothing of when it came there: what servers
  // know is seen by opening the text again.
  const reopened = people.flatMap(({ page }) => page?.reopening() ?? [])
  pass()
  for (const reopen of reopened) reopen()
  pass()
  const left = ghost(look)
  if (left !== undefined) checkers.checkCaret(left)
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

/**
 * Somebody who is seen and has left. Whoever only closed a text while changing servers is seen in it for
 * up to 30 s more: what the old one says then is taken for part of the change.
 */
function ghost(look: CaretLook): string | undefined {
  const here = new Set(look.people.map(({ page }) => page?.writer))
  for (const { name, document, shown } of screens(look)) {
    for (const [writer, state] of shown) {
      if (here.has(writer)) continue
      return `${name} sees a caret at "${state}" in ${document}, whose person has left`
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
