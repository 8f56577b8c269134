// WebDAV as programs of others speak it: litmus, the suite of tests, and cadaver, a client. `npm test`
// finds or installs them where Debian's packages are; elsewhere there is nothing to run.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { connect } from '../src/client/index.ts'
import { startLone, temporaryFolder } from './lone-server.ts'
import { call } from './requests.ts'

const litmus = program('LITMUS', '/usr/bin/litmus')
const cadaver = program('CADAVER', '/usr/bin/cadaver')

const password = 'correct horse'

function program(variable: string, usual: string): string | undefined {
  return [process.env[variable] ?? '', usual].find((path) => existsSync(path))
}

/** All that a program said. It works and has its home in this folder. */
async function run(
  t: TestContext,
  folder: string,
  [path, ...args]: [string, ...string[]],
  input = '',
): Promise<{ code: number | null; said: string }> {
  const child = spawn(path, args, { cwd: folder, env: { ...process.env, HOME: folder } })
  t.after(() => void child.kill('SIGKILL'))
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (said += text))
  }
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, said }
}

if (litmus !== undefined) {
  for (const signIn of [[], ['Ada', password]]) {
    const how = signIn.length > 0 ? 'with a password' : 'without one'
    test(`litmus passes ${how}`, async (t) => {
      const auth = signIn.length > 0 ? { auth: { password } } : {}
      const { address } = await startLone(t, auth)
      const folder = temporaryFolder(t)
      const { code, said } = await run(t, folder, [litmus, '-k', `${address}/dav/`, ...signIn])
      assert.equal(code, 0, said)
      const summary = /summary for `(\w+)': of (\d+) tests run: (\d+) passed, (\d+) failed/g
      const suites = [...said.matchAll(summary)].map(([, name, run, passed]) => [
        name,
        passed === run,
      ])
      const all = ['basic', 'copymove', 'props', 'locks', 'http']
      const expected = all.map((name) => [name, true])
      assert.deepEqual(suites, expected, said)
      assert.doesNotMatch(said, /WARNING|FAIL|SKIPPED/)
    })
  }
}

if (cadaver !== undefined) {
  test('cadaver makes, moves, locks and edits what others have open', async (t) => {
    const { address } = await startLone(t, { auth: { password } })
    const folder = temporaryFolder(t)
    writeFileSync(join(folder, '.netrc'), `machine 127.0.0.1 login Ada password "${password}"\n`)
    writeFileSync(join(folder, 'first.md'), 'one\ntwo\n')
    writeFileSync(join(folder, 'bytes.bin'), Buffer.from([255, 0, 254]))
    const commands = (...lines: string[]) =>
      run(t, folder, [cadaver, `${address}/dav/`], `${lines.join('\n')}\nquit\n`)

    const made = await commands('mkcol specs', 'cd specs', 'put first.md plan.md', 'put bytes.bin')
    assert.doesNotMatch(made.said, /failed/i)
    const told = await commands(
      'cd specs',
      'copy plan.md copy.md',
      'lock plan.md',
      'ls',
      'discover plan.md',
    )
    assert.match(told.said, / plan\.md\s+8\b/)
    assert.match(told.said, /copy\.md\s+8\b/)
    assert.match(told.said, /Lock token <urn:uuid:/)

    const token = await signedIn(address, 'Bob')
    const bob = connect({ servers: [address], name: 'Bob', agent: 'test', token })
    t.after(() => bob.close())
    await bob.joined()
    const live = bob.open(bob.files.find(({ path }) => path === 'specs/plan.md')!.id)
    await live.loaded
    live.text.insert(0, 'zero\n')
    await live.stored()

    await commands('cd specs', 'get plan.md got.md', 'get bytes.bin bytes.got')
    assert.equal(readFileSync(join(folder, 'got.md'), 'utf8'), 'zero\none\ntwo\n')
    assert.deepEqual(readFileSync(join(folder, 'bytes.got')), Buffer.from([255, 0, 254]))
    await commands(
      'move specs/copy.md specs/third.md',
      'rmcol specs/none',
      'delete specs/bytes.bin',
    )
    const { said } = await commands('ls specs')
    assert.match(said, /third\.md/)
    assert.doesNotMatch(said, /copy\.md|bytes\.bin/)
  })
}

async function signedIn(address: string, name: string): Promise<string> {
  const { status, body } = await call(address, 'SignIn', { name, password })
  assert.equal(status, 200)
  return body.token
}
