// A process of many writers, each of which sends its next update when the last one is stored.

import { answerQuestions } from '../test/companion.ts'
import { frameOf, RawSession } from './raw-session.ts'
import { typing } from './typing.ts'

export interface WritersQuestions {
  /** Writers sign in and make ready what they will type. With one document nobody follows it. */
  prepare: {
    given: { address: string; writers: number; documents: number; updatesEach: number }
    answer: { bytes: number }
  }
  /** Everybody writes, until all is written or `forMs` have passed. */
  write: { given: { forMs: number }; answer: { updates: number; tookMs: number } }
}

interface Writer {
  session: RawSession
  /** Pushes, with the tickets they carry. */
  frames: { ticket: number; frame: Uint8Array }[]
}

let writers: Writer[] = []

answerQuestions<WritersQuestions>({ prepare, write })

async function prepare(given: WritersQuestions['prepare']['given']): Promise<{ bytes: number }> {
  const { address, documents, updatesEach } = given
  const sessions = await Promise.all(
    Array.from({ length: given.writers }, (_, index) => RawSession.join(address, `w${index}`)),
  )
  const ids = await Promise.all(
    sessions.slice(0, documents).map((session, index) => session.create(`file ${index}`)),
  )
  let bytes = 0
  writers = sessions.map((session, index) => {
    const document = ids[index % documents]!
    // In a document of its own a writer has it open, as people do. In one of all, each would hear
    // all others: that would measure telling, not storing.
    if (documents > 1) {
      session.say({ case: 'open', value: { document, stateVector: new Uint8Array() } })
    }
    const frames = typing(session.key, updatesEach).map((update) => {
      const ticket = session.nextTicket()
      bytes += update.length
      return { ticket, frame: frameOf({ case: 'push', value: { ticket, document, update } }) }
    })
    return { session, frames }
  })
  return { bytes }
}

async function write({ forMs }: { forMs: number }): Promise<{ updates: number; tookMs: number }> {
  const startedAt = performance.now()
  const until = startedAt + forMs
  const counts = await Promise.all(writers.map((writer) => writeOne(writer, until)))
  const updates = counts.reduce((sum, count) => sum + count, 0)
  return { updates, tookMs: performance.now() - startedAt }
}

/** Resolves with how many updates this server said to hold. */
function writeOne({ session, frames }: Writer, until: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  let stored = 0
  const next = () => {
    const push = performance.now() < until ? frames.shift() : undefined
    if (push) session.sendFrame(push.frame)
    else {
      end()
      resolve(stored)
    }
    return push?.ticket
  }
  const end = session.listen(({ case: kind, value }) => {
    if (kind === 'stored') {
      if (
        !value.holdings.some(
          ({ server, ticket }) => server === session.server && ticket === waitsFor,
        )
      )
        return
      stored++
      waitsFor = next()
    } else if (kind === 'refused' || kind === 'rejected' || kind === 'resync') {
      end()
      reject(new Error(`${kind}: ${'text' in value ? value.text : value.document}`))
    }
  })
  let waitsFor = next()
  return promise
}
