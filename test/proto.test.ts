// The schema: linted, never broken for those who speak an older one, and the generated code is its own.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { root, tool } from './tool.ts'

/** The schema of the last release, as `buf build` wrote it. */
const released = 'proto/fourfold.binpb'

test('buf lint has nothing to object to', () => {
  const said = tool('buf', 'lint')
  assert.equal(said.status, 0, said.text)
})

test('programs that speak the released schema still understand this one', () => {
  const said = tool('buf', 'breaking', '--against', released)
  assert.equal(said.status, 0, said.text)
})

test('the generated code is that of the schema', (t) => {
  const scratch = mkdtempSync(join(tmpdir(), 'fourfold-gen-'))
  t.after(() => rmSync(scratch, { recursive: true, force: true }))
  const said = tool('buf', 'generate', '--output', scratch)
  assert.equal(said.status, 0, said.text)
  const fresh = contents(join(scratch, 'src/gen'))
  assert.ok(fresh.size > 0, 'buf generated nothing')
  assert.deepEqual(contents(join(root, 'src/gen')), fresh, 'Run: npm run proto')
})

/** Text of every file under a folder, by its name in there. */
function contents(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
  return new Map(files.map((file) => [file.slice(folder.length), readFileSync(file, 'utf8')]))
}
