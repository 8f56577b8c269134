// `npm run siege`: people type while real servers are killed and frozen, round after round.

import { parseArgs } from 'node:util'

import { Random } from '../../sim/random.ts'
import { planRounds } from './plan.ts'
import { Siege } from './siege.ts'
import { uploadUnderFire } from './upload.ts'

const usage = `Usage: npm run siege -- [--rounds N] [--seed N] [--people N] [--documents N] [--gap MS]
       npm run siege -- --upload MEGABYTES [--seed N]

People type on four real servers in shared documents while servers are killed, frozen, wiped and
started again, one round after the other; what was acknowledged is looked for after each. With the
usual 200 rounds every subset and every order of servers has its turn.

With --upload a file of so many megabytes goes up, and three of the four servers are killed meanwhile.
`

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    people: { type: 'string', default: '12' },
    documents: { type: 'string', default: '3' },
    upload: { type: 'string' },
    gap: { type: 'string', default: '300' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

/** Beyond so many violations nothing new is learned. */
const violationsMax = 20
const processes = 4

// What was started ends with us, also when a person is tired of waiting.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(130))
}

if (values.help) process.stdout.write(usage)
else if (values.upload !== undefined) await upload(Number(values.upload))
else process.exitCode = await run()

async function upload(megabytes: number): Promise<void> {
  console.log(`seed ${values.seed}`)
  const random = new Random(values.seed)
  await uploadUnderFire({ bytes: megabytes * 1_000_000, random, note: console.log })
}

async function run(): Promise<number> {
  const count = Number(values.rounds)
  const random = new Random(values.seed)
  console.log(`seed ${values.seed}`)
  const siege = await Siege.begin({
    processes,
    peopleEach: Math.ceil(Number(values.people) / processes),
    documents: Number(values.documents),
    gapMs: Number(values.gap),
    patienceMs: 10_000,
    random: random.fork('siege'),
  })
  const { ledger, waited } = siege
  let isKept = true
  try {
    let told = 0
    for (const [index, round] of planRounds(siege.servers, count, random.fork('plan')).entries()) {
      await siege.round(round)
      const service = waited.serviceMs.at(-1)?.toFixed(0) ?? '–'
      const same = waited.convergeMs.at(-1)?.toFixed(0) ?? '–'
      console.log(
        `round ${index + 1}/${count}: ${round.title}; ${ledger.acknowledgedCount} edits ` +
          `acknowledged; served in ${service} ms, the same in ${same} ms`,
      )
      for (const { checker, text } of ledger.violations.slice(told))
        console.log(`  ${checker} ${text}`)
      told = ledger.violations.length
      if (told >= violationsMax) break
    }
    await siege.finish()
    for (const { checker, text } of ledger.violations.slice(told))
      console.log(`  ${checker} ${text}`)
    isKept = ledger.violations.length > 0
  } finally {
    await siege.end(isKept)
    if (isKept) console.log(`What the servers stored is in ${siege.directory}`)
  }
  const slowest = (values: number[]) => `${Math.max(0, ...values).toFixed(0)} ms`
  console.log(
    `${ledger.count('C0')} servers ended by themselves, ${ledger.count('C3')} revived, ${ledger.count('C5')} unknown, ${ledger.count('C6')} out of ` +
      `order, ${ledger.count('C11')} not served; slowest service ${slowest(waited.serviceMs)}, ` +
      `slowest agreement ${slowest(waited.convergeMs)}`,
  )
  const lost = ledger.count('C1', 'C7', 'C8')
  console.log(
    `${count} rounds, ${ledger.acknowledgedCount} edits acknowledged, ${lost} lost, ` +
      `${ledger.count('C4')} duplicated, ${ledger.count('C2')} divergent`,
  )
  return ledger.violations.length > 0 ? 1 : 0
}
