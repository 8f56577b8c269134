// Loaded into a server before its program: on SIGUSR2 it tidies up and says what memory is in use.

import { getActiveResourcesInfo, memoryUsage } from 'node:process'

process.on('SIGUSR2', () => {
  for (let pass = 0; pass < 4; pass++) globalThis.gc?.()
  const { rss, heapUsed, external } = memoryUsage()
  const handles = getActiveResourcesInfo().length
  process.stdout.write(`memory ${JSON.stringify({ rss, heapUsed, external, handles })}\n`)
})
