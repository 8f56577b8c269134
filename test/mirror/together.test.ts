// Two mirrors of one folder, and what people do in them: editors, sed, trees, Git.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  linkSync,
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@connectrpc/connect'
import { createGrpcTransport } from '@connectrpc/connect-node'
import { SetClient } from '../../src/cli/set-client.ts'
import { subjectId } from '../../src/core/model/ids.ts'
import { random } from '../../src/adapters/system.ts'
import { FolderService } from '../../src/core/model/wire.ts'
import { until } from '../until.ts'
import { four, fourfold, same, stage, tree } from './mirrors.ts'

const newId = () => subjectId(random(16))

test('a first joining deletes nothing, and keeps both of what differs', async (t) => {
  const { mirrors, servers } = await stage(t, 2)
  const [first, second] = mirrors as [(typeof mirrors)[0], (typeof mirrors)[0]]
  for (const each of mirrors) mkdirSync(each.path('both'), { recursive: true })
  writeFileSync(first.path('equal.md'), 'the same\n')
  writeFileSync(second.path('equal.md'), 'the same\n')
  writeFileSync(first.path('both', 'plan.md'), 'one plan\n')
  writeFileSync(second.path('both', 'plan.md'), 'another plan\n')
  writeFileSync(first.path('first.md'), '\ufeffonly\r\nhere')
  writeFileSync(second.path('second.md'), 'only there\n')
  for (const each of [first, second, first]) {
    const { code, err, out } = await fourfold(['mirror', each.directory, '--once'], servers)
    assert.deepEqual([code, err], [0, ''])
    if (each === second) {
      const told =
        /nothing is deleted: 1 go to the folder, 1 come from it, 2 are the same, 1 of one/
      assert.match(out, told)
    }
  }
  const found = await same(mirrors)
  const aside = [...found.keys()].find((path) => /^both\/plan \(.+\)\.md$/.test(path))
  assert.ok(aside, [...found.keys()].join(' '))
  assert.equal(found.get('both/plan.md'), 'one plan\n')
  assert.equal(found.get(aside), 'another plan\n')
  assert.equal(found.get('equal.md'), 'the same\n')
  assert.equal(found.get('first.md'), '\ufeffonly\r\nhere')
  assert.equal(found.get('second.md'), 'only there\n')
  assert.equal(found.size, 6)
})

test('a file that is edited in two mirrors at once has all edits, once', async (t) => {
  const { mirrors } = await stage(t, 2)
  const [first, second] = mirrors as [(typeof mirrors)[0], (typeof mirrors)[0]]
  const lines = Array.from({ length: 40 }, (_, index) => `line ${index}`)
  writeFileSync(first.path('notes.md'), `${lines.join('\n')}\n`)
  for (const each of mirrors) each.start()
  await same(mirrors)
  const times = 60
  const sed = async () => {
    for (let count = 0; count < times; count++) {
      // Like sed itself when the file is being replaced in this moment: again.
      second.shell(`until sed -i "10s/$/ s${count};/" notes.md 2>/dev/null; do :; done`)
      await sleep(20)
    }
  }
  const editor = async () => {
    for (let count = 0; count < times / 4; count++) {
      // As editors that write by rename do.
      const text = first.read('notes.md').replace('line 30', `line 30 e${count};`)
      writeFileSync(first.path('notes.md.new~'), text)
      renameSync(first.path('notes.md.new~'), first.path('notes.md'))
      await sleep(80)
    }
  }
  await Promise.all([sed(), editor()])
  const text = (await same(mirrors)).get('notes.md')!
  for (let count = 0; count < times; count++) {
    assert.equal(text.split(` s${count};`).length, 2, `s${count} in:\n${text}`)
  }
  for (let count = 0; count < times / 4; count++) {
    assert.equal(text.split(` e${count};`).length, 2, `e${count} in:\n${text}`)
  }
})

test('files and directories change places while others write in them: nothing gets into the other', async (t) => {
  const { mirrors, servers } = await stage(t, 2)
  const [first, second] = mirrors as [(typeof mirrors)[0], (typeof mirrors)[0]]
  const once = async ({ directory }: typeof first) => {
    const { code, err } = await fourfold(['mirror', directory, '--once'], servers)
    assert.deepEqual([code, err], [0, ''])
  }
  const texts = ['one', 'two'].map((word) => `${word} of many lines\n`.repeat(20))
  writeFileSync(first.path('a.md'), texts[0]!)
  writeFileSync(first.path('b.md'), texts[1]!)
  for (const each of [first, second]) await once(each)
  for (const word of ['earlier', 'later']) {
    second.shell(`echo ${word} >> a.md; echo ${word} >> b.md`)
    for (const each of [second, first]) await once(each)
    first.shell('mv a.md between; mv b.md a.md; mv between b.md')
    for (const each of [first, second]) await once(each)
  }
  const [one, two] = texts.map((text) => `${text}earlier\nlater\n`)
  first.shell('mkdir da db; mv a.md da/x.md; mv b.md db/x.md')
  for (const each of [first, second]) await once(each)
  second.shell('echo others >> da/x.md')
  await once(second)
  // By rename, as editors write: it is known by its place in its directory.
  first.shell(
    'mv da between; mv db da; mv between db; for d in da db; do echo own >> $d/x.md; done',
  )
  first.shell('for d in da db; do cp $d/x.md $d/x.md~; mv $d/x.md~ $d/x.md; done')
  for (const each of [first, second]) await once(each)
  const found = await same(mirrors)
  assert.deepEqual([...found.keys()], ['da', 'da/x.md', 'db', 'db/x.md'])
  assert.equal(found.get('da/x.md'), `${two}own\n`)
  assert.deepEqual(found.get('db/x.md')?.split('\n').toSorted(), [
    ...['', ...`${one}others\nown`.split('\n')].toSorted(),
  ])
  const { out } = await fourfold(['trash', '--json'], servers)
  assert.deepEqual(JSON.parse(out).files, [])
})

test('what two make under one name at once is two files, and one where it is the same', async (t) => {
  const { fleet, mirrors } = await stage(t, 2, four)
  const [first, second] = mirrors as [(typeof mirrors)[0], (typeof mirrors)[0]]
  // Two servers that do not know of each other's would keep two files also of what is the same.
  for (const each of mirrors) each.start('--servers', fleet.addresses[0]!)
  await same(mirrors)
  const names = Array.from({ length: 8 }, (_, index) => `plan ${index}`)
  for (const name of names) {
    writeFileSync(first.path(`${name}.md`), `${name} of first\n`)
    writeFileSync(second.path(`${name}.md`), `${name} of second\n`)
    for (const each of mirrors) writeFileSync(each.path(`${name} same.md`), `${name}\n`)
  }
  const found = await same(mirrors)
  assert.equal(found.size, 3 * names.length)
  for (const name of names) {
    const texts = [...found].filter(([path]) => path.startsWith(name)).map(([, text]) => text)
    assert.deepEqual(
      new Set(texts),
      new Set(['', ' of first', ' of second'].map((of) => `${name}${of}\n`)),
    )
  }
})

test('trees are made, moved and removed, and the other side follows', async (t) => {
  const { mirrors, servers } = await stage(t, 2)
  const [first, second] = mirrors as [(typeof mirrors)[0], (typeof mirrors)[0]]
  const idOf = async (path: string) => {
    const { files } = JSON.parse((await fourfold(['ls', '-R', '--json'], servers)).out) as {
      files: { id: string; path: string }[]
    }
    return files.find((each) => each.path === path)?.id
  }
  for (const each of mirrors) each.start()
  await until(
    () => tree(first.directory).size === 0,
    () => first.said,
  )
  first.shell('seq 100 > long')
  first.shell('mkdir -p a/b/c/d e && for i in 1 2 3 4 5; do echo $i > a/b/f$i; done; echo x > e/x')
  assert.equal((await same(mirrors)).size, 12)
  const id = await idOf('long')
  // Renamed and written by rename: it is the same file all the same.
  second.shell("mv long longer && sed -i 's/^50$/fifty/' longer")
  second.shell('mv a/b e/moved && rmdir a && echo more >> e/moved/f3')
  const moved = await same(mirrors)
  assert.equal(moved.get('e/moved/f3'), '3\nmore\n')
  assert.deepEqual([moved.has('a'), moved.has('long')], [false, false])
  assert.match(moved.get('longer')!, /^49\nfifty\n51$/m)
  assert.equal(await idOf('longer'), id)
  // Into each other, and two files that change places.
  first.shell('mkdir p q && echo p > p/file && echo q > q/file')
  await same(mirrors)
  second.shell('mv p/file t && mv q/file p/file && mv t q/file && mv q p/q')
  const swapped = await same(mirrors)
  assert.deepEqual([swapped.get('p/file'), swapped.get('p/q/file')], ['q\n', 'p\n'])
  first.shell('rm -r e/moved/c e/moved/f1')
  assert.equal((await same(mirrors)).has('e/moved/c'), false)
  // A file becomes a directory, and the other way round.
  second.shell('rm e/x && mkdir e/x && echo in > e/x/in && rm -r p && echo now > p')
  const turned = await same(mirrors)
  assert.deepEqual([turned.get('e/x/in'), turned.get('p')], ['in\n', 'now\n'])
})

test('another branch is checked out, the folder follows, and back again', async (t) => {
  const { mirrors } = await stage(t, 2)
  const [first, second] = mirrors as [(typeof mirrors)[0], (typeof mirrors)[0]]
  first.shell(`git init -qb main && git config user.email a@b && git config user.name a
    mkdir -p src/deep && for i in $(seq 40); do seq $i $((i * 3)) > src/f$i; done
    cp src/f9 src/deep/nine && git add . && git commit -qm one && git checkout -qb other
    git mv src/deep src/shallow && for i in 3 5 7; do echo more >> src/f$i; sed -i 2d src/f$i; done
    git rm -q src/f11 src/f12 && echo new > new && git add . && git commit -qam two
    git checkout -q main`)
  for (const each of mirrors) each.start()
  const before = await same(mirrors)
  assert.equal(before.size, 43)
  first.shell('git checkout -q other')
  const other = await same(mirrors)
  assert.equal(first.shell('git status --porcelain --untracked-files=no'), '')
  assert.ok(other.has('src/shallow/nine') && !other.has('src/f11') && other.has('new'))
  first.shell('git checkout -q main')
  assert.deepEqual(await same(mirrors), before)
  assert.equal(first.shell('git status --porcelain'), '')
  assert.deepEqual(tree(second.directory), before)
})

test('a mirror works while no server answers, and catches up', async (t) => {
  const { fleet, mirrors } = await stage(t, 2, four)
  const [first, second] = mirrors as [(typeof mirrors)[0], (typeof mirrors)[0]]
  for (const each of mirrors) each.start()
  await until(
    () => tree(first.directory).size === 0,
    () => first.said,
  )
  writeFileSync(first.path('a.md'), 'one\ntwo\nthree\n')
  await same(mirrors)
  await Promise.all(fleet.ids.map((id) => fleet.kill(id)))
  writeFileSync(first.path('a.md'), 'zero\none\ntwo\nthree\n')
  writeFileSync(second.path('a.md'), 'one\ntwo\nthree\nfour\n')
  writeFileSync(second.path('b.md'), 'made alone\n')
  const refused = ({ said }: (typeof mirrors)[0]) => said.match(/No server answers.*/g) ?? []
  await until(
    () => mirrors.every((each) => refused(each).length > 0),
    () => first.said,
  )
  // The reason that is told is that of another one.
  await dialled(Number(new URL(fleet.address('c')).port), 8)
  for (const each of mirrors) {
    const sentences = refused(each)
    assert.ok(
      sentences.every((sentence, index) => sentence !== sentences[index - 1]),
      each.said,
    )
    const since = each.said.slice(each.said.indexOf(sentences[0]!))
    assert.doesNotMatch(since, /are the same/)
  }
  await Promise.all(fleet.ids.map((id) => fleet.start(id)))
  const found = await same(mirrors)
  assert.equal(found.get('a.md'), 'zero\none\ntwo\nthree\nfour\n')
  assert.equal(found.get('b.md'), 'made alone\n')
})

/** Resolves when a port, where nobody answers, was dialled so often. */
async function dialled(port: number, times: number): Promise<void> {
  let dials = 0
  const server = createServer((socket) => {
    dials++
    socket.destroy()
  })
  server.listen(port, '127.0.0.1')
  await until(
    () => dials >= times,
    () => `dialled ${dials} times`,
  )
  server.close()
  await once(server, 'close')
}

test('what changes names in the folder does so on the disk, and nothing is deleted', async (t) => {
  const { mirrors, servers } = await stage(t, 1)
  const mirrored = mirrors[0]!
  mirrored.shell('echo 1 > a.md; echo 2 > b.md; mkdir d e; echo 3 > d/f.md; echo 4 > e/f.md')
  const once = () => fourfold(['mirror', mirrored.directory, '--once'], servers)
  await once()
  const set = new SetClient({ servers })
  t.after(() => set.close())
  const exchange = async (one: string, other: string) => {
    const { file } = await set.ask(({ folder }, call) => folder.getFile({ file: one }, call))
    const rename = (file: string, name: string) =>
      set.ask(({ folder }, call) => folder.renameFile({ file, name, operation: newId() }, call))
    await rename(file!.id, 'aside')
    await rename(other, one)
    await rename(file!.id, other)
  }
  await exchange('a.md', 'b.md')
  await exchange('d', 'e')
  for (let times = 0; times < 2; times++) assert.deepEqual((await once()).code, 0)
  const found = [...tree(mirrored.directory)].filter(([, text]) => text !== null)
  assert.deepEqual(Object.fromEntries(found), {
    'a.md': '2\n',
    'b.md': '1\n',
    'd/f.md': '4\n',
    'e/f.md': '3\n',
  })
  // While new files of one are on their way: they get into that one, and not into the other.
  const names = Array.from({ length: 600 }, (_, index) => `new ${index}.md`)
  for (const name of names) writeFileSync(mirrored.path('d', name), `${name}\n`)
  const bringing = once()
  await until(async () => {
    const asked = { directory: 'd' }
    return (await set.ask(({ folder }, call) => folder.listFiles(asked, call))).files.length > 1
  })
  await exchange('d', 'e')
  assert.deepEqual((await bringing).code, 0)
  assert.deepEqual((await once()).code, 0)
  const after = [...tree(mirrored.directory).keys()]
  assert.deepEqual(
    after.filter((path) => path.startsWith('d/')),
    ['d/f.md'],
  )
  assert.equal(after.filter((path) => path.startsWith('e/')).length, 1 + names.length)
  const trash = { inTrash: true, isRecursive: true }
  const { files } = await set.ask(({ folder }, call) => folder.listFiles(trash, call))
  assert.deepEqual(files, [])
})

test('what was deleted for good while a mirror was away goes there, too, but for what changed', async (t) => {
  const { mirrors, servers } = await stage(t, 1)
  const mirrored = mirrors[0]!
  mirrored.shell(
    'for name in a b c d e f; do echo $name > $name.md; done; mkdir z; echo 1 > z/1.md',
  )
  const once = async () => {
    const { code, out } = await fourfold(['mirror', mirrored.directory, '--once'], servers)
    assert.equal(code, 0, out)
  }
  await once()
  const set = new SetClient({ servers })
  t.after(() => set.close())
  const ids: string[] = []
  for (const path of ['a.md', 'b.md', 'z']) {
    const deleted = { file: path, operation: newId() }
    const { file } = await set.ask(({ folder }, call) => folder.deleteFile(deleted, call))
    const erased = { file: file!.id, operation: newId() }
    await set.ask(({ folder }, call) => folder.eraseFile(erased, call))
    ids.push(file!.id)
  }
  const files = [...ids, newId()]
  const told = await set.ask(({ folder }, call) => folder.listErased({ files }, call))
  assert.deepEqual(told.files, ids)
  writeFileSync(mirrored.path('b.md'), 'b, worked on\n')
  await once()
  const found = tree(mirrored.directory)
  assert.deepEqual([...found.keys()], ['b.md', 'c.md', 'd.md', 'e.md', 'f.md'])
  assert.equal(found.get('b.md'), 'b, worked on\n')
  const again = await set.ask(({ folder }, call) => folder.readFile({ file: 'b.md' }, call))
  assert.equal(again.text, 'b, worked on\n')
  assert.notEqual(again.file!.id, ids[1])
})

test('what was deleted while no mirror was there, and others type in now, comes back', async (t) => {
  const { fleet, mirrors, servers } = await stage(t, 1, { ids: ['a'] })
  const [mirror] = mirrors as [(typeof mirrors)[0]]
  for (const name of ['plan.md', 'other.md', 'third.md']) writeFileSync(mirror.path(name), 'one\n')
  await fourfold(['mirror', mirror.directory, '--once'], servers)
  await sleep(1000)
  await fourfold(['mirror', mirror.directory, '--once'], servers)
  rmSync(mirror.path('plan.md'))
  const a = createClient(FolderService, createGrpcTransport({ baseUrl: fleet.address('a') }))
  const { file } = await a.getFile({ file: 'plan.md' })
  let text = 'one\n'
  const type = async () => {
    text += 'more\n'
    await a.saveFile({ file: file!.id, text })
  }
  await type()
  mirror.start()
  // Without a pause, for as long as the mirror may think about it.
  for (const endAt = performance.now() + 4000; performance.now() < endAt;) {
    await type()
    await sleep(40)
  }
  await until(
    () => tree(mirror.directory).get('plan.md') === text,
    () => mirror.said,
  )
})

test('a program that read before and writes into a file that was just replaced deletes nothing', async (t) => {
  const { fleet, mirrors } = await stage(t, 1, { ids: ['a'] })
  const [mirror] = mirrors as [(typeof mirrors)[0]]
  const folder = createClient(FolderService, createGrpcTransport({ baseUrl: fleet.address('a') }))
  const path = mirror.path('plan.md')
  const read = 'one\ntwo\nthree\n'
  mirror.start()
  const type = async (text: string) => {
    await folder.saveFile({ file: 'plan.md', text })
    await until(
      () => tree(mirror.directory).get('plan.md') === text,
      () => mirror.said,
    )
  }
  await type(read)
  await type(`${read}by Bob\n`)
  const file = openSync(path, 'r+')
  await type(`${read}by Bob\nby Eve\n`)
  ftruncateSync(file)
  writeSync(file, `zero\n${read}`, 0)
  closeSync(file)
  await until(
    () => tree(mirror.directory).get('plan.md') === `zero\n${read}by Bob\nby Eve\n`,
    () => `${tree(mirror.directory).get('plan.md')}\n${mirror.said}`,
  )
})

test('a program that empties a file and is slow to write it takes nothing out, and loses nothing', async (t) => {
  const { fleet, mirrors } = await stage(t, 1, { ids: ['a'] })
  const [mirror] = mirrors as [(typeof mirrors)[0]]
  const folder = createClient(FolderService, createGrpcTransport({ baseUrl: fleet.address('a') }))
  const there = () => tree(mirror.directory).get('plan.md')
  const told = () => `${there()}\n${mirror.said}`
  const read = 'one\ntwo\nthree\n'
  mirror.start()
  for (const text of [read, `${read}by Bob\n`]) {
    await folder.saveFile({ file: 'plan.md', text })
    await until(() => there() === text, told)
  }
  // By a name that the mirror does not know, or it would wait until the file is closed.
  const otherName = `${mirror.directory} other name`
  linkSync(mirror.path('plan.md'), otherName)
  const file = openSync(otherName, 'w')
  // As long as that it is taken for meant, and replaced by what others type then.
  await until(async () => (await folder.readFile({ file: 'plan.md' })).text === '', told)
  await folder.saveFile({ file: 'plan.md', text: 'by Eve\n' })
  await until(() => there() === 'by Eve\n', told)
  for (const [at, text] of [`zero\n${read}`, 'four\n', 'five\n'].entries()) {
    writeSync(file, text)
    const last = ['three\n', 'four\n', 'five\n'][at]!
    await until(() => there()?.includes(last) ?? false, told)
  }
  closeSync(file)
  const lines = there()!.split('\n').sort()
  const all = ['', 'by Bob', 'by Eve', 'five', 'four', 'one', 'three', 'two', 'zero']
  assert.deepEqual(lines, all)
})

test('a part of the folder is mirrored, and only that', async (t) => {
  const { mirrors, servers } = await stage(t, 2)
  const [whole, part] = mirrors as [(typeof mirrors)[0], (typeof mirrors)[0]]
  mkdirSync(whole.path('team/specs'), { recursive: true })
  writeFileSync(whole.path('team/specs/launch.md'), 'launch\n')
  writeFileSync(whole.path('elsewhere.md'), 'not here\n')
  await fourfold(['mirror', whole.directory, '--once'], servers)
  const folder = ['--folder', 'team/specs', '--once']
  assert.equal((await fourfold(['mirror', part.directory, ...folder], servers)).code, 0)
  assert.deepEqual([...tree(part.directory)], [['launch.md', 'launch\n']])
  writeFileSync(part.path('more.md'), 'more\n')
  rmSync(part.path('launch.md'))
  await fourfold(['mirror', part.directory, '--once'], servers)
  await fourfold(['mirror', whole.directory, '--once'], servers)
  assert.deepEqual(
    [...tree(whole.directory).keys()],
    ['elsewhere.md', 'team', 'team/specs', 'team/specs/more.md'],
  )
  const other = await fourfold(['mirror', part.directory, '--folder', 'team', '--once'], servers)
  assert.equal(other.code, 1)
  assert.match(other.err, /^This directory mirrors "team\/specs"; another one is needed/)
})
