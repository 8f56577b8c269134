// Where callers come from: whose word about it counts, and how many sessions an address may have.

import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'

import { AddressCounts, Addresses } from './addresses.ts'

const request = (remoteAddress: string | undefined, forwarded?: string) =>
  ({
    socket: { remoteAddress },
    headers: { ...(forwarded !== undefined && { 'x-forwarded-for': forwarded }) },
  }) as unknown as IncomingMessage

test('the caller is the other end of the socket, whatever it says itself', () => {
  const addresses = new Addresses()
  assert.equal(addresses.of(request('192.0.2.1', '198.51.100.7')), '192.0.2.1')
  assert.equal(addresses.of(request('::ffff:192.0.2.1')), '192.0.2.1')
  assert.equal(addresses.of(request('fe80::1%eth0')), 'fe80::1')
  assert.equal(addresses.of(request(undefined, '198.51.100.7')), '')
})

test('what listed proxies say counts, and no word further', () => {
  const addresses = new Addresses(['127.0.0.1', '10.0.0.1', '2001:DB8::0:1', 'unix'])
  const cases: [nearest: string | undefined, forwarded: string | undefined, caller: string][] = [
    ['127.0.0.1', '198.51.100.7', '198.51.100.7'],
    ['::ffff:127.0.0.1', '198.51.100.7', '198.51.100.7'],
    [undefined, '198.51.100.7', '198.51.100.7'],
    ['127.0.0.1', '1.2.3.4, 198.51.100.7, 10.0.0.1', '198.51.100.7'],
    ['2001:db8::1', ' 2001:db8:7::9 ', '2001:db8:7::9'],
    ['127.0.0.1', undefined, '127.0.0.1'],
    ['127.0.0.1', '198.51.100.7, rubbish', '127.0.0.1'],
    ['127.0.0.1', 'unix', '127.0.0.1'],
    ['10.0.0.2', '198.51.100.7', '10.0.0.2'],
  ]
  for (const [nearest, forwarded, caller] of cases) {
    assert.equal(addresses.of(request(nearest, forwarded)), caller, `${nearest}: ${forwarded}`)
  }
})

test('12 an address may have so many sessions, and one more when one has left', () => {
  const counts = new AddressCounts(2)
  assert.deepEqual(
    [1, 2, 3].map(() => counts.enter('192.0.2.1')),
    [true, true, false],
  )
  assert.equal(counts.enter('192.0.2.2'), true)
  counts.leave('192.0.2.1')
  assert.deepEqual(
    [1, 2].map(() => counts.enter('192.0.2.1')),
    [true, false],
  )
})

test('12 all that one network of IPv6 hands to a host is one address', () => {
  const counts = new AddressCounts(1)
  assert.equal(counts.enter('2001:db8:1:2::1'), true)
  assert.equal(counts.enter('2001:db8:1:2:ffff::9'), false)
  assert.equal(counts.enter('2001:db8:1:3::1'), true)
  assert.equal(counts.enter('2001:db8::1'), true)
  assert.equal(counts.enter('2001:db8::2'), false)
})

test('programs of this machine are not counted', () => {
  const counts = new AddressCounts(1)
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', '']) {
    assert.deepEqual(
      [1, 2].map(() => counts.enter(address)),
      [true, true],
      address,
    )
    counts.leave(address)
  }
})
