// One random schedule of people, crashes, freezes and losses on the model servers, and its checks.

import { Random } from '../sim/random.ts'
import type { ModelClient } from './model-client.ts'
import { falseReceipts, World } from './session-world.ts'

const documents = ['AAAAAAAAAAAAAAAAAAAAAA', 'BBBBBBBBBBBBBBBBBBBBBA'] as const

/** After everything is healed, all must be well within this. */
const restMs = 10_000

/** What one person typed, deleted and asked for. */
interface Person {
  client: ModelClient
  typed: { document: string; token: string; isDeleted: boolean }[]
  /** Ids of operations asked for. */
  asked: string[]
  count: number
}

function act(random: Random, person: Person): void {
  if (random.chance(0.85)) {
    type(random, person)
    return
  }
  const id = `${person.client.name}${person.count++}`
  const value = { $typeName: 'fourfold.v1.Create' as const, name: id, text: '', parent: '' }
  person.asked.push(id)
  person.client.step({ type: 'operate', operation: { id, operation: { case: 'create', value } } })
}

function type(random: Random, person: Person): void {
  const document = random.pick(documents)
  const text = person.client.text(document)
  const token = `<${person.client.name}${person.count++}>`
  const here = person.typed.filter((each) => each.document === document && !each.isDeleted)
  const present = text.toString()
  const victim = random.chance(0.25) ? here.at(random.below(here.length || 1)) : undefined
  const at = victim ? present.indexOf(victim.token) : -1
  if (victim && at >= 0) {
    victim.isDeleted = true
    text.delete(at, victim.token.length)
    return
  }
  // Between tokens, so that each stays in one piece: a person's own end, or after somebody's token.
  const ends = [0, present.length]
  for (let index = present.indexOf('>'); index >= 0; index = present.indexOf('>', index + 1)) {
    ends.push(index + 1)
  }
  person.typed.push({ document, token, isDeleted: false })
  text.insert(random.pick(ends), token)
}

function fault(random: Random, world: World): void {
  const server = random.pick(world.servers)
  switch (random.below(6)) {
    case 0:
      server.crash()
      break
    case 1:
      for (const each of random.shuffled(world.servers).slice(0, 3)) each.crash()
      break
    case 2:
      server.freeze()
      break
    case 3:
      for (const each of random.shuffled(world.servers).slice(0, random.between(1, 3)))
        each.freeze()
      break
    case 4:
      random.pick(world.clients).cutOne()
      break
    case 5:
      for (const each of world.servers) {
        if (each.isFrozen) each.thaw()
        else if (!each.isUp) each.start()
      }
      break
  }
}

function heal(world: World): void {
  for (const server of world.servers) {
    if (server.isFrozen) server.thaw()
    if (!server.isUp) server.start()
  }
}

/** Lives through one schedule; what is wrong at its end, or on the way. */
export function live(seed: number, isTraced = false): { problems: string[]; trace: string[] } {
  const random = new Random(seed)
  const world = new World(random.fork('world'))
  world.isTraced = isTraced
  const chance = random.fork('people')
  const people: Person[] = ['x', 'y'].map((name) => ({
    client: world.addClient(name, { hasStandby: chance.chance(0.8) }),
    typed: [],
    asked: [],
    count: 0,
  }))
  for (const { client } of people) for (const document of documents) client.follow(document)
  const problems = new Set<string>()
  const check = () => {
    for (const { client } of people) {
      for (const document of documents) {
        for (const id of falseReceipts(world, client, document)) {
          problems.add(`at ${world.timeline.now}: ${client.name} believes ${id} holds ${document}`)
        }
      }
    }
  }
  const endAt = chance.between(500, 6000)
  const edits = chance.between(5, 25)
  const faults = chance.between(1, 6)
  for (let count = 0; count < edits; count++) {
    world.timeline.at(chance.next() * endAt, () => act(chance, chance.pick(people)))
  }
  for (let count = 0; count < faults; count++) {
    world.timeline.at(chance.next() * endAt, () => fault(chance, world))
  }
  for (let at = 50; at < endAt; at += endAt / 8) world.timeline.at(at, check)
  world.timeline.run(endAt)
  heal(world)
  let unrest = ['it was not looked at']
  for (let ms = 250; ms <= restMs && unrest.length > 0; ms += 250) {
    world.timeline.run(endAt + ms)
    unrest = atRest(world, people)
  }
  check()
  for (const problem of unrest) problems.add(problem)
  return { problems: [...problems], trace: world.trace }
}

function atRest(world: World, people: Person[]): string[] {
  const problems: string[] = []
  for (const document of documents) {
    const texts = new Map(world.servers.map((server) => [server.id, textOf(server, document)]))
    for (const { client } of people) texts.set(client.name, client.text(document).toString())
    const [first] = texts.values()
    for (const [who, text] of texts) if (text !== first) problems.push(`${who} differs`)
    for (const { client, typed } of people) {
      for (const { token, isDeleted } of typed.filter((each) => each.document === document)) {
        const count = first!.split(token).length - 1
        if (count !== (isDeleted ? 0 : 1)) problems.push(`${token} is there ${count} times`)
      }
      const holders = client.session.holders(document, client.session.edits(document))
      if (holders.length !== 4) problems.push(`${client.name} knows of ${holders.join()} only`)
    }
  }
  for (const { client, asked } of people) {
    for (const id of asked) {
      const told = client.outputs.filter(
        (output) => output.type === 'done' && output.operation === id,
      )
      if (told.length !== 1) problems.push(`${id} was told done ${told.length} times`)
      const without = world.servers.filter((server) => server.countOperations(id) === 0)
      if (without.length > 0)
        problems.push(`${id} is not on ${without.map((each) => each.id).join()}`)
    }
    const { save } = client.session
    const isSaved = save.name === 'saved' && save.servers.length === 4
    if (!isSaved) problems.push(`${client.name} shows ${JSON.stringify(save)}`)
  }
  return problems
}

const textOf = (server: World['servers'][number], document: string) =>
  server.stored(document).getText('text').toString()
