// The configuration: what is taken, and the sentence that each mistake gets.

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { root } from '../../test/tool.ts'
import { configurationBytesMax, pushBurstMin, sessionsPerAddressMax } from '../core/model/limits.ts'
import { ConfigurationError, parseConfiguration, readConfiguration } from './configuration.ts'

const folder = mkdtempSync(join(tmpdir(), 'fourfold-configuration-'))
after(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'set.json')

const servers = ['a', 'b', 'c', 'd'].map((id, index) => ({
  id,
  address: `http://127.0.0.${index + 1}:4400`,
}))
const good = { set: 'notes', data: 'data', servers }
const pem = (name: string, from: string | Buffer, mode = 0o600) => {
  const content = typeof from === 'string' ? readFileSync(join(root, 'test', 'tls', from)) : from
  writeFileSync(join(folder, name), content, { mode })
  return name
}
const [cert, key, ca] = [
  pem('cert.pem', 'server.pem'),
  pem('key.pem', 'server.key'),
  pem('ca.pem', 'set-ca.pem'),
]
/** With TLS; of its three files this one is named instead. */
const withTls = (wrong: { [key: string]: unknown }) => {
  const servers = [{ id: 'a', address: 'https://a.example.org:8443' }]
  return { ...good, servers, listen: '127.0.0.1:1', tls: { cert, key, ca, ...wrong } }
}

test('one file serves every machine: the id chooses', () => {
  const configuration = parseConfiguration(good, file, { id: 'c' })
  assert.equal(configuration.id, 'c')
  assert.deepEqual(configuration.listen, { host: '127.0.0.3', port: 4400 })
  assert.equal(configuration.directory, join(folder, 'data', 'c'))
  assert.equal(configuration.safe, 2)
  assert.equal(configuration.hasReflection, true)
  assert.equal(configuration.sessionsPerAddress, sessionsPerAddressMax)
  assert.deepEqual(configuration.proxies, [])
})

test('what is set is taken', () => {
  const configuration = parseConfiguration(
    {
      set: 'notes',
      id: 'one',
      data: '/var/lib/fourfold',
      servers: [{ id: 'one', address: 'https://one.example.org' }],
      listen: '[::]:8443',
      safe: 1,
      tls: { cert, key, ca },
      auth: { password: 'long enough' },
      origins: ['https://notes.example.org'],
      rates: { pushBurst: pushBurstMin },
      sessionsPerAddress: 7,
      proxies: ['10.0.0.1', '::1', 'unix'],
      diskFreeBytesMin: 1000,
    },
    file,
  )
  assert.deepEqual(configuration.listen, { host: '::', port: 8443 })
  assert.equal(configuration.tls?.cert, join(folder, 'cert.pem'))
  assert.equal(configuration.password, 'long enough')
  assert.equal(configuration.hasReflection, false, 'not beyond this machine unless it is asked for')
  assert.equal(configuration.rates.pushBurst, pushBurstMin)
  assert.equal(configuration.sessionsPerAddress, 7)
  assert.deepEqual(configuration.proxies, ['10.0.0.1', '::1', 'unix'])
  assert.equal(configuration.directory, '/var/lib/fourfold/one')
})

const mistakes: [what: string, json: unknown, sentence: RegExp][] = [
  ['no object', [], /^F: it must be an object\.$/],
  ['nothing', null, /^F: it must be an object\.$/],
  [
    'an unknown key',
    { ...good, id: 'a', colour: 1 },
    /^F: "colour" is no key of a configuration; there are set, /,
  ],
  ['a missing key', { data: 'd', servers }, /^F: "set" is missing\.$/],
  ['a wrong type', { ...good, set: 4 }, /^F: "set" must be a text in quotes\.$/],
  ['a wrong list', { ...good, servers: {} }, /^F: "servers" must be a list\.$/],
  ['a wrong item', { ...good, servers: ['a'] }, /^F: "servers\[0\]" must be an object\.$/],
  ['no servers', { ...good, servers: [] }, /^F: "servers" lists no server\.$/],
  ['a bad set', { ...good, set: 'No tes' }, /^F: "set" "No tes" is not 1 to 64 of/],
  [
    'two servers with one id',
    { ...good, servers: [...servers, { id: 'a', address: 'http://127.0.0.9:2' }] },
    /^F: "servers\[4\]\.id" two servers have the id "a"\.$/,
  ],
  [
    'two servers with one address',
    { ...good, servers: [...servers, { id: 'e', address: 'http://127.0.0.1:4400' }] },
    /^F: "servers\[4\]\.address" two servers have the address/,
  ],
  [
    'a bad id',
    { ...good, servers: [{ id: 'A!', address: 'http://127.0.0.1:4400' }] },
    /^F: "servers\[0\]\.id" "A!" is not/,
  ],
  [
    'an unknown key of a server',
    { ...good, servers: [{ id: 'a', address: 'http://127.0.0.1:4400', port: 1 }] },
    /^F: "servers\[0\]\.port" is no key/,
  ],
  ...['127.0.0.1:4400', 'ftp://a', 'http://a/path', 'http://', 'http://a:99999'].map(
    (address): [string, unknown, RegExp] => [
      `the address ${address}`,
      { ...good, servers: [{ id: 'a', address }] },
      /^F: "servers\[0\]\.address" "/,
    ],
  ),
  [
    'an own id that is not there',
    { ...good, id: 'x' },
    /^F: "id" "x" is not among the servers a, /,
  ],
  ['no own id', good, /^F: "id" is missing: start it with --id and one of a, b, c, d\.$/],
  ['a safe count over all', { ...good, id: 'a', safe: 5 }, /^F: "safe" 5 is not a whole number/],
  ['a safe count of 0', { ...good, id: 'a', safe: 0 }, /^F: "safe" 0 is not/],
  ['a bad listen', { ...good, id: 'a', listen: 'here' }, /^F: "listen" "here" is neither/],
  ['a bad port', { ...good, id: 'a', listen: '127.0.0.1:70000' }, /^F: "listen"/],
  [
    'a short password',
    { ...good, id: 'a', auth: { password: 'x' } },
    /^F: "auth.password" must have/,
  ],
  ['a missing password', { ...good, id: 'a', auth: {} }, /^F: "auth.password" is missing\.$/],
  ['a bad origin', { ...good, id: 'a', origins: ['x'] }, /^F: "origins\[0\]" "x" is not an origin/],
  [
    'a rate at which some operation is never taken',
    { ...good, id: 'a', rates: { pushBurst: pushBurstMin - 1 } },
    /^F: "rates\.pushBurst" 7 is less than 8, the least there can be\.$/,
  ],
  ...['pushesPerSecond', 'caretsPerSecond'].map((key): [string, unknown, RegExp] => [
    `half of one for ${key}`,
    { ...good, id: 'a', rates: { [key]: 0.5 } },
    new RegExp(`^F: "rates\\.${key}" 0\\.5 is less than 1, `),
  ]),
  [
    'a bound of no sessions',
    { ...good, id: 'a', sessionsPerAddress: 0 },
    /^F: "sessionsPerAddress" 0 is not a whole number from 1\.$/,
  ],
  [
    'half a session',
    { ...good, id: 'a', sessionsPerAddress: 1.5 },
    /^F: "sessionsPerAddress" 1\.5 is not/,
  ],
  [
    'a proxy by name',
    { ...good, id: 'a', proxies: ['127.0.0.1', 'proxy'] },
    /^F: "proxies\[1\]" "proxy" is neither a number like "127\.0\.0\.1" nor "unix"\.$/,
  ],
  ['a negative reserve', { ...good, id: 'a', diskFreeBytesMin: -1 }, /^F: "diskFreeBytesMin"/],
  [
    'reflection as text',
    { ...good, id: 'a', reflection: 'yes' },
    /^F: "reflection" must be true or/,
  ],
  ['a mirror that is no place', { ...good, id: 'a', mirror: 7 }, /^F: "mirror" must be a text in/],
  [
    'a mirror without a name',
    { ...good, id: 'a', mirror: '' },
    /^F: "mirror" names no directory\.$/,
  ],
  [
    'a mirror with an unknown key',
    { ...good, id: 'a', mirror: { directory: 'files', to: 'x' } },
    /^F: "mirror\.to" is no key of a configuration; there are directory, folder\.$/,
  ],
  [
    'a mirror of nothing',
    { ...good, id: 'a', mirror: { directory: 'files', folder: '/' } },
    /^F: "mirror\.folder" names no directory of the folder\.$/,
  ],
  [
    'a mirror of what cannot be',
    { ...good, id: 'a', mirror: { directory: 'files', folder: 'a/../b' } },
    /^F: "mirror\.folder" has the name "\.\.": .+\.$/,
  ],
  [
    'a mirror around the stores',
    { ...good, id: 'a', mirror: '.' },
    /^F: "mirror" names .+, but .+ is a server's own; keep them apart\.$/,
  ],
  [
    'a mirror in a store',
    { ...good, id: 'a', mirror: { directory: 'data/b/files' } },
    /^F: "mirror\.directory" names .+, but .+ is a server's own; keep them apart\.$/,
  ],
  [
    'a certificate that is not there',
    { ...good, id: 'a', tls: { cert: 'none.pem', key: 'none.pem' } },
    /^F: "tls.cert" names .*none\.pem, which is not there\.$/,
  ],
  [
    'a key that others can read',
    withTls({ key: pem('open.pem', 'server.key', 0o644) }),
    /^F: "tls.key" names .*open\.pem, which others can read: chmod 600 it\.$/,
  ],
  ...(
    [
      ['cert', '', 'cannot be read: EISDIR'],
      ['cert', pem('empty.pem', Buffer.alloc(0)), 'holds no certificate in PEM.'],
      ['cert', pem('cut.pem', readFileSync(join(folder, cert)).subarray(0, 100)), 'holds no cert'],
      ['cert', key, 'holds no certificate in PEM.'],
      ['key', 'none.key', 'is not there.'],
      ['key', cert, 'holds no private key in PEM, or one with a passphrase.'],
      ['key', pem('other.key', 'stranger.key'), `is not the key of ${join(folder, cert)}.`],
      ['ca', pem('rubbish.pem', Buffer.from('rubbish')), 'holds no certificate in PEM.'],
    ] as const
  ).map(([name, file, why]): [string, unknown, RegExp] => [
    `tls.${name} of ${file || 'a directory'}`,
    withTls({ [name]: file }),
    new RegExp(`^F: "tls.${name}" names ${join(folder, file)}, which ${why}`),
  ]),
  [
    'a path with a NUL',
    { ...good, id: 'a', data: 'da\0ta' },
    /^F: "data" must not contain a NUL character\.$/,
  ],
  [
    'a directory without a name',
    { ...good, id: 'a', data: '' },
    /^F: "data" names no directory\.$/,
  ],
  [
    'a port at which nobody is',
    { ...good, servers: [{ id: 'a', address: 'http://127.0.0.1:0' }] },
    /^F: "servers\[0\]\.address" "http:\/\/127\.0\.0\.1:0" has the port 0, /,
  ],
  [
    'a port that browsers refuse',
    { ...good, servers: [{ id: 'a', address: 'http://127.0.0.1:6000' }] },
    /^F: "servers\[0\]\.address" "http:\/\/127\.0\.0\.1:6000" has the port 6000, /,
  ],
  [
    'tls with an address without it',
    { ...good, id: 'a', tls: { cert, key } },
    /^F: "servers" the address of "a" must begin with https:/,
  ],
]

for (const [what, json, sentence] of mistakes) {
  test(`${what} is named with key and file`, () => {
    assert.throws(
      () => parseConfiguration(json, file),
      (error) => {
        assert.ok(error instanceof ConfigurationError)
        assert.match(error.message.replace(file, 'F'), sentence)
        return true
      },
    )
  })
}

test('a mirror is a directory, of all of the folder or of a part', () => {
  const read = (mirror: unknown) => parseConfiguration({ ...good, id: 'a', mirror }, file).mirror
  assert.equal(read(undefined), undefined)
  assert.deepEqual(read('data/files'), { directory: join(folder, 'data', 'files') })
  const part = { directory: '/srv/notes', folder: '/specs/of us/' }
  assert.deepEqual(read(part), { directory: '/srv/notes', folder: 'specs/of us' })
})

test('what an editor makes of the file is read, or said in one sentence', () => {
  const json = JSON.stringify({ ...good, id: 'a' }, null, 2)
  const read = (content: string | Buffer) => {
    writeFileSync(file, content)
    return readConfiguration(file)
  }
  assert.equal(read(`\ufeff${json}`).id, 'a', 'the mark of Windows is no part of it')
  assert.equal(read(json.replaceAll('\n', '\r\n')).id, 'a')
  const hint = / \(it takes no comments, and no comma behind the last item\)\.$/
  const wrong: [content: string | Buffer, sentence: RegExp][] = [
    ['', /: is not JSON: Unexpected end of JSON input\.$/],
    ['{"set":', /: is not JSON: [^(]+\.$/],
    [`// of ours\n${json}`, hint],
    [json.replace('[', '[ # four of them'), /: is not JSON: /],
    [json.replace(/\n}$/, ',\n}'), hint],
    [Buffer.from(`\ufeff${json}`, 'utf16le'), /: is not UTF-8: save it as UTF-8\.$/],
    [Buffer.from(json.replace('notes', 'käse'), 'latin1'), /: is not UTF-8: /],
    [json.replace('{', '{ "set": "others",'), /: "set" is there twice in one object\.$/],
    [
      `{"set": "${'x'.repeat(configurationBytesMax)}"}`,
      /: has more than 1 MiB, which no configuration has\.$/,
    ],
    // Read again from each line on, it would take minutes.
    ['\n'.repeat(configurationBytesMax), /: is not JSON: [^(]+\.$/],
    [
      json.replace('"address"', '"\\u0069d": "b", "address"'),
      /: "id" is there twice in one object/,
    ],
  ]
  for (const [content, sentence] of wrong) {
    assert.throws(
      () => read(content),
      (error) => {
        assert.ok(error instanceof ConfigurationError)
        assert.match(error.message, sentence)
        assert.ok(error.message.startsWith(`${file}: `))
        assert.doesNotMatch(error.message, /[\p{Cc}\ufeff]/u)
        return true
      },
    )
  }
  // The same key in two objects is nothing.
  assert.equal(read(json.replace('"d",', '"d", "address": "http://h:2" }, { "id": "e",')).id, 'a')
})

test('a file that is not there, or none, is named', () => {
  assert.throws(() => readConfiguration(join(folder, 'none.json')), /none\.json: cannot be read/)
  mkdirSync(join(folder, 'directory'))
  assert.throws(() => readConfiguration(join(folder, 'directory')), /directory: cannot be read/)
})

test('beyond this machine it wants a certificate and sign-in', () => {
  const beyond = { ...good, id: 'a', listen: '0.0.0.0:8443' }
  const https = [{ id: 'a', address: 'https://a.example.org:8443' }]
  const tls = { cert, key }
  const auth = { password: 'long enough' }
  const rest =
    'Listen on 127.0.0.1, or set tls.cert, tls.key and auth. ' +
    'Behind a proxy that does both: listen on loopback or a Unix socket.'
  const refused = (json: object, why: string) =>
    assert.throws(() => parseConfiguration(json, file), {
      message: `Refusing to listen on 0.0.0.0:8443: ${why} ${rest}`,
    })
  refused(beyond, 'no certificate and no sign-in are configured.')
  refused({ ...beyond, servers: https, tls }, 'no sign-in is configured.')
  refused({ ...beyond, auth }, 'no certificate is configured.')
  parseConfiguration({ ...beyond, servers: https, tls, auth }, file)
  for (const listen of ['localhost:1', '[::1]:1', '127.9.9.9:1', '/run/fourfold.sock']) {
    parseConfiguration({ ...beyond, listen }, file)
  }
  for (const listen of ['[::]:1', '10.0.0.1:1', '127.example.org:1']) {
    assert.throws(() => parseConfiguration({ ...beyond, listen }, file), /^.*Refusing to listen on/)
  }
})
