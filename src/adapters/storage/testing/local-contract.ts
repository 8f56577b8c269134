// What a device's storage must do, for any runner: also in a browser, where there is no node:test.

import type { KeptRelay, LocalStorage } from '../../../core/ports.ts'

export interface LocalCheck {
  sentence: string
  /** `open` opens the same, empty, device for one more program. Throws when the storage fails. */
  run(open: () => LocalStorage): Promise<void>
}

const bytes = (...values: number[]) => Uint8Array.from(values)

export const localContract: LocalCheck[] = [
  {
    sentence: 'what was appended is loaded, by this program and by the next',
    async run(open) {
      const one = open()
      same((await one.load('D')).updates, [])
      await one.append('D', bytes(1))
      await one.append('D', bytes(2))
      await one.append('E', bytes(3))
      same((await one.load('D')).updates, [[1], [2]])
      same((await open().load('D')).updates, [[1], [2]])
    },
  },
  {
    sentence: 'one update takes the place of all that was loaded and appended',
    async run(open) {
      await open().append('D', bytes(1))
      const one = open()
      await one.load('D')
      await one.append('D', bytes(2))
      await one.compact('D', bytes(12))
      same((await open().load('D')).updates, [[12]])
      await one.append('D', bytes(3))
      await one.compact('D', bytes(123))
      same((await open().load('D')).updates, [[123]])
    },
  },
  {
    sentence: 'what another program appended meanwhile is not taken away',
    async run(open) {
      const one = open()
      const other = open()
      await one.load('D')
      await other.append('D', bytes(2))
      await one.append('D', bytes(1))
      await one.compact('D', bytes(11))
      same((await open().load('D')).updates, [[2], [11]])
    },
  },
  {
    sentence: 'relays are kept with an update, and go with it',
    async run(open) {
      const relay = (text: number): KeptRelay => {
        return { update: bytes(text), seal: bytes(text, text), own: [[2 ** 32 - 1, text]] }
      }
      const one = open()
      same((await one.load('D')).relays, [])
      await one.append('D', bytes(1, 2), { relays: [relay(1), relay(2)] })
      await one.append('D', bytes(3))
      const other = open()
      await other.append('D', bytes(4), { relays: [relay(4)] })
      const { updates, relays } = await other.load('D')
      same(updates, [[1, 2], [3], [4]])
      same(relays, [relay(1), relay(2), relay(4)])
      const [first] = relays as KeptRelay[]
      if (!(first?.seal instanceof Uint8Array))
        throw new Error('a seal came back as something else')
      await other.compact('D', bytes(1, 2, 3, 4), { relays: [relay(4)] })
      same((await open().load('D')).relays, [relay(4)])
      await other.compact('D', bytes(1, 2, 3, 4))
      same(await open().load('D'), { updates: [[1, 2, 3, 4]], relays: [] })
    },
  },
  {
    sentence: 'documents of which something is kept are named once, until they are forgotten',
    async run(open) {
      const one = open()
      same(await one.documents(), [])
      for (const document of ['D', 'a.1/D', 'E', 'D']) await one.append(document, bytes(1))
      same((await open().documents()).toSorted(), ['D', 'E', 'a.1/D'])
      const other = open()
      await other.forget('D')
      same((await one.documents()).toSorted(), ['E', 'a.1/D'])
      same((await open().load('D')).updates, [])
      same((await open().load('a.1/D')).updates, [[1]])
      await one.append('D', bytes(2))
      same((await open().load('D')).updates, [[2]])
    },
  },
  {
    sentence: 'values are kept as they are, and are unknown before',
    async run(open) {
      const one = open()
      same(await one.get('k'), undefined)
      await one.set('k', { list: ['a'], bytes: bytes(7) })
      const value = (await open().get('k')) as { list: string[]; bytes: Uint8Array }
      same(value.list, ['a'])
      if (!(value.bytes instanceof Uint8Array)) throw new Error('bytes came back as something else')
      same(value.bytes, [7])
    },
  },
  {
    sentence: 'changes of one value by several programs at once are all kept',
    async run(open) {
      const programs = Array.from({ length: 8 }, () => open())
      const add = (name: string) => (value: unknown) => [...((value as string[]) ?? []), name]
      await Promise.all(programs.map((program, index) => program.change('k', add(`p${index}`))))
      const names = (await open().get('k')) as string[]
      same(names.toSorted(), ['p0', 'p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'p7'])
    },
  },
  {
    sentence: 'a value changes in one piece with what is appended or put in one piece',
    async run(open) {
      const one = open()
      const add = (name: string) => ({
        note: { key: 'k', alter: (value: unknown) => [...((value as string[]) ?? []), name] },
      })
      const alter = () => {
        throw new Error('no')
      }
      const failing = { note: { key: 'k', alter } }
      const other = open()
      await Promise.all([
        one.append('D', bytes(1), add('first')),
        other.append('E', bytes(9), add('second')),
      ])
      await one.compact('D', bytes(11), add('third'))
      await one.append('D', bytes(2), failing).catch(() => undefined)
      await one.compact('D', bytes(3), failing).catch(() => undefined)
      same((await open().load('D')).updates, [[11]])
      same((await open().load('E')).updates, [[9]])
      same(((await open().get('k')) as string[]).toSorted(), ['first', 'second', 'third'])
    },
  },
  {
    sentence: 'a name is held by one at a time, in the order in which they asked for it',
    async run(open) {
      const [one, other] = [open(), open()]
      const letGo = await one.hold('n')
      const held: string[] = []
      const second = other.hold('n').then((letGoToo) => {
        held.push('second')
        return letGoToo
      })
      const third = one.hold('n').then(() => held.push('third'))
      const release = await other.hold('m')
      release!()
      same(held, [])
      letGo!()
      const releaseNext = await second
      same(held, ['second'])
      releaseNext!()
      await third
      same(held, ['second', 'third'])
    },
  },
  {
    sentence: 'a word is heard by the other programs, until they listen no more',
    async run(open) {
      const [one, other, last] = [open(), open(), open()]
      const heard: string[] = []
      one.listen((word) => heard.push(`one ${word}`))
      const end = other.listen((word) => heard.push(`other ${word}`))
      const isTold = (word: string) =>
        new Promise<void>((resolve) => last.listen((told) => told === word && resolve()))
      const first = isTold('a')
      one.tell('a')
      await first
      end()
      const second = isTold('b')
      other.tell('b')
      await second
      same(heard.toSorted(), ['one b', 'other a'])
    },
  },
]

function same(actual: unknown, expected: unknown): void {
  const [one, other] = [shown(actual), shown(expected)]
  if (one !== other) throw new Error(`got ${one}, not ${other}`)
}

function shown(value: unknown): string {
  const plain = (each: unknown): unknown => {
    if (each instanceof Uint8Array) return [...each]
    if (Array.isArray(each)) return each.map(plain)
    if (typeof each !== 'object' || each === null) return each
    return Object.entries(each).map(([name, value]) => [name, plain(value)])
  }
  return JSON.stringify(plain(value)) ?? 'undefined'
}
