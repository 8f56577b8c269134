// How texts are coloured: what is long is read in pieces.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { languageOf } from './language.ts'

/** Names of the nodes in it, with their lengths. */
async function nodesOf(text: string): Promise<[string, number][]> {
  const { language } = await languageOf('notes.md').load!()
  const nodes: [string, number][] = []
  const enter = ({ name, from, to }: { name: string; from: number; to: number }) => {
    nodes.push([name, to - from])
  }
  language.parser.parse(text).iterate({ enter })
  return nodes
}

const of = (nodes: [string, number][], name: string) => nodes.filter(([each]) => each === name)

test('12 no key makes more than a piece of a long paragraph be read anew', async () => {
  const nodes = await nodesOf('some **strong** words of a log\n'.repeat(3000))
  const paragraphs = of(nodes, 'Paragraph')
  assert.ok(paragraphs.length > 1)
  assert.ok(paragraphs.every(([, length]) => length < 20_000))
  assert.equal(of(nodes, 'StrongEmphasis').length, 3000)
})

test('12 in a line without an end nothing is coloured, and before and behind it all is', async () => {
  const line = 'some **strong** words '.repeat(3000)
  const nodes = await nodesOf(`# Title\n\nA **b**\n${line}\nA **b**\n\n- ${line}\n- c\n`)
  assert.equal(of(nodes, 'StrongEmphasis').length, 2)
  assert.equal(of(nodes, 'ATXHeading1').length, 1)
  assert.equal(of(nodes, 'ListItem').length, 2)
})
