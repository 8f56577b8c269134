// A program that joins, and closes its client when it is told to: then nothing may keep it alive.

import { connect } from '../src/client/index.ts'

const client = connect({ servers: [process.argv[2]!], name: 'Brief', agent: 'test' })
await client.joined()
process.once('message', () => {
  client.close()
  process.disconnect()
})
process.send!('joined')
