// A question before what cannot be undone, to who sits at a terminal.

import { createInterface } from 'node:readline/promises'

export interface Terminal {
  input: NodeJS.ReadableStream & { isTTY?: boolean }
  /** What a program that reads the answer of a command does not get. */
  output: NodeJS.WritableStream & { isTTY?: boolean }
}

const ownTerminal = (): Terminal => ({ input: process.stdin, output: process.stderr })

/** Whether the answer is yes. Where nobody sits there is nobody to ask: then it is. */
export async function saysYes(question: string, terminal = ownTerminal()): Promise<boolean> {
  const { input, output } = terminal
  if (input.isTTY !== true || output.isTTY !== true) return true
  const lines = createInterface({ input, output })
  // Ctrl+C and Ctrl+D are no yes.
  const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')))
  const answer = await Promise.race([lines.question(`${question} [y/N] `), closed])
  lines.close()
  return /^y(es)?$/i.test(answer.trim())
}
