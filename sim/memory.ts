// How much a mind holds: every Map, Set and list in it, by where it is.
//
// Private fields are seen by nobody but a debugger: this is one, in the same thread. It is slow: some
// milliseconds for each hundred objects.

import { Session as Debugger, type Runtime } from 'node:inspector'
import * as Y from 'yjs'

type Value = Runtime.RemoteObject | undefined
/** Its types do not know of private ones. */
type Properties = Runtime.GetPropertiesReturnType & {
  privateProperties?: { name: string; value?: Runtime.RemoteObject }[]
}

/** What so much lies in, by its path from the mind: "Replica.#visitors.#awaiting". */
export type Sizes = Map<string, number>

const depthMax = 14
const beyond = new Set(['__proto__', 'reader', '#reader'])
/** What the debugger calls in here by. */
const hook = globalThis as { weigh?: object | ((object: object) => boolean) }

/** Of all these minds together, without what is in a text, which is of Yjs, and on a disk. */
export function sizesOf(minds: object[]): Sizes {
  const scale = new Scale()
  for (const mind of minds) scale.weigh(mind)
  scale.end()
  return scale.sizes
}

class Scale {
  readonly sizes: Sizes = new Map()
  readonly #debugger = new Debugger()
  /** More than one way leads to some. */
  readonly #seen = new Set<object>()

  constructor() {
    this.#debugger.connect()
  }

  end(): void {
    delete hook.weigh
    this.#debugger.disconnect()
  }

  weigh(mind: object): void {
    hook.weigh = mind
    const { result } = this.#ask<Runtime.EvaluateReturnType>('Runtime.evaluate', {
      expression: 'globalThis.weigh',
    })
    hook.weigh = (object) => this.#isForeign(object)
    this.#into(result, mind.constructor.name, 0)
  }

  #isForeign(object: object): boolean {
    const isForeign = this.#seen.has(object) || object instanceof Y.Doc
    this.#seen.add(object)
    return isForeign
  }

  #into(value: Value, path: string, depth: number): void {
    const { objectId, type, subtype = '', description = '' } = value ?? {}
    if (!objectId || type !== 'object' || subtype === 'typedarray' || depth > depthMax) return
    if (this.#isPassed(objectId)) return
    const isList = subtype === 'array'
    const isKeyed = subtype === 'map' || subtype === 'set'
    if (isList || isKeyed) {
      const size = Number(/\((\d+)\)/.exec(description)?.[1] ?? 0)
      this.sizes.set(path, (this.sizes.get(path) ?? 0) + size)
    }
    const { result, privateProperties, internalProperties } = this.#properties(objectId)
    if (isKeyed) {
      const entries = internalProperties?.find(({ name }) => name === '[[Entries]]')
      this.#entries(entries?.value?.objectId, `${path}[]`, depth + 1)
      return
    }
    for (const { name, value: inner } of privateProperties ?? []) {
      if (!beyond.has(name)) this.#into(inner, `${path}.${name}`, depth + 1)
    }
    for (const { name, value: inner } of result) {
      if (!beyond.has(name)) this.#into(inner, isList ? `${path}[]` : `${path}.${name}`, depth + 1)
    }
  }

  /** Of a Map or Set: a list of objects with a `value` each. */
  #entries(list: string | undefined, path: string, depth: number): void {
    if (!list) return
    for (const { name, value: entry } of this.#properties(list).result) {
      if (!entry?.objectId || !/^\d+$/.test(name)) continue
      const parts = this.#properties(entry.objectId).result
      this.#into(parts.find((part) => part.name === 'value')?.value, path, depth)
    }
  }

  #properties(objectId: string): Properties {
    return this.#ask('Runtime.getProperties', { objectId, ownProperties: true })
  }

  #isPassed(objectId: string): boolean {
    const functionDeclaration = 'function () { return globalThis.weigh(this) }'
    const asked = { objectId, functionDeclaration, returnByValue: true }
    return this.#ask<Runtime.CallFunctionOnReturnType>('Runtime.callFunctionOn', asked).result.value
  }

  // In the same thread the answer comes before `post` returns.
  #ask<Answer>(method: string, parameters: object): Answer {
    let answer: Answer | undefined
    this.#debugger.post(method, parameters, (error, result) => {
      if (error) throw error
      answer = result as Answer
    })
    return answer!
  }
}
