// Every rule on names is told when broken, and honest names of all scripts pass.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FourfoldError } from './errors.ts'
import {
  checkFileName,
  checkScreenName,
  checkVersionName,
  fileKey,
  likeness,
  numbered,
  withWords,
} from './names.ts'

function refusal(check: () => unknown): string {
  try {
    check()
    return ''
  } catch (error) {
    assert.ok(error instanceof FourfoldError && error.code === 'invalid', String(error))
    return error.message
  }
}

const ofFile = (name: string) => refusal(() => checkFileName(name))
const ofPerson = (name: string) => refusal(() => checkScreenName(name))

test('honest file names pass', () => {
  const names = [
    'notes.md',
    '.bashrc',
    '.gitignore',
    'git',
    '%2e%2e',
    '100 % sure (2).txt',
    "it's & more; $HOME `ls` #1.txt",
    'Füße.txt',
    'Fu\u0308ße.txt',
    'файл.txt',
    '漢字.txt',
    'قائمة.txt',
    // Persian is spelled with a zero-width non-joiner, Hindi with a joiner.
    'می\u200cخواهم.txt',
    'क्\u200dष.txt',
    // Emoji with a variation selector; a family held together by joiners; a skin tone.
    '❤\ufe0f.md',
    '👨\u200d👩\u200d👧.md',
    '👩🏽\u200d🚀.md',
    'console.txt',
    'nullable',
    'com10.txt',
    'common',
    'a..b',
    ' leading space',
    'x'.repeat(255),
    'é'.repeat(127),
  ]
  for (const name of names) assert.equal(ofFile(name), '', name)
})

test('what is made of a name is one that every disk can hold', () => {
  const cases = [
    ['plan.md', 'plan copy.md'],
    [`${'x'.repeat(247)}.md`, `${'x'.repeat(247)} copy.md`],
    [`${'x'.repeat(252)}.md`, `${'x'.repeat(247)} copy.md`],
    // Between characters: one of two bytes, one of four.
    ['é'.repeat(127), `${'é'.repeat(125)} copy`],
    [`${'x'.repeat(247)}😀😀`, `${'x'.repeat(247)} copy`],
    [`x.${'y'.repeat(253)}`, `x.${'y'.repeat(248)} copy`],
    [`😀.${'y'.repeat(250)}`, `😀.${'y'.repeat(245)} copy`],
    ['می\u200cخ'.repeat(28), `${'می\u200cخ'.repeat(27)}می copy`],
  ] as const
  for (const [name, made] of cases) {
    assert.equal(ofFile(name), '')
    assert.equal(withWords(name, ' copy'), made)
    assert.equal(ofFile(made), '')
  }
  const name = `${'x'.repeat(252)}.md`
  const taken = new Set([name, `${'x'.repeat(248)} (2).md`])
  assert.equal(
    numbered(name, (each) => taken.has(each)),
    `${'x'.repeat(248)} (3).md`,
  )
})

test('the name of a version is trimmed, may be empty, and has no control characters', () => {
  const shown = ['', '  ', ' Draft: sent to “Bob” / v2. ', 'é'.repeat(127)].map(checkVersionName)
  assert.deepEqual(shown, ['', '', 'Draft: sent to “Bob” / v2.', 'é'.repeat(127)])
  for (const name of ['a\0b', 'a\nb', '\u001b[31mred', 'a\u2028b']) {
    assert.match(
      refusal(() => checkVersionName(name)),
      /must not contain control/,
    )
  }
  assert.match(
    refusal(() => checkVersionName('a \u202eb')),
    /must not contain characters that change the writing direction/,
  )
  assert.throws(() => checkVersionName('é'.repeat(128)), { code: 'too-large' })
})

test('a file name that breaks a rule is refused with that rule', () => {
  const cases: [RegExp, string[]][] = [
    [/at least one character/, ['']],
    [/valid Unicode/, ['a\ud800', '\udc00']],
    [/at most 255 bytes/, ['x'.repeat(256), 'é'.repeat(128), '漢'.repeat(86)]],
    [/must not be "\.\.?"/, ['.', '..']],
    [/must not contain \//, ['/etc/passwd', 'a/b', '../x']],
    [/must not contain \\/, ['\\\\server\\share', 'a\\b', '..\\x']],
    [/must not contain :/, ['C:', 'a:b', 'file.txt::$DATA']],
    [/must not contain [<>"|?*] /, ['<', '>', '"', 'a|b', 'what?', '*']],
    [/control characters/, ['a\u0000b', '\n', 'a\tb', '\u007f', '\u0085', '\u2028']],
    [/end with a dot or a space/, ['a.', 'a ', ' ', 'a...', 'a\u00a0', 'a\u3000', '...']],
    [/writing direction/, ['a\u202etxt.exe', '\u200fa', 'a\u2066b', '\u061ca']],
    [
      /invisible/,
      [
        'a\u200bb',
        '\ufeffa',
        'a\u00adb',
        'a\u200db',
        'gi\u200ct',
        'a\ufe0f',
        '\u2800',
        'ㅤ',
        'a\u{e0061}',
      ],
    ],
    [
      /device/,
      [
        'CON',
        'con',
        'NUL.txt',
        'nul .txt',
        'aux.',
        'COM1',
        'com¹',
        'COM³.txt',
        'lpt9',
        'ＣＯＮ',
        'CONIN$',
      ],
    ],
    [/Git/, ['.git', '.GIT', '.Git', 'GIT~1', 'git~1', '．ｇｉｔ']],
    [/reserved/, ['.fourfold', '.fourfold-conflict', '.FourFold']],
  ]
  for (const [rule, names] of cases) {
    for (const name of names) {
      // "aux." ends with a dot, which is told first.
      const expected = name.endsWith('.') && !/^\.+$/.test(name) ? /dot/ : rule
      assert.match(ofFile(name), expected, JSON.stringify(name))
    }
  }
})

test('a screen name is trimmed and composed', () => {
  assert.equal(checkScreenName('  Ana  '), 'Ana')
  assert.equal(checkScreenName('Zoe\u0308'), 'Zoë')
  assert.equal(checkScreenName('<script>'), '<script>')
  assert.equal(checkScreenName('علی\u200cرضا'), 'علی\u200cرضا')
  assert.equal(checkScreenName('x'.repeat(64)), 'x'.repeat(64))
  assert.equal(checkScreenName('👩🏽\u200d🚀'), '👩🏽\u200d🚀')
  assert.equal(checkScreenName('👋'.repeat(64)), '👋'.repeat(64))
})

test('a screen name that breaks a rule is refused with that rule', () => {
  const cases: [RegExp, string[]][] = [
    [/at least one/, ['', ' ', '\u00a0\u3000 ']],
    [/at most 64/, ['x'.repeat(65), '👋'.repeat(65), ' '.repeat(1_000_000)]],
    [/control/, ['a\u0000', 'a\nb', '\u001b[31m']],
    [/direction/, ['\u202eana', 'a\u2067b']],
    [/invisible/, ['a\u200bna', 'ㅤ', '\u0301', 'an\u200da', '\u2060']],
    [/valid Unicode/, ['\ud83d']],
  ]
  for (const [rule, names] of cases) {
    for (const name of names) assert.match(ofPerson(name), rule, JSON.stringify(name))
  }
})

test('file names that differ by case or Unicode form have one key', () => {
  assert.equal(fileKey('Plan.MD'), fileKey('plan.md'))
  assert.equal(fileKey('Füße'), fileKey('FU\u0308SSE'))
  assert.equal(fileKey('ΟΔΟΣ'), fileKey('οδος'))
  assert.notEqual(fileKey('plan'), fileKey('plän'))
  assert.notEqual(fileKey('a'), fileKey('а'))
  assert.notEqual(fileKey('１'), fileKey('1'))
})

test('screen names that look alike have one likeness, accents tell them apart', () => {
  const alike = [
    ['ana', 'Ana', 'ANA', 'аnа', 'αna', 'ａｎａ', '𝐚𝐧𝐚', ' ana '],
    ['tom', 'ТОМ', 'ΤΟΜ', 'tоm'],
    ['zoë', 'ZOË', 'zoё', 'zoe\u0308'],
    ['ana maria', 'ana  maria', 'ana\u00a0maria'],
  ]
  for (const names of alike) {
    assert.deepEqual([...new Set(names.map(likeness))], [names[0]!.trim()])
  }
  const different = ['ana', 'anna', 'aná', 'anà', 'иван', 'петр', 'пётр', '李', 'ana2']
  assert.equal(new Set(different.map(likeness)).size, different.length)
})
