// Which text a change on the disk was made from: late writers, open editors, people who go back.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { editedText, mergeText } from '../model/text-merge.ts'
import { baseOf, changeOf, earlierMax, type Earlier } from './base-choice.ts'

const before = 'one\ntwo\nthree\n'
const now = 'one\ntwo\nthree\nand what others typed\n'
const earlier = [{ text: before, replacedAt: 1000 }]

test('a change of what is there was made from it', () => {
  assert.equal(baseOf(`zero\n${now}`, now, earlier, 1500), now)
})

test('a change of what was there before was made from that', () => {
  assert.equal(baseOf(`zero\n${before}`, now, earlier, 1500), before)
  assert.equal(baseOf(`zero\n${before}`, now, earlier, 300_000), before)
})

test('after ten minutes what was there before is forgotten', () => {
  assert.equal(baseOf(`zero\n${before}`, now, earlier, 700_000), now)
})

test('back to exactly what was there is a late write at first, then a wish', () => {
  assert.equal(baseOf(before, now, earlier, 2000), before)
  assert.equal(baseOf(before, now, earlier, 5000), now)
  // The clock was set back by an hour since.
  assert.equal(baseOf(before, now, earlier, -3_600_000), now)
})

test('who keeps the last of what others typed, and takes out the rest, had read all of it', () => {
  const paragraphs = ['first', 'second', 'third'].map((each) => `${`the ${each} `.repeat(9)}\n`)
  const common = before + paragraphs.join('')
  const next = before + paragraphs[2]!
  assert.equal(baseOf(next, common, earlier, 60_000), common)
  assert.equal(baseOf(`${next}own\n`, common, earlier, 60_000), common)
  const list = ['milk', 'bread', 'butter', 'salt'].map((each) => `- ${each}\n`)
  const long = before + paragraphs.join('') + list.join('')
  assert.equal(baseOf(before + list.join(''), long, earlier, 60_000), long)
  assert.equal(baseOf(before + list[0]!, long, earlier, 60_000), before)
  // A line alike, typed here as well, is less than what is only here.
  const own = `${before}${paragraphs[2]!}${'and words of my own '.repeat(6)}\n`
  assert.equal(baseOf(own, common, earlier, 60_000), before)
})

test('without anything earlier there is no choice', () => {
  assert.equal(baseOf('all new', now, [], 2000), now)
})

test('of many earlier texts it is the closest, however long ago', () => {
  const texts = Array.from({ length: 100 }, (_, index) => `${before}${'word '.repeat(index)}\n`)
  const all = texts.map((text, index) => ({ text, replacedAt: index * 1000 })).reverse()
  const last = `${texts[99]!}more\n`
  assert.equal(baseOf(texts[3]!.replace('two', 'twenty'), last, all, 120_000), texts[3])
})

test('of ten minutes of typing it is the one that was read, wherever others and it wrote', () => {
  const lines = Array.from({ length: 60 }, (_, index) => `line ${index} of a text that is read`)
  const all: Earlier[] = []
  for (let count = 0; count < earlierMax; count++) {
    all.unshift({ text: lines.join('\n'), replacedAt: count * 900 })
    lines[(count * 37) % lines.length] += ` word${count}`
  }
  const last = lines.join('\n')
  for (const at of [0, 200, earlierMax - 1]) {
    const read = all[at]!.text
    const own = ['line 2 ', 'line 30 ', 'line 58 ']
    const next = own.reduce((text, start) => text.replace(start, `${start}by me `), read)
    assert.equal(baseOf(next, last, all, earlierMax * 900), read, `${at}`)
  }
})

test('what has little of an earlier text was written anew, or emptied: all that is there goes', () => {
  assert.equal(baseOf('', now, earlier, 1500), now)
  assert.equal(baseOf('all new\n', now, earlier, 1500), now)
  assert.equal(baseOf('all new\n', now, [{ text: '', replacedAt: 1000 }], 1500), now)
})

test('what is written into an emptied file is all new, whatever was there before', () => {
  assert.equal(baseOf(`zero\n${before}`, '', earlier, 1500), '')
})

test('what a slow program writes into a file that it emptied is a change of what it had read', () => {
  const emptied = { text: now, replacedAt: 2000 }
  const { base, text } = changeOf(`zero\n${before}`, '', [emptied, ...earlier], 9000)
  assert.deepEqual([base, text], ['', `zero\n${now}`])
})

test('what is written anew into an emptied file, or long after, is taken as it is', () => {
  const emptied = { text: now, replacedAt: 2000 }
  const anew = { base: '', text: 'all new\n' }
  assert.deepEqual(changeOf('all new\n', '', [emptied, ...earlier], 9000), anew)
  const late = { base: '', text: `zero\n${before}` }
  assert.deepEqual(changeOf(late.text, '', [emptied, ...earlier], 700_000), late)
  assert.deepEqual(changeOf(late.text, '', [], 9000), late)
})

test('a program that never reads again takes out nothing, however slowly it writes', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const dice = diceOf(seed)
    const lines = Array.from({ length: 3 + dice(8) }, (_, index) => `line ${index}`)
    const disk = new Disk(`${lines.join('\n')}\nown\nend\n`)
    let own = disk.folder
    const marks: string[] = []
    // Unlike each other: which text was changed is told by how much of it is there.
    const word = () => {
      const letters = Array.from({ length: 8 }, () => String.fromCharCode(97 + dice(26)))
      const mark = `<${letters.join('')}>`
      marks.push(mark)
      return mark
    }
    const typed = () => {
      const mark = word()
      const at = disk.folder.split('\n')
      const line = dice(at.length)
      at[line] += mark
      disk.folder = at.join('\n')
    }
    for (let count = 0; count < 12; count++) {
      for (let words = dice(4); words > 0; words--) typed()
      if (dice(3) > 0) disk.follow()
      if (dice(2) > 0) continue
      const mark = word()
      own = own.replace('\nown\n', `\nown\n${mark}\n`)
      if (dice(2) > 0) {
        disk.write('')
        if (dice(3) === 0) typed()
      }
      disk.write(own)
      if (dice(3) > 0) disk.follow()
    }
    for (const mark of marks) {
      assert.ok(disk.folder.includes(mark), `seed ${seed}, ${mark} in\n${disk.folder}`)
    }
  }
})

/** A file of a mirror and the text of the folder, as `src/cli/mirror` brings one to the other. */
class Disk {
  folder: string
  #common: string
  #earlier: Earlier[] = []
  #now = 0

  constructor(text: string) {
    this.folder = text
    this.#common = text
  }

  /** The mirror replaces the file by the text of the folder. */
  follow(): void {
    if (this.folder === this.#common) return
    this.#replace()
    this.#common = this.folder
  }

  write(text: string): void {
    this.#now += 10_000
    const { base, text: meant } = changeOf(text, this.#common, this.#earlier, this.#now)
    if (text === '') this.#replace()
    this.folder = editedText(this.folder, mergeText(base, this.folder, meant))
    this.#common = text
  }

  #replace(): void {
    this.#earlier.unshift({ text: this.#common, replacedAt: this.#now })
  }
}

function diceOf(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return (state >>> 8) % below
  }
}
