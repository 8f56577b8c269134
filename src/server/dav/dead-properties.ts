// Properties that clients give to files and this server only keeps: colours of labels, times of
// Windows. In memory: they end with the server, other servers do not have them, and when there are too
// many, those of the file that was given some longest ago go first.

import { davPropertiesCharactersMax } from '../../core/model/limits.ts'
import type { Name } from './xml.ts'

/** By their names, each as an element of XML. */
type Properties = Map<string, { name: Name; xml: string }>

/** The same for the same name only. */
export const labelOf = ({ uri, local }: Name) => `${local} ${uri}`

export class DeadProperties {
  /** By the id of the entry; that of the top is empty. */
  readonly #byEntry = new Map<string, Properties>()
  #characters = 0

  of(entry: string): Iterable<{ name: Name; xml: string }> {
    return this.#byEntry.get(entry)?.values() ?? []
  }

  get(entry: string, name: Name): string | undefined {
    return this.#byEntry.get(entry)?.get(labelOf(name))?.xml
  }

  set(entry: string, name: Name, xml: string): void {
    this.remove(entry, name)
    const properties = this.#byEntry.get(entry) ?? new Map()
    properties.set(labelOf(name), { name, xml })
    this.#byEntry.delete(entry)
    this.#byEntry.set(entry, properties)
    this.#characters += sizeOf(name, xml)
    this.#forgetOldest()
  }

  remove(entry: string, name: Name): void {
    const properties = this.#byEntry.get(entry)
    const known = properties?.get(labelOf(name))
    if (!properties || !known) return
    properties.delete(labelOf(name))
    this.#characters -= sizeOf(known.name, known.xml)
    if (properties.size === 0) this.#byEntry.delete(entry)
  }

  /** What the one has, the other has from now on, and nothing else. */
  copy(from: string, to: string): void {
    if (from === to) return
    const properties = [...this.of(from)]
    for (const { name } of [...this.of(to)]) this.remove(to, name)
    for (const { name, xml } of properties) this.set(to, name, xml)
  }

  #forgetOldest(): void {
    for (const [entry, properties] of this.#byEntry) {
      if (this.#characters <= davPropertiesCharactersMax) return
      for (const { name } of [...properties.values()]) this.remove(entry, name)
    }
  }
}

function sizeOf({ uri, local }: Name, xml: string): number {
  return uri.length + local.length + xml.length
}
