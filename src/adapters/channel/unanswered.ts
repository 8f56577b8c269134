// The servers that did not answer a page's last dial. Its tab knows them after a reload, too.

const name = 'fourfold.unanswered'

export class Unanswered {
  readonly #addresses = new Set(read())

  has(address: string): boolean {
    return this.#addresses.has(address)
  }

  add(address: string): void {
    if (this.has(address)) return
    this.#addresses.add(address)
    write(this.#addresses)
  }

  delete(address: string): void {
    if (this.#addresses.delete(address)) write(this.#addresses)
  }
}

function read(): string[] {
  try {
    const addresses: unknown = JSON.parse(sessionStorage.getItem(name) ?? '[]')
    return Array.isArray(addresses) ? addresses.filter((each) => typeof each === 'string') : []
  } catch {
    // Forbidden, or somebody else's content: as if all had answered.
    return []
  }
}

function write(addresses: ReadonlySet<string>): void {
  try {
    sessionStorage.setItem(name, JSON.stringify([...addresses]))
  } catch {
    // Forbidden or full: known until the next reload.
  }
}
