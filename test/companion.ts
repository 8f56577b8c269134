// A program of ours in a process of its own that is asked questions and answers them.

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** By name: what a question comes with, and what its answer is. Both can be cloned. */
export type Questions<Q> = { [N in keyof Q]: { given: unknown; answer: unknown } }

interface Asked {
  number: number
  name: string
  given: unknown
}

type Answered = { number: number; answer: unknown } | { number: number; failed: string }

/** The end that asks. */
export class Companion<Q extends Questions<Q>> {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, { resolve: (answer: never) => void; reject: Rejected }>()
  readonly #exit: Promise<unknown>
  #asked = 0

  /** `file` calls `answerQuestions`. */
  constructor(file: URL, options: { nodeFlags?: string[] } = {}) {
    this.#child = fork(fileURLToPath(file), {
      execArgv: options.nodeFlags ?? [],
      serialization: 'advanced',
    })
    this.#exit = once(this.#child, 'exit')
    this.#child.on('message', (answered: Answered) => this.#answered(answered))
    this.#child.on('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values()) {
        reject(new Error(`the process of ${file.pathname} ended: ${code ?? signal}`))
      }
      this.#waiting.clear()
    })
  }

  get pid(): number {
    return this.#child.pid!
  }

  ask<N extends keyof Q & string>(name: N, given: Q[N]['given']): Promise<Q[N]['answer']> {
    const number = ++this.#asked
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject })
      const asked: Asked = { number, name, given }
      this.#child.send(asked, (error) => error && reject(error))
    })
  }

  async end(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL')
    }
    await this.#exit
  }

  #answered(answered: Answered): void {
    const waiting = this.#waiting.get(answered.number)
    this.#waiting.delete(answered.number)
    if ('failed' in answered) waiting?.reject(new Error(answered.failed))
    else waiting?.resolve(answered.answer as never)
  }
}

type Rejected = (error: Error) => void

export type Answers<Q extends Questions<Q>> = {
  [N in keyof Q]: (given: Q[N]['given']) => Promise<Q[N]['answer']> | Q[N]['answer']
}

/** The end that answers; for as long as the asking process lives. */
export function answerQuestions<Q extends Questions<Q>>(answers: Answers<Q>): void {
  const byName = answers as { [name: string]: (given: unknown) => unknown }
  process.on('message', ({ number, name, given }: Asked) => {
    void answerOne(number, async () => byName[name]!(given))
  })
  process.on('disconnect', () => process.exit())
}

async function answerOne(number: number, answer: () => Promise<unknown>): Promise<void> {
  let answered: Answered
  try {
    answered = { number, answer: await answer() }
  } catch (error) {
    answered = { number, failed: error instanceof Error ? error.stack! : String(error) }
  }
  process.send!(answered)
}

/** Milliseconds of a clock that all processes of this machine share. */
export function sharedNow(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
