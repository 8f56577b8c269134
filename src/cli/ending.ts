// Ctrl+C, and what else ends a command: it is told, and comes to an end by itself.

/**
 * Aborted when the person, or a signal, ends the command. From the first call on a signal ends the
 * process only when it comes a second time.
 */
export function untilEnded(): AbortSignal {
  const ending = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => ending.abort())
  }
  return ending.signal
}

/**
 * Ends the process though a thread of it hangs in a broken disk: `process.exit` waits for all of them.
 * Another program takes its place, for which the kernel ends them.
 */
export function endNow(code: number): never {
  const { execPath, execve } = process
  // Without an environment: a channel of messages and options of Node are not this one's.
  execve?.(execPath, [execPath, '--eval', `process.exit(${code})`], {})
  process.exit(code)
}
