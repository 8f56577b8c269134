// What every input makes of every state of a client's mind: a table without holes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Talk } from '../../../test/session-talk.ts'
import { Code } from '../model/wire.ts'
import type { SessionState } from './session.ts'

type StateName = SessionState['name']

/** How a conversation gets into each state. */
const into: Record<StateName, (talk: Talk) => void> = {
  stopped: () => {},
  joining: (talk) => talk.start(),
  online: (talk) => talk.join(),
  offline: (talk) => {
    talk.start()
    for (let connection = 1; connection <= 4; connection++) talk.close(connection)
  },
  refused: (talk) => {
    talk.start()
    talk.step({ type: 'opened', connection: 1 })
    talk.refuse(1, Code.UNAUTHENTICATED, 'Sign in again.')
  },
  outlived: (talk) => {
    talk.life = 'a.1111111111111'
    talk.join()
    talk.life = 'a.2222222222222'
    talk.servers(1, '')
  },
}

const update = new Uint8Array([0, 0])
const create = { $typeName: 'fourfold.v1.Create' as const, name: 'a.md', text: '', parent: '' }

/** What can happen. Connection 1 is the one that dialled first, whatever became of it. */
const inputs = {
  started: (talk: Talk) => talk.step({ type: 'started' }),
  opened: (talk: Talk) => talk.step({ type: 'opened', connection: 1 }),
  welcomed: (talk: Talk) => talk.welcome(1, 'a'),
  refused: (talk: Talk) => {
    talk.step({ type: 'opened', connection: 1 })
    talk.refuse(1, Code.PROTOCOL, 'This server is newer than your client.')
  },
  closed: (talk: Talk) => talk.close(1),
  allClosed: (talk: Talk) => {
    for (let connection = 1; connection <= 6; connection++) talk.close(connection)
  },
  edited: (talk: Talk) => {
    talk.doc('D')
    talk.step({ type: 'edited', document: 'D', update })
  },
  follow: (talk: Talk) => {
    talk.doc('E')
    talk.step({ type: 'follow', document: 'E' })
  },
  unfollow: (talk: Talk) => talk.step({ type: 'unfollow', document: 'D' }),
  operate: (talk: Talk) => talk.operate('O', { case: 'create', value: create }),
  caret: (talk: Talk) => talk.step({ type: 'caret', document: 'D', state: '{}' }),
  keys: (talk: Talk) => talk.step({ type: 'keys', keys: [new Uint8Array(16)] }),
  retry: (talk: Talk) => talk.step({ type: 'retry' }),
  stopped: (talk: Talk) => talk.step({ type: 'stopped' }),
  tick: (talk: Talk) => talk.step({ type: 'tick' }),
  silence: (talk: Talk) => talk.wait(1950),
}

type InputName = keyof typeof inputs

const after: Record<StateName, Record<InputName, StateName>> = {
  stopped: {
    started: 'joining',
    opened: 'stopped',
    welcomed: 'stopped',
    refused: 'stopped',
    closed: 'stopped',
    allClosed: 'stopped',
    edited: 'stopped',
    follow: 'stopped',
    unfollow: 'stopped',
    operate: 'stopped',
    caret: 'stopped',
    keys: 'stopped',
    retry: 'stopped',
    stopped: 'stopped',
    tick: 'stopped',
    silence: 'stopped',
  },
  joining: {
    started: 'joining',
    opened: 'joining',
    welcomed: 'online',
    refused: 'refused',
    closed: 'joining',
    allClosed: 'offline',
    edited: 'joining',
    follow: 'joining',
    unfollow: 'joining',
    operate: 'joining',
    caret: 'joining',
    keys: 'joining',
    retry: 'joining',
    stopped: 'stopped',
    tick: 'joining',
    silence: 'joining',
  },
  online: {
    started: 'online',
    opened: 'online',
    welcomed: 'online',
    refused: 'refused',
    // The standby takes over in the same step.
    closed: 'online',
    allClosed: 'joining',
    edited: 'online',
    follow: 'online',
    unfollow: 'online',
    operate: 'online',
    caret: 'online',
    keys: 'joining',
    retry: 'online',
    stopped: 'stopped',
    tick: 'online',
    // The standby takes over: it is asked less often, and may be dead, too.
    silence: 'online',
  },
  offline: {
    started: 'offline',
    opened: 'offline',
    welcomed: 'offline',
    refused: 'offline',
    closed: 'offline',
    allClosed: 'offline',
    edited: 'offline',
    follow: 'offline',
    unfollow: 'offline',
    operate: 'offline',
    caret: 'offline',
    keys: 'offline',
    retry: 'joining',
    stopped: 'stopped',
    tick: 'offline',
    silence: 'joining',
  },
  refused: {
    started: 'refused',
    opened: 'refused',
    welcomed: 'refused',
    refused: 'refused',
    closed: 'refused',
    allClosed: 'refused',
    edited: 'refused',
    follow: 'refused',
    unfollow: 'refused',
    operate: 'refused',
    caret: 'refused',
    keys: 'refused',
    retry: 'joining',
    stopped: 'stopped',
    tick: 'refused',
    silence: 'refused',
  },
  outlived: {
    started: 'outlived',
    opened: 'outlived',
    welcomed: 'outlived',
    refused: 'outlived',
    closed: 'outlived',
    allClosed: 'outlived',
    edited: 'outlived',
    follow: 'outlived',
    unfollow: 'outlived',
    operate: 'outlived',
    caret: 'outlived',
    keys: 'outlived',
    retry: 'outlived',
    stopped: 'outlived',
    tick: 'outlived',
    silence: 'outlived',
  },
}

for (const [state, row] of Object.entries(after) as [StateName, typeof after.online][]) {
  for (const [input, expected] of Object.entries(row) as [InputName, StateName][]) {
    test(`${state}, then ${input}: ${expected}`, () => {
      const talk = new Talk()
      into[state](talk)
      assert.equal(talk.session.state.name, state)
      inputs[input](talk)
      assert.equal(talk.session.state.name, expected)
    })
  }
}
