// Colours of people are told apart from each other and from the page, in light and in dark.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { initials, nameOf, peopleOf, personColorCount, PersonColors } from './people.ts'

const css = readFileSync(new URL('styles/tokens.css', import.meta.url), 'utf8')

/** The two values of a custom property: light, dark. */
function token(name: string): [string, string] {
  const found = new RegExp(`--${name}: light-dark\\((#[0-9a-f]{6}), (#[0-9a-f]{6})\\)`).exec(css)
  assert.ok(found, `--${name} has a light and a dark colour`)
  return [found[1]!, found[2]!]
}

/** WCAG 2 relative luminance. */
function luminance(color: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!
}

function contrast(one: string, other: string): number {
  const [darker, lighter] = [luminance(one), luminance(other)].toSorted((a, b) => a - b)
  return (lighter! + 0.05) / (darker! + 0.05)
}

function assertContrast(front: string, back: string): void {
  for (const [index, theme] of ['light', 'dark'].entries()) {
    const ratio = contrast(token(front)[index]!, token(back)[index]!)
    assert.ok(ratio >= 4.5, `--${front} on --${back}, ${theme}: ${ratio.toFixed(2)}`)
  }
}

test('every person colour carries its name and is seen on the page', () => {
  for (let color = 1; color <= personColorCount; color++) {
    assertContrast('on-person', `person-${color}`)
    assertContrast(`person-${color}`, 'bg')
    assert.match(css, new RegExp(`\\.person-${color} \\{\\s*--person: var\\(--person-${color}\\);`))
  }
})

test('words are read on every ground they stand on', () => {
  for (const back of ['bg', 'surface', 'raised', 'hover']) {
    assertContrast('text', back)
    assertContrast('muted', back)
  }
  for (const front of ['accent', 'ok', 'warn', 'danger', 'local']) {
    assertContrast(front, 'bg')
    assertContrast(front, 'raised')
  }
  assertContrast('on-accent', 'accent')
  assertContrast('on-accent', 'danger')
})

test('twelve people have twelve colours; the thirteenth shares one', () => {
  const colors = new PersonColors()
  const given = Array.from({ length: personColorCount }, (_, index) =>
    colors.of(`person ${index}`, index * 24),
  )
  assert.equal(new Set(given).size, personColorCount)
  const shared = colors.of('one more', 7)
  assert.ok(shared >= 1 && shared <= personColorCount)
})

test('a colour stays with whoever has it and is free again when they go', () => {
  const colors = new PersonColors()
  const first = colors.of('Ana', 5)
  assert.notEqual(colors.of('Ben', 17), first)
  assert.equal(colors.of('Ana', 6), first)
  colors.keep(new Set(['Ben']))
  assert.equal(colors.of('Cleo', 29), first)
})

test('people are listed with me first, and states without a name are nobody', () => {
  const states = new Map<number, { [field: string]: unknown }>([
    [3, { user: { name: 'Cleo' } }],
    [1, { user: { name: 'Ana' } }],
    [2, { user: { name: 'Ben' } }],
    [4, { cursor: null }],
    [5, { user: { name: 17 } }],
  ])
  const people = peopleOf(states, 2, new PersonColors())
  assert.deepEqual(
    people.map(({ name, isMe }) => [name, isMe]),
    [
      ['Ben', true],
      ['Ana', false],
      ['Cleo', false],
    ],
  )
})

test('who is here in several tabs is one person, and one other for themselves', () => {
  const states = new Map([7, 3, 5].map((writer) => [writer, { user: { name: 'Ana' } }]))
  states.set(4, { user: { name: 'Ben' } })
  const here = (me: number) =>
    peopleOf(states, me, new PersonColors()).map(({ name, writers, isMe, color }) => {
      return [name, writers, isMe, color]
    })
  assert.deepEqual(here(4), [
    ['Ben', [4], true, 5],
    ['Ana', [3, 5, 7], false, 4],
  ])
  assert.deepEqual(here(5), [
    ['Ana', [5], true, 4],
    ['Ana', [3, 7], false, 4],
    ['Ben', [4], false, 5],
  ])
})

test('a name longer than names may be is cut', () => {
  assert.equal(nameOf({ user: { name: 'x'.repeat(100_000) } })?.length, 64)
})

test('initials stand for a name in any script', () => {
  assert.equal(initials('Ana Kovač'), 'AK')
  assert.equal(initials('ben'), 'BE')
  assert.equal(initials('deploy-bot'), 'DB')
  assert.equal(initials('👩‍👩‍👧 family'), '👩‍👩‍👧F')
  assert.equal(initials(' '), '?')
})
