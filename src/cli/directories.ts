// Directories that a command makes on its way, and those of a tree in an order to make them in.

import { Code } from '@connectrpc/connect'
import { newOperation } from '../adapters/system.ts'
import type { Ask, Kept, Receipts } from './receipts.ts'
import { AnswerError, type SetClient } from './set-client.ts'

/**
 * Each is made once. Whoever makes one at a path makes the same, so that a server which has not heard
 * of it yet can be told again.
 */
export class Directories {
  readonly #set: SetClient
  readonly #receipts: Receipts
  readonly #made = new Map<string, Promise<Kept>>()

  constructor(set: SetClient, receipts: Receipts) {
    this.#set = set
    this.#receipts = receipts
  }

  /** Makes what is missing of this path. Rejects with AnswerError. */
  make(path: string): Promise<Kept> {
    const known = this.#made.get(path) ?? this.#ask(path)
    this.#made.set(path, known)
    return known
  }

  /** Does something in a directory; at a server that has not heard of that one, after telling it. */
  async within<T>(path: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      const isUnknown = error instanceof AnswerError && error.code === Code.NotFound
      if (!isUnknown || !this.#made.has(path)) throw error
      await this.#ask(path)
      return act()
    }
  }

  async #ask(path: string): Promise<Kept> {
    const request = { path, hasParents: true, operation: newOperation() }
    const ask: Ask = ({ folder }, call) => folder.makeDirectory(request, call)
    return this.#receipts.add(await this.#set.ask(ask), ask)
  }
}

/** In groups: each lies deeper than those of the groups before, and its own do not need each other. */
export function byDepth<T>(directories: readonly T[], pathOf: (directory: T) => string): T[][] {
  const groups: T[][] = []
  for (const directory of directories)
    (groups[pathOf(directory).split('/').length] ??= []).push(directory)
  return groups.filter((group) => group !== undefined)
}
