// What an engine owes its server (design: the engine port), as one suite for every engine and disk.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { subjectId, type ReplicaId } from '../../src/core/model/ids.ts'
import { names, type Life, type World } from './world.ts'

const fresh = () => subjectId(randomBytes(16))
const [a, b, c, d] = names as [ReplicaId, ReplicaId, ReplicaId, ReplicaId]

/** Runs the suite; `makeWorld` gives a set of four whose disks are empty. */
export function conforms(name: string, makeWorld: () => Promise<World>): void {
  const law = (text: string, body: (world: World, lives: Life[]) => Promise<void>): void => {
    test(`${name}: ${text}`, async () => {
      const world = await makeWorld()
      try {
        await body(world, await world.startAll())
      } finally {
        await world.end()
      }
    })
  }

  law('what is acknowledged is loaded by every server', async (_, lives) => {
    const subject = fresh()
    for (const [index, life] of lives.entries()) {
      const mark = await life.append(subject, `from ${index}`)
      assert.ok(life.stored(subject).includes(`from ${index}`), 'the answer comes after the disk')
      await life.covered(
        mark,
        names.filter((_, other) => other !== index),
      )
    }
    const all = lives.map((_, index) => `from ${index}`)
    for (const life of lives) await life.holds(subject, all)
  })

  law('a receipt names no disk that does not hold it', async (world, [first]) => {
    const subject = fresh()
    await world.kill(d)
    const mark = await first!.append(subject, 'x')
    await first!.covered(mark, [b, c])
    const early = first!.events.some(
      (event) => event.type === 'covered' && event.replica === d && event.mark >= mark,
    )
    assert.equal(early, false)
    const life = await world.start(d)
    await first!.covered(mark, [d])
    assert.deepEqual(life.stored(subject), ['x'])
  })

  law('answers come in the order of the requests, barriers included', async (_, [first]) => {
    const subject = fresh()
    const names = Array.from({ length: 50 }, (_, index) => `n${index}`)
    const marks = await Promise.all(names.map((name) => first!.append(subject, name)))
    assert.deepEqual(
      marks,
      [...marks].sort((x, y) => x - y),
    )
    const tags = first!.events.flatMap((event) => (event.type === 'appended' ? [event.tag] : []))
    assert.deepEqual(
      tags,
      [...tags].sort((x, y) => x - y),
    )
  })

  law('following has no gap: load, then every later change', async (_, lives) => {
    const subject = fresh()
    const [writer, reader] = lives as [Life, Life]
    const expected: string[] = []
    for (let index = 0; index < 30; index++) {
      expected.push(`n${index}`)
      await writer.append(subject, `n${index}`)
    }
    await reader.holds(subject, expected)
    const heard = reader.events.filter(
      (event) => event.type === 'changed' && event.update.subject === subject,
    )
    assert.equal(heard.length, expected.length, 'each once')
  })

  law('compaction under concurrent appends loses nothing', async (world, lives) => {
    const subject = fresh()
    const expected: string[] = []
    await Promise.all(
      lives.map(async (life, server) => {
        for (let index = 0; index < 40; index++) {
          expected.push(`${server}.${index}`)
          await life.append(subject, `${server}.${index}`)
          if (index % 10 === 9) life.engine.ask({ type: 'compact', subject })
        }
      }),
    )
    for (const life of lives) await life.holds(subject, expected)
    for (const name of names) await world.kill(name)
    for (const life of await world.startAll()) await life.holds(subject, expected)
  })

  law('a server that was away catches up, with and without compaction', async (world, lives) => {
    const subject = fresh()
    const [first] = lives as [Life]
    await world.kill(d)
    const expected: string[] = []
    for (let index = 0; index < 30; index++) {
      expected.push(`n${index}`)
      const mark = await first.append(subject, `n${index}`)
      if (index === 14) {
        await first.covered(mark, [b, c])
        for (const life of lives.slice(0, 3)) life.engine.ask({ type: 'compact', subject })
      }
    }
    const life = await world.start(d)
    await life.holds(subject, expected)
  })

  law(
    'a server whose disk is lost comes back with everything, and serves only then',
    async (world, lives) => {
      const subjects = Array.from({ length: 20 }, fresh)
      for (const [index, subject] of subjects.entries())
        await lives[index % 4]!.append(subject, 'x')
      const last = await lives[0]!.append(subjects[0]!, 'y')
      await lives[0]!.covered(last, [b, c, d])
      await world.kill(c)
      await world.loseDisk(c)
      const life = await world.start(c)
      await life.serving()
      for (const [index, subject] of subjects.entries()) {
        assert.deepEqual(life.stored(subject), index === 0 ? ['x', 'y'] : ['x'])
      }
    },
  )

  law('what burnt with every disk that had it is told to come no more', async (world, lives) => {
    const subject = fresh()
    const living = lives[1]!
    world.cut(a, b)
    world.cut(a, c)
    world.cut(a, d)
    await lives[0]!.append(subject, 'x')
    const upTo = lives[0]!.engine.reader.vector()
    await world.kill(a)
    living.engine.ask({ type: 'seek', tag: 1, upTo })
    await world.loseDisk(a)
    world.heal()
    const life = await world.start(a)
    await life.serving()
    const mark = await living.append(subject, 'y')
    await living.covered(mark, [a, c, d])
    living.engine.ask({ type: 'seek', tag: 2, upTo })
    await living.append(subject, 'z')
    assert.deepEqual(
      living.events.filter(({ type }) => type === 'absent'),
      [{ type: 'absent', tag: 2, origins: [...upTo.keys()] }],
    )
  })

  law('both sides of a partition write; healing joins them', async (world, lives) => {
    const subject = fresh()
    for (const one of [a, b]) for (const other of [c, d]) world.cut(one, other)
    await lives[0]!.append(subject, 'left')
    await lives[3]!.append(subject, 'right')
    await lives[1]!.holds(subject, ['left'])
    await lives[2]!.holds(subject, ['right'])
    world.heal()
    for (const life of lives) await life.holds(subject, ['left', 'right'])
  })

  law('what only a third server has is asked of it', async (world, lives) => {
    const subject = fresh()
    world.cut(a, d)
    await lives[0]!.append(subject, 'x')
    await lives[3]!.holds(subject, ['x'])
  })

  law('one survivor serves alone, and hands everything on', async (world, lives) => {
    const subject = fresh()
    for (const name of [a, b, c]) await world.kill(name)
    await lives[3]!.append(subject, 'alone')
    assert.deepEqual(lives[3]!.stored(subject), ['alone'])
    const others = await Promise.all([a, b, c].map((name) => world.start(name)))
    for (const life of others) await life.holds(subject, ['alone'])
  })
}
