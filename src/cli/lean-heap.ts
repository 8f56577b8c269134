// How much memory V8 may hold that nothing uses, in a process through which very many files go.

import { setFlagsFromString } from 'node:v8'

/** Ten thousand files leave much that is soon forgotten: it is not to become memory for good. */
export function keepHeapLean(): void {
  setFlagsFromString('--max-semi-space-size=8')
  setFlagsFromString('--semi-space-growth-factor=1')
}
