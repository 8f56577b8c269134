// Golden conversations about who is in a text, here and elsewhere, when servers are changed.
// test/session-talk.ts says how to read them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Talk } from '../../../test/session-talk.ts'

/** What was heard of carets since the last call. */
function carets(talk: Talk): string[] {
  return talk.lines.splice(0).filter((line) => line.startsWith('* ') && line.endsWith(' in D'))
}

/** Time passes, and the active server is heard. */
function wait(talk: Talk, connection: number, ms: number): void {
  for (let left = ms; left > 0; left -= 500) {
    talk.wait(Math.min(left, 500))
    talk.servers(connection, '')
  }
}

/** On b, which has opened D, while it was with a, which told of 7 and 8. */
function moved(): Talk {
  const talk = new Talk()
  talk.join()
  talk.caret(1, 'D', 7, 5, 'here')
  talk.caret(1, 'D', 8, 3, 'there')
  talk.close(1)
  talk.welcomeAgain(2, 'b')
  talk.open(2, 'D')
  carets(talk)
  return talk
}

test('whom the next server does not tell of within three seconds has left', () => {
  const talk = moved()
  talk.caret(2, 'D', 8, 3, 'there')
  assert.deepEqual(carets(talk), ['* 8 is there in D'])
  wait(talk, 2, 2999)
  assert.deepEqual(carets(talk), [])
  talk.wait(1)
  assert.deepEqual(carets(talk), ['* 7 is gone in D'])
})

test('whom the next server hears of a little later does not go and come', () => {
  const talk = moved()
  wait(talk, 2, 2500)
  talk.caret(2, 'D', 7, 6, 'farther')
  talk.caret(2, 'D', 8, 2, 'where 8 was before')
  assert.deepEqual(carets(talk), ['* 7 is farther in D', '* 8 is where 8 was before in D'])
  wait(talk, 2, 4000)
  assert.deepEqual(carets(talk), [])
})

test('nobody is in doubt before the text is open', () => {
  const talk = new Talk()
  talk.join()
  talk.caret(1, 'D', 7, 5, 'here')
  talk.close(1)
  talk.welcomeAgain(2, 'b')
  carets(talk)
  wait(talk, 2, 900)
  assert.deepEqual(carets(talk), [])
  talk.open(2, 'D')
  wait(talk, 2, 2900)
  assert.deepEqual(carets(talk), [])
  talk.wait(100)
  assert.deepEqual(carets(talk), ['* 7 is gone in D'])
})

test('who opens a text again on the same server doubts nobody', () => {
  const talk = new Talk()
  talk.join()
  talk.caret(1, 'D', 7, 5, 'here')
  talk.resync(1, 'D', 0)
  talk.open(1, 'D')
  carets(talk)
  wait(talk, 1, 4000)
  assert.deepEqual(carets(talk), [])
})

test('what was on its way when a text was closed is not shown when it is opened again', () => {
  const talk = new Talk()
  talk.join()
  talk.step({ type: 'unfollow', document: 'D' })
  talk.caret(1, 'D', 7, 5, 'here')
  talk.step({ type: 'follow', document: 'D' })
  talk.open(1, 'D')
  assert.deepEqual(carets(talk), [])
})

function said(talk: Talk): string[] {
  return talk.lines.splice(0).filter((line) => line.includes('> c') && line.includes(' D'))
}

test('a text that is closed while servers are changed is closed for the next one, too', () => {
  const talk = new Talk()
  talk.join()
  talk.step({ type: 'caret', document: 'D', state: 'here' })
  talk.close(1)
  talk.step({ type: 'unfollow', document: 'D' })
  assert.deepEqual(said(talk), ['1> caret D 1 here', '2> close D'])
  talk.welcomeAgain(2, 'b')
  talk.wait(100)
  assert.deepEqual(said(talk), ['2> caret D 22 gone'])
})

test('the server that a text is closed on says for itself that nobody is in it; the next one is told', () => {
  const talk = new Talk()
  talk.join()
  talk.step({ type: 'caret', document: 'D', state: 'here' })
  talk.step({ type: 'unfollow', document: 'D' })
  talk.wait(100)
  assert.deepEqual(said(talk), ['1> caret D 1 here', '1> close D'])
  talk.close(1)
  talk.welcomeAgain(2, 'b')
  talk.wait(100)
  assert.deepEqual(said(talk), ['2> caret D 22 gone'])
})

test('a text that stays open for its edits is left at once', () => {
  const talk = new Talk()
  talk.join()
  talk.step({ type: 'caret', document: 'D', state: 'here' })
  talk.type('D', 'x')
  talk.step({ type: 'unfollow', document: 'D' })
  talk.wait(100)
  assert.deepEqual(said(talk), ['1> caret D 1 here', '1> caret D 12 gone'])
})

test('of a text that was closed long ago no server is told', () => {
  const talk = new Talk()
  talk.join()
  talk.step({ type: 'caret', document: 'D', state: 'here' })
  talk.step({ type: 'unfollow', document: 'D' })
  for (let pings = 0; pings < 31; pings++) {
    talk.wait(1000)
    talk.servers(1, '')
    talk.servers(2, '')
  }
  said(talk)
  talk.close(1)
  talk.welcomeAgain(2, 'b')
  talk.wait(100)
  assert.deepEqual(said(talk), [])
})
