// What every command says of itself, and of wrong use.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Code } from '@connectrpc/connect'

import { printable } from '../../src/cli/command.ts'
import { matchesGlob } from '../../src/cli/listing.ts'
import { AnswerError } from '../../src/cli/set-client.ts'
import { startLone } from '../lone-server.ts'
import { program } from '../tool.ts'
import { fourfold, oneSentence } from './prompt.ts'

const commands = [
  ...['up', 'demo', 'serve', 'status', 'ls', 'cat', 'get', 'put', 'mkdir', 'mv', 'cp', 'rm'],
  ...['trash', 'restore', 'find', 'grep', 'watch', 'edit', 'mirror', 'reseed'],
]

test('every command has help, and the overview names it', async () => {
  const overview = await fourfold(['--help'])
  assert.equal(overview.code, 0)
  for (const command of commands) {
    assert.match(overview.out, new RegExp(`^ {2}${command} `, 'm'))
    const { code, out } = await fourfold([command, '--help'])
    assert.equal(code, 0, command)
    assert.match(out, new RegExp(`^Usage: npx fourfold ${command}`))
    assert.match(out, new RegExp(`\nExamples?:\n(.*\n)*.*npx fourfold ${command}\\b`), command)
    const long = out.split('\n').filter((line) => line.length > 80 && !line.startsWith('Usage:'))
    assert.deepEqual(long, [], `${command} fits a small terminal`)
  }
})

test('wrong use is one sentence and exit 2', async () => {
  const wrong: string[][] = [
    ['frob'],
    ['put'],
    ['put', '-'],
    ['put', '-', 'a', 'b'],
    ['cat'],
    ['find', 'x', 'y', 'z'],
    ['ls', '--frob'],
    ['get'],
    ['mkdir'],
    ['mv', 'a'],
    ['cp', '-r', 'a'],
    ['rm'],
    ['rm', '-x', 'a'],
    ['trash', 'x'],
    ['trash', '--empty', '--json', '-x'],
    ['restore'],
    ['find'],
    ['grep', '-E'],
    ['grep', 'a', 'b', 'c'],
    ['watch', 'a', 'b'],
    ['ls', '--servers', 'here'],
    ['ls', '--servers', ''],
    ['status', '--servers'],
    ['serve'],
    ['serve', '--config', 'none.json'],
    ['up', '--port', '0'],
    ['up', '--port', '-5'],
    ['up', '--port', '65533'],
    ['up', '--port', '6662'],
    ['demo', '--port', '10080'],
    ['up', 'now'],
  ]
  for (const words of wrong) {
    const { code, out, err } = await fourfold(words)
    assert.equal(code, 2, words.join(' '))
    assert.equal(out, '')
    assert.match(err, /^[^\n]+\n$/, words.join(' '))
  }
})

test('so it is in a directory that was removed', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'fourfold-removed-'))
  const words = ['-c', 'rmdir "$PWD" && exec "$0" "$@"', process.execPath, program, 'ls', '--frob']
  const { status, stderr } = spawnSync('sh', words, { cwd: directory, encoding: 'utf8' })
  assert.equal(status, 2, stderr)
  assert.match(stderr, /^[^\n]+ Try: [^\n]+ ls --help\.\n$/)
})

test('where what is printed has no room, that is one sentence and exit 1', (t) => {
  const full = openSync('/dev/full', 'w')
  t.after(() => closeSync(full))
  const stdio = ['ignore', full, 'pipe'] as const
  const { status, stderr } = spawnSync(process.execPath, [program, '--help'], {
    stdio: [...stdio],
    encoding: 'utf8',
  })
  assert.match(stderr, /^Cannot print: [^\n]+\.\n$/)
  assert.equal(status, 1)
})

test('a name that begins with a dash is told how it is given', async () => {
  assert.deepEqual((await fourfold(['cat', '-draft.md'])).err.split('. '), [
    "Unknown option '-d'",
    'What begins with "-" and is none goes behind "--"',
    'Try: npx fourfold cat --help.\n',
  ])
  const up = await fourfold(['up', '--frob'])
  assert.equal(up.err, "Unknown option '--frob'. Try: npx fourfold up --help.\n")
})

test('an option of other programs is told what is done here', async () => {
  const told: [words: string[], advice: RegExp][] = [
    [['mv', '-f', 'a', 'b'], /^Unknown option '-f'\. Nothing is overwritten: remove first what/],
    [['cp', '-a', 'a', 'b'], /^Unknown option '-a'\. -r copies a directory\. Try: /],
    [['rm', '-i', 'a'], /^Unknown option '-i'\. Nothing is asked: what is removed is in the trash/],
    [['ls', '-lht'], /^Unknown option '-h'\. Sizes are told in bytes\. Try: /],
    [['find', '.', '-name', '*.md'], /^Unknown option '-n'\. PATTERN is named without an option/],
  ]
  for (const [words, advice] of told) {
    const { code, err } = await fourfold(words)
    assert.equal(code, 2)
    assert.match(err, advice)
  }
})

test('a command that is not there is answered with the one that was meant', async () => {
  const meant = { sl: 'ls', greo: 'grep', stats: 'status', rmm: 'rm', rename: 'mv' }
  for (const [word, command] of Object.entries(meant)) {
    const { code, err } = await fourfold([word])
    assert.deepEqual(
      [code, err],
      [2, `There is no command "${word}"; did you mean "${command}"?\n`],
    )
  }
  assert.match(
    (await fourfold(['xyzzy'])).err,
    /^There is no command "xyzzy"; there are up, .*\.\n$/,
  )
})

test('where no server answers, that is one sentence and exit 1', async (t) => {
  const { code, err } = await fourfold(['ls', '--servers', 'http://127.0.0.1:1,http://127.0.0.1:2'])
  assert.equal(code, 1)
  assert.match(err, /^No server answers; tried http:\/\/127.0.0.1:1, http:\/\/127.0.0.1:2 \(/)
  assert.match(err, /\(nothing listens there\); name those of your set with --servers\.\n$/)
  assert.match(err, oneSentence)
  const { address } = await startLone(t)
  const wrong = await fourfold(['ls', '--servers', address.replace('http', 'https')])
  assert.match(wrong.err, /\(there is no TLS: write http:\/\/\); name those of your set/)
  assert.match(wrong.err, oneSentence)
})

test('a variable that is empty is one that is not set', async (t) => {
  const { address } = await startLone(t)
  const env = { FOURFOLD_NAME: '', FOURFOLD_PASSWORD: '' }
  const put = await fourfold(['put', '-', 'a.md'], { servers: address, env })
  assert.deepEqual([put.code, put.err], [0, ''])
  const listed = await fourfold(['ls', '-l'], { servers: address, env })
  assert.match(listed.out, / guest .* a\.md\n$/)
})

test('what could mislead a terminal is shown as an escape', () => {
  assert.equal(
    printable('a\u001b[31mb\nc\u202ed\u200b\u0085\ufeff'),
    'a\\x1b[31mb\\x0ac\\u{202e}d\\u{200b}\\x85\\u{feff}',
  )
  for (const name of ['größer – 日本語 👍.md', '👩\u200d🚀.md', 'می\u200cخواهم.md']) {
    assert.equal(printable(name), name)
  }
  assert.equal(printable('a\u200db👩\u200d🚀'), 'a\\u{200d}b👩\\u{200d}🚀')
  // A server names what other people named.
  const taken = new AnswerError(Code.AlreadyExists, '"a\u202eb" is here already.')
  assert.equal(taken.message, '"a\\u{202e}b" is here already.')
})

test('a pattern of names fits whole names, and takes no long time for it', () => {
  const fits: [text: string, glob: string][] = [
    ['launch.md', '*.md'],
    ['launch.md', 'l*n?h.*'],
    ['launch.md', '*'],
    ['', '*'],
    ['aXbXc', 'a*X?'],
    ['👍.md', '?.md'],
  ]
  for (const [text, glob] of fits) assert.ok(matchesGlob(text, glob), `${text} ${glob}`)
  const not: [text: string, glob: string][] = [
    ['launch.md', 'launch'],
    ['launch.md', '*.m'],
    ['launch.md', '?'],
    ['', '?'],
    ['a'.repeat(10_000), `${'*a'.repeat(100)}b`],
  ]
  for (const [text, glob] of not) assert.ok(!matchesGlob(text, glob), `${text} ${glob}`)
})
