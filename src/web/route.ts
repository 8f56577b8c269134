// Which file the address of the page names: #/f/<id>, so that reload and a copied link work.

import { useSyncExternalStore } from 'react'
import { isSubjectId } from '../core/model/ids.ts'

/** The file named by a location's hash; undefined when it names none. */
export function fileOf(hash: string): string | undefined {
  const id = /^#\/f\/(.+)$/.exec(hash)?.[1]
  return id !== undefined && isSubjectId(id) ? id : undefined
}

/** Whether a location's hash is a link to a file, and not a whole one. */
export function isBroken(hash: string): boolean {
  return hash.startsWith('#/f/') && fileOf(hash) === undefined
}

export function hashOf(file: string | undefined): string {
  return file === undefined ? '#/' : `#/f/${file}`
}

/** The address that opens a file on the server this page came from. */
export function linkTo(file: string): string {
  return `${location.origin}/${hashOf(file)}`
}

/** Shows a file; undefined: none. */
export function go(file: string | undefined): void {
  location.hash = hashOf(file)
}

/** The hash of the page's location; the component is drawn again when it changed. */
export function useHash(): string {
  return useSyncExternalStore(
    (listener) => {
      window.addEventListener('hashchange', listener)
      return () => window.removeEventListener('hashchange', listener)
    },
    () => location.hash,
  )
}
