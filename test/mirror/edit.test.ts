// `fourfold edit`: an editor that is a script, and somebody who types elsewhere meanwhile.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isAlive, start, untilDead } from '../cli/running.ts'
import { fourfold, stage, tree } from './mirrors.ts'

test('what others type arrives in the editor, and what it saves is merged', async (t) => {
  const { servers, folder, mirrors } = await stage(t, 1)
  const put = join(folder, 'notes.md')
  writeFileSync(put, 'one\ntwo\nthree\n')
  assert.equal((await fourfold(['mkdir', 'd'], servers)).code, 0)
  assert.equal((await fourfold(['put', put, 'd/notes.md'], servers)).code, 0)
  assert.equal((await fourfold(['put', put, 'd/other.md'], servers)).code, 0)
  // Saves, waits for what another saves, and saves once more.
  const script = join(folder, 'editor')
  writeFileSync(
    script,
    `#!/bin/sh
echo mine >> "$2"
until grep -q theirs "$2" 2>/dev/null; do sleep 0.1; done
ls "$(dirname "$2")" > "${folder}/listing"
sed -i 's/^two$/two, again/' "$2"
`,
  )
  chmodSync(script, 0o755)
  process.env['EDITOR'] = `${script} --wait`
  delete process.env['VISUAL']
  const editing = fourfold(['edit', 'd/notes.md'], servers)
  for (;;) {
    const { out } = await fourfold(['cat', 'd/notes.md'], servers)
    if (out.includes('mine')) break
  }
  const dir = mirrors[0]!
  await fourfold(['mirror', dir.directory, '--once'], servers)
  dir.shell("sed -i '1s/^/theirs\\n/' d/notes.md")
  await fourfold(['mirror', dir.directory, '--once'], servers)
  const { code, err } = await editing
  assert.deepEqual([code, err], [0, ''])
  const { out } = await fourfold(['cat', 'd/notes.md'], servers)
  assert.equal(out, 'theirs\none\ntwo, again\nthree\nmine\n')
  await fourfold(['mirror', dir.directory, '--once'], servers)
  assert.deepEqual([...tree(dir.directory).keys()], ['d', 'd/notes.md', 'd/other.md'])
  // A new one comes with its first save.
  process.env['EDITOR'] = 'echo hello >'
  assert.equal((await fourfold(['edit', 'd/new.md'], servers)).code, 0)
  assert.equal((await fourfold(['cat', 'd/new.md'], servers)).out, 'hello\n')
  const wrong = await fourfold(['edit', 'd'], servers)
  assert.deepEqual([wrong.code, wrong.err], [1, 'd is a directory.\n'])
  // An editor that fails says so, and what it saved is not lost.
  const failing: [editor: string, end: string, text: string][] = [
    ['false', 'ended with status 1; nothing was changed.\n', 'hello\n'],
    [
      'f() { echo more >> "$1"; exit 3; }; f',
      'status 3; what it saved is kept.\n',
      'hello\nmore\n',
    ],
  ]
  for (const [editor, end, text] of failing) {
    process.env['EDITOR'] = editor
    const failed = await fourfold(['edit', 'd/new.md'], servers)
    assert.equal(failed.code, 1)
    assert.ok(failed.err.endsWith(end), failed.err)
    assert.equal((await fourfold(['cat', 'd/new.md'], servers)).out, text)
  }
})

test('Ctrl+C is the editor’s; what ends the command ends the editor, and brings what it saved', async (t) => {
  const { servers, folder } = await stage(t, 1)
  assert.equal((await fourfold(['mkdir', 'd'], servers)).code, 0)
  // Like vim: it hears every key of the terminal, and saves what it has when it is ended.
  const script = join(folder, 'editor.mjs')
  writeFileSync(
    script,
    `import { appendFileSync, writeFileSync } from 'node:fs'
const [, , file] = process.argv
appendFileSync(file, 'before')
process.on('SIGINT', () => console.log('interrupted'))
process.on('SIGTERM', () => {
  appendFileSync(file, ', after')
  if (process.env.LEAVES) writeFileSync(file + '.swp', 'not saved')
  process.removeAllListeners('SIGTERM')
  process.kill(process.pid, 'SIGTERM')
})
console.log('editor is', process.pid)
setInterval(() => {}, 1000)
`,
  )
  const editor = `${process.execPath} ${script}`
  for (const leaves of ['', 'yes']) {
    const env = {
      ...process.env,
      VISUAL: editor,
      FOURFOLD_SERVERS: servers,
      LEAVES: leaves,
      TMPDIR: folder,
    }
    const { child, says, said } = start(t, ['edit', `d/of ${leaves}.md`], [], env)
    await says(/editor is \d+\n/)
    const pid = Number(/editor is (\d+)/.exec(said())![1])
    t.after(() => isAlive(pid) && process.kill(pid, 'SIGKILL'))
    // As the terminal does: all that run in it hear it.
    child.kill('SIGINT')
    process.kill(pid, 'SIGINT')
    await says(/interrupted/)
    assert.equal(child.exitCode, null)
    child.kill('SIGTERM')
    const [code] = await once(child, 'exit')
    await untilDead([pid])
    assert.equal(code, 1, said())
    assert.match(said(), /was ended by SIGTERM; what it saved is kept\./)
    const { out } = await fourfold(['cat', `d/of ${leaves}.md`], servers)
    assert.equal(out, 'before, after')
    const left = /What it left is in (.*)\.\n/.exec(said())?.[1]
    assert.equal(left === undefined, leaves === '', said())
    if (left) assert.equal(readFileSync(join(left, 'of yes.md.swp'), 'utf8'), 'not saved')
    const copies = readdirSync(folder).filter((name) => name.startsWith('fourfold-edit-'))
    assert.equal(copies.length, left ? 1 : 0)
  }
})
