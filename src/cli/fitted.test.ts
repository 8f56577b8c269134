// What a help looks like in a narrow terminal.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fitted } from './fitted.ts'

const help = `Usage: fourfold something [PATH…] [--json] [--name NAME]

One paragraph that is longer than the terminal is wide
and goes on.

  --json       an object with all there is
               to tell of it
  --name NAME  short

Examples:
  fourfold something that is longer than the terminal
`

test('paragraphs and options are wrapped anew; what is to be typed stays', () => {
  assert.equal(
    fitted(help, 40),
    `Usage: fourfold something [PATH…] [--json] [--name NAME]

One paragraph that is longer than the
terminal is wide and goes on.

  --json       an object with all there
               is to tell of it
  --name NAME  short

Examples:
  fourfold something that is longer than the terminal
`,
  )
})

test('a help that fits stays as it was written', () => {
  assert.equal(fitted(help, 60), help)
})
