// The header If of WebDAV (RFC 4918 section 10.4), and the lists of etags in HTTP's own headers.

import { Refusal } from './refusal.ts'

export interface Condition {
  isNot: boolean
  /** What has to hold of the resource: it is locked by this token, or has this etag. */
  of: { token: string } | { etag: string }
}

export interface ConditionList {
  /** The address that it is about; absent: the one that the request is about. */
  resource: string | undefined
  /** All of them have to hold. */
  conditions: Condition[]
}

/** The lists, of which one has to hold. Throws Refusal. */
export function parseIf(header: string): ConditionList[] {
  const lists: ConditionList[] = []
  const token = /\s*(?:<([^<>\s]*)>|(\()|(Not\b)|\[((?:W\/)?"[^"]*")\]|(\)))/iy
  let resource: string | undefined
  let open: Condition[] | undefined
  let isNot = false
  const text = header.trim()
  const malformed = new Refusal(400, 'The header If is malformed.')
  while (token.lastIndex < text.length) {
    const [, uri, opens, not, etag, closes] = token.exec(text) ?? []
    const of = uri === undefined ? etag !== undefined && { etag } : { token: uri }
    if (opens && !open) open = []
    else if (not && open && !isNot) isNot = true
    else if (of && open) {
      open.push({ isNot, of })
      isNot = false
    } else if (uri !== undefined && !open) resource = uri
    else if (closes && open && open.length > 0 && !isNot) {
      lists.push({ resource, conditions: open })
      open = undefined
    } else throw malformed
  }
  if (lists.length === 0 || open) throw malformed
  return lists
}

/** Every token in the header: whoever names one shows that it has the lock. */
export function tokensIn(lists: ConditionList[]): string[] {
  return lists.flatMap(({ conditions }) =>
    conditions.flatMap(({ of }) => ('token' in of ? [of.token] : [])),
  )
}

/** The etags of If-Match or If-None-Match, weak ones as they are; '*' for any. */
export function etagsIn(header: string): string[] | '*' {
  if (header.trim() === '*') return '*'
  return header.match(/(?:W\/)?"[^"]*"/g) ?? []
}

/** Whether If-None-Match names an etag: there a weak one stands for the strong one (RFC 9110, 13.1.2). */
export function isAmong(header: string, etag: string | undefined): boolean {
  if (etag === undefined) return false
  const etags = etagsIn(header)
  return etags === '*' || etags.some((each) => each.replace(/^W\//, '') === etag)
}
