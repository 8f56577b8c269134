// What a person is told to type runs this program where they are.

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { calledFrom } from './called.ts'

/** A clone as it is after its set-up, and a directory beside it. */
function clone(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'fourfold-called-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const at = (path: string) => join(folder, path)
  for (const path of ['my clone/bin', 'my clone/node_modules/.bin', 'my clone/docs', 'bin']) {
    mkdirSync(at(path), { recursive: true })
  }
  const command = at('my clone/bin/fourfold.mjs')
  writeFileSync(command, '')
  const link = at('my clone/node_modules/.bin/fourfold')
  symlinkSync(command, link)
  return { at, command, path: at('my clone/node_modules/.bin') }
}

test('in a clone, and deeper in it, npx finds the command', (t) => {
  const { at, command, path } = clone(t)
  for (const directory of ['my clone', 'my clone/docs']) {
    assert.equal(calledFrom(at(directory), path, command), 'npx fourfold')
  }
})

test('elsewhere it is what the shell finds, or the file, as one word', (t) => {
  const { at, command, path } = clone(t)
  const byFile = `node '${command}'`
  assert.equal(calledFrom(at('.'), path, command), byFile, 'the path is of npm, not of the person')
  writeFileSync(at('bin/fourfold'), 'another program of this name')
  assert.equal(calledFrom(at('.'), at('bin'), command), byFile)
  rmSync(at('bin/fourfold'))
  symlinkSync(command, at('bin/fourfold'))
  assert.equal(calledFrom(at('.'), at('bin'), command), 'fourfold')
})
