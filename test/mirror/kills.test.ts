// The mirror is killed again and again; `main.ts` does it as often as one likes.

import { test } from 'node:test'
import { killRounds, seeded } from './kills.ts'
import { four, stage, type Mirrored } from './mirrors.ts'

test('a mirror that is killed twenty times loses nothing and doubles nothing', async (t) => {
  const { fleet, mirrors } = await stage(t, 2, four)
  const [victim, other] = mirrors as [Mirrored, Mirrored]
  const told = (line: string) => t.diagnostic(line)
  await killRounds({ fleet, victim, other, rounds: 20, dice: seeded(1), told })
})
