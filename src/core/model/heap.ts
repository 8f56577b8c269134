// A binary heap: of many things always the first one, whatever the order in which they come.

export class Heap<Thing> {
  readonly #things: Thing[] = []
  readonly #isBefore: (one: Thing, other: Thing) => boolean

  /** `isBefore`: a strict order, which does not change for what is in the heap. */
  constructor(isBefore: (one: Thing, other: Thing) => boolean) {
    this.#isBefore = isBefore
  }

  /** The one that comes first; undefined: the heap is empty. */
  get first(): Thing | undefined {
    return this.#things[0]
  }

  put(thing: Thing): void {
    let index = this.#things.push(thing) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!this.#isBefore(thing, this.#things[parent]!)) break
      this.#things[index] = this.#things[parent]!
      index = parent
    }
    this.#things[index] = thing
  }

  /** Takes the first one out. */
  take(): Thing | undefined {
    const first = this.#things[0]
    const last = this.#things.pop()
    if (last === undefined || this.#things.length === 0) return first
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= this.#things.length) break
      const right = this.#things[child + 1]
      if (right !== undefined && this.#isBefore(right, this.#things[child]!)) child++
      if (!this.#isBefore(this.#things[child]!, last)) break
      this.#things[index] = this.#things[child]!
      index = child
    }
    this.#things[index] = last
    return first
  }
}
