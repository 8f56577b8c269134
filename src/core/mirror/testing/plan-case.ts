// A small case for the plan of a mirror, in few letters, and what the plan says to it.

import { isMadeFrom } from '../kin.ts'
import type { Act, Common, InFolder, Late, OnDisk, Plan, Views } from '../messages.ts'
import { plan } from '../plan.ts'

export interface Case {
  /**
   * Path → text, bytes after a "#"; null is a directory. A "!" before the path: skipped. "~": not
   * settled.
   */
  disk?: { [path: string]: string | null }
  /** Id → [path, text]; null is a directory, undefined not read yet. */
  folder?: { [id: string]: [path: string, text: string | null | undefined] }
  common?: { [id: string]: [path: string, text: string | null] }
  /** What a thing on disk is; otherwise what is at its path in `common`. */
  identity?: { [path: string]: string }
  gone?: string[]
  elsewhere?: string[]
  restorable?: string[]
  isQuiet?: boolean
  acceptsDeletes?: boolean
  followed?: string[]
  late?: Late
  asked?: Iterable<string>
  agreed?: Iterable<string>
  ignored?: string[]
  waiting?: string[]
  making?: string[]
  stale?: string[]
}

export function planOf(given: Case): Plan {
  const commonPaths = Object.entries(given.common ?? {})
  const identityOf = (path: string) =>
    given.identity?.[path] ?? commonPaths.find(([, [at]]) => at === path)?.[0] ?? `new ${path}`
  const disk = new Map<string, OnDisk>()
  for (const [marked, text] of Object.entries(given.disk ?? {})) {
    const path = marked.replace(/^[!~]/, '')
    const kind = marked.startsWith('!') ? 'skipped' : kindOf(text)
    const isSettled = !marked.startsWith('~')
    disk.set(path, { path, kind, version: text ?? '', identity: identityOf(path), isSettled })
  }
  const folder = new Map<string, InFolder>()
  for (const [id, [path, text]] of Object.entries(given.folder ?? {})) {
    const kind = kindOf(text)
    const isStale = given.stale?.includes(id) ?? false
    folder.set(id, { id, path, kind, version: text ?? undefined, isStale })
  }
  const common = new Map<string, Common>()
  for (const [id, [path, text]] of commonPaths) {
    const kind = kindOf(text)
    common.set(id, { id, path, kind, version: text ?? '', identity: id })
  }
  const views: Views = {
    disk,
    folder,
    common,
    isQuiet: given.isQuiet ?? true,
    gone: new Set(given.gone),
    elsewhere: new Set(given.elsewhere),
    restorable: new Set(given.restorable),
    waiting: new Set(given.waiting),
    making: new Set(given.making),
    isMadeFrom: ({ version: before }, { version }) => isMadeFrom(version, before),
    isIgnored: (path) => (given.ignored ?? []).includes(path),
    host: 'here',
    acceptsDeletes: given.acceptsDeletes ?? false,
    isFollowed: (id) => (given.followed ?? []).includes(id),
    late: given.late ?? { atOnce: 0, lately: 0 },
    asked: new Set(given.asked),
    agreed: new Set(given.agreed),
  }
  return plan(views)
}

function kindOf(text: string | null | undefined): 'directory' | 'text' | 'binary' {
  if (text === null) return 'directory'
  return text?.startsWith('#') ? 'binary' : 'text'
}

/** An act as one word each: "save A a.md". */
export function words(act: Act): string {
  const { type, ...rest } = act
  const { kind: _, isAnothers, ...shown } = rest as { kind?: string; isAnothers?: true }
  const values = Object.values(shown) as (string | undefined)[]
  return [type, ...values, isAnothers && 'of another']
    .filter((word) => word !== undefined)
    .join(' ')
}

export function acts(given: Case): string[] {
  return planOf(given).acts.map(words)
}

export const many = <T>(count: number, of: (index: number) => [string, T]) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => of(index)))
