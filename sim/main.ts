// The simulator's command: many schedules, or one in full; finds bugs, shrinks them, replays them.

import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { whyOf } from '../src/core/model/errors.ts'
import { checkerNames, kindOf, type Violation } from './checkers.ts'
import { planOf } from './drawn-plan.ts'
import type { Plan } from './plan.ts'
import { isPlantName, plants, type PlantName } from './plants.ts'
import { Random } from './random.ts'
import { live } from './schedule.ts'
import { shrunk, sizeOf } from './shrink.ts'
import type { Order, Told } from './worker.ts'

const usage = `Usage: npm run sim -- [options]
  --schedules N   how many schedules to live through (1000)
  --from N        the first seed (1)
  --plant NAME    plant a bug and stop when it is found: ${Object.keys(plants).join(', ')}
  --threads N     how many at once (as many as processors, at most 4)
  --seed N        one schedule
  --plan FILE     one schedule from a file
  --verbose       the whole conversation of that schedule
  --json          results as lines of JSON`

/** Seeds given to a thread at once; fewer where the first bad one ends the run. */
const orderSize = 20
const plantedOrderSize = 4
/** So many bad schedules are shrunk; more of them would say the same. */
const shrunkMax = 3

interface Options {
  schedules: number
  from: number
  threads: number
  plant: PlantName | undefined
  isVerbose: boolean
  isJson: boolean
}

process.exitCode = await main(process.argv.slice(2))

/** 0: as hoped for; 1: not; 2: wrong use. */
async function main(args: string[]): Promise<number> {
  let values
  try {
    values = parseArgs({
      args,
      options: {
        schedules: { type: 'string', default: '1000' },
        from: { type: 'string', default: '1' },
        threads: { type: 'string', default: String(Math.min(4, availableParallelism())) },
        plant: { type: 'string' },
        seed: { type: 'string' },
        plan: { type: 'string' },
        verbose: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    console.error(`${whyOf(error)}\n${usage}`)
    return 2
  }
  if (values.help) {
    console.log(usage)
    return 0
  }
  const { plant } = values
  const numbers = [values.schedules, values.from, values.threads, values.seed ?? '1'].map(Number)
  if (numbers.some((number) => !Number.isSafeInteger(number) || number < 1)) {
    console.error(`A number is wanted where there is none.\n${usage}`)
    return 2
  }
  if (plant !== undefined && !isPlantName(plant)) {
    console.error(`There is no plant "${plant}".\n${usage}`)
    return 2
  }
  const [schedules, from, threads, seed] = numbers as [number, number, number, number]
  const options: Options = {
    schedules,
    from,
    threads,
    plant,
    isVerbose: values.verbose,
    isJson: values.json,
  }
  if (values.plan !== undefined) {
    return one(JSON.parse(readFileSync(values.plan, 'utf8')) as Plan, options)
  }
  return values.seed === undefined ? many(options) : one(planOf(seed, new Random(seed)), options)
}

// ------------------------------------------------------------------------------ one schedule

function one(plan: Plan, { plant, isVerbose, isJson }: Options): number {
  const show = isVerbose ? (line: string) => console.log(line) : undefined
  const outcome = live(plan, { ...(plant && { plant }), ...(show && { show }) })
  const { violations, hash, edits, messages, savedMs, convergedMs } = outcome
  if (isJson) console.log(JSON.stringify({ seed: plan.seed, violations, hash, edits, messages }))
  else {
    for (const violation of violations) console.log(sentence(violation))
    const verdict = violations.length === 0 ? 'good' : 'bad'
    console.log(
      `seed ${plan.seed}: ${verdict}; ${edits} words, ${messages} events, ` +
        `saved ${savedMs} ms and equal ${convergedMs} ms after healing, trace ${hash}`,
    )
  }
  return verdictOf(violations.length > 0, plant)
}

/** A planted bug is to be found, any other is not to be there. */
function verdictOf(isBad: boolean, plant: PlantName | undefined): number {
  return isBad === (plant !== undefined) ? 0 : 1
}

function sentence({ checker, at, text }: Violation): string {
  return `${checker} ${checkerNames[checker]}: at ${Math.round(at)} ms ${text}`
}

// ----------------------------------------------------------------------------- many schedules

async function many(options: Options): Promise<number> {
  const { schedules, from, plant, isJson } = options
  const bad: Told[] = []
  let done = 0
  const startedAt = Date.now()
  const isShown = process.stderr.isTTY && !isJson
  const slow = { savedMs: 0, convergedMs: 0 }
  await spread(options, (told) => {
    done++
    slow.savedMs = Math.max(slow.savedMs, told.savedMs)
    slow.convergedMs = Math.max(slow.convergedMs, told.convergedMs)
    if (told.violations.length > 0) bad.push(told)
    if (isJson) console.log(JSON.stringify(told))
    if (isShown && done % 10 === 0) {
      const perMinute = Math.round((done * 60_000) / (Date.now() - startedAt))
      const line = `${done} of ${schedules} schedules, ${bad.length} bad, ${perMinute} a minute`
      process.stderr.write(`\r\u001b[K${line}`)
    }
    return plant === undefined || bad.length === 0
  })
  if (isShown) process.stderr.write('\r\u001b[K')
  bad.sort((one, other) => one.seed - other.seed)
  const shown = plant ? bad.slice(0, 1) : bad
  if (!isJson) shown.forEach((told, index) => tell(told, plant, index < shrunkMax))
  if (plant !== undefined) {
    const [first] = bad
    const count = first ? first.seed - from + 1 : done
    const found = first
      ? `found at seed ${first.seed} by ${first.violations[0]!.checker}`
      : 'not found'
    console.log(`${plant}: ${found} (${count} schedules from seed ${from})`)
  } else {
    console.log(
      `${done} schedules, ${bad.length} bad (seeds ${from}..${from + schedules - 1}); ` +
        `at most ${slow.savedMs} ms until saved and ${slow.convergedMs} ms until equal after healing`,
    )
  }
  return verdictOf(bad.length > 0, plant)
}

/** Gives the seeds to threads, in order; `each` says whether to give more. */
async function spread(options: Options, each: (told: Told) => boolean): Promise<void> {
  const { schedules, from, threads, plant } = options
  const end = from + schedules
  let next = from
  let goesOn = true
  const order = (): Order | undefined => {
    if (!goesOn || next >= end) return undefined
    const count = Math.min(plant ? plantedOrderSize : orderSize, end - next)
    next += count
    return { from: next - count, count, plant }
  }
  const work = () =>
    new Promise<void>((resolve, reject) => {
      const worker = new Worker(new URL('./worker.ts', import.meta.url))
      const give = () => {
        const given = order()
        if (given) worker.postMessage(given)
        else worker.terminate().then(() => resolve(), reject)
      }
      worker.on('error', reject)
      worker.on('message', (told: Told[]) => {
        // What was given is counted to its end, so that the first bad seed is the same every time.
        for (const one of told) if (!each(one)) goesOn = false
        give()
      })
      give()
    })
  await Promise.all(Array.from({ length: threads }, work))
}

function tell({ seed, violations }: Told, plant: PlantName | undefined, isToShrink: boolean): void {
  const [first] = violations
  const planted = plant ? ` --plant ${plant}` : ''
  console.log(`seed ${seed}: ${sentence(first!)}`)
  console.log(`  replay: npm run sim -- --seed ${seed}${planted} --verbose`)
  if (!isToShrink) return
  const isBad = (plan: Plan) =>
    live(plan, plant ? { plant } : {}).violations.some((each) => kindOf(each) === kindOf(first!))
  const plan = planOf(seed, new Random(seed))
  const small = shrunk(plan, isBad)
  console.log(`  shrunk from ${sizeOf(plan)} to ${sizeOf(small)}: ${JSON.stringify(small)}`)
}
