// Which sets a mirror takes for the one that it mirrored.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Origin } from '../model/ids.ts'
import type { VersionVector } from '../model/version-vector.ts'
import { meet, type Meeting } from './lives.ts'
import type { Common, InFolder } from './messages.ts'

const vector = (...origins: string[]): VersionVector =>
  new Map(origins.map((each) => [each as Origin, 1]))

const rows = (...ids: string[]) =>
  new Map<string, Common>(
    ids.map((id) => [id, { id, path: id, kind: 'text', version: id, identity: id }]),
  )

const entries = (...ids: string[]) =>
  new Map<string, InFolder>(ids.map((id) => [id, { id, path: id, kind: 'text' }]))

interface Case {
  what: string
  common?: string[]
  seen?: string[]
  theirs?: string[]
  folder?: string[]
  gone?: string[]
  is: Meeting
}

const cases: Case[] = [
  { what: 'nothing was mirrored yet', common: [], seen: [], is: 'same' },
  { what: 'a log is known', theirs: ['b', 'z'], folder: ['x'], is: 'same' },
  { what: 'a log is known, but no entry: it is behind', theirs: ['b'], is: 'same' },
  { what: 'all is empty', is: 'foreign' },
  {
    what: 'it has other logs and other entries',
    theirs: ['z'],
    folder: ['other'],
    is: 'foreign',
  },
  { what: 'it has other logs and an entry', theirs: ['z'], folder: ['x'], is: 'refilled' },
  { what: 'it has other logs and a deleted entry', theirs: ['z'], gone: ['y'], is: 'refilled' },
  { what: 'no log was told of, and an entry is there', seen: [], folder: ['x'], is: 'same' },
  { what: 'no log was told of, and no entry is there', seen: [], theirs: ['z'], is: 'foreign' },
]

for (const each of cases) {
  const { what, common = ['x', 'y'], seen = ['a', 'b'], theirs = [], is } = each
  test(`G14 when ${what} it is ${is}`, () => {
    const meeting = meet({
      common: rows(...common),
      seen: vector(...seen),
      theirs: vector(...theirs),
      folder: entries(...(each.folder ?? [])),
      gone: new Set(each.gone),
    })
    assert.equal(meeting, is)
  })
}
