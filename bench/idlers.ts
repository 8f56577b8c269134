// A process of many sessions that do nothing but be there.

import { answerQuestions } from '../test/companion.ts'
import { RawSession } from './raw-session.ts'

export interface IdlersQuestions {
  /** So many more people sign in; `documents`: each follows one of them. */
  join: { given: { address: string; count: number; documents: string[] }; answer: undefined }
  leave: { given: undefined; answer: undefined }
}

const sessions: RawSession[] = []

answerQuestions<IdlersQuestions>({
  async join({ address, count, documents }) {
    for (let joined = 0; joined < count; joined++) {
      const number = sessions.length
      const session = await RawSession.join(address, `idle ${process.pid} ${number}`)
      sessions.push(session)
      const document = documents[number % documents.length]
      if (document === undefined) continue
      const opened = session.heard('opened')
      session.say({ case: 'open', value: { document, stateVector: new Uint8Array() } })
      await opened
    }
    return undefined
  },
  leave() {
    for (const session of sessions.splice(0)) session.close()
    return undefined
  },
})
