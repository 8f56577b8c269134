// Tokens: whose are believed.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'

import { Tokens } from './tokens.ts'

const day = 24 * 3600 * 1000
const at = Date.UTC(2026, 10, 26)
const signInAgain = { code: 'unauthenticated', message: 'Sign in again.' }
const base64 = (json: unknown) => Buffer.from(JSON.stringify(json)).toString('base64url')

test('a token is good on every server of the set', () => {
  const { token, key } = new Tokens('notes', 'correct horse').make('Ana', at)
  const caller = new Tokens('notes', 'correct horse').check(token, at + 1000)
  assert.equal(caller.name, 'Ana')
  assert.deepEqual(Buffer.from(caller.key!), Buffer.from(key))
})

test('a token of another password, another set, or without a signature is not believed', () => {
  const tokens = new Tokens('notes', 'correct horse')
  const { token } = tokens.make('Ana', at)
  const [body = '', signature = ''] = token.split('.')
  const forged = base64({ name: 'Ben', key: 'A'.repeat(22), from: at })
  const none = base64({ alg: 'none', typ: 'JWT' })
  const bad = [
    new Tokens('notes', 'other horse').make('Ana', at).token,
    new Tokens('others', 'correct horse').make('Ana', at).token,
    new Tokens('notes', undefined).make('Ana', at).token,
    body,
    `${body}.`,
    `${forged}.${signature}`,
    `${body}.${signature}.x`,
    `${none}.${forged}.`,
    `${forged}.${createHmac('sha256', '').update(forged).digest('base64url')}`,
    tokens.proof('a', at),
    '',
    '.',
    'rubbish',
  ]
  for (const text of bad) assert.throws(() => tokens.check(text, at), signInAgain, text)
})

test('a token is good from a day before on, for clocks may be wrong, and not for ever', () => {
  const tokens = new Tokens('notes', 'correct horse')
  const { token } = tokens.make('Ana', at)
  tokens.check(token, at - day)
  assert.throws(() => tokens.check(token, at - day - 1), signInAgain)
  tokens.check(token, at + 30 * day + 60_000)
  assert.throws(() => tokens.check(token, at + 30 * day + 60_001), signInAgain)
})

test('a token names somebody as a screen name may be, whoever wrote it', () => {
  const tokens = new Tokens('notes', undefined)
  const caller = (name: string) => tokens.check(tokens.make(name, at).token, at)
  for (const name of [
    '',
    ' ',
    'x'.repeat(65),
    'x'.repeat(9000),
    'A\u0007',
    'A\u202eb',
    'A\u200b',
  ]) {
    assert.throws(() => caller(name), signInAgain, JSON.stringify(name))
  }
  assert.equal(caller('x'.repeat(64)).name, 'x'.repeat(64))
  assert.equal(caller(' Zoe\u0308 ').name, 'Zo\u00eb', 'as SignIn answered it')
})

test('without a password a token only says who somebody is, and rubbish is still refused', () => {
  const tokens = new Tokens('notes', undefined)
  assert.equal(tokens.areRequired, false)
  assert.equal(tokens.check(tokens.make('Ana', at).token, at).name, 'Ana')
  for (const claims of [null, 4, {}, { name: 'A', key: 'x', from: at }, { name: 1, from: at }]) {
    assert.throws(() => tokens.check(base64(claims), at), signInAgain)
  }
})

test('the password must be right', () => {
  const tokens = new Tokens('notes', 'correct horse')
  assert.equal(tokens.isPassword('correct horse'), true)
  for (const wrong of ['', 'correct', 'correct horse ', 'Correct horse']) {
    assert.equal(tokens.isPassword(wrong), false, wrong)
  }
})

test('a server proves that it belongs to the set, for a day', () => {
  const tokens = new Tokens('notes', 'correct horse')
  const proof = new Tokens('notes', 'correct horse').proof('b', at)
  for (const skew of [-day, day]) {
    assert.equal(tokens.isProof(proof, at + skew), true)
    assert.equal(tokens.isProof(proof, at + skew + Math.sign(skew)), false)
  }
  assert.equal(tokens.isProof(proof.replace('b.', 'c.'), at), false)
  assert.equal(tokens.isProof('', at), false)
  assert.equal(tokens.isProof(new Tokens('notes', 'other horse').proof('b', at), at), false)
  assert.equal(new Tokens('notes', undefined).isProof('', at), true)
})
