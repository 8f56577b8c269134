// Wrong passwords are counted by address, for a while, and in bounded memory.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signInAddressesMax, signInFailuresMax, signInWindowMs } from '../../core/model/limits.ts'
import { SignInFailures } from './sign-in-failures.ts'

const tooMany = { code: 'too-large', message: /^Too many wrong passwords; try again in \d+ min\.$/ }

test('an address with too many wrong passwords waits, and no other one does', () => {
  const failures = new SignInFailures()
  for (let count = 0; count < signInFailuresMax; count++) {
    failures.check('eve', count)
    failures.add('eve', count)
  }
  assert.throws(() => failures.check('eve', signInFailuresMax), tooMany)
  failures.check('ana', signInFailuresMax)
  failures.check('eve', signInWindowMs)
})

test('a machine with many addresses of IPv6 has no more tries than another', () => {
  const failures = new SignInFailures()
  for (let count = 0; count < signInFailuresMax; count++) failures.add(`2001:db8:1:2::${count}`, 0)
  assert.throws(() => failures.check('2001:db8:1:2::ffff', 0), tooMany)
  failures.check('2001:db8:1:3::1', 0)
})

test('12 of more addresses than are told apart, those that failed longest ago are forgotten', () => {
  const failures = new SignInFailures()
  const fail = (address: string) => {
    for (let count = 0; count < signInFailuresMax; count++) failures.add(address, 0)
  }
  fail('first')
  fail('second')
  for (let index = 2; index < signInAddressesMax; index++) failures.add(`${index}`, 0)
  assert.throws(() => failures.check('first', 0), tooMany)
  failures.add('one more', 0)
  failures.check('first', 0)
  assert.throws(() => failures.check('second', 0), tooMany)
})
