// Searches in slices: what is found, in which order, and that one search is never long at a time.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '../../../sim/random.ts'
import { freshId, LoneReplica } from '../../../test/lone-replica.ts'
import {
  foundLinesMax,
  searchesMax,
  searchStepsPerFile,
  searchStepsPerTurn,
} from '../model/limits.ts'
import { Kind } from '../model/wire.ts'
import { LineFinder } from './line-finder.ts'
import type { Answer, Call } from './messages.ts'

type Found = Extract<Answer, { type: 'found' }>

function search(text: string, directory = ''): Call {
  return { type: 'search', pattern: { text, ignoresCase: false, isRegex: false }, directory }
}

/** The slices of a search to its end. */
function slices(replica: LoneReplica, request: Call, between = () => {}): Found[] {
  const call = replica.begin(request)
  const all: Found[] = []
  for (;;) {
    const [answer, ...others] = replica.take(call)
    assert.ok(answer?.type === 'found' && others.length === 0, JSON.stringify(answer))
    all.push(answer)
    if (answer.isDone) return all
    between()
    replica.turn({ type: 'asked', call })
  }
}

const lines = (found: Found[]) =>
  found.flatMap((slice) =>
    slice.lines.map(({ file, line, text }) => `${file.path}:${line}: ${text}`),
  )

test('lines are found by path, in a directory or one file, and not in the trash', () => {
  const replica = new LoneReplica('a')
  const operation = freshId()
  replica.call({ type: 'makeDirectory', path: 'd/e', hasParents: true, operation })
  replica.save('z.md', 'needle')
  replica.save('d/e/deep.md', 'no\nthe needle')
  replica.save('d/B.md', 'needle\n')
  replica.save('gone.md', 'needle')
  replica.call({ type: 'delete', file: 'gone.md', operation: freshId() })
  const all = ['d/B.md:1: needle', 'd/e/deep.md:2: the needle', 'z.md:1: needle']
  assert.deepEqual(lines(slices(replica, search('needle'))), all)
  assert.deepEqual(lines(slices(replica, search('needle', 'd/e'))), all.slice(1, 2))
  assert.deepEqual(lines(slices(replica, search('needle', 'z.md'))), all.slice(2))
  assert.deepEqual(lines(slices(replica, search('thread'))), [])
  // What is in memory and what is only on disk are searched alike, and a search leaves it so.
  assert.equal(replica.replica.status().documentsInMemory, 0)
  for (const [text, directory, rule] of [
    ['', '', 'Say what to look for.'],
    ['x', 'nowhere', 'No such file.'],
  ] as const) {
    const [answer] = replica.call(search(text, directory))
    assert.ok(answer?.type === 'failed')
    assert.equal(answer.error.message, rule)
  }
})

test('many files take many turns, and what changes in between is found where it lies then', () => {
  const replica = new LoneReplica('a')
  const perSlice = searchStepsPerTurn / searchStepsPerFile
  const count = 3 * perSlice
  const name = (number: number) => `f${String(number).padStart(4, '0')}.md`
  for (let number = 0; number < count; number++) replica.save(name(number), `the ${number} needle`)
  let isFirst = true
  const found = slices(replica, search('needle'), () => {
    if (!isFirst) return
    isFirst = false
    // Looked through already, yet to come, and where it goes on.
    replica.call({ type: 'delete', file: name(0), operation: freshId() })
    replica.call({ type: 'delete', file: name(count - 1), operation: freshId() })
    replica.save('f9.md', 'a late needle')
    for (const number of [perSlice - 1, perSlice, perSlice + 1]) {
      replica.call({ type: 'rename', file: name(number), name: `0${number}`, operation: freshId() })
    }
  })
  assert.ok(found.length >= 3, `${found.length} slices`)
  const told = lines(found)
  assert.equal(new Set(told).size, told.length)
  assert.ok(told.includes('f9.md:1: a late needle'))
  assert.ok(told.includes(`${name(0)}:1: the 0 needle`))
  assert.ok(!told.some((line) => line.startsWith(name(count - 1))))
  assert.ok(told.includes(`${name(count - 2)}:1: the ${count - 2} needle`))
})

test('a search ends after so many lines and says so; a long text takes many turns', () => {
  const replica = new LoneReplica('a')
  replica.save('many.md', 'x\n'.repeat(foundLinesMax + 5))
  replica.save('z.md', 'x')
  const found = slices(replica, search('x'))
  assert.equal(lines(found).length, foundLinesMax)
  assert.ok(found.at(-1)!.isCut)
  replica.save('exactly.md', 'y\n'.repeat(foundLinesMax - 1))
  assert.ok(!slices(replica, search('y')).at(-1)!.isCut)

  replica.save('long.md', `${'a line of some length\n'.repeat(20_000)}end`)
  const pattern = { text: '^en[d]$', ignoresCase: false, isRegex: true }
  const parts = slices(replica, { type: 'search', pattern, directory: 'long.md' })
  assert.deepEqual(lines(parts), ['long.md:20001: end'])
  assert.ok(parts.length > 5, `${parts.length} slices`)
})

test('only so many search at once; one that ends makes room', () => {
  const replica = new LoneReplica('a')
  for (let number = 0; number < 200; number++) replica.save(`${number}.md`, 'x')
  const calls = Array.from({ length: searchesMax }, () => replica.begin(search('none')))
  const [refused] = replica.call(search('none'))
  assert.ok(refused?.type === 'failed')
  assert.equal(refused.error.code, 'unavailable')
  replica.turn({ type: 'uncalled', call: calls[0]! })
  assert.deepEqual(lines(slices(replica, search('none'))), [])
})

test('texts that cannot hold it are not read, and none that holds it is missed', () => {
  const replica = new LoneReplica('a')
  const count = (4 * searchStepsPerTurn) / searchStepsPerFile
  for (let number = 0; number < count; number++) replica.save(`${number}.md`, `text ${number}`)
  // The first one reads all, the next ones what changed since.
  assert.ok(slices(replica, search('thread')).length > 3)
  assert.equal(slices(replica, search('thread')).length, 1)
  assert.equal(slices(replica, search('text 17')).length, 1)
  for (const number of [3, 5]) replica.save(`${number}.md`, `text ${number} with a thread`)
  const found = slices(replica, search('thread'))
  assert.deepEqual(lines(found), ['3.md:1: text 3 with a thread', '5.md:1: text 5 with a thread'])
  assert.equal(found.length, 1)
})

test('a text that comes back after it was deleted for good is found again', () => {
  const replica = new LoneReplica('a')
  const other = new LoneReplica('b', () => 0.7)
  replica.save('f.md', 'needle')
  replica.call({ type: 'delete', file: 'f.md', operation: freshId() })
  other.heard(replica.updates())
  replica.call({ type: 'erase', file: 'f.md', operation: freshId() })
  assert.deepEqual(lines(slices(replica, search('needle'))), [])
  // Not knowing that, somebody restored it.
  other.call({ type: 'restore', file: 'f.md', operation: freshId() })
  other.call({ type: 'rename', file: 'f.md', name: 'g.md', operation: freshId() })
  replica.heard(other.updates())
  assert.deepEqual(lines(slices(replica, search('needle'))), ['g.md:1: needle'])
})

test('a search finds what reading every text finds, whatever became of them', () => {
  const random = new Random('every text')
  const replica = new LoneReplica('a', () => random.next())
  const other = new LoneReplica('b', () => random.next())
  const words = ['needle', 'NEEDLE', 'straße', 'thread', 'λόγος', '日本', 'ab', 'Kelvin']
  const text = () => {
    return Array.from({ length: random.between(0, 6) }, () => random.pick(words)).join(' ')
  }
  const directories = ['', 'd/', 'd/e/', 'f/']
  for (const path of ['d/e', 'f']) {
    replica.call({ type: 'makeDirectory', path, hasParents: true, operation: freshId() })
  }
  let heard = 0
  let told = 0
  const views = (inTrash: boolean) => {
    const [answer] = replica.call({
      type: 'list',
      directory: '',
      isRecursive: !inTrash,
      inTrash,
      count: 1000,
    })
    assert.ok(answer?.type === 'list')
    return answer.files
  }
  for (let step = 0; step < 300; step++) {
    const operation = freshId()
    const shown = views(false)
    const trashed = views(true)
    const one = random.pick(shown).entry.id
    const gone = trashed.length > 0 ? random.pick(trashed).entry.id : one
    const name = `${random.below(40)}.md`
    switch (random.below(9)) {
      case 0:
        replica.call({ type: 'delete', file: one, operation })
        break
      case 1:
        replica.call({ type: 'restore', file: gone, operation })
        break
      case 2:
        replica.call({ type: 'erase', file: gone, operation })
        break
      case 3:
        replica.call({ type: 'rename', file: one, name, operation })
        break
      case 4:
        replica.call({ type: 'move', file: one, path: random.pick(directories) + name, operation })
        break
      case 5: {
        // On another server, which may not know yet what became of it here.
        const from = other.updates().length
        if (random.chance(0.5)) {
          other.heard(replica.updates(heard))
          heard = replica.updates().length
        }
        other.save(random.chance(0.5) ? one : name, text())
        replica.heard(other.updates(from))
        break
      }
      default:
        replica.save(random.chance(0.5) ? one : random.pick(directories) + name, text())
    }
    if (random.chance(0.1)) replica.turn({ type: 'tick' })
    const pattern = {
      text: random.pick([...words, 'needle|λόγ', 'ad.*st', 'K', '^$', 'eed']),
      ignoresCase: random.chance(0.5),
      isRegex: random.chance(0.7),
    }
    const directory = random.pick(['', '', shown.find(({ path }) => path === 'd')?.entry.id ?? ''])
    const finder = new LineFinder(pattern)
    const read = views(false).flatMap(({ entry, path }) => {
      const isMeant = entry.kind === Kind.TEXT && (directory === '' || path.startsWith('d/'))
      const [answer] = isMeant ? replica.call({ type: 'read', file: entry.id }) : []
      if (answer?.type !== 'read') return []
      return [...finder.find(answer.text)].flatMap(({ found }) => {
        return found ? [`${path}:${found.number}: ${found.text}`] : []
      })
    })
    assert.deepEqual(
      lines(slices(replica, { type: 'search', pattern, directory })),
      read,
      `${step}`,
    )
    told += read.length
  }
  assert.ok(told > 500, `${told} lines`)
})
