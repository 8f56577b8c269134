// A process that opens one document once: by a client of the SDK, or by plain Yjs.

import { readFileSync } from 'node:fs'
import * as Y from 'yjs'

import { connect } from '../src/client/index.ts'
import type { SubjectId } from '../src/core/model/ids.ts'
import { textRoot } from '../src/core/model/snapshot.ts'
import { answerQuestions } from '../test/companion.ts'

export interface OpenerQuestions {
  plain: { given: { file: string; endText: string }; answer: { tookMs: number } }
  client: {
    given: { addresses: string[]; document: SubjectId; endText: string }
    answer: { tookMs: number }
  }
}

answerQuestions<OpenerQuestions>({
  plain({ file, endText }) {
    const update = readFileSync(file)
    const startedAt = performance.now()
    const doc = new Y.Doc()
    Y.applyUpdate(doc, update)
    const text = doc.getText(textRoot).toString()
    const tookMs = performance.now() - startedAt
    if (text !== endText) throw new Error('another text was decoded')
    return { tookMs }
  },
  async client({ addresses, document, endText }) {
    const client = connect({
      servers: addresses,
      name: 'reader',
      agent: 'bench',
      hasStandby: false,
    })
    await client.joined()
    const startedAt = performance.now()
    const live = client.open(document)
    await live.loaded
    const text = live.text.toString()
    const tookMs = performance.now() - startedAt
    client.close()
    if (text !== endText) throw new Error('another text was opened')
    return { tookMs }
  },
})
