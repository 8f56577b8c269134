// A process that puts what is uploaded into a file, flushes it, and gives it back: the least there is.

import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'

import { answerQuestions } from '../test/companion.ts'

export interface BareFilesQuestions {
  listen: { given: { file: string }; answer: { address: string } }
}

answerQuestions<BareFilesQuestions>({
  async listen({ file }) {
    const server = createServer((request, response) => {
      const isUpload = request.method === 'PUT'
      const done = isUpload
        ? pipeline(request, createWriteStream(file, { flush: true }))
        : pipeline(createReadStream(file), response)
      done.then(
        () => isUpload && response.end(),
        () => response.destroy(),
      )
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  },
})
