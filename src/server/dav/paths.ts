// Between addresses of WebDAV and paths of the folder: /dav/specs/a%20b.md and "specs/a b.md".

import { fileKey } from '../../core/model/names.ts'
import { isBelow } from '../../core/model/path.ts'
import { Refusal } from './refusal.ts'

/** Where the folder begins. */
export const davPath = '/dav'

export interface Target {
  /** Names joined by "/"; empty: the top. */
  path: string
  /** It was asked for as a directory. */
  hasSlash: boolean
}

export function isDavPath(path: string): boolean {
  return path === davPath || path.startsWith(`${davPath}/`)
}

/**
 * What an address leads to; a query says nothing. Names are those of names.ts, in Unicode's composed
 * form: macOS takes them apart. Throws Refusal.
 */
export function targetOf(address: string): Target {
  // Some clients forget to write "#" as "%23": what they ask for is not what they mean.
  if (address.includes('#')) throw new Refusal(400, 'An address here has no part after "#".')
  const [path = ''] = address.split('?', 1)
  if (!isDavPath(path)) throw new Refusal(403, `The folder is below ${davPath}/.`)
  const names = path.slice(davPath.length).split('/').filter(Boolean).map(decoded)
  return { path: names.join('/'), hasSlash: names.length === 0 || path.endsWith('/') }
}

function decoded(name: string): string {
  try {
    const plain = decodeURIComponent(name).normalize('NFC')
    if (!plain.includes('/')) return plain
  } catch {
    // A malformed percent sign, or no UTF-8.
  }
  throw new Refusal(400, 'A part of this address is no name in UTF-8.')
}

export function hrefOf(path: string, isDirectory: boolean): string {
  const names = path.split('/').filter(Boolean).map(encodeURIComponent)
  return [davPath, ...names].join('/') + (isDirectory || names.length === 0 ? '/' : '')
}

/** The same for all spellings of a path that lead to one entry. */
export function keyOf(path: string): string {
  return path.split('/').map(fileKey).join('/')
}

/** Whether what has the first key is what has the second, or lies in it. */
export function isWithin(key: string, above: string): boolean {
  return key === above || isBelow(key, above)
}
