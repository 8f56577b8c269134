// G9 on real servers: parted two and two, both sides create, rename, move and delete the same names, and
// write; healed, there is one tree everywhere, the one that follows from the rules, and every word.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { expectedTree } from '../../sim/folder-model.ts'
import { Random } from '../../sim/random.ts'
import { openSqliteStorage } from '../../src/adapters/storage/sqlite.ts'
import { connect, FourfoldError, type Client, type FileInfo } from '../../src/client/index.ts'
import type { ReplicaId, SubjectId } from '../../src/core/model/ids.ts'
import { storedEntry } from '../../src/core/model/snapshot.ts'
import type { Entry } from '../../src/core/model/wire.ts'
import { patienceMs, until } from '../until.ts'
import { PartableSet } from './partition.ts'

/** Few, so that they clash. */
const names = ['plan.md', 'Plan.md', 'plan (2).md', 'notes', 'map', 'src']
/** What each person does while the set is parted. */
const actsEach = 24

interface Person {
  name: string
  client: Client
  random: Random
  words: number
}

/** Words by the file they were typed in. */
class Ledger {
  readonly #words = new Map<string, string[]>()

  wrote(file: string, word: string): void {
    this.#words.set(file, [...(this.#words.get(file) ?? []), word])
  }

  get files(): string[] {
    return [...this.#words.keys()]
  }

  check(file: string, text: string): void {
    const found = text.split('\n').filter((line) => line !== '')
    assert.deepEqual(found.toSorted(), (this.#words.get(file) ?? []).toSorted(), file)
  }
}

function nextWord(person: Person): string {
  return `${person.name}-${++person.words}`
}

/** Something that a person does with what is seen; refusals are answers too. */
async function act(person: Person, ledger: Ledger): Promise<void> {
  const { client, random } = person
  const present = client.files.filter(({ isDeleted }) => !isDeleted)
  const directories = present.filter(({ kind }) => kind === 'directory').map(({ id }) => id)
  const parent = random.pick(['', ...directories])
  const one = present.length > 0 ? random.pick(present) : undefined
  const kind = random.pick(['create', 'directory', 'rename', 'move', 'move', 'remove', 'write'])
  if (kind === 'create') {
    const word = nextWord(person)
    const made = await client.create(random.pick(names), `${word}\n`, parent)
    ledger.wrote(made.id, word)
  } else if (kind === 'directory') await client.makeDirectory(random.pick(names), parent)
  else if (kind === 'remove') await removeOrRestore(person, one)
  else if (!one) return
  else if (kind === 'rename') await client.rename(one.id, random.pick(names))
  else if (kind === 'move') await client.move(one.id, parent)
  else await write(person, ledger, one)
}

async function removeOrRestore({ client, random }: Person, one: FileInfo | undefined) {
  const gone = client.files.filter(({ isInTrashItself }) => isInTrashItself)
  if (gone.length > 0 && random.chance(0.5)) await client.restore(random.pick(gone).id)
  else if (one) await client.remove(one.id)
}

async function write(person: Person, ledger: Ledger, file: FileInfo): Promise<void> {
  if (file.kind !== 'text') return
  const document = person.client.open(file.id)
  await document.loaded
  const word = nextWord(person)
  const lines = document.text.toString().split('\n').length
  const at = person.random.below(lines)
  const place =
    document.text.toString().split('\n').slice(0, at).join('\n').length + (at > 0 ? 1 : 0)
  document.text.insert(place, `${word}\n`)
  ledger.wrote(file.id, word)
  await document.stored()
  document.close()
}

/** Each side's people act at once, one act after the other. */
async function live(people: Person[], ledger: Ledger): Promise<number> {
  let refused = 0
  await Promise.all(
    people.map(async (person) => {
      for (let count = 0; count < actsEach; count++) {
        try {
          await act(person, ledger)
        } catch (error) {
          // "Plan.md" is here already; a directory in itself: as it should be.
          if (!(error instanceof FourfoldError)) throw error
          refused++
        }
      }
    }),
  )
  return refused
}

function personAt(t: TestContext, set: PartableSet, name: string, server: string): Person {
  const servers = [set.fleet.address(server)]
  const client = connect({ servers, name, agent: 'test' })
  t.after(() => client.close())
  return { name, client, random: new Random(`partition ${name}`), words: 0 }
}

const isDown = (client: Client, ids: string[]) =>
  client.servers
    .filter(({ state }) => state === 'down')
    .map(({ id }) => id)
    .join() === ids.join()

/** Every change of an entry on the disks of these servers, which are down. */
async function changesOn(set: PartableSet): Promise<Entry[]> {
  const changes: Entry[] = []
  for (const id of set.fleet.ids) {
    const directory = set.fleet.data(id)
    const storage = await openSqliteStorage({ directory, set: 'test', replica: id as ReplicaId })
    const { reader } = storage
    for (let after: SubjectId | '' = ''; ;) {
      const page: SubjectId[] = reader.entries(after, 500)
      for (const subject of page) {
        const entry = storedEntry(reader.load(subject))
        if (entry) changes.push(entry)
      }
      const last = page.at(-1)
      if (last === undefined) break
      after = last
    }
    await storage.close()
  }
  return changes
}

const placesOf = (files: readonly { id: string; path: string; isDeleted: boolean }[]) =>
  new Map(files.map(({ id, path, isDeleted }) => [id, `${path}${isDeleted ? ' (trash)' : ''}`]))

const sorted = (places: Map<string, string>) => [...places].sort(([a], [b]) => (a < b ? -1 : 1))

test('G9 parted two and two, the same names change on both sides; healed, there is one tree', async (t) => {
  const set = await PartableSet.start()
  t.after(() => set.end())
  const ledger = new Ledger()
  const homes = { ada: 'a', bob: 'b', cid: 'c', dan: 'd' }
  const people = Object.entries(homes).map(([name, server]) => personAt(t, set, name, server))
  await Promise.all(people.map(({ client }) => client.joined()))
  const [ada, bob, cid, dan] = people as [Person, Person, Person, Person]
  const before = await live([ada], ledger)
  const count = ada.client.files.length
  await until(
    () => people.every(({ client }) => client.filesAreCurrent && client.files.length === count),
    'all see the same',
  )

  set.part(['a', 'b'], ['c', 'd'])
  await until(
    () =>
      [ada, bob].every(({ client }) => isDown(client, ['c', 'd'])) &&
      [cid, dan].every(({ client }) => isDown(client, ['a', 'b'])),
    'both sides know',
  )
  const refused = await live(people, ledger)
  const files = new Set(people.flatMap(({ client }) => client.files.map(({ id }) => id)))
  // Each side has made what the other does not know of.
  for (const { client } of people) assert.ok(client.files.length < files.size)
  t.diagnostic(
    `${files.size} entries, ${before + refused} acts refused, ${ledger.files.length} texts`,
  )

  set.heal()
  await set.fleet.well()
  assert.equal(await set.fleet.same(patienceMs), files.size)
  const screens = () => people.map(({ client }) => JSON.stringify(sorted(placesOf(client.files))))
  await until(() => new Set(screens()).size === 1, 'all screens show the same')
  for (const { client } of people) {
    for (const file of ledger.files) {
      const document = client.open(file)
      await document.loaded
      await until(() => {
        try {
          ledger.check(file, document.text.toString())
          return true
        } catch {
          return false
        }
      }, `${client.name} has the words of ${file}`)
      document.close()
    }
  }
  const shown = placesOf(ada.client.files)
  await Promise.all(set.fleet.ids.map((id) => set.fleet.stop(id)))
  const expected = [...expectedTree(await changesOn(set))]
  const wanted = placesOf(expected.map(([id, { path, isDeleted }]) => ({ id, path, isDeleted })))
  assert.deepEqual(sorted(shown), sorted(wanted))
})
