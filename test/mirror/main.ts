// `node test/mirror/main.ts [--rounds 200] [--seed 1]`: a mirror is killed so many times.

import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Fleet } from '../fleet.ts'
import { killRounds, seeded } from './kills.ts'
import { Mirrored } from './mirrors.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
  },
})
const folder = mkdtempSync(join(tmpdir(), 'fourfold-mirror-'))
const fleet = await Fleet.start()
const [victim, other] = ['victim', 'other'].map((name) => {
  mkdirSync(join(folder, name))
  return new Mirrored(join(folder, name), fleet.addresses.join(','))
}) as [Mirrored, Mirrored]
try {
  const told = (line: string) => process.stdout.write(`${line}\n`)
  const dice = seeded(Number(values.seed))
  await killRounds({ fleet, victim, other, rounds: Number(values.rounds), dice, told })
  process.stdout.write('Nothing lost, nothing doubled, both directories equal.\n')
} catch (error) {
  process.exitCode = 1
  process.stderr.write(`${(error as Error).message}\nKept: ${folder}, ${fleet.directory}\n`)
} finally {
  await Promise.all([victim.end('SIGKILL'), other.end('SIGKILL')])
  await fleet.end(process.exitCode === 1)
}
