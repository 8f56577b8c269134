// The same asked of several servers, and what each of them answers.

import type { Answer, Call } from '../src/core/replica/messages.ts'
import type { SimulatedServer } from './server.ts'

export const everything = {
  type: 'list' as const,
  directory: '',
  isRecursive: true,
  count: Infinity,
}

export class Questions {
  readonly #servers: readonly SimulatedServer[]
  /** By question, in the order in which they came. */
  readonly answers = new Map<string, { where: string; answer: Answer }[]>()

  constructor(servers: readonly SimulatedServer[]) {
    this.#servers = servers
  }

  ask(what: string, request: Call): void {
    const answers: { where: string; answer: Answer }[] = []
    this.answers.set(what, answers)
    for (const server of this.#servers) {
      const answered = (answer: Answer) => void answers.push({ where: server.name, answer })
      server.call(request, { answered })
    }
  }
}
